/* It only wants kpi, but reads it without asking whether it is there. */
#include <poise/balancer.h>

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = in->kpi[t] > 0.5 ? 1 : 2;
    return 0;
}

static const poise_balancer plugin = {POISE_SIZES,    .id = "withheld", .version = "1.0.0",
                                      .about = "kpi", .step = step,     .wants = POISE_KPI};
POISE_BALANCER(plugin)
