/* uncertainty.c -- homoscedastic uncertainty: s = log sigma^2 of each task is learnt.
 *
 *     form            minimised over s and the model        w = a exp(-s)   ds
 *     regression      exp(-s) l / 2 + s / 2                 a = 1/2         1/2 - w l
 *     classification  exp(-s) l + s / 2                     a = 1           1/2 - w l
 *     plain           exp(-s) l + s                         a = 1           1 - w l
 *     positive        exp(-s) l / 2 + log(1 + exp(s))       a = 1/2         1 / (1 + exp(-s)) - w l
 *
 * w is the weight of this step's loss, from the s before it; then comes one step of the optimiser.
 * The logarithm is the parameter, so that sigma cannot pass 0.  s has an optimiser of its own, Adam
 * (0.9, 0.999, 1e-8) or plain SGD, and stays within +-30, so that a loss of exactly 0 does not drive
 * its weight out of range.
 *
 * A task without labels in a step keeps s, and with it its weight, its moments and its count. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LR, OPTIMIZER, START, FORM };
enum { ADAM, SGD };
enum { REGRESSION, CLASSIFICATION, PLAIN, POSITIVE };
static const char *const optimizers[] = {[ADAM] = "adam", [SGD] = "sgd", NULL};
static const char *const forms[] = {[REGRESSION] = "regression",
                                    [CLASSIFICATION] = "classification",
                                    [PLAIN] = "plain",
                                    [POSITIVE] = "positive",
                                    NULL};
static const poise_param params[] = {
    [LR] = {"lr", "learning rate of log sigma^2", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [OPTIMIZER] = {"optimizer", "what moves log sigma^2", POISE_CHOICE, 0, ADAM, 0, 0, optimizers},
    [START] = {"start", "log sigma^2 at the first step", POISE_REAL, POISE_PER_TASK, -0.5, -20, 20,
               NULL},
    [FORM] = {"form", "the objective: what stands before the loss and the penalty on s",
              POISE_CHOICE, 0, REGRESSION, 0, 0, forms},
};

static const double LIMIT = 30;

struct task {
    double s; /* log sigma^2 */
    poise_math_adam adam;
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

static int init(const poise_context *c, void *state)
{
    struct task *task = state;
    for (uint32_t t = 0; t < c->ntask; t++)
        task[t].s = c->param[START][t];
    return 0;
}

static void descend(const poise_context *c, struct task *k, double grad)
{
    if (c->param[OPTIMIZER][0] == ADAM)
        grad = poise_math_adam_step(&k->adam, grad, 0.9, 0.999);
    k->s = fmin(fmax(k->s - c->param[LR][0] * grad, -LIMIT), LIMIT);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double form = c->param[FORM][0];
    double half = form == REGRESSION || form == POSITIVE ? 0.5 : 1;

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = half * exp(-task[t].s);
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        double penalty = form == PLAIN ? 1 : form == POSITIVE ? 1 / (1 + exp(-task[t].s)) : 0.5;
        descend(c, &task[t], penalty - weight[t] * in->loss[t]);
        c->host->metric(c->host, "sigma", (int32_t)t, exp(task[t].s / 2));
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "uncertainty",
    .version = "1.1.0",
    .about = "homoscedastic uncertainty (Kendall et al. 2018)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "regression: minimise over s and the model the sum of exp(-s) l / 2 + s / 2,\n"
               "            w = exp(-s) / 2, at rest 1 / (2 l)\n"
               "classification: exp(-s) l + s / 2, w = exp(-s), at rest 1 / (2 l)\n"
               "plain: exp(-s) l + s, w = exp(-s), at rest 1 / l\n"
               "positive: exp(-s) l / 2 + log(1 + exp(s)), w = exp(-s) / 2; s = log sigma^2",
    .paper = "Kendall, Gal, Cipolla, \"Multi-task learning using uncertainty to weigh losses for "
             "scene geometry and semantics\", CVPR 2018; positive: Liebel, Koerner, \"Auxiliary "
             "tasks in multi-task learning\", 2018",
    .differs = "LibMTL, mtan and TorchJD use `regression` for every task; Kendall's text has "
               "`classification` for cross-entropy; MultiMAE and the code of CoV-Weighting have "
               "`plain`. s starts at -0.5 as in LibMTL and mtan (TorchJD, Nash-MTL: 0) and has an "
               "optimiser of its own, as Nash-MTL gives its balancers: in the model's optimiser "
               "the rate is too small for it and weight decay pulls it.",
    .advice = "For losses on different scales: it ends near one over the loss. It does not look at "
              "progress or gradients, and an easy task gains without end as its loss falls. The "
              "objective may well be negative.",
};
POISE_BALANCER(plugin)
