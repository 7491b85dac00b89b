/* cagrad.c -- conflict-averse gradient descent.
 *
 * With g0 the mean gradient and g_w = sum of w_t g_t, the dual problem is
 *
 *     min over {w >= 0, sum of w = 1} of  <g0, g_w> + c |g0| |g_w|
 *
 * Its solution is the minimum-norm point of the shifted vectors g_t + tau g0 for the tau at which
 * c |g0| tau = |g_w|: both have the same stationary points.  So one root in one unknown is looked
 * for, and each trial is a small quadratic program that starts from the last one's answer. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { C, RESCALE, LOG, NORM_EPS };
static const char *const rescales[] = {"none", "square", "linear", NULL};
static const poise_param params[] = {
    [C] = {"c", "radius around the mean gradient, as a share of its norm", POISE_REAL, 0, 0.5, 0,
           10, NULL},
    [RESCALE] = {"rescale", "divide the step by 1, 1 + c^2 or 1 + c", POISE_CHOICE, 0, 1, 0, 0,
                 rescales},
    [LOG] = {"log", "take the gradients of the logarithms of the losses", POISE_BOOL, 0, 0, 0, 1,
             NULL},
    [NORM_EPS] = {"norm_eps", "a shorter g_w, as a share of all gradients' norm, counts as 0",
                  POISE_REAL, 0, 1e-4, 1e-9, 0.1, NULL},
};

/* The problem, and what a trial works in. */
struct problem {
    size_t n;
    const double *gram, *along; /* [n, n]; [n] <g_t, g0> */
    double square, radius;      /* |g0|^2; c |g0| */
    double *w, *shifted, *work;
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (2 * n * n + 3 * n + POISE_MATH_MIN_NORM(n)) * sizeof(double) + n * sizeof(uint32_t);
}

/* c |g0| tau - |g_w|, with w the shortest point of the hull that is shifted by tau g0. */
static double excess(double tau, void *problem)
{
    struct problem *p = problem;
    size_t n = p->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            p->shifted[i * n + j] =
                p->gram[i * n + j] + tau * (p->along[i] + p->along[j]) + tau * tau * p->square;
    poise_math_min_norm(p->shifted, n, p->w, p->work);
    return p->radius * tau - sqrt(poise_math_square(p->gram, p->w, n));
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *along = gram + n * n, *w = along + n, *s = w + n, *shifted = s + n;
    double *work = shifted + n * n, trace = 0, longest = 0, radius = c->param[C][0];
    uint32_t *task = (uint32_t *)(work + POISE_MATH_MIN_NORM(n));
    const double divide[] = {1, 1 + radius * radius, 1 + radius};

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        if (c->param[LOG][0] > 0 && in->loss[task[k]] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[task[k]], in->loss[task[k]]);
        s[k] = c->param[LOG][0] > 0 ? in->loss[task[k]] + 1e-8 : 1;
    }
    poise_math_scale(gram, s, n);
    for (size_t k = 0; k < n; k++) {
        along[k] = poise_math_sum(gram + k * n, n) / (double)n;
        trace += gram[k * n + k];
        longest = fmax(longest, sqrt(fmax(gram[k * n + k], 0)));
    }
    struct problem p = {.n = n, .gram = gram, .along = along, .w = w, .shifted = shifted};
    p.work = work;
    p.square = n ? fmax(poise_math_sum(along, n) / (double)n, 0) : 0;
    p.radius = radius *= sqrt(p.square);
    poise_math_fill(w, n, 0);

    double least = c->param[NORM_EPS][0] * sqrt(fmax(trace, 0)), share = trace > 0, pull = 0;
    if (radius > 0) {
        double tau = poise_math_root(excess, &p, least / radius, fmax(longest, least) / radius);
        share = radius * tau > least; /* else nothing but 0 suits all tasks */
        pull = share / tau;
    }
    for (size_t k = 0; k < n; k++)
        weight[task[k]] =
            (share / (double)n + pull * w[k]) / divide[(int)c->param[RESCALE][0]] / s[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "cagrad",
    .version = "1.0.0",
    .about = "CAGrad: conflict-averse gradient descent (Liu et al. 2021)",
    .needs = POISE_LOSS | POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "v = argmin over {v >= 0, sum of v = 1} of <g0, g_v> + c |g0| |g_v|\n"
               "w_t = (1 / T + c |g0| / |g_v| v_t) / R\n"
               "g0: the mean gradient; g_v = sum of v_t g_t\n"
               "R = 1 (rescale: none), 1 + c^2 (square), 1 + c (linear)",
    .paper = "Liu, Liu, Jin, Stone, Liu, \"Conflict-averse gradient descent for multi-task "
             "learning\", NeurIPS 2021",
    .differs = "The dual is solved to rounding; LibMTL and the authors use SLSQP with 1e-8 under "
               "the roots, MTRL 20 steps of SGD. c is 0.5 as in LibMTL (0.4 in Nash-MTL, which "
               "also multiplies by T); rescale: square is the authors' default, none TorchJD's. "
               "Near a Pareto-stationary point weights are 0, as in TorchJD. The weights given "
               "are those of the gradients; LibMTL reports v. log is FAMO's LOG_CAGrad: w_t is "
               "then divided by l_t + 1e-8. A task without labels is left out of T and g0, and "
               "keeps its weight.",
    .advice = "Goes to the minimum of the mean loss, but never far from what is good for the worst "
              "task: a sound first choice among the gradient methods. c 0 is the mean.",
};
POISE_BALANCER(plugin)
