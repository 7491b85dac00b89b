/* stch.c -- smooth Tchebycheff: the largest loss counts most, softly.
 *
 * paper: the formula alone, stateless; the preference is brought to a sum of 1.
 * official: epochs up to `warmup` take the log of each loss; epoch `warmup` also measures the mean
 * loss of each task, its nadir, and from then on the softmax is of log(l / nadir).  A task that had
 * no label in that epoch takes its first loss after it as its nadir.
 *
 * Softmax and T go over the tasks with labels; the others keep their weight. */
#include <math.h>
#include <poise/balancer.h>

enum { FORM, MU, WARMUP, PREFERENCE, IDEAL };
enum { PAPER, OFFICIAL };
static const char *const forms[] = {[PAPER] = "paper", [OFFICIAL] = "official", NULL};
static const poise_param params[] = {
    [FORM] = {"form", "the equation, or the authors' code", POISE_CHOICE, 0, PAPER, 0, 0, forms},
    [MU] = {"mu", "smaller is closer to the largest loss alone", POISE_REAL, 0, 1, 1e-6, 1e6, NULL},
    [WARMUP] = {"warmup", "the epoch, from 0, that measures the nadir; form official", POISE_INT, 0,
                4, 0, 1e6, NULL},
    [PREFERENCE] = {"preference", "how much the task's loss counts; form paper", POISE_REAL,
                    POISE_PER_TASK, 1, 1e-9, 1e9, NULL},
    [IDEAL] = {"ideal", "the loss that could be reached at best; form paper", POISE_REAL,
               POISE_PER_TASK, 0, -1e9, 1e9, NULL},
};

static const double EPS = 1e-20;

struct task {
    double sum, count; /* labelled steps of the epoch that measures */
};

static size_t state_size(const poise_context *c)
{
    return c->ntask * sizeof(struct task);
}

/* Of the labelled tasks: weight <- softmax(weight / mu). */
static void softmax(const poise_context *c, const poise_signals *in, double *weight)
{
    double top = -INFINITY, sum = 0;

    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            top = fmax(top, weight[t]);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            sum += weight[t] = exp((weight[t] - top) / c->param[MU][0]);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] /= sum;
}

static void by_equation(const poise_context *c, const poise_signals *in, double *weight)
{
    double sum = 0;

    for (uint32_t t = 0; t < c->ntask; t++)
        sum += c->param[PREFERENCE][t];
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] = c->param[PREFERENCE][t] / sum * (in->loss[t] - c->param[IDEAL][t]);
    softmax(c, in, weight);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] *= c->param[PREFERENCE][t] / sum;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    struct task *task = state;
    double warmup = c->param[WARMUP][0], n = 0;
    if (c->param[FORM][0] == PAPER)
        return by_equation(c, in, weight), 0;
    for (uint32_t t = 0; t < c->ntask; t++) {
        double l = in->loss[t];
        if (!(in->labelled[t] > 0))
            continue;
        if (l < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], l);
        n++;
        if (in->epoch == warmup || (in->epoch > warmup && task[t].count < 1)) {
            task[t].sum += l;
            task[t].count++;
        }
        weight[t] = in->epoch <= warmup ? 1 / (l + EPS)
                                        : log(l / fmax(task[t].sum / task[t].count, EPS) + EPS);
    }
    if (in->epoch > warmup)
        softmax(c, in, weight);
    for (uint32_t t = 0; in->epoch > warmup && t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] *= n / (in->loss[t] + EPS);
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "stch",
    .version = "1.0.0",
    .about = "smooth Tchebycheff scalarisation (Lin et al. 2024)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "paper: minimise mu log sum exp(p (l - ideal) / mu), so\n"
               "       w = p softmax(p (l - ideal) / mu), the sum of p is 1\n"
               "official: epochs 0 to warmup: w = 1 / (l + 1e-20); n = mean loss of epoch warmup\n"
               "          then: w = T softmax(log(l / n + 1e-20) / mu) / (l + 1e-20)",
    .paper = "Lin, Zhang, Yang, Liu, Wang, Zhang, \"Smooth Tchebycheff scalarization for "
             "multi-objective optimization\", ICML 2024",
    .differs = "LibMTL has `official` and reports weights of 1 whatever it applies; TorchJD has "
               "`paper`, takes the preference as it is given (1/T by default) and asks for mu.",
    .advice =
        "When no task may fall behind. The paper's form compares losses as they are: a smaller "
        "mu where they differ by less than 1. The official one wants more than warmup + 1 epochs.",
};
POISE_BALANCER(plugin)
