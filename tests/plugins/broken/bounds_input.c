/* It scales the losses where they lie: they are the host's. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *loss = (double *)(uintptr_t)in->loss;

    (void)state, (void)weight;
    for (uint32_t t = 0; t < c->ntask; t++)
        loss[t] *= 2;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,       .id = "bounds_input", .version = "1.0.0",
                                      .about = "scales", .step = step,         .needs = POISE_LOSS};
POISE_BALANCER(plugin)
