/* krum.c -- the gradients nearest to their neighbours: the odd ones are left out. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { F, M };
static const poise_param params[] = {
    [F] = {"f", "how many tasks may be odd", POISE_INT, 0, 0, 0, 1000, NULL},
    [M] = {"m", "how many tasks are chosen", POISE_INT, 0, 1, 1, 1000, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 2 * n) * sizeof(double) + n * sizeof(uint32_t);
}

static int init(const poise_context *c, void *state)
{
    (void)state;
    if (c->ntask < c->param[F][0] + 3)
        return c->host->fail(c->host, "f is %g, which needs at least %g tasks; there are %u",
                             c->param[F][0], c->param[F][0] + 3, (unsigned)c->ntask);
    if (c->ntask < c->param[M][0])
        return c->host->fail(c->host, "m is %g; there are %u tasks to choose from", c->param[M][0],
                             (unsigned)c->ntask);
    return 0;
}

/* The sum of the `count` smallest of n numbers, which get sorted so far. */
static double smallest(double *x, size_t n, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < n; j++)
            if (x[j] < x[i]) {
                double swap = x[i];
                x[i] = x[j];
                x[j] = swap;
            }
        sum += x[i];
    }
    return sum;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask, f = (size_t)c->param[F][0], m = (size_t)c->param[M][0];
    double *gram = state, *score = gram + n * n, *distance = score + n;
    uint32_t *task = (uint32_t *)(distance + n);

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    size_t near = n > f + 3 ? n - f - 2 : n > 1 ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        size_t others = 0;
        for (size_t j = 0; j < n; j++)
            if (j != i)
                distance[others++] =
                    sqrt(fmax(gram[i * n + i] + gram[j * n + j] - 2 * gram[i * n + j], 0));
        score[i] = smallest(distance, others, near);
        weight[task[i]] = 0;
    }
    m = m < n ? m : n;
    for (size_t k = 0; k < m; k++) {
        size_t best = 0;
        for (size_t i = 1; i < n; i++)
            if (score[i] < score[best])
                best = i;
        score[best] = HUGE_VAL;
        weight[task[best]] = 1 / (double)m;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "krum",
    .version = "1.0.0",
    .about = "Multi-Krum: the mean of the gradients nearest to others (Blanchard et al. 2017)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .min_task = 3,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "d_ij = |g_i - g_j|\n"
               "score_i = sum of the T - f - 2 smallest d_ij with j != i\n"
               "w = 1 / m for the m tasks with the lowest scores, 0 for the others; T >= f + 3",
    .paper = "Blanchard, El Mhamdi, Guerraoui, Stainer, \"Machine learning with adversaries: "
             "Byzantine tolerant gradient descent\", NeurIPS 2017",
    .differs = "Distances are not squared, as in TorchJD; the paper squares them. f is 0 unless "
               "given (TorchJD: must be given). Of equal scores the first task counts. A task "
               "without labels is left out of T and keeps its weight; with fewer than f + 3 left "
               "the nearest neighbour alone is the score.",
    .advice = "Made against broken workers, not for balance: most tasks get no say in a step. For "
              "comparison, or where one task's labels are suspect.",
};
POISE_BALANCER(plugin)
