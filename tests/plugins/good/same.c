#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight; /* they are 1.0 already */
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "same", .version = "1.0.0",
                                      .about = "all weights 1", .step = step};
POISE_BALANCER(plugin)
