/* 1 / loss, without a look at losses of 0. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] = 1 / in->loss[t];
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,         .id = "losses", .version = "1.0.0",
                                      .about = "1 / loss", .step = step,   .needs = POISE_LOSS};
POISE_BALANCER(plugin)
