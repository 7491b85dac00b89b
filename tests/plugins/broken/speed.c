/* It counts to a very large number in every step. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight;
    for (volatile uint64_t k = 0; k < 400000000; k++) {
    }
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "speed", .version = "1.0.0",
                                      .about = "counts", .step = step};
POISE_BALANCER(plugin)
