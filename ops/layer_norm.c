/* layer_norm.c -- over the last axis C: y = gamma[C] xhat + beta[C], xhat = (x - mean) inv,
 * inv = 1 / sqrt(var + eps), var biased.  f[0] is eps.
 *
 * Outputs: y, and for the backward pass mean[rows] and inv[rows].
 *
 *     dx     = inv (g - mean(g) - xhat mean(g xhat)), g = dy gamma     layer_norm_data
 *     dgamma = sum over rows of dy xhat                                layer_norm_gamma
 *     dbeta  = sum over rows of dy                                     column_sum
 */
#include "column_sum.h"
#include "ops.h"
#include "rows.h"
#include "shape.h"
#include "table.h"

static int want_scale(const poise_node *n, int k, const char *what, int64_t width, poise_error *err)
{
    if (poise__want(n, k, what, POISE_F32, 1, err) < 0)
        return -1;
    return poise__want_dim(n, k, what, 0, width, "the last dimension of x", err);
}

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 0, err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    const int64_t width = x->dim[x->rank - 1];
    if (want_scale(n, 1, "gamma", width, err) < 0 || want_scale(n, 2, "beta", width, err) < 0)
        return -1;
    if (!(n->attr.f[0] > 0.0))
        return poise_node_fail(n, POISE_E_SPEC, err, "eps is %g; it must be positive",
                               n->attr.f[0]);
    const int64_t rows = poise__extent(x, 0, x->rank - 1);
    poise__out_like(n, 0, x);
    poise__out(n, 1, POISE_F32, 1, &rows);
    poise__out(n, 2, POISE_F32, 1, &rows);
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    poise_value *dy = dout[0], *x = n->in[0], *mean = n->out[1], *inv = n->out[2];
    if (dy == NULL)
        return poise_node_fail(n, POISE_E_GRADIENT, err, "its mean and deviation have no gradient");
    if (want[0] && poise__gradient(g, &poise__op_layer_norm_data, 5,
                                   POISE__IN(dy, x, n->in[1], mean, inv), NULL, &din[0], err) < 0)
        return -1;
    if (want[1] && poise__gradient(g, &poise__op_layer_norm_gamma, 4, POISE__IN(dy, x, mean, inv),
                                   NULL, &din[1], err) < 0)
        return -1;
    return want[2] ? poise__column_sum(g, dy, 1, &din[2], err) : 0;
}

static void forth(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                  int64_t width)
{
    v->layer_norm(to - from, width, (float)j->k->node->attr.f[0],
                  (const float *)j->in[0] + from * width, j->in[1], j->in[2],
                  (float *)j->out[0] + from * width, (float *)j->out[1] + from,
                  (float *)j->out[2] + from);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__rows_compile(k, forth, err);
}

const poise_op poise__op_layer_norm = {
    .name = "layer_norm",
    .formula = "y[..., C] = gamma[C] (x - mean) / sqrt(var + eps) + beta[C]",
    .min_in = 3,
    .max_in = 3,
    .nout = 3,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = 1 << 0,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_layer_norm(poise_graph *g, poise_value *x, poise_value *gamma, poise_value *beta,
                              double eps, poise_error *err)
{
    const poise_attr a = {.f = {eps}};
    return poise__apply(g, &poise__op_layer_norm, 3, 3, POISE__IN(x, gamma, beta), &a, err);
}

/* ---- dx ---- */

static int data_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 0, err) < 0 ||
        poise__want(n, 1, "x", POISE_F32, 0, err) < 0 ||
        poise__want_same(n, 1, "x", 0, "dy", err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static void data(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                 int64_t width)
{
    const int64_t at = from * width;
    v->layer_norm_data(to - from, width, (const float *)j->in[0] + at, (const float *)j->in[1] + at,
                       j->in[2], (const float *)j->in[3] + from, (const float *)j->in[4] + from,
                       (float *)j->out[0] + at);
}

static int data_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__rows_compile(k, data, err);
}

const poise_op poise__op_layer_norm_data = {
    .name = "layer_norm_data",
    .formula = "dx = inv (g - mean(g) - xhat mean(g xhat)), g = dy gamma",
    .min_in = 5,
    .max_in = 5,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = 1 << 0 | 1 << 1 | 1 << 3 | 1 << 4,
    .shape = data_shape,
    .compile = data_compile,
};

/* ---- dgamma ---- */

static int gamma_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 0, err) < 0 ||
        poise__want(n, 1, "x", POISE_F32, 0, err) < 0 ||
        poise__want_same(n, 1, "x", 0, "dy", err) < 0)
        return -1;
    const poise_value *x = n->in[1];
    poise__out(n, 0, POISE_F32, 1, &x->dim[x->rank - 1]);
    return 0;
}

/* Rows of x of a slice of the batch, which may have several each. */
static int64_t slice_of(const poise_kernel *k, int64_t rows)
{
    return k->slice > 0 ? rows / k->node->in[0]->dim[0] * k->slice : rows;
}

static void gamma_columns(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                          int64_t width)
{
    const int64_t rows = poise_value_count(j->k->node->in[0]) / width;
    const int64_t slice = slice_of(j->k, rows);
    const float *dy = (const float *)j->in[0] + from, *x = (const float *)j->in[1] + from;
    const float *mean = j->in[2], *inv = j->in[3];
    float *y = (float *)j->out[0] + from, *sum = (float *)j->scratch + from;
    v->layer_norm_gamma(slice, to - from, width, dy, x, mean, inv, y);
    for (int64_t r = slice; r < rows; r += slice) {
        v->layer_norm_gamma(slice, to - from, width, dy + r * width, x + r * width, mean + r,
                            inv + r, sum);
        v->add(to - from, y, sum, 0.0f, y);
    }
}

static int gamma_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    if (k->slice > 0)
        k->scratch = (size_t)poise_value_count(n->out[0]) * sizeof(float);
    return poise__columns_compile(k, gamma_columns, err);
}

const poise_op poise__op_layer_norm_gamma = {
    .name = "layer_norm_gamma",
    .formula = "dgamma[C] = sum over rows of dy (x - mean) inv",
    .min_in = 4,
    .max_in = 4,
    .nout = 1,
    .flags = POISE_OP_SUMS,
    .by_row = UINT32_MAX,
    .shape = gamma_shape,
    .compile = gamma_compile,
};
