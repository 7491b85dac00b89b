/* Built with a later minor version: its structs have fields that this host has never heard of. */
#include <poise/balancer.h>

typedef struct later_param {
    poise_param now;
    double unit;
} later_param;

typedef struct later_balancer {
    poise_balancer now;
    int (*hook)(void);
} later_balancer;

static const later_param params[] = {
    {{"first", "the first task's weight", POISE_REAL, 0, 3, 0, 10, NULL}, 1e300},
    {{"second", "the second task's weight", POISE_REAL, 0, 4, 0, 10, NULL}, -1},
};

static int hook(void)
{
    return -1;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    weight[0] = c->param[0][0];
    weight[1] = c->param[1][0];
    return 0;
}

static const later_balancer plugin = {
    .now = {.size = sizeof(later_balancer),
            .param_size = sizeof(later_param),
            .id = "longer",
            .version = "2.3.4",
            .about = "longer structs",
            .wants = POISE_LOSS | 1u << 21, /* an unknown want is no reason to refuse */
            .param = &params[0].now,
            .nparam = POISE_COUNT(params),
            .step = step},
    .hook = hook,
};
POISE_BALANCER(plugin.now)
