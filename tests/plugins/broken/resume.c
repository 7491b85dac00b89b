/* It knows a state by its address, and starts anew with one that it has not seen. */
#include <poise/balancer.h>

static void *seen;

static size_t state_size(const poise_context *c)
{
    (void)c;
    return sizeof(double);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *steps = state;

    (void)in;
    if (state != seen)
        *steps = 0;
    seen = state;
    *steps += 1;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = *steps;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,       .id = "resume", .version = "1.0.0",
                                      .about = "counts", .step = step,   .state_size = state_size};
POISE_BALANCER(plugin)
