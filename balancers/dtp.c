/* dtp.c -- dynamic task prioritisation: a task that goes well already weighs less.
 *
 *     k    = quality in (0, 1], clamped to [0.01, 0.99]
 *     kbar = m k + (1 - m) kbar               the first k is taken as it is
 *     w    = -(1 - kbar)^gamma log kbar       a focal loss of the quality; the sum is free
 *
 * The clamp keeps w in (0, 4.6]: a quality of 1
 * would stop a task for good, one of 0 would drown the others.  As w tends to 0 with k to 1 the
 * step size of the whole model shrinks; that is the method, and nothing is rescaled here.
 *
 * The quality is the host's running figure on the training rows.  Until it is known the weight is
 * 1; in a step without labels for the task kbar and the weight stay. */
#include <math.h>
#include <poise/balancer.h>

enum { GAMMA, M };
static const poise_param params[] = {
    [GAMMA] = {"gamma", "focus: larger leaves good tasks alone sooner", POISE_REAL, 0, 1, 0, 10,
               NULL},
    [M] = {"m", "share of the newest quality in the running one", POISE_REAL, 0, 0.1, 0, 1, NULL},
};

static const double LOW = 0.01, HIGH = 0.99;

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(double); /* kbar; 0: not known yet */
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *kbar = state, m = c->param[M][0];

    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0) || isnan(in->kpi[t]))
            continue;
        double k = fmin(fmax(in->kpi[t], LOW), HIGH);
        kbar[t] = kbar[t] > 0 ? m * k + (1 - m) * kbar[t] : k;
        weight[t] = -pow(1 - kbar[t], c->param[GAMMA][0]) * log(kbar[t]);
        c->host->metric(c->host, "kpi", (int32_t)t, kbar[t]);
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "dtp",
    .version = "1.0.0",
    .about = "dynamic task prioritisation (Guo et al. 2018)",
    .needs = POISE_KPI,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "k = quality in (0, 1]; kbar <- m k + (1 - m) kbar, the first k is taken as it is\n"
               "w = -(1 - kbar)^gamma log kbar; the sum is free",
    .paper = "Guo, Haque, Huang, Yeung, Fei-Fei, \"Dynamic task prioritization for multitask "
             "learning\", ECCV 2018",
    .differs = "There is no code by the authors. Public ports agree on this shape and differ in m "
               "and gamma and in how they bound k: [0.1, 0.99] or a ReLU, here [0.01, 0.99].",
    .advice = "When what counts is the quality, not the loss: the AUC of a task that is done does "
              "not improve by training it on. As all weights fall with the quality, raise the "
              "learning rate or normalise the weights.",
};
POISE_BALANCER(plugin)
