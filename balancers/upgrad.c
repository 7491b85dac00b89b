/* upgrad.c -- each task's gradient projected on the directions that harm no task; then the sum. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { PREFERENCE, REG_EPS, NORM_EPS };
static const poise_param params[] = {
    [PREFERENCE] = {"preference", "weight of the task's projection", POISE_REAL, POISE_PER_TASK, 1,
                    0, 1e6, NULL},
    [REG_EPS] = {"reg_eps", "added to the diagonal of G over its trace", POISE_REAL, 0, 1e-4, 1e-12,
                 1, NULL},
    [NORM_EPS] = {"norm_eps", "up to this trace of G the gradients count as 0", POISE_REAL, 0, 0, 0,
                  INFINITY, NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 3 * n + POISE_MATH_QP(n)) * sizeof(double) + n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *w = gram + n * n, *low = w + n, *v = low + n, *work = v + n, trace = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_QP(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++)
        trace += gram[k * n + k];
    int flat = !(trace > fmax(c->param[NORM_EPS][0], DBL_MIN));
    for (size_t k = 0; k < n * n; k++)
        gram[k] = (flat ? 0 : gram[k] / trace) + (k % (n + 1) ? 0 : c->param[REG_EPS][0]);
    poise_math_fill(w, n, 0);
    for (size_t i = 0; i < n; i++) {
        poise_math_fill(low, n, 0);
        low[i] = c->param[PREFERENCE][task[i]] / (double)n;
        memcpy(v, low, n * sizeof *v);
        poise_math_qp(gram, NULL, low, n, v, work);
        for (size_t k = 0; k < n; k++)
            w[k] += v[k];
    }
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "upgrad",
    .version = "1.0.0",
    .about = "UPGrad: unconflicting projection of gradients (Quinton and Rey 2024)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "w = sum over i of v_i\n"
               "v_i = argmin over {v >= p_i e_i} of v'Qv\n"
               "Q = G / tr(G) + reg_eps I; p_i = preference_i / T\n"
               "with two tasks half of pcgrad's weights",
    .paper = "Quinton, Rey, \"Jacobian descent for multi-objective optimization\", "
             "arXiv:2406.16232, 2024",
    .differs = "TorchJD and LibMTL take the gradients for 0, and all weights for p, when tr(G) is "
               "below 1e-4 (norm_eps: 1e-4); here the scale does not matter. A task without labels "
               "is left out of T and keeps its weight.",
    .advice = "No task gets worse, the order of the tasks does not matter, and a longer gradient "
              "has more to say. A good default where tasks conflict; T quadratic programs a step.",
};
POISE_BALANCER(plugin)
