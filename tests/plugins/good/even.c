/* even.c -- every task pulls alike: 1 over the running mean of its loss; the sum is T. */
#include <poise/balancer.h>

enum { KEEP };
static const poise_param params[] = {
    [KEEP] = {"keep", "share of the old mean in the new one", POISE_REAL, 0, 0.99, 0, 1, NULL},
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double); /* the means; 0: no loss yet */
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *mean = state, keep = c->param[KEEP][0], sum = 0, known = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        double loss = in->loss[t];
        if (in->labelled[t] > 0 && !(loss > 0))
            return c->host->fail(c->host, "the loss of task %s is %g", c->task[t], loss);
        if (in->labelled[t] > 0)
            mean[t] = mean[t] > 0 ? keep * mean[t] + (1 - keep) * loss : loss;
        sum += mean[t] > 0 ? 1 / mean[t] : 0;
        known += mean[t] > 0;
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (mean[t] > 0)
            weight[t] = known / mean[t] / sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "even",
    .version = "1.0.0",
    .about = "losses over their running means",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
};
POISE_BALANCER(plugin)
