/* A version that is none, and an `about` of two lines. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    return (void)c, (void)state, (void)in, (void)weight, 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "texts", .version = "new",
                                      .about = "one\ntwo", .step = step};
POISE_BALANCER(plugin)
