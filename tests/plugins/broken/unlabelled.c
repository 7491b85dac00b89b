/* A running mean of the losses that takes in those of tasks without labels. */
#include <poise/balancer.h>

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *mean = state;

    for (uint32_t t = 0; t < c->ntask; t++) {
        mean[t] = 0.9 * mean[t] + 0.1 * in->loss[t];
        weight[t] = mean[t] > 0 ? mean[t] : 0;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,  .id = "unlabelled",  .version = "1.0.0",      .about = "running means",
    .step = step, .needs = POISE_LOSS, .state_size = state_size};
POISE_BALANCER(plugin)
