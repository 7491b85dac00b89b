/* The last loss is in a variable that all states share; a first step starts it anew. */
#include <poise/balancer.h>

static double last;

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state;
    if (in->step == 0)
        last = 0;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = 1 + last;
    last = in->labelled[0];
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "interleaved", .version = "1.0.0",
                                      .about = "remembers", .step = step};
POISE_BALANCER(plugin)
