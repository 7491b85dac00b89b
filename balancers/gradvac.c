/* gradvac.c -- gradient vaccine: pull each pair of gradients to the cosine that it usually has.
 *
 * Gradients are coefficients on the original ones, as in pcgrad.c, which is the case of a usual
 * cosine of 0.  The running cosines are the state; those of a task without labels stay. */
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { BETA, ORDER };
enum { RANDOM, FIXED };
static const char *const orders[] = {[RANDOM] = "random", [FIXED] = "fixed", NULL};
static const poise_param params[] = {
    [BETA] = {"beta", "share of the newest cosine in the running one", POISE_REAL, 0, 0.5, 0, 1,
              NULL},
    [ORDER] = {"order", "order of the corrections of each task", POISE_CHOICE, 0, RANDOM, 0, 0,
               orders},
};

static const double EPS = 1e-8;

static size_t state_size(const poise_context *c)
{
    size_t n = c->ntask;
    return (2 * n * n + 3 * n) * sizeof(double) + 2 * n * sizeof(uint32_t);
}

/* What to add of a gradient of length `other` to one of length `own`, for the cosine to go from
 * `now` to `usual`. */
static double correction(double own, double other, double now, double usual)
{
    double sine = sqrt(fmax(1 - now * now, 0)), usual_sine = sqrt(fmax(1 - usual * usual, 0));
    return fmax(own * (usual * sine - now * usual_sine) / (other * usual_sine + EPS), 0);
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t n = c->ntask;
    double *usual = state, *gram = usual + n * n, *w = gram + n * n, *row = w + n;
    double *along = row + n; /* <d, g_j> of each j */
    uint32_t *task = (uint32_t *)(along + n), *order = task + n;
    double beta = c->param[BETA][0];

    n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
    poise_math_fill(w, n, 0);
    for (size_t k = 0; k < n; k++)
        order[k] = (uint32_t)k;
    for (size_t i = 0; i < n; i++) {
        if (c->param[ORDER][0] == RANDOM)
            poise_math_shuffle(c->seed, in->step, i * n, n, order);
        poise_math_fill(row, n, 0);
        row[i] = 1;
        memcpy(along, gram + i * n, n * sizeof *along);
        for (size_t k = 0; k < n; k++) {
            size_t j = order[k];
            if (j == i)
                continue;
            double *run = &usual[task[i] * c->ntask + task[j]];
            double own = sqrt(fmax(poise_math_dot(row, along, n), 0));
            double other = sqrt(fmax(gram[j * n + j], 0));
            double now = fmin(fmax(along[j] / (own * other + EPS), -1), 1);
            double add = now < *run ? correction(own, other, now, *run) : 0;
            row[j] += add;
            for (size_t t = 0; t < n; t++)
                along[t] += add * gram[j * n + t];
            *run = (1 - beta) * *run + beta * now;
        }
        for (size_t j = 0; j < n; j++)
            w[j] += row[j];
    }
    for (size_t k = 0; k < n; k++)
        weight[task[k]] = w[k];
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "gradvac",
    .version = "1.0.0",
    .about = "gradient vaccine: pairs keep their usual cosine (Wang et al. 2021)",
    .needs = POISE_GRAM,
    .flags = POISE_SHARED_ONLY,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula =
        "for each i: d = g_i; for j != i in order: p = cos(d, g_j); if p < q_ij:\n"
        "    d += g_j |d| (q sqrt(1 - p^2) - p sqrt(1 - q^2)) / (|g_j| sqrt(1 - q^2) + 1e-8)\n"
        "    then always q_ij = (1 - beta) q_ij + beta p; q_ij = 0 at first\n"
        "the step is the sum of all d",
    .paper =
        "Z. Wang, Y. Tsvetkov, O. Firat, Y. Cao, Gradient vaccine: investigating and improving "
        "multi-task optimization in massively multilingual models, ICLR 2021",
    .differs =
        "One cosine for all shared parameters in scope (the paper's whole_model); LibMTL can "
        "also take one per layer. beta 0.5 as in LibMTL and TorchJD; the paper has 0.01. "
        "The running cosine moves whether or not there was a correction: LibMTL before "
        "February 2024 and SamsungLabs move it only then. A pair with a task without "
        "labels is left out, and its cosine stays.",
    .advice = "Where related tasks should stay related: it also acts on pairs that agree less than "
              "they usually do. A small beta with noisy batches.",
};
POISE_BALANCER(plugin)
