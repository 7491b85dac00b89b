/* dualproj.c -- the mean gradient, projected onto the directions that harm no task. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { PREFERENCE, REG_EPS, NORM_EPS };
static const poise_param params[] = {
    [PREFERENCE] = {"preference", "weight of the task in the mean", POISE_REAL, POISE_PER_TASK, 1,
                    0, 1e6, NULL},
    [REG_EPS] = {"reg_eps", "added to the diagonal of G over its trace", POISE_REAL, 0, 1e-4, 1e-12,
                 1, NULL},
    [NORM_EPS] = {"norm_eps", "up to this trace of G the gradients count as 0", POISE_REAL, 0, 0, 0,
                  INFINITY, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 2 * n + POISE_MATH_QP(n)) * sizeof(double) + n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *w = gram + n * n, *low = w + n, *work = low + n, trace = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_QP(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        trace += gram[k * n + k];
        w[k] = low[k] = c->param[PREFERENCE][task[k]] / (double)n;
    }
    int flat = !(trace > fmax(c->param[NORM_EPS][0], DBL_MIN));
    for (size_t k = 0; k < n * n; k++)
        gram[k] = (flat ? 0 : gram[k] / trace) + (k % (n + 1) ? 0 : c->param[REG_EPS][0]);
    poise_math_qp(gram, NULL, low, n, w, work);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "dualproj",
    .version = "1.0.0",
    .about = "DualProj: the mean gradient, made to harm no task (Lopez-Paz and Ranzato 2017)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "w = argmin over {w >= p} of w'Qw\n"
               "Q = G / tr(G) + reg_eps I; p_t = preference_t / T",
    .paper = "Lopez-Paz, Ranzato, \"Gradient episodic memory for continual learning\", NeurIPS "
             "2017, equation 11",
    .differs = "TorchJD takes the gradients for 0, and the weights for p, when tr(G) is below 1e-4 "
               "(norm_eps: 1e-4); here the scale does not matter. A task without labels is left "
               "out of T and keeps its weight.",
    .advice = "The smallest change of the mean gradient that harms no task. One quadratic program; "
              "a task with a long gradient has more say than in upgrad.",
};
POISE_BALANCER(plugin)
