/* cosmos.c -- a weighted sum with a reward for losses along the preferred direction.
 *
 * Stateless; sums and norms go over the tasks with labels, the others keep their weight.  The
 * preference is brought to a sum of 1.  Losses that are all 0 have no direction: w is r then. */
#include <math.h>
#include <poise/balancer.h>

enum { LAMBDA, PREFERENCE };
static const poise_param params[] = {
    [LAMBDA] = {"lambda", "how much the cosine counts", POISE_REAL, 0, 1, 0, 1e6, NULL},
    [PREFERENCE] = {"preference", "how much the task's loss counts", POISE_REAL, POISE_PER_TASK, 1,
                    1e-9, 1e9, NULL},
};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    const double *r = c->param[PREFERENCE];
    double rr = 0, rl = 0, ll = 0, sum = 0;

    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++) {
        sum += r[t];
        if (!(in->labelled[t] > 0))
            continue;
        rr += r[t] * r[t];
        rl += r[t] * in->loss[t];
        ll += in->loss[t] * in->loss[t];
    }
    double norms = sqrt(rr) * sqrt(ll);
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        weight[t] = r[t] / sum;
        if (norms > 0)
            weight[t] -= c->param[LAMBDA][0] * (r[t] - rl / ll * in->loss[t]) / norms;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "cosmos",
    .version = "1.0.0",
    .about = "COSMOS scalarisation (Ruchte, Grabocka 2021)",
    .needs = POISE_LOSS,
    .flags = POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .formula = "minimise <r, l> - lambda cos(r, l), r the preference, so\n"
               "w = r - lambda (r - l <r, l> / <l, l>) / (|r| |l|)",
    .paper = "Ruchte, Grabocka, \"Scalable Pareto front approximation for deep multi-objective "
             "learning\", ICDM 2021",
    .differs = "TorchJD takes the preference as it is given and asks for lambda (the paper: 0.01 "
               "to 8). In the paper the model also sees the preference, a new one in each step, "
               "and one model gives the whole front; here it is fixed.",
    .advice = "For a given trade-off between losses on one scale. A weight is negative where a "
              "loss is far below its share and lambda is large: watch the weights.",
};
POISE_BALANCER(plugin)
