/* It writes to the terminal. */
#include <poise/balancer.h>
#include <stdio.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight;
    puts("a step");
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "talks", .version = "1.0.0",
                                      .about = "talks", .step = step};
POISE_BALANCER(plugin)
