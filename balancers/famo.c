/* famo.c -- fast adaptive multitask optimisation: equal relative progress of all losses.
 *
 * The losses after the update come one step later: xi moves first, then gives this step's weights.
 * It moves only where the step before was seen too: with weights re-used for some steps (`every`
 * in the spec) the two losses would be those of different batches, and xi stays.
 * Where a task had no label, in the batch before for the move or in this one for the weights, the
 * softmaxes and sums go over the others; its xi, moments, count and weight stay.  A loss below
 * min_loss counts as min_loss. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LR, DECAY, MIN_LOSS };
static const poise_param params[] = {
    [LR] = {"lr", "learning rate of the logits", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [DECAY] = {"weight_decay", "pull of the logits to 0, the paper's gamma", POISE_REAL, 0, 1e-3, 0,
               1, NULL},
    [MIN_LOSS] = {"min_loss", "lower bound of the task's loss", POISE_REAL, POISE_PER_TASK, 0, -1e9,
                  1e9, NULL},
};

static const double EPS = 1e-8;

/* The state: the number of the step that would follow the last one, then [T] of struct task. */
struct task {
    double xi; /* logit */
    poise_math_adam adam;
    double before; /* loss - min_loss + EPS of the batch before; 0: it had no label */
};

static size_t state_size(const poise_context *c)
{
    return sizeof(double) + c->ntask * sizeof(struct task);
}

static double above(const poise_context *c, uint32_t t, double loss)
{
    return fmax(loss - c->param[MIN_LOSS][t], 0) + EPS;
}

static void descend(const poise_context *c, struct task *k, double grad)
{
    grad += c->param[DECAY][0] * k->xi;
    k->xi -= c->param[LR][0] * poise_math_adam_step(&k->adam, grad, 0.9, 0.999);
}

/* The progress on the batch before: log before - log after. */
static int progress(const poise_context *c, const struct task *k, uint32_t t,
                    const poise_signals *in, double *delta)
{
    if (!(k->before > 0) || isnan(in->loss_after[t]))
        return 0;
    *delta = log(k->before) - log(above(c, t, in->loss_after[t]));
    return 1;
}

static void move(const poise_context *c, struct task *task, const poise_signals *in)
{
    double top = -INFINITY, sum = 0, mean = 0, delta;

    for (uint32_t t = 0; t < c->ntask; t++)
        if (progress(c, &task[t], t, in, &delta))
            top = fmax(top, task[t].xi);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (progress(c, &task[t], t, in, &delta)) {
            sum += exp(task[t].xi - top);
            mean += exp(task[t].xi - top) * delta;
        }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (progress(c, &task[t], t, in, &delta))
            descend(c, &task[t], exp(task[t].xi - top) / sum * (delta - mean / sum));
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *next = state, top = -INFINITY, sum = 0;
    struct task *task = (struct task *)(next + 1);

    if (*next == (double)in->step)
        move(c, task, in);
    *next = (double)in->step + 1;
    for (uint32_t t = 0; t < c->ntask; t++) {
        task[t].before = in->labelled[t] > 0 ? above(c, t, in->loss[t]) : 0;
        if (task[t].before > 0)
            top = fmax(top, task[t].xi - log(task[t].before));
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (task[t].before > 0)
            sum += weight[t] = exp(task[t].xi - log(task[t].before) - top);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (task[t].before > 0)
            weight[t] /= sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "famo",
    .version = "1.0.0",
    .about = "fast adaptive multitask optimisation (Liu et al. 2023)",
    .needs = POISE_LOSS | POISE_LOSS_AFTER,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula =
        "z = softmax(xi), d = l - min_loss + 1e-8, w = (z / d) / sum(z / d); their sum is 1\n"
        "delta = log d before the update - log d after it, on the same batch\n"
        "xi <- Adam step along z (delta - <z, delta>) + weight_decay xi; xi is 0 at first",
    .paper = "Liu, Feng, Stone, Liu, \"FAMO: fast adaptive multitask optimization\", NeurIPS 2023",
    .differs = "weight_decay: 1e-3 as LibMTL and TorchJD; the authors' famo.py has 0.01 and their "
               "experiments 1e-5. LibMTL reports no weights for it.",
    .advice = "Balances progress without a backward pass per task, at the cost of one more forward "
              "pass. The authors clip the gradient of the shared parameters to norm 1. Give "
              "`min_loss` where a loss cannot reach 0, such as the entropy of a rare label.",
};
POISE_BALANCER(plugin)
