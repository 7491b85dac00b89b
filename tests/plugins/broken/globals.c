/* It counts its steps in a variable of its own, although nothing comes of it. */
#include <poise/balancer.h>

static volatile uint64_t steps;

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight;
    steps++;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "globals", .version = "1.0.0",
                                      .about = "counts", .step = step};
POISE_BALANCER(plugin)
