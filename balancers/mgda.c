/* mgda.c -- the shortest gradient in the hull of the tasks' gradients.
 *
 * The minimum is found exactly (balancer_math.h), so nothing depends on where a solver starts or
 * stops.  A task whose gradient is 0 is the shortest point itself: all weight goes there, and the
 * shared parameters stay where they are. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { SCALE };
enum { NONE, L2, LOSS, LOSS_L2, LOG };
static const char *const scales[] = {
    [NONE] = "none", [L2] = "l2", [LOSS] = "loss", [LOSS_L2] = "loss+", [LOG] = "log", NULL};
static const poise_param params[] = {
    [SCALE] = {"scale", "what each gradient is divided by: nothing, its norm, its loss, both, loss",
               POISE_CHOICE, 0, NONE, 0, 0, scales},
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (n * n + 2 * n + POISE_MATH_MIN_NORM(n)) * sizeof(double) + n * sizeof(uint32_t);
}

/* What a gradient of this norm and this loss is divided by. */
static double divisor(int scale, double norm, double loss)
{
    double s = scale == L2        ? norm
               : scale == LOSS    ? loss
               : scale == LOSS_L2 ? loss * norm
               : scale == LOG     ? loss + 1e-8
                                  : 1;
    return s > 0 ? s : 1;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    int scale = (int)c->param[SCALE][0];
    double *gram = state, *w = gram + n * n, *s = w + n, *work = s + n;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_MIN_NORM(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        s[k] = divisor(scale, sqrt(fmax(gram[k * n + k], 0)), in->loss[task[k]]);
        if (scale >= LOSS && in->loss[task[k]] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[task[k]], in->loss[task[k]]);
    }
    poise_math_scale(gram, s, n);
    poise_math_fill(w, n, 0);
    poise_math_min_norm(gram, n, w, work);
    for (size_t k = 0; k < n; k++)
        w[k] /= s[k];
    double sum = scale == LOG ? poise_math_sum(w, n) : 1;
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k] / sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "mgda",
    .version = "1.0.0",
    .about = "multiple-gradient descent: the shortest gradient in the hull (Desideri 2012)",
    .needs = POISE_LOSS | POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "h_t = g_t / s_t\n"
               "v = argmin over {v >= 0, sum of v = 1} of |sum of v_t h_t|^2\n"
               "w_t = v_t / s_t\n"
               "s_t = 1 (scale: none), |g_t| (l2), l_t (loss), l_t |g_t| (loss+)\n"
               "scale log: s_t = l_t + 1e-8, and w is divided by its sum",
    .paper = "Desideri, \"Multiple-gradient descent algorithm (MGDA) for multiobjective "
             "optimization\", Comptes Rendus Mathematique 350, 2012; for networks Sener, "
             "Koltun, \"Multi-task learning as multi-objective optimization\", NeurIPS 2018",
    .differs = "The minimum is exact; LibMTL and Nash-MTL start from the best pair and stop at a "
               "change of 1e-5, TorchJD makes 100 Frank-Wolfe steps. Weights sum to 1 (scale: "
               "none); Nash-MTL multiplies them by T. scale: log is FAMO's LOG_MGDA. A task "
               "without labels is left out and keeps its weight.",
    .advice = "No task gets worse along this direction, but the task with the shortest gradient "
              "decides, and one with a gradient of 0 stops the shared part; l2 or loss+ where the "
              "tasks' scales differ.",
};
POISE_BALANCER(plugin)
