/* aligned.c -- Aligned-MTL: gradients made orthogonal and equally long before they are added. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { SCALE_MODE, PREFERENCE };
enum { MIN, MEDIAN, RMSE };
static const char *const modes[] = {[MIN] = "min", [MEDIAN] = "median", [RMSE] = "rmse", NULL};
static const poise_param params[] = {
    [SCALE_MODE] = {"scale_mode", "which singular value all of them become", POISE_CHOICE, 0, MIN,
                    0, 0, modes},
    [PREFERENCE] = {"preference", "weight of the task before the alignment", POISE_REAL,
                    POISE_PER_TASK, 1, 0, 1e6, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (2 * n * n + 3 * n) * sizeof(double) + n * sizeof(uint32_t);
}

/* The square of that singular value, of sorted eigenvalues. */
static double chosen(const double *value, size_t rank, int mode)
{
    return mode == MIN      ? value[rank - 1]
           : mode == MEDIAN ? value[rank / 2] /* the lower one of two */
                            : poise_math_sum(value, rank) / (double)rank;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *v = gram + n * n, *value = v + n * n, *p = value + n, *w = p + n;
    uint32_t *task = (uint32_t *)(w + n);

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++)
        p[k] = c->param[PREFERENCE][task[k]] / (double)n;
    poise_math_eigen(gram, n, value, v);
    size_t rank = poise_math_rank(value, n, POISE_MATH_RANK(n));
    poise_math_power(value, v, n, rank, -0.5, p, w);
    double scale = rank ? sqrt(chosen(value, rank, (int)c->param[SCALE_MODE][0])) : 0;
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = rank ? scale * w[k] : p[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "aligned",
    .version = "1.0.0",
    .about = "Aligned-MTL: independent components of the gradients (Senushkin et al. 2023)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "G = V L V'\n"
               "w = sqrt(s) V L^(-1/2) V' p, of the eigenvalues above T 1.2e-7 of the largest\n"
               "p_t = preference_t / T\n"
               "s: the least of them (min), their median or their mean (rmse)",
    .paper = "Senushkin, Patakin, Kuznetsov, Konushin, \"Independent component alignment for "
             "multi-task learning\", CVPR 2023",
    .differs = "p is 1 / T as in TorchJD; the authors and LibMTL have 1, which makes steps T times "
               "as long. An even number's median is the lower one, as in TorchJD. LibMTL's needs "
               "a PyTorch of before 2.0. All gradients 0: w = p. A task without labels is left "
               "out of T and keeps its weight.",
    .advice = "Removes both conflict and dominance. min is stable and cautious: the step is as "
              "short as the weakest component.",
};
POISE_BALANCER(plugin)
