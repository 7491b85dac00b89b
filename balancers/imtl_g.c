/* imtl_g.c -- impartial multi-task learning, on gradients: a step with the same projection on each
 * task's unit gradient.  The equations determine the weights up to a factor and, of dependent
 * gradients, up to what makes no difference to the step: the least ones are taken. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LOG };
static const poise_param params[] = {
    [LOG] = {"log", "take the gradients of the logarithms of the losses", POISE_BOOL, 0, 0, 0, 1,
             NULL},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 3 * n + POISE_MATH_PINV(n)) * sizeof(double) + n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *gram = state, *w = gram + n * n, *norm = w + n, *s = norm + n, *work = s + n, size = 0;
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
    poise_math_pinv(gram, norm, n, POISE_MATH_RANK(n), w, work);
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
    .formula = "w = pinv(G) n / (1' pinv(G) n), n_t = |g_t|\n"
               "so that <d, g_t> / |g_t| is the same for all t, d = sum of w_t g_t",
    .paper = "Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang, \"Towards impartial multi-task "
             "learning\", ICLR 2021",
    .differs =
        "The pseudo-inverse as in TorchJD; LibMTL inverts a matrix of differences, which "
        "fails where gradients are dependent. Eigenvalues up to T 1.2e-7 of the largest "
        "count as 0. Weights sum to 1 and may be negative. log is FAMO's LOG_IMTLG: w_t is "
        "then divided by l_t + 1e-8. A task without labels is left out and keeps its weight.",
    .advice = "No task's scale matters. Far apart gradients give large weights of both signs: use "
              "the host's clip, or another method when tasks conflict strongly.",
};
POISE_BALANCER(plugin)
