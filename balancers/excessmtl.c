/* excessmtl.c -- ExcessMTL: more weight where the loss can still fall most.
 *
 * edit() adds up squared gradients and hands out g / (S + 1e-7)^(1/4), whose squared norm is the
 * estimate e; what is combined are the real gradients.  Weights are kept as logarithms.
 *
 * A task without labels keeps S, its baseline and its weight; the labelled ones share out what they
 * had.  Nothing moves in a step in which a labelled task is still in its warm-up. */
#include <math.h>
#include <poise/balancer.h>

enum { ETA, WARMUP };
static const poise_param params[] = {
    [ETA] = {"eta", "rate of the weights", POISE_REAL, 0, 1, 0, 1e6, NULL},
    [WARMUP] = {"warmup", "steps whose mean e is the baseline", POISE_INT, 0, 1, 1, 1e9, NULL},
};

struct task {
    double log_weight;
    double sum, steps; /* of e over the warm-up */
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

static int init(const poise_context *c, void *state)
{
    struct task *task = state;
    for (uint32_t t = 0; t < c->ntask; t++)
        task[t].log_weight = -log((double)c->ntask);
    return 0;
}

static uint32_t keep(const poise_context *c)
{
    return c->ntask; /* S */
}

static int edit(const poise_context *c, void *state, const poise_signals *in,
                const poise_stretch *s, float *const *out)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        for (size_t i = 0; i < s->n; i++) {
            float g = s->grad[t][i];
            s->keep[t][i] += g * g;
            out[t][i] = g / sqrtf(sqrtf(s->keep[t][i] + 1e-7f));
        }
    return 0;
}

/* log sum exp of the labelled log weights */
static double log_sum(const poise_context *c, const struct task *task, const poise_signals *in)
{
    double top = -INFINITY, sum = 0;

    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            top = fmax(top, task[t].log_weight);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            sum += exp(task[t].log_weight - top);
    return top + log(sum);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double warmup = c->param[WARMUP][0];
    int early = 0;

    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0 && task[t].steps < warmup) {
            task[t].sum += in->grad_norm[t] * in->grad_norm[t];
            task[t].steps++;
            early = 1;
        }
    double share = log_sum(c, task, in);
    for (uint32_t t = 0; t < c->ntask && !early; t++)
        if (in->labelled[t] > 0)
            task[t].log_weight += c->param[ETA][0] * in->grad_norm[t] * in->grad_norm[t] /
                                  (task[t].sum / task[t].steps + 1e-7);
    double excess = early ? 0 : log_sum(c, task, in) - share;
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (in->labelled[t] > 0)
            task[t].log_weight -= excess;
        weight[t] = exp(task[t].log_weight);
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "excessmtl",
    .version = "1.0.0",
    .about = "ExcessMTL, weights by excess risk (He et al. 2024)",
    .needs = POISE_GRAD_NORM,
    .flags = POISE_EDIT_SIGNALS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .keep = keep,
    .edit = edit,
    .formula = "S <- S + g^2; e = sum of g^2 / sqrt(S + 1e-7)\n"
               "w <- w exp(eta e / (e0 + 1e-7)), brought back to a sum of 1; w is 1/T at first;\n"
               "e0: mean e of the warm-up",
    .paper = "He, Zhou, Zhang, Yun, Xu, Zeng, Chilimbi, Zhao, \"Robust multi-task learning with "
             "excess risks\", ICML 2024",
    .differs = "LibMTL: eta 0.01 and a sum of T. TorchJD: eta 1; without a warm-up its first step "
               "uses e unscaled, here, as in LibMTL, it gives the baseline.",
    .advice =
        "When labels of some tasks are noisy: a task whose loss is high but cannot fall is "
        "not favoured. The weights do not come back by themselves: for more than some hundred "
        "steps lower eta to 0.01 or less. The paper warms up for three epochs.",
};
POISE_BALANCER(plugin)
