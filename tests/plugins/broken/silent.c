/* It fails and does not say why. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)weight;
    return in->step == 3 ? -1 : 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "silent", .version = "1.0.0",
                                      .about = "fails", .step = step};
POISE_BALANCER(plugin)
