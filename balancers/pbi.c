/* pbi.c -- penalty-based boundary intersection: down the preferred direction, and back to it.
 *
 * Stateless; norms and products go over the tasks with labels, the others keep their weight. */
#include <math.h>
#include <poise/balancer.h>

enum { THETA, PREFERENCE, IDEAL };
static const poise_param params[] = {
    [THETA] = {"theta", "penalty on the distance from the preferred direction", POISE_REAL, 0, 5, 0,
               1e6, NULL},
    [PREFERENCE] = {"preference", "the task's part in the preferred direction", POISE_REAL,
                    POISE_PER_TASK, 1, 1e-9, 1e9, NULL},
    [IDEAL] = {"ideal", "the loss that could be reached at best", POISE_REAL, POISE_PER_TASK, 0,
               -1e9, 1e9, NULL},
};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    const double *p = c->param[PREFERENCE], *ideal = c->param[IDEAL];
    double norm = 0, along = 0, across = 0;

    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            norm += p[t] * p[t];
    norm = sqrt(norm);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            along += p[t] / norm * (in->loss[t] - ideal[t]);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0) {
            weight[t] = in->loss[t] - ideal[t] - along * p[t] / norm;
            across += weight[t] * weight[t];
        }
    across = sqrt(across + 1e-12);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] = p[t] / norm + c->param[THETA][0] * weight[t] / across;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "pbi",
    .version = "1.0.0",
    .about = "penalty-based boundary intersection (Zhang, Li 2007)",
    .needs = POISE_LOSS,
    .flags = POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .formula = "u = preference / |preference|, f = l - ideal, d = <f, u>, e = f - d u\n"
               "minimise d + theta |e|, so w = u + theta e / sqrt(<e, e> + 1e-12)",
    .paper = "Zhang, Li, \"MOEA/D: a multiobjective evolutionary algorithm based on "
             "decomposition\", IEEE Transactions on Evolutionary Computation, 2007",
    .differs = "As TorchJD, which asks for theta (the paper has 5) and the preference.",
    .advice = "For a wanted ratio of losses that are on one scale. By default all are pushed to "
              "be equal, which the losses of labels with different rates cannot be: give "
              "`preference`. A task below its share gets a negative weight as soon as theta "
              "outweighs the direction, and is made worse: a smaller theta prevents that.",
};
POISE_BALANCER(plugin)
