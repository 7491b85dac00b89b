/* A weight that grows with every step, to infinity after some 500. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] *= 4;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "long_run", .version = "1.0.0",
                                      .about = "grows", .step = step};
POISE_BALANCER(plugin)
