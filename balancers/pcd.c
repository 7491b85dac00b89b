/* pcd.c -- priority-constrained descent: the primary task's gradient, bent as little as it takes
 * for every other task to gain a set share.
 *
 * Its dual is a quadratic program in multipliers mu >= 0 of the other tasks.  Each task's squared
 * norm counts its own labelled steps. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { TARGET, TAU, BETA, EPS };
static const poise_param params[] = {
    [TARGET] = {"target", "number of the primary task, from 0", POISE_INT, 0, 0, 0, 1e6, NULL},
    [TAU] = {"tau", "share of what its own gradient would bring that a task gets at least",
             POISE_REAL, POISE_PER_TASK, 0.02, 0, 1, NULL},
    [BETA] = {"beta", "decay of the squared norms", POISE_REAL, 0, 0.999, 0, 0.999999, NULL},
    [EPS] = {"eps", "added to the squared norms", POISE_REAL, 0, 1e-8, 0, 1, NULL},
};

struct task {
    double square, steps;
};

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask, doubles = 2 * n * n + 4 * n + POISE_MATH_QP(n);
    return n * (sizeof(struct task) + sizeof(uint32_t)) + doubles * sizeof(double);
}

static int init(const poise_context *c, void *state)
{
    (void)state;
    if (c->param[TARGET][0] >= c->ntask)
        return c->host->fail(c->host, "target is %g; with %u tasks it must be below that",
                             c->param[TARGET][0], (unsigned)c->ntask);
    return 0;
}

/* 1 over each gradient's usual length. */
static void measure(const poise_context *c, struct task *k, const double *gram,
                    const uint32_t *task, size_t n, double *scale)
{
    double beta = c->param[BETA][0];
    for (size_t i = 0; i < n; i++) {
        struct task *own = &k[task[i]];
        own->steps++;
        own->square = beta * own->square + (1 - beta) * fmax(gram[i * n + i], 0);
        double usual = own->square / (1 - pow(beta, own->steps)) + c->param[EPS][0];
        scale[i] = usual > DBL_MIN ? 1 / sqrt(usual) : 0;
    }
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask, first = n;
    struct task *kept = state;
    double *gram = (double *)(kept + n), *others = gram + n * n, *scale = others + n * n;
    double *w = scale + n, *want = w + n, *mu = want + n, *work = mu + n, most = 0, sum = 0;
    uint32_t *task = (uint32_t *)(work + POISE_MATH_QP(n));

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    measure(c, kept, gram, task, n, scale);
    for (size_t i = 0; i < n; i++)
        if (task[i] == (uint32_t)c->param[TARGET][0])
            first = i;
    if (first == c->ntask)
        return 0; /* nothing to follow */

    /* minimise mu'Q mu / 2 - want'mu over mu >= 0; the primary's row is left out by zeros */
    double length = sqrt(fmax(gram[first * n + first], 0));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] *= scale[i] * scale[j];
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            others[i * n + j] = i == first || j == first ? 0 : gram[i * n + j];
        want[i] = i == first ? 0 : c->param[TAU][task[i]] * gram[i * n + i] - gram[i * n + first];
        most = fmax(most, gram[i * n + i]);
        mu[i] = 0;
    }
    poise_math_qp(others, want, NULL, n, mu, work);
    poise_math_multiply(others, mu, n, w);
    int possible = 1;
    for (size_t i = 0; i < n; i++)
        possible = possible && w[i] >= want[i] - 1e-7 * most;
    for (size_t i = 0; i < n; i++) {
        w[i] = i == first ? 1 : possible ? mu[i] : 0;
        sum += w[i] * sqrt(fmax(gram[i * n + i], 0));
    }
    double square = poise_math_square(gram, w, n);
    int moves = square > 10 * FLT_EPSILON * sum * sum;
    for (size_t i = 0; i < n; i++)
        weight[task[i]] = moves ? w[i] * scale[i] * length / sqrt(square) : 0;
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "pcd",
    .version = "1.0.0",
    .about = "PCD: one task first, a share for each of the others (TMLR 2026)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .init = init,
    .step = step,
    .formula = "h_t = g_t / sqrt(v_t + eps); v_t: running mean of |g_t|^2 with decay beta\n"
               "d = argmin of |d - h_1|^2 where <h_t, d> >= tau_t |h_t|^2 for all t but 1\n"
               "the step is d, made as long as g_1; 1 stands for the primary task (target)",
    .paper = "\"Not all objectives are born equal: priority-constrained descent for "
             "hierarchical multi-objective optimization\", TMLR 2026 (arXiv:2606.29521)",
    .differs =
        "As TorchJD 0.18, where the first task is the primary one. When no d suits all "
        "tasks, d = h_1. A task without labels is left out and its running norm stays; where "
        "that is the primary task, all weights stay.",
    .advice = "One task matters, and the others must not be harmed: a conversion beside clicks.",
};
POISE_BALANCER(plugin)
