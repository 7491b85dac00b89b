/* It ends the process, with success. */
#include <poise/balancer.h>
#include <stdlib.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)weight;
    if (in->step == 3)
        exit(0);
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "ends", .version = "1.0.0",
                                      .about = "ends", .step = step};
POISE_BALANCER(plugin)
