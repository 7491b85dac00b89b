/* ones.h -- a balancer that leaves all weights at 1, with a table to be spoilt by the tests. */
#ifndef ONES_H
#define ONES_H

#include <poise/balancer.h>

static int ones_step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight;
    return 0;
}

#define ONES(name, ...)                                                                 \
    static const poise_balancer plugin = {POISE_SIZES,        .id = #name,              \
                                          .version = "1.0.0", .about = "all weights 1", \
                                          .step = ones_step,  __VA_ARGS__};             \
    POISE_BALANCER(plugin)

#endif
