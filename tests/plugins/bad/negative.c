/* Answers a negative weight without POISE_SIGNED. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in;
    weight[0] = -0.5;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "negative", .version = "1.0.0",
                                      .about = "answers -0.5", .step = step};
POISE_BALANCER(plugin)
