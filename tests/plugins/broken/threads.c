/* Room for intermediate results that two threads would share.  Every step fills it before it reads
 * it, so that two states in turns get along. */
#include <poise/balancer.h>

static volatile double room[64];

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++)
        for (int k = 0; k < 20000; k++) /* long enough for another thread to come in between */
            room[t] = in->labelled[t] + c->ntask;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = room[t];
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "threads", .version = "1.0.0",
                                      .about = "shared room", .step = step};
POISE_BALANCER(plugin)
