/* It never comes back from its fourth step. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)weight;
    for (volatile uint64_t k = 0; in->step == 3; k++) {
    }
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "hang", .version = "1.0.0",
                                      .about = "hangs", .step = step};
POISE_BALANCER(plugin)
