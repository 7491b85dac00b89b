/* pcgrad.c -- project each gradient off those that it conflicts with.
 *
 * The projections are written as coefficients on the original gradients, so a Gram matrix is all
 * that they need. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { ORDER };
enum { RANDOM, FIXED };
static const char *const orders[] = {[RANDOM] = "random", [FIXED] = "fixed", NULL};
static const poise_param params[] = {
    [ORDER] = {"order", "order of the projections of each task", POISE_CHOICE, 0, RANDOM, 0, 0,
               orders},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 2 * n) * sizeof(double) + 2 * n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *w = gram + n * n, *row = w + n;
    uint32_t *task = (uint32_t *)(row + n), *order = task + n;

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    poise_math_fill(w, n, 0);
    for (size_t k = 0; k < n; k++)
        order[k] = (uint32_t)k;
    for (size_t i = 0; i < n; i++) {
        if (c->param[ORDER][0] == RANDOM)
            poise_math_shuffle(c->seed, in->step, i * n, n, order);
        poise_math_fill(row, n, 0);
        row[i] = 1;
        for (size_t k = 0; k < n; k++) {
            size_t j = order[k];
            double along = poise_math_dot(gram + j * n, row, n);
            if (j != i && along < 0 && gram[j * n + j] > 0)
                row[j] -= along / gram[j * n + j];
        }
        for (size_t j = 0; j < n; j++)
            w[j] += row[j];
    }
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "pcgrad",
    .version = "1.0.0",
    .about = "PCGrad: gradient surgery (Yu et al. 2020)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "for each i: d = g_i; for j != i in order: if <d, g_j> < 0:\n"
               "    d -= g_j <d, g_j> / |g_j|^2\n"
               "the step is the sum of all d\n"
               "with two tasks w_1 = 1 - min(<g_1, g_2>, 0) / |g_1|^2",
    .paper = "Yu, Kumar, Gupta, Levine, Hausman, Finn, \"Gradient surgery for multi-task "
             "learning\", NeurIPS 2020",
    .differs = "Each task draws its own order, as in the paper and TorchJD. LibMTL projects a "
               "gradient on itself too, with 1e-8 below the fraction. The authors' code shuffles "
               "and drops the result: order: fixed. Some ports take the mean of the d, not the "
               "sum. A task without labels is left out and keeps its weight.",
    .advice = "A cheap first cure for conflicting tasks. With two tasks no one gets worse; with "
              "more a later projection may undo an earlier one, and the order matters.",
};
POISE_BALANCER(plugin)
