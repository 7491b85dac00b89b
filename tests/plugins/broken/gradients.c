/* It divides by a determinant, which is 0 where the first two gradients are parallel. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    const double *g = in->gram;
    uint32_t n = c->ntask;

    (void)state;
    if (n > 1 && in->labelled[0] > 0 && in->labelled[1] > 0)
        weight[0] = g[0] * g[n + 1] / (g[0] * g[n + 1] - g[1] * g[1]);
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,  .id = "gradients",   .version = "1.0.0",   .about = "divides by a determinant",
    .step = step, .needs = POISE_GRAM, .flags = POISE_SIGNED};
POISE_BALANCER(plugin)
