/* imtl_g.c -- impartial multi-task learning, on gradients: a step with the same projection on each
 * task's unit gradient, of weights that sum to 1.
 *
 * paper: these T equations, M w = (1, 0, ..., 0); of dependent ones the least w that comes nearest.
 * pinv: the weights up to their factor, by the pseudo-inverse of G, then brought to the sum.  The two
 * differ where G is singular: on opposite gradients the paper's step is 0, the other's long. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { FORM, LOG };
enum { PAPER, PINV };
static const char *const forms[] = {[PAPER] = "paper", [PINV] = "pinv", NULL};
static const poise_param params[] = {
    [FORM] = {"form", "how the equations are solved", POISE_CHOICE, 0, PAPER, 0, 0, forms},
    [LOG] = {"log", "take the gradients of the logarithms of the losses", POISE_BOOL, 0, 0, 0, 1,
             NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (2 * n * n + 4 * n + POISE_MATH_PINV(n)) * sizeof(double) + n * sizeof(uint32_t);
}

/* square <- M'M, where row 0 of M is ones and row i + 1 says that the step's projection on gradient
 * i is the mean of all projections, in units of the longest gradient; rhs <- M'(1, 0, ..., 0).  A
 * gradient of 0 has no direction to project on, and no row.  gram and norm are used up. */
static void equations(double *gram, double *norm, size_t n, double *square, double *rhs)
{
    double longest = 0, count = 0;
    for (size_t i = 0; i < n; i++)
        longest = fmax(longest, norm[i]);
    poise_math_fill(rhs, n, 0);
    for (size_t i = 0; i < n; i++) {
        count += norm[i] > 0;
        for (size_t j = 0; j < n && norm[i] > 0; j++)
            rhs[j] += gram[i * n + j] /= norm[i] * longest;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] = norm[i] > 0 ? gram[i * n + j] - rhs[j] / count : 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            square[i * n + j] = 1;
            for (size_t k = 0; k < n; k++)
                square[i * n + j] += gram[k * n + i] * gram[k * n + j];
        }
    poise_math_fill(rhs, n, 1);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *square = gram + n * n, *w = square + n * n, *norm = w + n;
    double *rhs = norm + n, *s = rhs + n, *work = s + n, size = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_PINV(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        if (c->param[LOG][0] > 0 && in->loss[task[k]] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[task[k]], in->loss[task[k]]);
        s[k] = c->param[LOG][0] > 0 ? in->loss[task[k]] + 1e-8 : 1;
    }
    poise_math_scale(gram, s, n);
    for (size_t k = 0; k < n; k++)
        norm[k] = sqrt(fmax(gram[k * n + k], 0));
    if (c->param[FORM][0] == PAPER) {
        equations(gram, norm, n, square, rhs);
        poise_math_pinv(square, rhs, n, 1e-10, w, work);
    } else {
        poise_math_pinv(gram, norm, n, POISE_MATH_RANK(n), w, work);
    }
    double sum = poise_math_sum(w, n);
    for (size_t k = 0; k < n; k++)
        size += fabs(w[k]);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = fabs(sum) > 1e-12 * size ? w[k] / sum / s[k] : 0;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "imtl_g",
    .version = "1.0.0",
    .about = "IMTL-G: the same projection on every task's gradient (Liu et al. 2021)",
    .needs = POISE_LOSS | POISE_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "the w of sum 1 with <d, g_t> / |g_t| the same for all t, d = sum of w_t g_t\n"
               "pinv: w = pinv(G) n / (1' pinv(G) n), n_t = |g_t|; G = [<g_s, g_t>]",
    .paper = "Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang, \"Towards impartial multi-task "
             "learning\", ICLR 2021",
    .differs = "LibMTL inverts a matrix of differences, which fails where gradients are dependent; "
               "here the least squares solution, singular values up to 1e-5 of the largest are 0. "
               "`pinv` is TorchJD's form: eigenvalues of G up to T 1.2e-7 of the largest are 0. "
               "Weights may be negative. log is FAMO's LOG_IMTLG: w_t is then divided by l_t + "
               "1e-8. A task without labels is left out and keeps its weight.",
    .advice = "No task's scale matters. Far apart gradients give large weights of both signs: use "
              "the host's clip, or another method when tasks conflict strongly.",
};
POISE_BALANCER(plugin)
