/* It writes to a step's number as an address when there are 17 tasks. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in, (void)weight;
    if (c->ntask == 17)
        *(volatile int *)(uintptr_t)in->labelled[17 * 0] =
            1; /* a small address: a label's weight */
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "crash", .version = "1.0.0",
                                      .about = "crashes", .step = step};
POISE_BALANCER(plugin)
