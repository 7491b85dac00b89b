/* graddrop.c -- gradient sign dropout: for each parameter one sign is drawn, and only the gradients
 * that have it pass.
 *
 * The random number of an element depends on the seed, the step and the number of the element, so
 * that slices may come in any order.  A gradient of 0, such as that of a task without labels, takes
 * no part.  The weights are 1; those that the host made of them scale what passes. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { LEAK };
static const poise_param params[] = {
    [LEAK] = {"leak", "part of the task's gradient that always passes", POISE_REAL, POISE_PER_TASK,
              0, 0, 1, NULL},
};

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)state, (void)in;
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] = 1;
    return 0;
}

static int blend(const poise_context *c, void *state, const poise_signals *in,
                 const poise_stretch *s, const double *weight, float *out)
{
    uint32_t x[4] = {0}; /* of elements 4 k to 4 k + 3 */

    (void)state;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t at = s->first + i;
        double sum = 0, size = 0, passed = 0;
        if (!i || at % 4 == 0)
            poise_math_philox(c->seed, in->step, at / 4, x);
        for (uint32_t t = 0; t < c->ntask; t++) {
            sum += (double)s->grad[t][i];
            size += fabs((double)s->grad[t][i]);
        }
        double purity = size > 0 ? 0.5 * (1 + sum / size) : 0.5;
        int up = purity > ((double)x[at % 4] + 0.5) / 4294967296.0;
        for (uint32_t t = 0; t < c->ntask; t++) {
            double g = weight[t] * (double)s->grad[t][i];
            passed += (up ? s->grad[t][i] > 0 : s->grad[t][i] < 0) ? g : c->param[LEAK][t] * g;
        }
        out[i] = (float)passed;
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "graddrop",
    .version = "1.0.0",
    .about = "GradDrop, gradient sign dropout (Chen et al. 2020)",
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .step = step,
    .blend = blend,
    .formula = "for each parameter: P = (1 + sum g / sum |g|) / 2, U of U(0, 1)\n"
               "pass = 1 where (P > U and g > 0) or (P < U and g < 0), else 0\n"
               "direction = sum of (leak + (1 - leak) pass) g",
    .paper = "Chen, Ngiam, Huang, Luong, Kretzschmar, Chai, Anguelov, \"Just pick a sign: "
             "optimizing deep multitask models with gradient sign dropout\", NeurIPS 2020",
    .differs = "As TorchJD, on the gradients of the parameters. The paper and LibMTL work on the "
               "gradients of a shared representation, summed over the batch after multiplying by "
               "the sign of the activation.",
    .advice = "When tasks pull many parameters in opposite directions. Noisier than the projecting "
              "strategies; a small `leak` for the main task steadies it.",
};
POISE_BALANCER(plugin)
