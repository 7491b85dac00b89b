/* lr_annealing.c -- weights that bring the mean absolute gradients of all tasks to one's.
 *
 * edit() hands out sqrt|g|: the square of its norm is the sum of |g|, which no Gram matrix holds.
 * For the reference's largest it hands out, of each slice, the square root of what the slice adds
 * to elements x largest: the sum of the squares is that of all, in any order of slices.
 * The weights are the running averages themselves.  A task without labels, or whose gradient is 0,
 * keeps its weight; without labels for the reference all do. */
#include <math.h>
#include <poise/balancer.h>

enum { ALPHA, REFERENCE, AGAINST };
enum { MAX, MEAN };
static const char *const measures[] = {[MAX] = "max", [MEAN] = "mean", NULL};
static const poise_param params[] = {
    [ALPHA] = {"alpha", "share of the newest ratio in the weight", POISE_REAL, 0, 0.1, 0, 1, NULL},
    [REFERENCE] = {"reference", "number of the task that the others are brought to, from 0",
                   POISE_INT, 0, 0, 0, 1e6, NULL},
    [AGAINST] = {"against", "its largest absolute gradient, or their mean", POISE_CHOICE, 0, MAX, 0,
                 0, measures},
};

struct seen {
    double step; /* 1 + its number; of it, so far: */
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
    uint32_t ref = (uint32_t)c->param[REFERENCE][0];
    struct seen *seen = state;

    for (uint32_t t = 0; t < c->ntask; t++)
        for (size_t i = 0; i < s->n; i++)
            out[t][i] = sqrtf(fabsf(s->grad[t][i]));
    if (c->param[AGAINST][0] == MEAN || s->n == 0)
        return 0;
    if (seen->step != (double)in->step + 1)
        *seen = (struct seen){.step = (double)in->step + 1};
    double before = seen->largest * seen->elements;
    seen->elements += (double)s->n;
    for (size_t i = 0; i < s->n; i++) {
        seen->largest = fmax(seen->largest, fabs((double)s->grad[ref][i]));
        out[ref][i] = 0;
    }
    out[ref][0] = (float)sqrt(seen->largest * seen->elements - before);
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    uint32_t ref = (uint32_t)c->param[REFERENCE][0];
    double alpha = c->param[ALPHA][0];

    (void)state;
    if (!(in->labelled[ref] > 0))
        return 0;
    for (uint32_t t = 0; t < c->ntask; t++) {
        double ratio = pow(in->grad_norm[ref] / in->grad_norm[t], 2);
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
    .formula = "w <- (1 - alpha) w + alpha max|g_reference| / mean|g|, w is 1 at first;\n"
               "the reference's stays 1; mean: mean|g_reference| instead of its max",
    .paper = "Wang, Teng, Perdikaris, \"Understanding and mitigating gradient flow pathologies in "
             "physics-informed neural networks\", SIAM Journal on Scientific Computing, 2021",
    .differs =
        "As the authors' code (largest against mean, alpha 0.1). modulus-sym has `against: "
        "mean` and alpha 0.01, with 1e-8 beside the mean; left out here, for it is not small "
        "against the gradients of large tables.",
    .advice = "Simple and steady: no loss enters. The largest gradient is many times the mean, so "
              "all tasks but the reference are weighed up; with embedding tables in scope most "
              "gradients are 0 and `max` gives very large weights: there take the mean.",
};
POISE_BALANCER(plugin)
