/* uw_so.c -- the resting point of uncertainty weighting, without learning towards it.
 *
 * Stateless.  The softmax and its sum of 1 go over the tasks with labels; the others keep their
 * weight. */
#include <math.h>
#include <poise/balancer.h>

enum { TEMP, FORM };
enum { SOFT, OPTIMAL };
static const char *const forms[] = {[SOFT] = "soft", [OPTIMAL] = "optimal", NULL};
static const poise_param params[] = {
    [TEMP] = {"temp", "temperature: larger is closer to equal weights; form soft", POISE_REAL, 0, 1,
              1e-6, 1e9, NULL},
    [FORM] = {"form", "soft: a softmax of 1 / loss; optimal: 1 / loss itself", POISE_CHOICE, 0,
              SOFT, 0, 0, forms},
};

static const double EPS = 1e-8;

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double temp = c->param[TEMP][0], top = 0, sum = 0;

    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        weight[t] = 1 / (in->loss[t] + EPS);
        top = fmax(top, weight[t]);
    }
    if (c->param[FORM][0] == OPTIMAL)
        return 0;
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            sum += weight[t] = exp((weight[t] - top) / temp);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] /= sum;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "uw_so",
    .version = "1.0.0",
    .about = "soft optimal uncertainty weighting (Kirchdorfer et al. 2024)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .formula = "w = softmax(1 / (l + 1e-8) / temp); their sum is 1\n"
               "optimal: w = 1 / (l + 1e-8)",
    .paper = "Kirchdorfer, Elich, Kutsche, Stuckenschmidt, Schott, Koehler, \"Analytical "
             "uncertainty-based loss weighting in multi-task learning\", GCPR 2024",
    .differs = "LibMTL and TorchJD do not have it.",
    .advice = "One number to tune, the temperature, against T for a grid search of weights. With "
              "losses of 0.1 to 1 a temperature of 1 already prefers the smallest loss strongly: "
              "try 2 to 20. The paper tunes it per data set.",
};
POISE_BALANCER(plugin)
