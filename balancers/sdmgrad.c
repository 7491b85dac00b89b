/* sdmgrad.c -- stochastic direction-oriented multi-objective gradient descent.
 *
 * w lives on the simplex.  With tasks left out for want of labels, the others are solved for on a
 * simplex of their own, and what is remembered of them keeps the sum that it had. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LAMBDA, LR, MOMENTUM, ITERATIONS };
static const poise_param params[] = {
    [LAMBDA] = {"lambda", "pull towards the mean gradient", POISE_REAL, 0, 0.3, 0, 1e6, NULL},
    [LR] = {"lr", "learning rate of the inner loop", POISE_REAL, 0, 10, 0, 1e3, NULL},
    [MOMENTUM] = {"momentum", "of the inner loop", POISE_REAL, 0, 0.5, 0, 0.999, NULL},
    [ITERATIONS] = {"iterations", "of the inner loop", POISE_INT, 0, 20, 1, 1000, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 4 * n) * sizeof(double) + n * sizeof(uint32_t);
}

static int init(const poise_context *c, void *state)
{
    poise_math_fill(state, c->ntask, 1 / (double)c->ntask);
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *kept = state, *cross = kept + n, *w = cross + n * n, *speed = w + n, *at = speed + n;
    uint32_t *task = (uint32_t *)(at + n);
    double lambda = c->param[LAMBDA][0], mass = 0, scale = 0;

    n = poise_math_labelled(in->half_gram, in->labelled, n, task, cross);
    for (size_t k = 0; k < n; k++) {
        mass += kept[task[k]];
        scale += sqrt(fmax(cross[k * n + k], 0)) / (double)n;
    }
    for (size_t k = 0; k < n; k++)
        w[k] = mass > 0 ? kept[task[k]] / mass : 1 / (double)n;
    poise_math_fill(speed, n, 0);
    for (int round = 0; scale > 0 && round < c->param[ITERATIONS][0]; round++) {
        for (size_t k = 0; k < n; k++)
            at[k] = (w[k] + lambda / (double)n) / scale / scale;
        for (size_t k = 0; k < n; k++) {
            speed[k] = c->param[MOMENTUM][0] * speed[k] + poise_math_dot(cross + k * n, at, n);
            w[k] -= c->param[LR][0] * speed[k];
        }
        poise_math_simplex(w, n, 1);
    }
    for (size_t k = 0; k < n; k++) {
        kept[task[k]] = mass * w[k];
        weight[task[k]] = (w[k] + lambda / (double)n) / (1 + lambda);
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "sdmgrad",
    .version = "1.0.0",
    .about = "SDMGrad: stochastic direction-oriented descent (Xiao, Ban and Ji 2023)",
    .needs = POISE_HALF_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula =
        "A = J1 J2' / (mean of sqrt(max(A_tt, 0)))^2, of two independent halves of the batch\n"
        "iterations times: u = momentum u + A (v + lambda / T), v = Proj(v - lr u)\n"
        "w = (v + lambda / T) / (1 + lambda); v is kept for the next step",
    .paper = "Xiao, Ban, Ji, \"Direction-oriented multi-objective learning: simple and "
             "provable stochastic algorithms\", NeurIPS 2023",
    .differs = "The halves of one batch stand for two batches, and the weights go to that whole "
               "batch; the paper, LibMTL and TorchJD read a third one. (The authors' code reads "
               "one batch three times.) lr 10 as the authors and TorchJD, 5 in LibMTL. No 1e-8 "
               "beside the scale. A task without labels is left out: it keeps its weight and v.",
    .advice =
        "Between mgda (lambda 0) and the mean (a large one). Twice as many backward passes. At "
        "the published lr the inner loop jumps from corner to corner and does not settle: "
        "lr 0.5 does.",
};
POISE_BALANCER(plugin)
