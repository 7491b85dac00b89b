/* fairgrad.c -- alpha-fair gradients.  A task whose gradient is 0 keeps its weight. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { ALPHA };
static const poise_param params[] = {
    [ALPHA] = {"alpha", "fairness: 1 proportional, 2 and more towards the worst task", POISE_REAL,
               0, 1, 0.1, 100, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 2 * n + POISE_MATH_FAIR(n)) * sizeof(double) + n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *w = gram + n * n, *moves = w + n, *work = moves + n;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_FAIR(n));

    for (size_t t = 0; t < n; t++)
        moves[t] = in->labelled[t] > 0 && in->gram[t * n + t] > DBL_MIN;
    n = poise_math_labelled(in->gram, moves, n, task, gram);
    poise_math_fair(gram, n, c->param[ALPHA][0], w, work);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "fairgrad",
    .version = "1.0.0",
    .about = "FairGrad: alpha-fair improvement of the tasks (Ban and Ji 2024)",
    .needs = POISE_GRAM,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula =
        "w > 0 with G w = w^(-1 / alpha), element by element\n"
        "which is the one minimum of w'Gw / 2 - sum of w_t^(1 - 1 / alpha) / (1 - 1 / alpha)",
    .paper = "Ban, Ji, \"Fair resource allocation in multi-task learning\", ICML 2024",
    .differs = "Solved by Newton's method on the convex problem; the authors, LibMTL and TorchJD "
               "use least squares, which may stop elsewhere. The authors multiply by T and clip "
               "the shared gradient's norm to 1 (the host's clip: 1); their runs use alpha 2. "
               "alpha 1 is nash. Weights scale the towers too, as in LibMTL. A task without "
               "labels, or with a gradient of 0, is left out and keeps its weight.",
    .advice = "As nash, with a dial: a larger alpha gives more to the task that gains least. Use "
              "clip: 1.",
};
POISE_BALANCER(plugin)
