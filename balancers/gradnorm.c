/* gradnorm.c -- weights that let all tasks learn at one rate; the rule is in the table's `formula`.
 *
 * The target is held constant, so d is closed: no second derivative, nothing leaks into the model's
 * gradients.  The weights used are those from before the update.  Rescaling does not touch Adam's
 * moments; a task without labels keeps weight, moments and count.  sign(0) is 0.  As shifting p does
 * not change softmax or exp, a step of p is w <- w exp(-step) and the same rescaling. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { ALPHA, LR, OPTIMIZER, FLOOR, FORM };
enum { ADAM, SGD };
enum { PAPER, SOFTMAX, EXP };
static const char *const optimizers[] = {[ADAM] = "adam", [SGD] = "sgd", NULL};
static const char *const forms[] = {[PAPER] = "paper", [SOFTMAX] = "softmax", [EXP] = "exp", NULL};
static const poise_param params[] = {
    [ALPHA] = {"alpha", "pull towards equal training rates", POISE_REAL, 0, 1.5, 0, 10, NULL},
    [LR] = {"lr", "learning rate of the weights", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [OPTIMIZER] = {"optimizer", "what moves the weights", POISE_CHOICE, 0, ADAM, 0, 0, optimizers},
    [FLOOR] = {"floor", "smallest weight before rescaling", POISE_REAL, 0, 1e-3, 1e-9, 1, NULL},
    [FORM] = {"form", "weights, or their logarithms", POISE_CHOICE, 0, PAPER, 0, 0, forms},
};

struct task {
    double w;
    poise_math_adam adam;
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

static int init(const poise_context *c, void *state)
{
    for (uint32_t t = 0; t < c->ntask; t++)
        ((struct task *)state)[t].w = 1;
    return 0;
}

static void descend(const poise_context *c, struct task *k, double grad)
{
    if (c->param[OPTIMIZER][0] == ADAM)
        grad = poise_math_adam_step(&k->adam, grad, 0.9, 0.999);
    double move = c->param[LR][0] * grad;
    k->w = c->param[FORM][0] == PAPER ? k->w - move : k->w * exp(-fmin(fmax(move, -30), 30));
    k->w = fmax(k->w, c->param[FLOOR][0]);
}

static double slope(const poise_context *c, const poise_signals *in, uint32_t t, double w,
                    double norm, double ratio)
{
    double g = in->grad_norm[t], r = in->loss[t] / in->loss_init[t] / ratio;
    double gap = w * g - norm * pow(r, c->param[ALPHA][0]);
    return gap > 0 ? g : gap < 0 ? -g : 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double n = 0, norm = 0, ratio = 0, share = c->ntask, sum = 0, pull = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = task[t].w;
        if (!(in->labelled[t] > 0)) {
            share -= task[t].w;
            continue;
        }
        if (!(in->loss[t] >= 0 && in->loss_init[t] > 0))
            return c->host->fail(c->host,
                                 "the loss of task \"%s\" is %g and was %g at first; it "
                                 "must not be negative, and not 0 at first",
                                 c->task[t], in->loss[t], in->loss_init[t]);
        norm += task[t].w * in->grad_norm[t];
        ratio += in->loss[t] / in->loss_init[t];
        n++;
    }
    if (!(ratio > 0))
        return 0; /* no task has labels, or every loss is 0: nothing to even out */
    norm /= n, ratio /= n;
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0 && c->param[FORM][0] == SOFTMAX)
            pull += task[t].w / share * slope(c, in, t, task[t].w, norm, ratio);
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        double d = slope(c, in, t, task[t].w, norm, ratio);
        descend(c, &task[t], c->param[FORM][0] == PAPER ? d : task[t].w * (d - pull));
        sum += task[t].w;
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            task[t].w *= share / sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "gradnorm",
    .version = "1.1.0",
    .about = "GradNorm (Chen et al. 2018)",
    .needs = POISE_LOSS | POISE_LOSS_INIT | POISE_GRAD_NORM,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "G = w |g|, r = (l / l0) / mean(l / l0), target = mean(G) r^alpha, held constant\n"
               "d = |g| sign(G - target); w <- w - optimiser step along d, then w <- T w / sum w\n"
               "softmax, exp: w = T softmax(p), p stepped along w (d - sum(w d) / T), along w d",
    .paper = "Chen, Badrinarayanan, Lee, Rabinovich, \"GradNorm: gradient normalization for "
             "adaptive loss balancing in deep multitask networks\", ICML 2018",
    .differs = "LibMTL has `softmax`, scales the shared part alone (`shared_only: true`), measures "
               "over all shared parameters and starts after an epoch, whose mean loss is l0; "
               "modulus-sym has `exp` with alpha 1. Both put the weights into the model's "
               "optimiser, with its rate and weight decay. TorchJD does not have it.",
    .advice = "For tasks that learn at different speeds: alpha higher where they differ more.",
};
POISE_BALANCER(plugin)
