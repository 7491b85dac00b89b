/* imtl_l.c -- the loss half of IMTL: learnt scales that bring every scaled loss to 1.
 *
 * s has an Adam (0.9, 0.999, 1e-8) or plain SGD of its own.  A task without labels in a step keeps
 * s, and with it its weight, its moments and its count.  s stays within +-30, so that a loss of
 * exactly 0 does not drive its weight out of range. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LR, OPTIMIZER };
enum { ADAM, SGD };
static const char *const optimizers[] = {[ADAM] = "adam", [SGD] = "sgd", NULL};
static const poise_param params[] = {
    [LR] = {"lr", "learning rate of the log scales", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [OPTIMIZER] = {"optimizer", "what moves the log scales", POISE_CHOICE, 0, ADAM, 0, 0,
                   optimizers},
};

static const double LIMIT = 30;

struct task {
    double s; /* log scale */
    poise_math_adam adam;
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
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

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = exp(task[t].s);
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        descend(c, &task[t], weight[t] * in->loss[t] - 1);
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "imtl_l",
    .version = "1.0.0",
    .about = "IMTL-L, learnt loss scales (Liu et al. 2021)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "minimise over s and the model the sum over t of exp(s) l - s\n"
               "w = exp(s), from the s before this step; ds = exp(s) l - 1; at rest w = 1 / l\n"
               "s is 0 at first; the sum of the weights is free",
    .paper = "Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang, \"Towards impartial multi-task "
             "learning\", ICLR 2021",
    .differs = "TorchJD and LibMTL put s into the model's optimiser, with its rate and its weight "
               "decay; here it has one of its own. LibMTL's IMTL applies IMTL-G to the scaled "
               "losses as well.",
    .advice = "As `uncertainty`, of which it is twice the objective with the sign of s turned: for "
              "losses on different scales. It does not look at progress or at gradients.",
};
POISE_BALANCER(plugin)
