/* dbmtl.c -- DB-MTL: gradients of log losses, smoothed, all brought to the length of the longest.
 *
 * edit() smooths, the host measures the smoothed norms, step() evens them out.  Every task counts
 * its own labelled steps, k.  A task without labels keeps its buffer, count and weight, and adds
 * nothing to the step. */
#include <math.h>
#include <poise/balancer.h>

enum { BETA, SIGMA };
static const poise_param params[] = {
    [BETA] = {"beta", "share of the old in the moving average; 0: none is kept", POISE_REAL, 0, 0.9,
              0, 1, NULL},
    [SIGMA] = {"sigma", "beta falls as 1 / step^sigma", POISE_REAL, 0, 0, 0, 10, NULL},
};

static const double EPS = 1e-8;

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double); /* k of each task */
}

static uint32_t keep(const poise_context *c)
{
    return c->param[BETA][0] > 0 ? c->ntask : 0;
}

static int edit(const poise_context *c, void *state, const poise_signals *in,
                const poise_stretch *s, float *const *out)
{
    const double *k = state;

    for (uint32_t t = 0; t < c->ntask; t++) {
        int has = in->labelled[t] > 0;
        double scale = has ? 1 / (in->loss[t] + EPS) : 0;
        double old = has ? c->param[BETA][0] / pow(k[t] + 1, c->param[SIGMA][0]) : 0;
        for (size_t i = 0; i < s->n; i++)
            out[t][i] = (float)(scale * (double)s->grad[t][i]);
        if (!has || !keep(c))
            continue;
        for (size_t i = 0; i < s->n; i++) {
            double g = (double)out[t][i];
            s->keep[t][i] = out[t][i] = (float)(g + old * ((double)s->keep[t][i] - g));
        }
    }
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *k = state, longest = 0;

    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            longest = fmax(longest, in->grad_norm[t]);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0) {
            weight[t] = longest / (in->grad_norm[t] + EPS);
            k[t]++;
        }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "dbmtl",
    .version = "1.0.0",
    .about = "dual-balancing multi-task learning (Lin et al. 2023)",
    .needs = POISE_LOSS | POISE_GRAD_NORM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .keep = keep,
    .edit = edit,
    .formula = "h = gradient of log(l + 1e-8); b <- h + beta / k^sigma (b - h), b is 0 at first\n"
               "w = max over the tasks of |b| / (|b| + 1e-8); direction = sum of w b",
    .paper = "Lin, Jiang, Ye, Zhang, Chen, Chen, Liu, Kwok, \"Dual-balancing for multi-task "
             "learning\", 2023",
    .differs = "As LibMTL, but the towers are trained on the losses themselves, not on their logs, "
               "and the weights are the ones applied (LibMTL reports ones).",
    .advice = "Makes tasks equal both in the scale of the loss and in the length of the gradient, "
              "without a parameter that needs tuning. It keeps one float per task and shared "
              "parameter; beta 0 keeps none.",
};
POISE_BALANCER(plugin)
