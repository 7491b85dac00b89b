/* rlw.c -- random loss weighting: new weights in every step, drawn from nothing but its number.
 *
 * Stateless: z depends on the seed, the step and the task's number alone, so a resumed run draws
 * the same.  The softmax goes over the tasks with labels; the others keep their weight. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { DISTRIBUTION };
enum { NORMAL, UNIFORM, DIRICHLET, ONE };
static const char *const distributions[] = {
    [NORMAL] = "normal", [UNIFORM] = "uniform", [DIRICHLET] = "dirichlet", [ONE] = "one", NULL};
static const poise_param params[] = {
    [DISTRIBUTION] = {"distribution", "of the weights before the softmax", POISE_CHOICE, 0, NORMAL,
                      0, 0, distributions},
};

static double score(const poise_context *c, uint64_t step, uint32_t task)
{
    double kind = c->param[DISTRIBUTION][0];

    if (kind == NORMAL || kind == ONE)
        return poise_math_normal(c->seed, step, task);
    double u = poise_math_uniform(c->seed, step, task);
    if (kind == UNIFORM)
        return u;
    return log(fmax(-log(1 - u), 1e-300)); /* the logarithm of a Gamma(1) */
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double top = -INFINITY, sum = 0;

    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            top = fmax(top, weight[t] = score(c, in->step, t));
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        if (c->param[DISTRIBUTION][0] == ONE)
            weight[t] = weight[t] == top;
        else
            weight[t] = exp(weight[t] - top);
        sum += weight[t];
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] /= sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "rlw",
    .version = "1.0.0",
    .about = "random loss weighting (Lin et al. 2022)",
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .formula = "normal:    w = softmax(z), z of N(0, 1)\n"
               "uniform:   w = softmax(z), z of U(0, 1)\n"
               "dirichlet: w of Dirichlet(1, ..., 1), even on the simplex\n"
               "one:       w = 1 for one task, 0 for the others\n"
               "drawn anew in each step; their sum is 1",
    .paper = "Lin, Ye, Zhang, Tsang, \"Reasonable effectiveness of random weighting: a litmus test "
             "for multi-task learning\", TMLR 2022",
    .differs = "LibMTL (RLW) and TorchJD (Random) have `normal` alone, from the framework's own "
               "generator: a resumed run draws other weights.",
    .advice = "The litmus test: a strategy that does not beat it on your data is not worth its "
              "cost. In the mean over steps it weighs all tasks the same.",
};
POISE_BALANCER(plugin)
