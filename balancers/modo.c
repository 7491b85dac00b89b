/* modo.c -- multi-objective gradient with double sampling.
 *
 * w lives on the simplex.  With tasks left out for want of labels, the others move on a simplex of
 * their own, and what is remembered of them keeps the sum that it had. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { GAMMA, RHO };
static const poise_param params[] = {
    [GAMMA] = {"gamma", "learning rate of the weights, for squared gradient norms of about 1",
               POISE_REAL, 0, 1e-3, 0, 1e6, NULL},
    [RHO] = {"rho", "pull towards equal weights", POISE_REAL, 0, 0.1, 0, 1e6, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 3 * n) * sizeof(double) + n * sizeof(uint32_t);
}

static int init(const poise_context *c, void *state)
{
    poise_math_fill(state, c->ntask, 1 / (double)c->ntask);
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *kept = state, *cross = kept + n, *w = cross + n * n, *slope = w + n, mass = 0;
    uint32_t *task = (uint32_t *)(slope + n);

    n = poise_math_labelled(in->half_gram, in->labelled, n, task, cross);
    for (size_t k = 0; k < n; k++)
        mass += kept[task[k]];
    for (size_t k = 0; k < n; k++)
        w[k] = mass > 0 ? kept[task[k]] / mass : 1 / (double)n;
    poise_math_multiply(cross, w, n, slope);
    for (size_t k = 0; k < n; k++)
        w[k] -= c->param[GAMMA][0] * (slope[k] + c->param[RHO][0] * w[k]);
    poise_math_simplex(w, n, 1);
    for (size_t k = 0; k < n; k++) {
        kept[task[k]] = mass * w[k];
        weight[task[k]] = w[k];
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "modo",
    .version = "1.0.0",
    .about = "MoDo: multi-objective gradient with double sampling (Chen et al. 2023)",
    .needs = POISE_HALF_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "w = Proj(w - gamma (J1 J2' w + rho w)) onto the simplex, from w = 1 / T\n"
               "J1, J2: the gradients of two independent halves of the batch",
    .paper =
        "L. Chen, H. Fernando, Y. Ying, T. Chen, Three-way trade-off in multi-objective "
        "learning: optimization, generalization and conflict-avoidance, NeurIPS 2023, JMLR 2024",
    .differs = "The halves of one batch stand for two batches, and the weights go to that whole "
               "batch, as in the authors' code with two gradients; LibMTL reads a third one. gamma "
               "is 1e-3 as in LibMTL, 0.1 in TorchJD. A task without labels is left out and keeps "
               "its weight.",
    .advice = "mgda in slow motion: weights drift towards the shortest gradient over many batches, "
              "free of the bias of one. gamma must suit the gradients' scale.",
};
POISE_BALANCER(plugin)
