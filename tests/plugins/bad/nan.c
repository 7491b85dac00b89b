/* Answers NaN for the second task from step 3 on. */
#include <math.h>
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state;
    weight[0] = 2;
    weight[1] = in->step < 3 ? 1 : NAN;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES, .id = "nan", .version = "1.0.0",
                                      .about = "answers NaN", .step = step};
POISE_BALANCER(plugin)
