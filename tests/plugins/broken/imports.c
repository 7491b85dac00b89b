/* It allocates memory in every step. */
#include <poise/balancer.h>
#include <stdlib.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *copy = malloc(c->ntask * sizeof *copy);

    (void)state;
    if (!copy)
        return c->host->fail(c->host, "no memory");
    for (uint32_t t = 0; t < c->ntask; t++)
        copy[t] = in->loss[t] > 0;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = copy[t];
    free(copy);
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,          .id = "imports", .version = "1.0.0",
                                      .about = "allocates", .step = step,    .needs = POISE_LOSS};
POISE_BALANCER(plugin)
