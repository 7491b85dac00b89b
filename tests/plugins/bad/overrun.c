/* Writes one double outside of what it was given, where `where` says. */
#include <poise/balancer.h>

enum { WHERE };
enum { BEHIND, FRONT, WEIGHT, INIT };
static const char *const places[] = {"behind", "front", "weight", "init", NULL};
static const poise_param params[] = {
    [WHERE] = {"where", "what is overrun", POISE_CHOICE, 0, BEHIND, 0, 0, places},
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double);
}

static int init(const poise_context *c, void *state)
{
    double *x = state;
    if (c->param[WHERE][0] == INIT)
        x[c->ntask] = 1;
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *x = state;
    (void)in;
    if (c->param[WHERE][0] == BEHIND)
        x[c->ntask] = 1;
    else if (c->param[WHERE][0] == FRONT)
        x[-1] = 1;
    else
        weight[c->ntask] = 1;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "overrun",
    .version = "1.0.0",
    .about = "writes past its state",
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_size = state_size,
    .init = init,
    .step = step,
};
POISE_BALANCER(plugin)
