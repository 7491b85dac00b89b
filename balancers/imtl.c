/* imtl.c -- IMTL: losses brought to one scale (IMTL-L), then gradients to one projection (IMTL-G).
 *
 * s_t is learnt as in uncertainty.c, with Adam (0.9, 0.999, 1e-8); a task without labels keeps s,
 * its moments and their count. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LR };
static const poise_param params[] = {
    [LR] = {"lr", "learning rate of s, the logarithm of the loss's scale", POISE_REAL, 0, 0.025, 0,
            1, NULL},
};

struct scale {
    double s;
    poise_math_adam adam;
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return n * sizeof(struct scale) + (n * n + 3 * n + POISE_MATH_PINV(n)) * sizeof(double) +
           n * sizeof(uint32_t);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    struct scale *scale = state;
    double *gram = (double *)(scale + n), *w = gram + n * n, *norm = w + n, *shrink = norm + n;
    double *work = shrink + n, size = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_PINV(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    for (size_t k = 0; k < n; k++) {
        struct scale *own = &scale[task[k]];
        double loss = in->loss[task[k]];
        if (loss < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[task[k]], loss);
        shrink[k] = exp(-own->s);
        double slope = loss / shrink[k] - 1;
        own->s -= c->param[LR][0] * poise_math_adam_step(&own->adam, slope, 0.9, 0.999);
        c->host->metric(c->host, "s", (int32_t)task[k], own->s);
    }
    poise_math_scale(gram, shrink, n);
    for (size_t k = 0; k < n; k++)
        norm[k] = sqrt(fmax(gram[k * n + k], 0));
    poise_math_pinv(gram, norm, n, POISE_MATH_RANK(n), w, work);
    double sum = poise_math_sum(w, n);
    for (size_t k = 0; k < n; k++)
        size += fabs(w[k]);
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = fabs(sum) > 1e-12 * size ? w[k] / sum / shrink[k] : 0;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "imtl",
    .version = "1.0.0",
    .about = "IMTL: equal losses, then equal projections (Liu et al. 2021)",
    .needs = POISE_LOSS | POISE_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_SIGNED,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "h_t = exp(s_t) g_t; v: imtl_g's weights for the h_t\n"
               "w_t = v_t exp(s_t)\n"
               "then s_t steps (Adam) along exp(s_t) l_t - 1, from 0: minimise exp(s) l - s",
    .paper = "Liu, Li, Kuang, Xue, Chen, Yang, Liao, Zhang, \"Towards impartial multi-task "
             "learning\", ICLR 2021",
    .differs =
        "s has an optimiser of its own, as in uncertainty; in LibMTL it sits in the model's, "
        "whose rate and weight decay are not made for it. There a tower is trained on "
        "exp(s) l, here on l. A task without labels is left out and keeps s and its weight.",
    .advice =
        "The scales of the losses change only how the shared step is divided, and how long it "
        "is: imtl_g alone is close to it and has no state.",
};
POISE_BALANCER(plugin)
