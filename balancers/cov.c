/* cov.c -- coefficient of variation: a task whose loss ratio still varies weighs more.
 *
 * Every task counts its own labelled steps; the sum of 1 goes over the tasks with labels, which all
 * weigh the same as long as one of them has seen fewer than two steps.  The others keep weight and
 * statistics.  A mean loss of 0 has no ratio: it counts as 1. */
#include <math.h>
#include <poise/balancer.h>

enum { DECAY };
static const poise_param params[] = {
    [DECAY] = {"decay", "share of the old in the running means; 0: means over the whole run",
               POISE_REAL, 0, 0, 0, 0.999999, NULL},
};

struct task {
    double count;            /* labelled steps */
    double mean;             /* of the loss */
    double ratio, deviation; /* mean of loss / mean loss before; sum of squares around it */
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

static double variation(const struct task *k)
{
    return sqrt(k->deviation / k->count + 1e-8) / fmax(k->ratio, 1e-12);
}

static void learn(const poise_context *c, struct task *k, double loss)
{
    double r = k->count > 0 && k->mean > 0 ? loss / k->mean : 1;
    double keep = c->param[DECAY][0] > 0 ? c->param[DECAY][0] : 1 - 1 / (k->count + 1);

    if (k->count < 1)
        keep = 0;
    double mean = keep * k->ratio + (1 - keep) * r;
    k->deviation += (r - k->ratio) * (r - mean);
    k->ratio = mean;
    k->mean = keep * k->mean + (1 - keep) * loss;
    k->count++;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double sum = 0, n = 0;
    int early = 0;

    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        early |= task[t].count < 2;
        sum += task[t].count > 0 ? variation(&task[t]) : 0;
        n++;
    }
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        weight[t] = early ? 1 / n : variation(&task[t]) / sum;
        learn(c, &task[t], in->loss[t]);
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "cov",
    .version = "1.0.0",
    .about = "CoV-Weighting (Groenendijk et al. 2021)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "r = l / mean of the losses before this step\n"
               "w = c / sum c, c = standard deviation of r / mean of r, both of the steps before;\n"
               "their sum is 1; in the first two steps w = 1/T",
    .paper = "Groenendijk, Karaoglu, Gevers, Mensink, \"Multi-loss weighting with coefficient of "
             "variations\", WACV 2021",
    .differs = "The authors' code, with its 1e-8 under the root and with its sum of squares that "
               "does not decay where the means do. They count the steps of the run, here every "
               "task counts its own.",
    .advice = "No rate and no temperature. As the statistics go over the whole run, weights settle "
              "early; `decay` keeps them moving.",
};
POISE_BALANCER(plugin)
