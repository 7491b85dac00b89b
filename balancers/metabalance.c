/* metabalance.c -- brings the auxiliary gradients near the length of the main task's, by parameter.
 *
 * The moving averages start at 0; where tasks have seen labels in different numbers of steps, each
 * is divided by 1 - beta^steps, which cancels in the ratio otherwise.  A task without labels keeps
 * averages and weights; as long as one of the two averages is 0 the weight is 1. */
#include <math.h>
#include <poise/balancer.h>

enum { RELAX, BETA, TARGET, DIRECTION };
enum { BOTH, REDUCE, ENLARGE };
static const char *const directions[] = {
    [BOTH] = "both", [REDUCE] = "reduce", [ENLARGE] = "enlarge", NULL};
static const poise_param params[] = {
    [RELAX] = {"relax", "0: gradients as they are; 1: all as long as the main task's", POISE_REAL,
               0, 0.7, 0, 1, NULL},
    [BETA] = {"beta", "share of the old in the moving averages of the norms", POISE_REAL, 0, 0.9, 0,
              0.999999, NULL},
    [TARGET] = {"target", "number of the main task, from 0 in the order of the spec", POISE_INT, 0,
                0, 0, 1e6, NULL},
    [DIRECTION] = {"direction", "which gradients change: the larger, the smaller, both",
                   POISE_CHOICE, 0, BOTH, 0, 0, directions},
};

/* The state: how many labelled steps each task has seen, [T]; the averages, [G, T]. */
static size_t state_size(const poise_context *c)
{
    return ((size_t)c->ngroup + 1) * c->ntask * sizeof(double);
}

static int init(const poise_context *c, void *state)
{
    (void)state;
    if (c->param[TARGET][0] >= c->ntask)
        return c->host->fail(c->host, "target is %g; with %u tasks it must be below %u",
                             c->param[TARGET][0], (unsigned)c->ntask, (unsigned)c->ntask);
    return 0;
}

static double relaxed(const poise_context *c, double ratio)
{
    double direction = c->param[DIRECTION][0], r = c->param[RELAX][0];

    if ((direction == REDUCE && ratio > 1) || (direction == ENLARGE && ratio < 1))
        return 1;
    return r * ratio + 1 - r;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    uint32_t ntask = c->ntask, target = (uint32_t)c->param[TARGET][0];
    double *steps = state, *mean = steps + ntask, beta = c->param[BETA][0];

    for (uint32_t t = 0; t < ntask; t++)
        steps[t] += in->labelled[t] > 0;
    for (uint32_t g = 0; g < c->ngroup; g++, mean += ntask, weight += ntask) {
        const double *gram = in->group_gram + (size_t)g * ntask * ntask;
        for (uint32_t t = 0; t < ntask; t++)
            if (in->labelled[t] > 0)
                mean[t] = beta * mean[t] + (1 - beta) * sqrt(fmax(gram[t * ntask + t], 0));
        for (uint32_t t = 0; t < ntask; t++) {
            double ratio = mean[target] / (1 - pow(beta, steps[target])) /
                           (mean[t] / (1 - pow(beta, steps[t])));
            if (in->labelled[t] > 0)
                weight[t] =
                    mean[target] > 0 && mean[t] > 0 && isfinite(ratio) ? relaxed(c, ratio) : 1;
        }
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "metabalance",
    .version = "1.0.0",
    .about = "MetaBalance (He et al. 2022)",
    .needs = POISE_GROUP_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_GROUP_WEIGHTS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "for each parameter: m <- beta m + (1 - beta) |g|, m is 0 at first\n"
               "w = relax m_target / m + 1 - relax",
    .paper = "He, Feng, Cheng, Ji, Guo, Caverlee, \"MetaBalance: improving multi-task "
             "recommendations via adapting gradient magnitudes of auxiliary tasks\", WWW 2022",
    .differs = "The authors' code refuses sparse gradients; here embedding tables count with the "
               "rows of the batch. Where tasks have seen labels in different numbers of steps the "
               "averages are corrected for their zero start. `direction` is the paper's choice of "
               "strategies: reduce, enlarge, both.",
    .advice = "Made for recommenders with one task that matters and others that help it: name it "
              "by `target`. The main task's own weights are always 1.",
};
POISE_BALANCER(plugin)
