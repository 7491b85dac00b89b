/* check_signals.c -- signals that belong together: gradients first, then what follows from them.
 *
 *     u          one direction that all tasks share, drawn per step
 *     g_t        0.4 u + noise_t, scaled by the weather
 *     half       g_t + d_t of the even rows, g_t - d_t of the odd ones
 *     gram       <g_i, g_j>, group by group; grad_norm the roots of its diagonal
 */
#include <math.h>
#include <string.h>

#include "../core/random.h"
#include "check_parts.h"

enum { ELEMENTS = POISE__CHECK_ELEMENTS, SEED = 20240917 };
enum { STREAM_LOSS = 1, STREAM_LABEL, STREAM_SHARED, STREAM_NOISE, STREAM_HALF, STREAM_KPI };

const poise__weather poise__ordinary = {.name = "ordinary signals"};

static double draw(uint64_t stream, uint64_t k, uint32_t t)
{
    return poise_random_uniform(SEED, stream, (uint32_t)k, t);
}

/* n numbers in (-1, 1) */
static void draw_many(uint64_t stream, uint64_t k, uint32_t t, float *out, uint32_t n)
{
    uint32_t bits[ELEMENTS];

    poise_random_fill(SEED, stream, (uint32_t)k, (uint64_t)t * ELEMENTS, bits, n);
    for (uint32_t i = 0; i < n; i++)
        out[i] = (float)((double)bits[i] / 2147483648.0 - 1.0);
}

void poise__feed_group(uint32_t g, uint32_t ngroup, uint32_t *first, uint32_t *end)
{
    static const uint32_t cut[] = {0, 41, 64, ELEMENTS};

    *first = ngroup == 1 ? 0 : cut[g];
    *end = ngroup == 1 ? ELEMENTS : cut[g + 1];
}

/* ---- losses and labels ---- */

static int has_labels(const poise__weather *w, uint64_t k, uint32_t t)
{
    switch (w->labels) {
    case POISE__LABELS_SOME:
        return draw(STREAM_LABEL, k, t) > 0.33;
    case POISE__LABELS_FIRST:
        return t == 0;
    case POISE__LABELS_LATE:
        return k >= 3 && draw(STREAM_LABEL, k, t) > 0.33;
    default:
        return 1;
    }
}

static double loss_of(const poise__weather *w, uint64_t k, uint32_t t)
{
    switch (w->loss) {
    case POISE__LOSS_ZERO:
        return 0;
    case POISE__LOSS_TINY:
        return 1e-12;
    case POISE__LOSS_HUGE:
        return 1e12;
    case POISE__LOSS_EQUAL:
        return 0.7;
    case POISE__LOSS_DOMINATED:
        if (t == 0)
            return 1e6;
        break;
    default:
        break;
    }
    return 0.2 + 0.3 * draw(STREAM_LOSS, k, t) + 0.5 / (1 + (double)k / 20);
}

/* NaN before a task's first step with labels. */
static double first_loss(const poise__weather *w, uint64_t k, uint32_t t)
{
    for (uint64_t j = 0; j <= k; j++)
        if (has_labels(w, j, t))
            return loss_of(w, j, t);
    return NAN;
}

static void fill_losses(poise__feed *f, const poise__weather *w, uint32_t ntask, uint64_t k)
{
    for (uint32_t t = 0; t < ntask; t++) {
        int has = has_labels(w, k, t);
        f->labelled[t] = has ? 10 + floor(50 * draw(STREAM_LABEL, k, t)) : 0;
        f->loss[t] = has ? loss_of(w, k, t) : w->absent;
        f->loss_init[t] = first_loss(w, k, t);
        f->loss_after[t] = k && has_labels(w, k - 1, t) ? 0.99 * loss_of(w, k - 1, t) : NAN;
        f->kpi[t] = k < 2 ? NAN : 0.5 + 0.45 * draw(STREAM_KPI, k, t);
    }
    f->rate[0] = 0.01;
}

/* ---- gradients ---- */

/* Rows of directions that are mixed: `own` is the task's noise, `u` and `v` those of the step. */
static void shape(const poise__weather *w, uint32_t ntask, uint32_t t, const float *u,
                  const float *v, float *g)
{
    float scale = 0.1F;

    for (uint32_t i = 0; i < ELEMENTS; i++) {
        float own = g[i];
        switch (w->gradient) {
        case POISE__GRAD_ZERO:
            g[i] = 0;
            break;
        case POISE__GRAD_ONE_ZERO:
            g[i] = t + 1 == ntask ? 0 : 0.4F * u[i] + own;
            break;
        case POISE__GRAD_SAME:
            g[i] = u[i];
            break;
        case POISE__GRAD_OPPOSITE:
            g[i] = t % 2 ? -u[i] : u[i];
            break;
        case POISE__GRAD_TWO_DIRECTIONS:
            g[i] = (float)cos(t) * u[i] + (float)sin(t) * v[i];
            break;
        case POISE__GRAD_ORTHOGONAL:
            g[i] = i % ntask == t ? own : 0;
            break;
        default:
            g[i] = 0.4F * u[i] + own;
        }
    }
    if (w->gradient == POISE__GRAD_DOMINATED && t == 0)
        scale = 1e5F;
    if (w->gradient == POISE__GRAD_TINY)
        scale = 1e-12F;
    if (w->gradient == POISE__GRAD_HUGE)
        scale = 1e12F;
    for (uint32_t i = 0; i < ELEMENTS; i++)
        g[i] *= scale;
}

static void fill_gradients(poise__feed *f, const poise__weather *w, uint32_t ntask, uint64_t k)
{
    float u[ELEMENTS], v[ELEMENTS], d[ELEMENTS];

    draw_many(STREAM_SHARED, k, 0, u, ELEMENTS);
    draw_many(STREAM_SHARED, k, 1, v, ELEMENTS);
    for (uint32_t t = 0; t < ntask; t++) {
        float *g = f->grad[t];
        if (!(f->labelled[t] > 0)) {
            memset(g, 0, sizeof f->grad[t]);
            memset(f->half[0][t], 0, sizeof f->half[0][t]);
            memset(f->half[1][t], 0, sizeof f->half[1][t]);
            continue;
        }
        draw_many(STREAM_NOISE, k, t, g, ELEMENTS);
        shape(w, ntask, t, u, v, g);
        draw_many(STREAM_HALF, k, t, d, ELEMENTS);
        for (uint32_t i = 0; i < ELEMENTS; i++) {
            f->half[0][t][i] = g[i] + 0.5F * d[i] * g[i];
            f->half[1][t][i] = g[i] - 0.5F * d[i] * g[i];
        }
    }
}

static double product(const float *a, const float *b, uint32_t first, uint32_t end)
{
    double sum = 0;

    for (uint32_t i = first; i < end; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

void poise__feed_products(poise__feed *f, const poise__weather *w, uint32_t ntask, uint32_t ngroup)
{
    size_t square = (size_t)ntask * ntask;

    memset(f->gram, 0, square * sizeof f->gram[0]);
    for (uint32_t g = 0; g < ngroup; g++) {
        double *of = f->group_gram + g * square;
        uint32_t first, end;
        poise__feed_group(g, ngroup, &first, &end);
        for (uint32_t i = 0; i < ntask; i++)
            for (uint32_t j = 0; j <= i; j++) {
                int has = f->labelled[i] > 0 && f->labelled[j] > 0;
                double x = has ? product(f->grad[i], f->grad[j], first, end) : w->absent;
                of[i * ntask + j] = of[j * ntask + i] = x;
                f->gram[i * ntask + j] += x;
                if (i != j)
                    f->gram[j * ntask + i] += x;
            }
    }
    for (uint32_t t = 0; t < ntask; t++)
        f->grad_norm[t] = f->labelled[t] > 0 ? sqrt(f->gram[t * ntask + t]) : w->absent;
}

static void fill_half_gram(poise__feed *f, const poise__weather *w, uint32_t ntask)
{
    for (uint32_t i = 0; i < ntask; i++)
        for (uint32_t j = 0; j < ntask; j++) {
            int has = f->labelled[i] > 0 && f->labelled[j] > 0;
            f->half_gram[i * ntask + j] =
                has ? product(f->half[0][i], f->half[1][j], 0, ELEMENTS) : w->absent;
        }
}

/* ---- a step ---- */

void poise__feed_make(poise__feed *f, const poise__weather *w, uint32_t ntask, uint32_t ngroup,
                      uint64_t k, uint32_t signals, poise_signals *in)
{
    const uint32_t products = POISE_GRAD_NORM | POISE_GRAM | POISE_GROUP_GRAM;

    signals &= ~w->withheld;
    fill_losses(f, w, ntask, k);
    fill_gradients(f, w, ntask, k);
    if (signals & products)
        poise__feed_products(f, w, ntask, ngroup);
    if (signals & POISE_HALF_GRAM)
        fill_half_gram(f, w, ntask);
    *in = (poise_signals){
        .size = sizeof *in,
        .epoch = (uint32_t)(k / 8),
        .step = w->gaps ? k * 1000003 + (k > 500 ? UINT64_C(1) << 40 : 0) : k,
        .labelled = f->labelled,
        .loss = signals & POISE_LOSS ? f->loss : NULL,
        .loss_init = signals & POISE_LOSS_INIT ? f->loss_init : NULL,
        .grad_norm = signals & POISE_GRAD_NORM ? f->grad_norm : NULL,
        .gram = signals & POISE_GRAM ? f->gram : NULL,
        .kpi = signals & POISE_KPI ? f->kpi : NULL,
        .loss_after = signals & POISE_LOSS_AFTER ? f->loss_after : NULL,
        .rate = signals & POISE_RATE ? f->rate : NULL,
        .group_gram = signals & POISE_GROUP_GRAM ? f->group_gram : NULL,
        .half_gram = signals & POISE_HALF_GRAM ? f->half_gram : NULL,
    };
}
