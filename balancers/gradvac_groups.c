/* gradvac_groups.c -- gradvac with a cosine, and a weight, for each parameter.
 *
 * The rule is gradvac.c's, on the Gram matrix of one parameter after the other. */
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
    return ((c->ngroup + 1) * n * n + 2 * n) * sizeof(double) + 2 * n * sizeof(uint32_t);
}

/* What to add of a gradient of length `other` to one of length `own`, for the cosine to go from
 * `now` to `usual`. */
static double correction(double own, double other, double now, double usual)
{
    double sine = sqrt(fmax(1 - now * now, 0)), usual_sine = sqrt(fmax(1 - usual * usual, 0));
    return fmax(own * (usual * sine - now * usual_sine) / (other * usual_sine + EPS), 0);
}

/* The corrections of task i on one Gram matrix: row[j] becomes what it has of g_j. */
static void correct(const poise_context *c, size_t i, const double *gram, size_t n,
                    const uint32_t *task, const uint32_t *order, double *usual, double *row,
                    double *along)
{
    double beta = c->param[BETA][0];

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
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    size_t tasks = c->ntask, square = tasks * tasks;
    double *usual = state, *gram = usual + c->ngroup * square, *row = gram + square;
    double *along = row + tasks;
    uint32_t *task = (uint32_t *)(along + tasks), *order = task + tasks;

    for (size_t g = 0; g < c->ngroup; g++, usual += square, weight += tasks) {
        size_t n =
            poise_math_labelled(in->group_gram + g * square, in->labelled, tasks, task, gram);
        for (size_t k = 0; k < n; k++) {
            order[k] = (uint32_t)k;
            weight[task[k]] = 0;
        }
        for (size_t i = 0; i < n; i++) {
            if (c->param[ORDER][0] == RANDOM)
                poise_math_shuffle(c->seed, in->step, (g * n + i) * n, n, order);
            correct(c, i, gram, n, task, order, usual, row, along);
            for (size_t j = 0; j < n; j++)
                weight[task[j]] += row[j];
        }
    }
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "gradvac_groups",
    .version = "1.0.0",
    .about = "gradient vaccine by parameter (Wang et al. 2021)",
    .needs = POISE_GROUP_GRAM,
    .flags = POISE_SHARED_ONLY | POISE_GROUP_WEIGHTS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "for each shared parameter on its own, as gradvac: its cosines, its weights",
    .paper =
        "Z. Wang, Y. Tsvetkov, O. Firat, Y. Cao, Gradient vaccine: investigating and improving "
        "multi-task optimization in massively multilingual models, ICLR 2021",
    .differs =
        "The paper's all_layer; LibMTL has it as group_type 1 and 2, and takes the cosines of a "
        "step's pairs in one order for all groups, where here each group draws its own, as in "
        "the paper. TorchJD has the whole model only: gradvac. A pair with a task without "
        "labels is left out, and its cosine stays.",
    .advice = "As gradvac, where some layers' gradients conflict and others' do not.",
};
POISE_BALANCER(plugin)
