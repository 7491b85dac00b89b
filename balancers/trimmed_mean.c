/* trimmed_mean.c -- for each parameter the mean of the task gradients without the extreme ones.
 *
 * An element's gradients are ranked by counting the smaller ones, equal ones in the order of the
 * tasks: T^2 comparisons and no array.  Only tasks with labels take part; of n the `trim` largest
 * and smallest go, or (n - 1) / 2 where that is less.  The weights are 1 and play no part. */
#include <poise/balancer.h>

enum { TRIM };
static const poise_param params[] = {
    [TRIM] = {"trim", "how many of the largest and of the smallest gradients go", POISE_INT, 0, 1,
              0, 1e6, NULL},
};

static int init(const poise_context *c, void *state)
{
    double trim = c->param[TRIM][0];

    (void)state;
    if (2 * trim + 1 > c->ntask)
        return c->host->fail(c->host, "trim is %g; that takes at least %g tasks, and there are %u",
                             trim, 2 * trim + 1, (unsigned)c->ntask);
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = 1;
    return 0;
}

static uint32_t rank(const poise_context *c, const poise_signals *in, const poise_stretch *s,
                     size_t i, uint32_t t)
{
    float g = s->grad[t][i];
    uint32_t below = 0;

    for (uint32_t u = 0; u < c->ntask; u++)
        below += in->labelled[u] > 0 && (u < t ? s->grad[u][i] <= g : s->grad[u][i] < g);
    return below;
}

static int blend(const poise_context *c, void *state, const poise_signals *in,
                 const poise_stretch *s, const double *weight, float *out)
{
    uint32_t n = 0, trim = (uint32_t)c->param[TRIM][0];

    (void)state, (void)weight;
    for (uint32_t t = 0; t < c->ntask; t++)
        n += in->labelled[t] > 0;
    if (n && trim > (n - 1) / 2)
        trim = (n - 1) / 2;
    for (size_t i = 0; i < s->n; i++) {
        double sum = 0;
        for (uint32_t t = 0; t < c->ntask; t++) {
            if (!(in->labelled[t] > 0))
                continue;
            uint32_t at = rank(c, in, s, i, t);
            if (at >= trim && at < n - trim)
                sum += (double)s->grad[t][i];
        }
        out[i] = n ? (float)(sum / (n - 2 * trim)) : 0;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "trimmed_mean",
    .version = "1.0.0",
    .about = "coordinate-wise trimmed mean (Yin et al. 2018)",
    .flags = POISE_SHARED_ONLY,
    .min_task = 3,
    .param = params,
    .nparam = POISE_COUNT(params),
    .init = init,
    .step = step,
    .blend = blend,
    .formula = "direction, for each parameter: the mean of the gradients that are left when the "
               "trim largest and the trim smallest are taken away",
    .paper = "Yin, Chen, Ramchandran, Bartlett, \"Byzantine-robust distributed learning: towards "
             "optimal statistical rates\", ICML 2018",
    .differs = "As TorchJD, which asks for `trim`. LibMTL does not have it.",
    .advice = "For many tasks of which a few give wild gradients. With three tasks it is the "
              "median. It was made for clients of one task, not for tasks that differ: a task that "
              "always pulls hardest is never heard.",
};
POISE_BALANCER(plugin)
