/* config.c -- ConFIG: a direction with the same cosine to every task's gradient. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { PREFERENCE };
static const poise_param params[] = {
    [PREFERENCE] = {"preference", "cosine of the step to the task's gradient, relative", POISE_REAL,
                    POISE_PER_TASK, 1, 0, 1e6, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (2 * n * n + 3 * n + POISE_MATH_PINV(n)) * sizeof(double) + n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *cosine = gram + n * n, *w = cosine + n * n, *norm = w + n, *p = norm + n;
    double *work = p + n, along = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_PINV(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        norm[k] = gram[k * n + k] > DBL_MIN ? sqrt(gram[k * n + k]) : 1;
        p[k] = c->param[PREFERENCE][task[k]];
    }
    memcpy(cosine, gram, n * n * sizeof *gram);
    poise_math_scale(cosine, norm, n);
    poise_math_pinv(cosine, p, n, POISE_MATH_RANK(n), w, work);
    for (size_t k = 0; k < n; k++)
        w[k] /= norm[k];
    for (size_t k = 0; k < n; k++)
        along += poise_math_dot(gram + k * n, w, n);
    double square = poise_math_square(gram, w, n);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = square > 0 ? w[k] * (along / square) : 0;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "config",
    .version = "1.0.0",
    .about = "ConFIG: conflict-free inverse gradients (Liu et al. 2024)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "u_t = g_t / |g_t|, the rows of U\n"
               "d = pinv(U) p, made 1 long; p_t = preference_t\n"
               "the step is d times the sum over t of <g_t, d>\n"
               "on G, with D = diag of |g_t|: v = D^-1 pinv(D^-1 G D^-1) p, w = v (1'Gv) / (v'Gv)",
    .paper = "Liu, Chu, Thuerey, \"ConFIG: towards conflict-free training of physics informed "
             "neural networks\", ICLR 2025 (arXiv:2408.11104)",
    .differs = "The authors and TorchJD invert the gradients themselves; here their Gram matrix, "
               "whose eigenvalues up to T 1.2e-7 of the largest count as 0 (singular values up "
               "to the square root of that). Weights may be negative. A task without labels is "
               "left out and keeps its weight; one with a gradient of 0 has the weight 0.",
    .advice = "Direction by equal cosines, length by how well the gradients agree: short steps "
              "where they do not. For losses of very different scale.",
};
POISE_BALANCER(plugin)
