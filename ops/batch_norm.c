/* batch_norm.c -- columns of x[B,C] over the rows whose weight is not 0, n of them:
 * y = gamma xhat + beta, xhat = (x - mean) inv, inv = 1 / sqrt(var + eps), var biased.
 *
 * batch_norm, in a graph that trains: inputs x, weight or NULL, gamma, beta, and the running mean
 * and variance, which it moves (not in a dry run): running += momentum (batch's - running), with
 * the unbiased variance, left alone for n < 2.  Outputs y, mean[C], inv[C].  With n = 0 the running
 * ones are used.  f[0] is the momentum, f[1] eps.
 *
 *     dx     = gamma inv (dy - [row counts] (S + xhat P) / n)    batch_norm_data
 *     dgamma = P = sum over rows of dy xhat                      batch_norm_gamma
 *     dbeta  = S = sum over rows of dy                           column_sum
 *
 * batch_norm_running, in one that does not: inputs x, gamma, beta, mean, var; outputs y, inv[C].
 *
 *     dx     = gamma inv dy                                      batch_norm_running_data
 */
#include <math.h>
#include "column_sum.h"
#include "ops.h"
#include "rows.h"
#include "shape.h"
#include "table.h"

static int want_columns(const poise_node *n, int k, const char *what, poise_error *err)
{
    if (poise__want(n, k, what, POISE_F32, 1, err) < 0)
        return -1;
    return poise__want_dim(n, k, what, 0, n->in[0]->dim[1], "the width of x", err);
}

static int want_eps(const poise_node *n, poise_error *err)
{
    if (n->attr.f[1] > 0.0)
        return 0;
    return poise_node_fail(n, POISE_E_SPEC, err, "eps is %g; it must be positive", n->attr.f[1]);
}

/* ---- training ---- */

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 2, err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    if (n->in[1] != NULL && (poise__want(n, 1, "weight", POISE_F32, 0, err) < 0 ||
                             poise__want_count(n, 1, "weight", x->dim[0], "the batch", err) < 0))
        return -1;
    if (want_columns(n, 2, "gamma", err) < 0 || want_columns(n, 3, "beta", err) < 0 ||
        want_columns(n, 4, "mean", err) < 0 || want_columns(n, 5, "var", err) < 0 ||
        want_eps(n, err) < 0)
        return -1;
    if (n->in[4]->role != POISE_PARAM || n->in[5]->role != POISE_PARAM)
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "the running mean and variance must be parameters (STATE): they are "
                               "written");
    if (!(n->attr.f[0] >= 0.0 && n->attr.f[0] <= 1.0))
        return poise_node_fail(n, POISE_E_SPEC, err, "the momentum is %g; it must be within 0 to 1",
                               n->attr.f[0]);
    poise__out_like(n, 0, x);
    poise__out(n, 1, POISE_F32, 1, &x->dim[1]);
    poise__out(n, 2, POISE_F32, 1, &x->dim[1]);
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    poise_value *dy = dout[0], *x = n->in[0], *mean = n->out[1], *inv = n->out[2];
    if (dy == NULL)
        return poise_node_fail(n, POISE_E_GRADIENT, err, "its mean and deviation have no gradient");
    if (want[0] &&
        poise__gradient(g, &poise__op_batch_norm_data, 6,
                        POISE__IN(dy, x, n->in[1], n->in[2], mean, inv), NULL, &din[0], err) < 0)
        return -1;
    if (want[2] && poise__gradient(g, &poise__op_batch_norm_gamma, 4, POISE__IN(dy, x, mean, inv),
                                   NULL, &din[2], err) < 0)
        return -1;
    return want[3] ? poise__column_sum(g, dy, 1, &din[3], err) : 0;
}

static void forth(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                  int64_t width)
{
    const poise_attr *a = &j->k->node->attr;
    const int64_t rows = j->k->node->in[0]->dim[0];
    const float *x = (const float *)j->in[0] + from;
    float *run_mean = j->in[4], *run_var = j->in[5]; /* STATE parameters */
    float *mean = j->out[1], *inv = j->out[2];
    const int64_t n =
        v->column_moments(rows, to - from, width, x, j->in[1], mean + from, inv + from);
    for (int64_t c = from; c < to; c++) {
        const double m = n > 0 ? (double)mean[c] : (double)run_mean[c];
        const double var = n > 0 ? (double)inv[c] : (double)run_var[c];
        if (n > 0 && !j->r->dry)
            run_mean[c] += (float)(a->f[0] * (m - (double)run_mean[c]));
        if (n > 1 && !j->r->dry)
            run_var[c] +=
                (float)(a->f[0] * (var * (double)n / (double)(n - 1) - (double)run_var[c]));
        mean[c] = (float)m;
        inv[c] = (float)(1.0 / sqrt(var + a->f[1]));
    }
    v->column_norm(rows, to - from, width, x, mean + from, inv + from,
                   (const float *)j->in[2] + from, (const float *)j->in[3] + from,
                   (float *)j->out[0] + from);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__columns_compile(k, forth, err);
}

const poise_op poise__op_batch_norm = {
    .name = "batch_norm",
    .formula = "y[B, C] = gamma[C] (x - mean) / sqrt(var + eps) + beta[C], over the batch",
    .min_in = 6,
    .max_in = 6,
    .nout = 3,
    .flags = POISE_OP_INPLACE | POISE_OP_EFFECT,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_batch_norm(poise_graph *g, poise_value *x, poise_value *weight,
                              poise_value *gamma, poise_value *beta, poise_value *mean,
                              poise_value *var, double momentum, double eps, poise_error *err)
{
    const poise_attr a = {.f = {momentum, eps}};
    if (!poise_graph_training(g))
        return poise__apply(g, &poise__op_batch_norm_running, 5, 5,
                            POISE__IN(x, gamma, beta, mean, var), &a, err);
    if (x == NULL || gamma == NULL || beta == NULL || mean == NULL || var == NULL)
        return NULL;
    return poise__apply(g, &poise__op_batch_norm, 0, 6,
                        POISE__IN(x, weight, gamma, beta, mean, var), &a, err);
}

/* ---- dx: inputs dy, x, weight or NULL, gamma, mean, inv ---- */

static int data_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 2, err) < 0 ||
        poise__want(n, 1, "x", POISE_F32, 2, err) < 0 ||
        poise__want_same(n, 1, "x", 0, "dy", err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static void data(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                 int64_t width)
{
    const int64_t rows = j->k->node->in[0]->dim[0];
    const float *dy = (const float *)j->in[0] + from, *x = (const float *)j->in[1] + from;
    const float *weight = j->in[2], *gamma = (const float *)j->in[3] + from;
    const float *mean = (const float *)j->in[4] + from, *inv = (const float *)j->in[5] + from;
    float *sum = (float *)j->scratch + from, *dot = sum + width;
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++)
        count += weight == NULL || weight[r] != 0.0f;
    v->column_sums(rows, to - from, width, dy, x, mean, inv, sum, dot);
    v->column_norm_data(rows, to - from, width, dy, x, weight, gamma, mean, inv, sum, dot, count,
                        (float *)j->out[0] + from);
}

static int data_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    k->scratch = 2 * sizeof(float) * (size_t)n->in[0]->dim[1];
    return poise__columns_compile(k, data, err);
}

const poise_op poise__op_batch_norm_data = {
    .name = "batch_norm_data",
    .formula = "dx = gamma inv (dy - [row counts] (sum dy + xhat sum dy xhat) / n)",
    .min_in = 6,
    .max_in = 6,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = data_shape,
    .compile = data_compile,
};

/* ---- dgamma: inputs dy, x, mean, inv ---- */

static int gamma_shape(poise_node *n, poise_error *err)
{
    if (data_shape(n, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 1, &n->in[0]->dim[1]);
    return 0;
}

static void gamma_columns(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                          int64_t width)
{
    float *sum = (float *)j->scratch + from;
    v->column_sums(j->k->node->in[0]->dim[0], to - from, width, (const float *)j->in[0] + from,
                   (const float *)j->in[1] + from, (const float *)j->in[2] + from,
                   (const float *)j->in[3] + from, sum, (float *)j->out[0] + from);
}

static int gamma_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    k->scratch = sizeof(float) * (size_t)n->in[0]->dim[1];
    return poise__columns_compile(k, gamma_columns, err);
}

const poise_op poise__op_batch_norm_gamma = {
    .name = "batch_norm_gamma",
    .formula = "dgamma[C] = sum over b of dy (x - mean) inv",
    .min_in = 4,
    .max_in = 4,
    .nout = 1,
    .shape = gamma_shape,
    .compile = gamma_compile,
};

/* ---- with the running mean and variance ---- */

static int running_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 2, err) < 0 || want_columns(n, 1, "gamma", err) < 0 ||
        want_columns(n, 2, "beta", err) < 0 || want_columns(n, 3, "mean", err) < 0 ||
        want_columns(n, 4, "var", err) < 0 || want_eps(n, err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    poise__out(n, 1, POISE_F32, 1, &n->in[0]->dim[1]);
    return 0;
}

static int running_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                            const int *want, poise_gradient *din, poise_error *err)
{
    poise_value *dy = dout[0], *x = n->in[0], *inv = n->out[1];
    if (dy == NULL)
        return poise_node_fail(n, POISE_E_GRADIENT, err, "its deviation has no gradient");
    if (want[0] && poise__gradient(g, &poise__op_batch_norm_running_data, 3,
                                   POISE__IN(dy, n->in[1], inv), NULL, &din[0], err) < 0)
        return -1;
    if (want[1] && poise__gradient(g, &poise__op_batch_norm_gamma, 4,
                                   POISE__IN(dy, x, n->in[3], inv), NULL, &din[1], err) < 0)
        return -1;
    return want[2] ? poise__column_sum(g, dy, 1, &din[2], err) : 0;
}

static void running(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                    int64_t width)
{
    const float *var = j->in[4];
    float *inv = j->out[1];
    for (int64_t c = from; c < to; c++)
        inv[c] = (float)(1.0 / sqrt((double)var[c] + j->k->node->attr.f[1]));
    v->column_norm(j->k->node->in[0]->dim[0], to - from, width, (const float *)j->in[0] + from,
                   (const float *)j->in[3] + from, inv + from, (const float *)j->in[1] + from,
                   (const float *)j->in[2] + from, (float *)j->out[0] + from);
}

static int running_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__columns_compile(k, running, err);
}

const poise_op poise__op_batch_norm_running = {
    .name = "batch_norm_running",
    .formula = "y[B, C] = gamma[C] (x - mean) / sqrt(var + eps) + beta[C], the running ones",
    .min_in = 5,
    .max_in = 5,
    .nout = 2,
    .flags = POISE_OP_INPLACE,
    .shape = running_shape,
    .backward = running_backward,
    .compile = running_compile,
};

/* ---- its dx: inputs dy, gamma, inv ---- */

static int running_data_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 2, err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static void running_data(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                         int64_t width)
{
    (void)v;
    const float *gamma = j->in[1], *inv = j->in[2];
    for (int64_t r = from; r < to; r++) {
        const float *dy = (const float *)j->in[0] + r * width;
        float *dx = (float *)j->out[0] + r * width;
        for (int64_t c = 0; c < width; c++)
            dx[c] = dy[c] * (gamma[c] * inv[c]);
    }
}

static int running_data_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__rows_compile(k, running_data, err);
}

const poise_op poise__op_batch_norm_running_data = {
    .name = "batch_norm_running_data",
    .formula = "dx = gamma inv dy",
    .min_in = 3,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = running_data_shape,
    .compile = running_data_compile,
};
