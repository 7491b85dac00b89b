/* equal.c -- fixed weights, 1 unless the spec says otherwise: the baseline.
 *
 *     balancer: equal
 *     balancer: {use: equal, weight: {click: 1, buy: 0.5}}
 *
 * LibMTL's EW, TorchJD's Sum, and with `weight` its Constant.  The sum of the weights is free. */
#include <math.h>
#include <poise/balancer.h>

enum { WEIGHT };
static const poise_param params[] = {
    [WEIGHT] = {"weight", "fixed weight of the task's loss", POISE_REAL, POISE_PER_TASK, 1, 0,
                INFINITY, NULL},
};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = c->param[WEIGHT][t];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "equal",
    .version = "1.0.0",
    .about = "fixed weights, 1 unless given",
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .formula = "w = weight",
    .paper = "none: the sum of the losses",
    .differs = "LibMTL's EW, TorchJD's Sum, with `weight` its Constant; its Mean is this with "
               "weights normalised to a sum of 1. LibMTL's text says 1/T, its code 1.",
    .advice = "The baseline: with tuned weights it is hard to beat. Report it beside everything "
              "else.",
};
POISE_BALANCER(plugin)
