/* gls.c -- the geometric mean of the losses.
 *
 * Stateless.  The mean goes over the n tasks with labels; the others keep their weight.  Losses
 * below 1e-20 count as 1e-20: the gradient of the mean is not defined at 0. */
#include <math.h>
#include <poise/balancer.h>

static const double SMALLEST = 1e-20;

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double mean = 0, n = 0;

    (void)state;
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (!(in->labelled[t] > 0))
            continue;
        if (in->loss[t] < 0)
            return c->host->fail(c->host, "the loss of task \"%s\" is %g; it must not be negative",
                                 c->task[t], in->loss[t]);
        mean += log(fmax(in->loss[t], SMALLEST));
        n++;
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            weight[t] = exp(mean / n - log(fmax(in->loss[t], SMALLEST))) / n;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "gls",
    .version = "1.0.0",
    .about = "geometric loss strategy (Chennupati et al. 2019)",
    .needs = POISE_LOSS,
    .step = step,
    .formula = "minimise (l_1 ... l_T)^(1/T), so w = (l_1 ... l_T)^(1/T) / (T l)\n"
               "the product of the weights is T^-T",
    .paper = "Chennupati, Sistu, Yogamani, Rawashdeh, \"MultiNet++: multi-stream feature "
             "aggregation and geometric loss strategy for multi-task learning\", CVPR workshops "
             "2019",
    .differs = "The objective is that of LibMTL and TorchJD (GeometricMean). The weights that "
               "LibMTL reports for it are not the ones it applies: T times the product stands in "
               "the divisor instead of T times the loss.",
    .advice = "Scale-free without a parameter: multiplying one loss by a constant changes no ratio "
              "of contributions. A task whose loss can reach 0 takes over.",
};
POISE_BALANCER(plugin)
