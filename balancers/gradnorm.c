/* gradnorm.c -- weights that let all tasks learn at one rate.
 *
 * Over the tasks i that have labels in this batch (the others keep weight, moments and count), with
 * l the losses, l0 those of each task's first step, and g_i the norm of the unweighted loss's
 * gradient on the layers in scope:
 *
 *     G_i      = w_i g_i
 *     r_i      = (l_i / l0_i) / mean of (l / l0)
 *     target_i = (mean of G) * r_i^alpha                          held constant
 *     d_i      = g_i * sign(G_i - target_i)                       of sum |G_i - target_i| by w_i
 *     w_i     <- optimiser step along d_i, but not below `floor`
 *     w_i     <- w_i * S / sum of w                               S: their sum before this step
 *
 * The step that measures uses the weights from before the update, as the paper's does: they are
 * 1 at the first step.  Weights sum to T always.  With Adam (0.9, 0.999, 1e-8) the rescaling does
 * not touch the moments, and every task counts its own steps.  sign(0) is 0.
 *
 * After Chen, Badrinarayanan, Lee, Rabinovich, ICML 2018, with Adam at 0.025 on w.  No second
 * derivative is needed: with the target held constant d is closed, so nothing leaks into the model's
 * gradients, and its optimiser and weight decay do not pull w.  The layers in scope are the last
 * shared ones, biases too; of an MMoE all experts' output layers.
 *
 * Different from others: a weight scales the whole task loss, tower too, as in the paper (LibMTL:
 * the shared part alone; `shared_only: true` in the spec gives that); w itself is stepped, above a
 * floor, where LibMTL steps a softmax and starts after one epoch. */
#include <math.h>
#include <poise/balancer.h>

enum { ALPHA, LR, OPTIMIZER, FLOOR };
enum { ADAM, SGD };
static const char *const optimizers[] = {[ADAM] = "adam", [SGD] = "sgd", NULL};
static const poise_param params[] = {
    [ALPHA] = {"alpha", "pull towards equal training rates", POISE_REAL, 0, 1.5, 0, 10, NULL},
    [LR] = {"lr", "learning rate of the weights", POISE_REAL, 0, 0.025, 0, 1, NULL},
    [OPTIMIZER] = {"optimizer", "what moves the weights", POISE_CHOICE, 0, ADAM, 0, 0, optimizers},
    [FLOOR] = {"floor", "smallest weight before rescaling", POISE_REAL, 0, 1e-3, 1e-9, 1, NULL},
};

struct task {
    double w, m, v, steps; /* weight; Adam's moments and count */
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

static int init(const poise_context *c, void *state)
{
    struct task *task = state;
    for (uint32_t t = 0; t < c->ntask; t++)
        task[t].w = 1;
    return 0;
}

static void descend(const poise_context *c, struct task *k, double grad)
{
    double lr = c->param[LR][0];

    if (c->param[OPTIMIZER][0] == SGD) {
        k->w -= lr * grad;
    } else {
        k->steps++;
        k->m = 0.9 * k->m + 0.1 * grad;
        k->v = 0.999 * k->v + 0.001 * grad * grad;
        double m = k->m / (1 - pow(0.9, k->steps)), v = k->v / (1 - pow(0.999, k->steps));
        k->w -= lr * m / (sqrt(v) + 1e-8);
    }
    k->w = fmax(k->w, c->param[FLOOR][0]);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double n = 0, norm = 0, ratio = 0, share = c->ntask, sum = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = task[t].w;
        if (!(in->labelled[t] > 0)) {
            share -= task[t].w;
            continue;
        }
        if (!(in->loss[t] >= 0 && in->loss_init[t] > 0))
            return c->host->fail(c->host,
                                 "the loss of task \"%s\" is %g and was %g at its first "
                                 "step; it must not be negative, and not 0 at first",
                                 c->task[t], in->loss[t], in->loss_init[t]);
        norm += task[t].w * in->grad_norm[t];
        ratio += in->loss[t] / in->loss_init[t];
        n++;
    }
    if (!(ratio > 0))
        return 0; /* no task has labels, or every loss is 0: nothing to even out */
    norm /= n;
    ratio /= n;

    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        double g = in->grad_norm[t], r = in->loss[t] / in->loss_init[t] / ratio;
        double gap = task[t].w * g - norm * pow(r, c->param[ALPHA][0]);
        descend(c, &task[t], gap > 0 ? g : gap < 0 ? -g : 0);
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
    .version = "1.0.0",
    .about = "GradNorm (Chen et al. 2018)",
    .needs = POISE_LOSS | POISE_LOSS_INIT | POISE_GRAD_NORM,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
};
POISE_BALANCER(plugin)
