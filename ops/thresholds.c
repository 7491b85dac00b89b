/* thresholds.c -- one score against n ordered thresholds.
 *
 *     c[B,n] = z[B,1] - theta[n]
 *     theta[0] = raw[0] - (n - 1) / 2,  theta[k] = theta[k-1] + LEAST + softplus(raw[k] + START)
 *
 *     dz = sum over k of dc[k]     draw[0] = -sum over j of S[j], S[j] = sum over rows of dc[j]
 *                                  draw[k] = -sigmoid(raw[k] + START) sum over j >= k of S[j]
 *
 * START makes a gap of 1 of raw = 0.  LEAST keeps neighbours apart in single precision.
 */
#include <math.h>
#include <stddef.h>
#include "ops.h"
#include "kernel.h"
#include "shape.h"
#include "table.h"

static const double LEAST = 1e-3;
static const double START = 0.5397424172; /* log(e^(1 - LEAST) - 1) */

static double gap(double raw)
{
    const double x = raw + START;
    return LEAST + fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static double gap_slope(double raw)
{
    return 1.0 / (1.0 + exp(-(raw + START)));
}

/* ---- forward ---- */

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "z", POISE_F32, 0, err) < 0 ||
        poise__want_count(n, 0, "z", n->in[0]->dim[0], "one a row", err) < 0 ||
        poise__want(n, 1, "raw", POISE_F32, 1, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->in[1]->dim[0]});
    return 0;
}

static int forth(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const float *z = in[0], *raw = in[1];
    float *c = out[0];
    const int64_t rows = k->node->out[0]->dim[0], n = k->node->out[0]->dim[1];
    double theta = (double)raw[0] - (double)(n - 1) / 2.0;
    for (int64_t t = 0; t < n; t++) {
        theta += t > 0 ? gap((double)raw[t]) : 0.0;
        for (int64_t b = 0; b < rows; b++)
            c[b * n + t] = (float)((double)z[b] - theta);
    }
    return 0;
}

/* ---- backward ---- */

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    if (want[0] && poise__gradient(g, &poise__op_thresholds_data, 2, POISE__IN(n->in[0], dout[0]),
                                   NULL, &din[0], err) < 0)
        return -1;
    return want[1] ? poise__gradient(g, &poise__op_thresholds_raw, 2, POISE__IN(n->in[1], dout[0]),
                                     NULL, &din[1], err)
                   : 0;
}

static int data(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const float *dc = in[1];
    float *dz = out[0];
    const int64_t rows = k->node->in[1]->dim[0], n = k->node->in[1]->dim[1];
    for (int64_t b = 0; b < rows; b++) {
        double sum = 0.0;
        for (int64_t t = 0; t < n; t++)
            sum += (double)dc[b * n + t];
        dz[b] = (float)sum;
    }
    return 0;
}

/* From the last threshold to the first: what stands above moves all that is below. */
static int slope(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const float *raw = in[0], *dc = in[1];
    float *draw = out[0];
    const int64_t rows = k->node->in[1]->dim[0], n = k->node->in[1]->dim[1];
    double above = 0.0;
    for (int64_t t = n - 1; t >= 0; t--) {
        for (int64_t b = 0; b < rows; b++)
            above += (double)dc[b * n + t];
        draw[t] = (float)(-above * (t > 0 ? gap_slope((double)raw[t]) : 1.0));
    }
    return 0;
}

/* ---- the operators ---- */

#define COMPILE(name, fn)                                                   \
    static int name(const poise_node *n, poise_kernel *k, poise_error *err) \
    {                                                                       \
        (void)n;                                                            \
        return poise__kernel(k, sizeof(int), fn, err) ? 0 : -1;             \
    }
COMPILE(compile, forth)
COMPILE(data_compile, data)
COMPILE(raw_compile, slope)

const poise_op poise__op_thresholds = {
    .name = "thresholds",
    .formula = "c[B, n] = z[B, 1] - theta[n], theta ascending",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_thresholds_data = {
    .name = "thresholds_data",
    .formula = "dz[B, 1] = sum over k of dc[B, k]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = poise__shape_like_first,
    .compile = data_compile,
};

const poise_op poise__op_thresholds_raw = {
    .name = "thresholds_raw",
    .formula = "draw[k] = -gap'(raw[k]) sum over j >= k and rows of dc[j]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = poise__shape_like_first,
    .compile = raw_compile,
};

poise_value *poise_thresholds(poise_graph *g, poise_value *z, poise_value *raw, poise_error *err)
{
    return poise__apply(g, &poise__op_thresholds, 2, 2, POISE__IN(z, raw), NULL, err);
}
