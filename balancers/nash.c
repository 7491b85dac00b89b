/* nash.c -- Nash-MTL: the tasks bargain for a direction.
 *
 * Newton's method on the convex problem behind it (balancer_math.h) takes the place of a sequence
 * of cone programs.  A task whose gradient is 0 has nothing to bargain for and keeps its weight. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

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
    poise_math_fair(gram, n, 1, w, work);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "nash",
    .version = "1.0.0",
    .about = "Nash-MTL: multi-task learning as a bargaining game (Navon et al. 2022)",
    .needs = POISE_GRAM,
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "w > 0 with G w = 1 / w, element by element\n"
               "which is the one minimum of w'Gw / 2 - sum of log w_t\n"
               "with two tasks w_t = 1 / (|g_t| sqrt(1 + cos(g_1, g_2)))",
    .paper = "Navon, Shamsian, Achituve, Maron, Kawaguchi, Chechik, Fetaya, \"Multi-task "
             "learning as a bargaining game\", ICML 2022",
    .differs =
        "The solution is exact, also where the authors' cone programs stop at 1e-3 or fail and "
        "keep the old weights. The step has the norm sqrt(T) whatever the gradients; the "
        "authors, LibMTL and TorchJD clip the shared gradient's norm to 1 (the host's clip: "
        "1), and can keep weights for some steps, as the host can. Weights scale the towers "
        "too, as in LibMTL. A task without labels, or with a gradient of 0, is left out and "
        "keeps its weight.",
    .advice = "Tasks of any scale gain the same share; weights go as 1 / |g_t|, so use clip: 1. "
              "Where tasks conflict almost exactly the weights are very large.",
};
POISE_BALANCER(plugin)
