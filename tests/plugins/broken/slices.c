/* The mean gradient times the length of the slice, which says nothing about the parameters. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    return (void)c, (void)state, (void)in, (void)weight, 0;
}

static int blend(const poise_context *c, void *state, const poise_signals *in,
                 const poise_stretch *s, const double *weight, float *out)
{
    (void)state, (void)in, (void)weight;
    for (size_t i = 0; i < s->n; i++) {
        out[i] = 0;
        for (uint32_t t = 0; t < c->ntask; t++)
            out[i] += s->grad[t][i] * (float)s->n;
    }
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,        .id = "slices",
                                      .version = "1.0.0", .about = "scales by the slice",
                                      .step = step,       .blend = blend};
POISE_BALANCER(plugin)
