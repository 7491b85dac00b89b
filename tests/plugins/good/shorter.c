/* Built with an earlier minor version: a table without `migrate`, rows without `choice`.  What
 * lies behind them must not be read: here it is a trap. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    weight[0] = c->param[0][0];
    weight[1] = c->param[1][0];
    return 0;
}

#define EARLIER_PARAM    offsetof(poise_param, choice)
#define EARLIER_BALANCER offsetof(poise_balancer, migrate)

/* Two rows of the earlier length, as they lay in memory then. */
typedef struct earlier_param {
    const char *name, *help;
    uint32_t kind, flags;
    double value, min, max;
} earlier_param;

static const earlier_param params[] = {
    {"first", "the first task's weight", POISE_REAL, 0, 5, 0, 10},
    {"second", "the second task's weight", POISE_INT, 0, 6, 0, 10},
};

static const union {
    poise_balancer table;
    unsigned char bytes[sizeof(poise_balancer)];
} plugin = {
    .table = {.size = EARLIER_BALANCER,
              .param_size = EARLIER_PARAM,
              .id = "shorter",
              .version = "0.9.0",
              .about = "shorter structs",
              .param = (const poise_param *)(const void *)params,
              .nparam = POISE_COUNT(params),
              .step = step,
              .migrate = (int (*)(const poise_context *, void *, uint32_t, const void *, size_t))(
                  uintptr_t)0xdead},
};
POISE_BALANCER(plugin.table)
