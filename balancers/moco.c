/* moco.c -- MoCo: tracked gradients and weights that follow the minimum-norm point.
 *
 * edit() tracks, the host measures the Gram matrix of the tracked gradients y, step() moves the
 * weights.  Every task counts its own labelled steps for b, all steps count for gamma.  A task
 * without labels keeps y, its weight and its count, and adds nothing to the step; the softmax then
 * shares out what the labelled tasks had. */
#include <math.h>
#include <poise/balancer.h>

enum { BETA, BETA_SIGMA, GAMMA, GAMMA_SIGMA, RHO };
static const poise_param params[] = {
    [BETA] = {"beta", "rate of the tracked gradients", POISE_REAL, 0, 0.5, 0, 1, NULL},
    [BETA_SIGMA] = {"beta_sigma", "beta falls as 1 / step^beta_sigma", POISE_REAL, 0, 0.5, 0, 10,
                    NULL},
    [GAMMA] = {"gamma", "rate of the weights", POISE_REAL, 0, 0.1, 0, 1e6, NULL},
    [GAMMA_SIGMA] = {"gamma_sigma", "gamma falls as 1 / step^gamma_sigma", POISE_REAL, 0, 0.5, 0,
                     10, NULL},
    [RHO] = {"rho", "pull of the weights towards equal ones", POISE_REAL, 0, 0, 0, 1e6, NULL},
};

static const double EPS = 1e-8;

/* The state: steps, then [T] of struct task. */
struct task {
    double lambda, steps;
};

static size_t state_size(const poise_context *c)
{
    return sizeof(double) + c->ntask * sizeof(struct task);
}

static int init(const poise_context *c, void *state)
{
    struct task *task = (struct task *)((double *)state + 1);
    for (uint32_t t = 0; t < c->ntask; t++)
        task[t].lambda = 1.0 / c->ntask;
    return 0;
}

static uint32_t keep(const poise_context *c)
{
    return c->ntask; /* y */
}

static int edit(const poise_context *c, void *state, const poise_signals *in,
                const poise_stretch *s, float *const *out)
{
    const struct task *task = (const struct task *)((double *)state + 1);

    for (uint32_t t = 0; t < c->ntask; t++) {
        int has = in->labelled[t] > 0;
        double rate = has ? c->param[BETA][0] / pow(task[t].steps + 1, c->param[BETA_SIGMA][0]) : 0;
        double scale = has ? in->loss[t] / (in->grad_norm[t] + EPS) : 0;
        for (size_t i = 0; i < s->n; i++) {
            double y = (double)s->keep[t][i];
            s->keep[t][i] = (float)(y - rate * (y - scale * (double)s->grad[t][i]));
            out[t][i] = has ? s->keep[t][i] : 0;
        }
    }
    return 0;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *steps = state, top = -INFINITY, sum = 0, share = 0;
    struct task *task = (struct task *)(steps + 1);
    double rate = c->param[GAMMA][0] / pow(++*steps, c->param[GAMMA_SIGMA][0]);

    for (uint32_t t = 0; t < c->ntask; t++) {
        weight[t] = task[t].lambda;
        if (!(in->labelled[t] > 0))
            continue;
        double grad = c->param[RHO][0] * task[t].lambda;
        for (uint32_t u = 0; u < c->ntask; u++)
            if (in->labelled[u] > 0)
                grad += in->gram[(size_t)t * c->ntask + u] * task[u].lambda;
        weight[t] -= rate * grad;
        top = fmax(top, weight[t]);
        share += task[t].lambda;
    }
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0)
            sum += weight[t] = exp(weight[t] - top);
    for (uint32_t t = 0; t < c->ntask; t++)
        if (in->labelled[t] > 0) {
            task[t].lambda = weight[t] *= share / sum;
            task[t].steps++;
        }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "moco",
    .version = "1.0.0",
    .about = "MoCo, stochastic multi-objective gradient correction (Fernando et al. 2023)",
    .needs = POISE_LOSS | POISE_GRAD_NORM | POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .keep = keep,
    .edit = edit,
    .formula = "h = l g / (|g| + 1e-8); y <- y - beta / k^beta_sigma (y - h), y is 0 at first\n"
               "w <- softmax(w - gamma / k^gamma_sigma (Y Y' + rho I) w), w is 1/T at first;\n"
               "direction = sum of w y; the sum of the weights is 1",
    .paper = "Fernando, Shen, Liu, Chaudhury, Murugesan, Chen, \"Mitigating gradient bias in "
             "multi-objective learning: a provably convergent approach\", ICLR 2023",
    .differs = "As LibMTL, after the authors' code: gradients scaled by l / |g| and a softmax, "
               "where the paper projects onto the simplex. TorchJD does not have it.",
    .advice = "When batches are small and their gradients noisy. It keeps one float per task and "
              "shared parameter. As the softmax is taken of weights within [0, 1], they differ by "
              "a factor of e at most where gamma Y Y' is small: expect gentle weights.",
};
POISE_BALANCER(plugin)
