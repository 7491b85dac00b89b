/* loss_number.c -- losses of one number z against one real label y, by rows.
 *
 *     bce       l = softplus(z) - z y                                  l' = sigmoid(z) - y
 *               with f = {smoothing e, positive weight P}: y becomes y (1 - e) + e / 2, and
 *               l = P y softplus(-z) + (1 - y) softplus(z)
 *     focal     l = a y q^g softplus(-z) + b (1 - y) p^g softplus(z),  p = sigmoid(z), q = 1 - p,
 *               f = {g, a, b}  (Lin et al., ICCV 2017; of labels between 0 and 1 the mean over both)
 *     squared   l = (z - y)^2                                          l' = 2 (z - y)
 *     huber     l = d^2 / 2 where d = |z - y| <= delta = f[0], else delta (d - delta / 2)
 *               l' = z - y held within [-delta, delta]  (Huber, 1964)
 *     poisson   l = e^z - y + y (log y - z), half the unit deviance    l' = e^z - y
 *     mean      l = z, whatever the label                              l' = 1
 *
 * A loss is two functions of a tile of rows, and one line of LOSS at the end.
 */
#include <math.h>
#include <stddef.h>
#include "../core/parallel.h"
#include "loss.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* y[i] = the loss, or its slope, of row i. */
#define ROWS \
    const poise__vector *v, const double *f, int64_t n, const float *z, const float *label, float *y
typedef void rows_fn(ROWS);

/* log(1 + e^x) */
static double softplus(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* ---- bce ---- */

static int plain(const double *f)
{
    return !(f[0] > 0.0) && f[1] >= 1.0 && f[1] <= 1.0;
}

static double smooth(double label, double e)
{
    return label * (1.0 - e) + e / 2.0;
}

static void bce(ROWS)
{
    if (plain(f)) {
        v->bce(n, z, label, 0.0f, y);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)z[i], t = smooth((double)label[i], f[0]);
        y[i] = (float)(f[1] * t * softplus(-x) + (1.0 - t) * softplus(x));
    }
}

static void bce_slope(ROWS)
{
    if (plain(f)) {
        v->bce_back(n, z, label, 0.0f, y);
        return;
    }
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)z[i], t = smooth((double)label[i], f[0]);
        y[i] = (float)((1.0 - t) * sigmoid(x) - f[1] * t * sigmoid(-x));
    }
}

/* ---- focal ---- */

/* q^g = e^(-g softplus(z)) and p^g = e^(-g softplus(-z)): exact where sigmoid rounds to 0 or 1. */
static void focal(ROWS)
{
    (void)v;
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)z[i], t = (double)label[i];
        const double up = softplus(x), down = softplus(-x);
        y[i] =
            (float)(f[1] * t * exp(-f[0] * up) * down + f[2] * (1.0 - t) * exp(-f[0] * down) * up);
    }
}

static void focal_slope(ROWS)
{
    (void)v;
    for (int64_t i = 0; i < n; i++) {
        const double x = (double)z[i], t = (double)label[i];
        const double up = softplus(x), down = softplus(-x), p = sigmoid(x), q = sigmoid(-x);
        y[i] = (float)(f[2] * (1.0 - t) * exp(-f[0] * down) * (f[0] * q * up + p) -
                       f[1] * t * exp(-f[0] * up) * (f[0] * p * down + q));
    }
}

/* ---- squared, huber ---- */

static void squared(ROWS)
{
    (void)f;
    v->squared(n, z, label, 0.0f, y);
}

static void squared_slope(ROWS)
{
    (void)f;
    v->squared_back(n, z, label, 0.0f, y);
}

static void huber(ROWS)
{
    v->huber(n, z, label, (float)f[0], y);
}

static void huber_slope(ROWS)
{
    v->huber_back(n, z, label, (float)f[0], y);
}

/* ---- poisson ---- */

static double half_deviance(double z, double label)
{
    return exp(z) - label + (label > 0.0 ? label * (log(label) - z) : 0.0);
}

static void poisson(ROWS)
{
    (void)v;
    (void)f;
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)half_deviance((double)z[i], (double)label[i]);
}

static void poisson_slope(ROWS)
{
    (void)v;
    (void)f;
    for (int64_t i = 0; i < n; i++)
        y[i] = (float)(exp((double)z[i]) - (double)label[i]);
}

/* ---- mean ---- */

static void mean(ROWS)
{
    (void)v;
    (void)f;
    (void)label;
    for (int64_t i = 0; i < n; i++)
        y[i] = z[i];
}

static void mean_slope(ROWS)
{
    (void)v;
    (void)f;
    (void)z;
    (void)label;
    for (int64_t i = 0; i < n; i++)
        y[i] = 1.0f;
}

/* ---- kernels ---- */

enum { TILE = 256 };

typedef struct plan {
    const poise__vector *v;
    rows_fn *fn;
    int64_t rows;
    const double *f;
    int parts;
} plan;

static int forth(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const plan *p = k->state;
    const float *z = in[0], *label = in[1], *weight = in[2];
    float l[TILE];
    double loss = 0.0, sum = 0.0;
    for (int64_t from = 0; from < p->rows; from += TILE) {
        const int64_t m = p->rows - from < TILE ? p->rows - from : TILE;
        p->fn(p->v, p->f, m, z + from, label + from, l);
        for (int64_t i = 0; i < m; i++)
            if (poise__loss_counts(weight[from + i], label[from + i])) {
                loss += (double)weight[from + i] * (double)l[i];
                sum += (double)weight[from + i];
            }
    }
    *(float *)out[0] = sum > 0.0 ? (float)(loss / sum) : 0.0f;
    *(float *)out[1] = (float)sum;
    return 0;
}

static int back_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const float *z = j->in[0], *label = j->in[1], *weight = j->in[2];
    const float factor = (float)poise__loss_factor(j->in);
    float *dz = j->out[0];
    int64_t from, to;
    poise__part(p->rows, j->parts, 64, part, &from, &to);
    p->fn(p->v, p->f, to - from, z + from, label + from, dz + from);
    for (int64_t i = from; i < to; i++)
        dz[i] = poise__loss_counts(weight[i], label[i]) ? factor * weight[i] * dz[i] : 0.0f;
    return 0;
}

static int back(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back_part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, rows_fn *fn, poise__run *run,
                   poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    *p = (plan){poise__vector_best(), fn, n->in[0]->dim[0], n->attr.f, 0};
    p->parts = poise__parts(p->rows);
    return 0;
}

/* z[B,1] or [B] */
static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "z", POISE_F32, 0, err) < 0 ||
        poise__want_count(n, 0, "z", n->in[0]->dim[0], "one a row", err) < 0)
        return -1;
    return poise__loss_shape(n, POISE_F32, err);
}

/* ---- the operators ---- */

#define LOSS(loss, value_text, slope_text)                                                    \
    static int loss##_compile(const poise_node *n, poise_kernel *k, poise_error *err)         \
    {                                                                                         \
        return compile(n, k, loss, forth, err);                                               \
    }                                                                                         \
    static int loss##_slope_compile(const poise_node *n, poise_kernel *k, poise_error *err)   \
    {                                                                                         \
        return compile(n, k, loss##_slope, back, err);                                        \
    }                                                                                         \
    static int loss##_backward(poise_graph *g, const poise_node *n, poise_value *const *dout, \
                               const int *want, poise_gradient *din, poise_error *err)        \
    {                                                                                         \
        return poise__loss_backward(g, n, &poise__op_loss_##loss##_backward, dout, want, din, \
                                    err);                                                     \
    }                                                                                         \
    const poise_op poise__op_loss_##loss = {                                                  \
        .name = "loss_" #loss,                                                                \
        .formula = "loss = sum of w (" value_text ") / sum of w",                             \
        .min_in = 3,                                                                          \
        .max_in = 3,                                                                          \
        .nout = 2,                                                                            \
        .shape = shape,                                                                       \
        .backward = loss##_backward,                                                          \
        .compile = loss##_compile,                                                            \
    };                                                                                        \
    const poise_op poise__op_loss_##loss##_backward = {                                       \
        .name = "loss_" #loss "_backward",                                                    \
        .formula = "dz = dloss w (" slope_text ") / sum of w",                                \
        .min_in = 5,                                                                          \
        .max_in = 5,                                                                          \
        .nout = 1,                                                                            \
        .shape = poise__loss_backward_shape,                                                  \
        .compile = loss##_slope_compile,                                                      \
    };

LOSS(bce, "P y softplus(-z) + (1 - y) softplus(z)", "(1 - y) sigmoid(z) - P y sigmoid(-z)")
LOSS(focal, "a y q^g softplus(-z) + b (1 - y) p^g softplus(z)",
     "b (1 - y) p^g (g q softplus(z) + p) - a y q^g (g p softplus(-z) + q)")
LOSS(squared, "(z - y)^2", "2 (z - y)")
LOSS(huber, "h(z - y)", "z - y held within [-delta, delta]")
LOSS(poisson, "exp(z) - y + y (log y - z)", "exp(z) - y")
LOSS(mean, "z", "1")

poise_value *poise_loss_bce(poise_graph *g, poise_value *logit, poise_value *label,
                            poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise_loss_bce_with(g, logit, label, weight, 0.0, 1.0, weight_sum, err);
}

poise_value *poise_loss_bce_with(poise_graph *g, poise_value *logit, poise_value *label,
                                 poise_value *weight, double smoothing, double positive_weight,
                                 poise_value **weight_sum, poise_error *err)
{
    const double f[4] = {smoothing, positive_weight};
    if (poise__loss_setting("loss_bce", "smoothing", smoothing, 0.0, 1.0, err) < 0 ||
        poise__loss_setting("loss_bce", "positive_weight", positive_weight, 0.0, 1e9, err) < 0)
        return NULL;
    return poise__loss(g, &poise__op_loss_bce, logit, label, weight, f, weight_sum, err);
}

poise_value *poise_loss_focal(poise_graph *g, poise_value *logit, poise_value *label,
                              poise_value *weight, double gamma, double positive, double negative,
                              poise_value **weight_sum, poise_error *err)
{
    const double f[4] = {gamma, positive, negative};
    if (poise__loss_setting("loss_focal", "gamma", gamma, 0.0, 100.0, err) < 0 ||
        poise__loss_setting("loss_focal", "positive", positive, 0.0, 1e9, err) < 0 ||
        poise__loss_setting("loss_focal", "negative", negative, 0.0, 1e9, err) < 0)
        return NULL;
    return poise__loss(g, &poise__op_loss_focal, logit, label, weight, f, weight_sum, err);
}

poise_value *poise_loss_squared(poise_graph *g, poise_value *x, poise_value *label,
                                poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise__loss(g, &poise__op_loss_squared, x, label, weight, NULL, weight_sum, err);
}

poise_value *poise_loss_huber(poise_graph *g, poise_value *x, poise_value *label,
                              poise_value *weight, double delta, poise_value **weight_sum,
                              poise_error *err)
{
    const double f[4] = {delta};
    if (!(delta > 0.0)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "loss_huber: delta is %g; it must be positive",
                   delta);
        return NULL;
    }
    return poise__loss(g, &poise__op_loss_huber, x, label, weight, f, weight_sum, err);
}

poise_value *poise_loss_poisson(poise_graph *g, poise_value *log_rate, poise_value *label,
                                poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise__loss(g, &poise__op_loss_poisson, log_rate, label, weight, NULL, weight_sum, err);
}

poise_value *poise_loss_mean(poise_graph *g, poise_value *x, poise_value *label,
                             poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise__loss(g, &poise__op_loss_mean, x, label, weight, NULL, weight_sum, err);
}
