/* It writes to a step's number as an address, at step 24. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)weight;
    if (in->step >= 24)
        *(volatile int *)(uintptr_t)in->step = 1;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "crash_later", .version = "1.0.0",
                                      .about = "crashes", .step = step};
POISE_BALANCER(plugin)
