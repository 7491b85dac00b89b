/* An edit() that leaves out the last element of every slice. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    return (void)c, (void)state, (void)in, (void)weight, 0;
}

static int edit(const poise_context *c, void *state, const poise_signals *in,
                const poise_stretch *s, float *const *out)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        for (size_t i = 0; i + 1 < s->n; i++)
            out[t][i] = s->grad[t][i];
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,        .id = "slices_empty",
                                      .version = "1.0.0", .about = "leaves one out",
                                      .step = step,       .edit = edit};
POISE_BALANCER(plugin)
