/* uncertainty.c -- homoscedastic uncertainty: s = log sigma^2 of each task is learnt.
 *
 *     minimise over s and the model     sum over t of  exp(-s) l / 2 + s / 2
 *     w  = exp(-s) / 2                  the weight of this step's loss, from the s before it
 *     ds = 1/2 - l exp(-s) / 2          then one step of the optimiser; at rest w = 1 / (2 l)
 *
 * The regression form for every task, as LibMTL, mtan and TorchJD have it; s starts at -0.5 as in
 * LibMTL and mtan (TorchJD and Nash-MTL: 0).  The logarithm is the parameter, so that sigma cannot
 * pass 0.  The sum of the weights is free, and the objective may well be negative.
 *
 * Different from others: s has an optimiser of its own, Adam with rate 0.025 (0.9, 0.999, 1e-8) as
 * Nash-MTL gives its balancers, or plain SGD.  Elsewhere it sits in the model's optimiser, whose
 * rate is too small for it and whose weight decay pulls it.
 *
 * A task without labels in a step keeps s, and with it its weight, its moments and its count. */
#include <math.h>
#include <poise/balancer.h>

enum { LR, OPTIMIZER, START };
enum { ADAM, SGD };
static const char *const optimizers[] = {[ADAM] = "adam", [SGD] = "sgd", NULL};
static const poise_param params[] = {
    [LR] = {"lr", "learning rate of log sigma^2", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [OPTIMIZER] = {"optimizer", "what moves log sigma^2", POISE_CHOICE, 0, ADAM, 0, 0, optimizers},
    [START] = {"start", "log sigma^2 at the first step", POISE_REAL, POISE_PER_TASK, -0.5, -20, 20,
               NULL},
};

struct task {
    double s, m, v, steps; /* log sigma^2; Adam's moments and count */
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
    double lr = c->param[LR][0];

    if (c->param[OPTIMIZER][0] == SGD) {
        k->s -= lr * grad;
        return;
    }
    k->steps++;
    k->m = 0.9 * k->m + 0.1 * grad;
    k->v = 0.999 * k->v + 0.001 * grad * grad;
    double m = k->m / (1 - pow(0.9, k->steps)), v = k->v / (1 - pow(0.999, k->steps));
    k->s -= lr * m / (sqrt(v) + 1e-8);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = exp(-task[t].s) / 2;
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        descend(c, &task[t], 0.5 - weight[t] * in->loss[t]);
        c->host->metric(c->host, "sigma", (int32_t)t, exp(task[t].s / 2));
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "uncertainty",
    .version = "1.0.0",
    .about = "homoscedastic uncertainty (Kendall et al. 2018)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
};
POISE_BALANCER(plugin)
