/* even.c -- every task pulls the shared layer equally hard: w ~ 1 / running gradient norm. */
#include <poise/balancer.h>

static const poise_param params[] = {
    {"share", "of the newest norm in the running one", POISE_REAL, 0, 0.05, 1e-3, 1, NULL}};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double); /* the running norms; they start at 0 */
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *norm = state, share = c->param[0][0], sum = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        if (in->labelled[t] > 0)
            norm[t] += (norm[t] > 0 ? share : 1) * (in->grad_norm[t] - norm[t]);
        weight[t] = 1 / (norm[t] + 1e-9);
        sum += weight[t];
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] *= c->ntask / sum; /* they sum to the number of tasks */
    return 0;
}

static const poise_balancer even = {
    POISE_SIZES,
    .id = "even",
    .version = "1.0.0",
    .about = "equal pull of all tasks",
    .needs = POISE_GRAD_NORM,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_size = state_size,
    .step = step,
};
POISE_BALANCER(even)
