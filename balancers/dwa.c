/* dwa.c -- dynamic weight average: a task whose loss falls slowly weighs more.
 *
 *     r[t] = last[t] / before[t]              two consecutive means of the unweighted loss
 *     w    = T softmax(r / temp)              their sum is T
 *
 * With window 0 the means are those of the last two whole epochs, every labelled step counting the
 * same.  With window N they are those of the last N labelled steps and of the N before.  Where there
 * are not two means yet, or their ratio is not finite, r[t] is 1.
 *
 * A task without labels in a step adds nothing to its means; without any in a whole epoch it keeps
 * the means that it has.  Its weight still follows the softmax: r of the others may change it. */
#include <math.h>
#include <poise/balancer.h>
#include <poise/balancer_math.h>

enum { TEMP, WINDOW };
static const char *const windows[] = {"epoch", NULL}; /* 0: whole epochs */
static const poise_param params[] = {
    [TEMP] = {"temp", "larger is closer to equal weights", POISE_REAL, 0, 2, 1e-3, 1e6, NULL},
    [WINDOW] = {"window", "steps in a mean", POISE_INT, 0, 0, 0, 10000, windows},
};

/* State: 1 + the epoch that the sums are of; T of struct task; T rings of 2 N losses. */
struct task {
    double sum, count;   /* labelled steps of this epoch; with a window, count is of the run */
    double last, before; /* the two means (sums, with a window); 0: not there yet */
};

static size_t window(const poise_context *c)
{
    return (size_t)c->param[WINDOW][0];
}

static size_t state_size(const poise_context *c)
{
    return sizeof(double) + c->ntask * (sizeof(struct task) + 2 * window(c) * sizeof(double));
}

static void close_epoch(struct task *k)
{
    if (k->count > 0) {
        k->before = k->last;
        k->last = k->sum / k->count;
    }
    k->sum = k->count = 0;
}

/* Add a loss to the ring; once it is full, sum its older and its newer half. */
static void push_ring(struct task *k, double *ring, size_t n, double loss)
{
    size_t at = (size_t)fmod(k->count++, (double)(2 * n));

    ring[at] = loss;
    if (k->count < (double)(2 * n))
        return;
    k->before = k->last = 0;
    for (size_t i = 1; i <= n; i++) {
        k->before += ring[(at + i) % (2 * n)];
        k->last += ring[(at + n + i) % (2 * n)];
    }
}

static void softmax(const poise_context *c, const struct task *task, double *weight)
{
    for (uint32_t t = 0; t < c->ntask; t++) {
        double r = task[t].last / task[t].before;
        weight[t] = isfinite(r) ? r : 1;
    }
    poise_math_softmax(weight, c->ntask, c->param[TEMP][0], weight);
    for (uint32_t t = 0; t < c->ntask; t++)
        weight[t] *= c->ntask;
}

static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    double *next = state;
    struct task *task = (struct task *)(next + 1);
    double *ring = (double *)(task + c->ntask);
    size_t n = window(c);
    int new_epoch = !n && *next != in->epoch + 1.0;
    *next = in->epoch + 1.0;
    for (uint32_t t = 0; t < c->ntask; t++) {
        if (new_epoch)
            close_epoch(&task[t]);
        if (!(in->labelled[t] > 0))
            continue;
        if (n) {
            push_ring(&task[t], ring + 2 * n * t, n, in->loss[t]);
        } else {
            task[t].sum += in->loss[t];
            task[t].count++;
        }
    }
    softmax(c, task, weight);
    return 0;
}

static const poise_balancer plugin = {
    POISE_SIZES,
    .id = "dwa",
    .version = "1.0.0",
    .about = "dynamic weight average (Liu et al. 2019)",
    .needs = POISE_LOSS,
    .param = params,
    .nparam = POISE_COUNT(params),
    .state_version = 1,
    .state_size = state_size,
    .step = step,
    .formula = "r = last / before, two consecutive means of the unweighted loss\n"
               "w = T softmax(r / temp); their sum is T; r is 1 until there are two means\n"
               "window 0: means of whole epochs; N: of the last N labelled steps and the N before",
    .paper = "Liu, Johns, Davison, \"End-to-end multi-task learning with attention\", CVPR 2019",
    .differs = "As mtan, LibMTL and TorchJD with epochs. The windows of Nash-MTL and SamsungLabs "
               "hold 25 steps, start full of ones and are used after N steps; here they wait for "
               "2 N measured losses.",
    .advice = "Cheap and mild: it sees only how fast losses fall, not their scale. With fewer than "
              "three epochs it does nothing unless `window` is set; the authors find temperatures "
              "of 0.5 to 5 useful.",
};
POISE_BALANCER(plugin)
