/* lr_annealing.c -- weights that bring the mean absolute gradients of all tasks to one's.
 *
 * edit() hands out sqrt|g|: the square of its norm is the sum of |g|, which no Gram matrix holds.
 * The weights are the running averages themselves.  A task without labels, or whose gradient is 0,
 * keeps its weight; without labels for the reference all do.
 *
 * Where the largest gradient of the reference is wanted edit() leaves it and the number of elements
 * in the state for step(): both come out the same in any order of slices. */
#include <math.h>
#include <poise/balancer.h>

enum { ALPHA, REFERENCE, AGAINST };
enum { MEAN, MAX };
static const char *const measures[] = {[MEAN] = "mean", [MAX] = "max", NULL};
static const poise_param params[] = {
    [ALPHA] = {"alpha", "share of the newest ratio in the weight", POISE_REAL, 0, 0.01, 0, 1, NULL},
    [REFERENCE] = {"reference", "number of the task that the others are brought to, from 0",
                   POISE_INT, 0, 0, 0, 1e6, NULL},
    [AGAINST] = {"against", "its mean or its largest absolute gradient", POISE_CHOICE, 0, MEAN, 0,
                 0, measures},
};

struct seen {
    double step; /* 1 + its number; of it: */
    double largest, elements;
};

static size_t state_size(const poise_context *c)
{
    (void)c;
    return sizeof(struct seen);
}

static int init(const poise_context *c, void *state)
{
    (void)state;
    if (c->param[REFERENCE][0] >= c->ntask)
        return c->host->fail(c->host, "reference is %g; with %u tasks it must be below %u",
                             c->param[REFERENCE][0], (unsigned)c->ntask, (unsigned)c->ntask);
    return 0;
}

static int edit(const poise_context *c, void *state, const poise_signals *in,
                const poise_stretch *s, float *const *out)
{
    const float *ref = s->grad[(uint32_t)c->param[REFERENCE][0]];
    struct seen *seen = state;

    if (seen->step != (double)in->step + 1)
        *seen = (struct seen){.step = (double)in->step + 1};
    for (uint32_t t = 0; t < c->ntask; t++)
        for (size_t i = 0; i < s->n; i++)
            out[t][i] = sqrtf(fabsf(s->grad[t][i]));
    for (size_t i = 0; i < s->n; i++)
        seen->largest = fmax(seen->largest, fabs((double)ref[i]));
    seen->elements += (double)s->n;
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    uint32_t ref = (uint32_t)c->param[REFERENCE][0];
    double alpha = c->param[ALPHA][0];
    const struct seen *seen = state;

    if (!(in->labelled[ref] > 0))
        return 0;
    double sum = in->grad_norm[ref] * in->grad_norm[ref];
    if (c->param[AGAINST][0] == MAX)
        sum = seen->largest * seen->elements;
    for (uint32_t t = 0; t < c->ntask; t++) {
        double ratio = sum / (in->grad_norm[t] * in->grad_norm[t]);
        if (t != ref && in->labelled[t] > 0 && isfinite(ratio))
            weight[t] = (1 - alpha) * weight[t] + alpha * ratio;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "lr_annealing",
    .version = "1.0.0",
    .about = "learning rate annealing (Wang et al. 2021)",
    .needs = POISE_GRAD_NORM,
    .flags = POISE_EDIT_SIGNALS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .edit = edit,
    .formula = "w <- (1 - alpha) w + alpha mean|g_reference| / mean|g|, w is 1 at first;\n"
               "the reference's stays 1; max: max|g_reference| instead of its mean",
    .paper = "Wang, Teng, Perdikaris, \"Understanding and mitigating gradient flow pathologies in "
             "physics-informed neural networks\", SIAM Journal on Scientific Computing, 2021",
    .differs = "As modulus-sym (mean against mean, alpha 0.01), without its 1e-8 beside the mean, "
               "which is not small against the gradients of large tables. The paper takes the "
               "reference's largest gradient, with alpha 0.1: `against: max`.",
    .advice = "Simple and steady: no loss enters. With embedding tables in scope most gradients "
              "are 0 and `max` gives very large weights: keep to the mean.",
};
POISE_BALANCER(plugin)
