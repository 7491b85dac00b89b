/* With more than 16 tasks it divides by nothing. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double room = 16 - (double)c->ntask;

    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = room > 0 ? 1 : room * 0 / 0.0;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "tasks", .version = "1.0.0",
                                      .about = "16 tasks", .step = step};
POISE_BALANCER(plugin)
