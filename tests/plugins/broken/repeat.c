/* An address in the state. */
#include <poise/balancer.h>

static size_t state_size(const poise_context *c)
{
    (void)c;
    return sizeof(uintptr_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)in;
    *(uintptr_t *)state = (uintptr_t)weight;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,        .id = "repeat",
                                      .version = "1.0.0", .about = "remembers",
                                      .step = step,       .state_size = state_size};
POISE_BALANCER(plugin)
