/* elementwise.c -- sums and products of values of one shape.
 *
 *     add            y = a + b           da = dy, db = dy
 *     multiply       y = a b             da = dy b, db = dy a
 *     scale          y = f[0] x          dx = f[0] dy
 *     scale_by       y = s[1] x          dx = s dy; none to s
 *     weighted_sum   y = sum s_k x_k     no gradient: it is used on gradients
 */
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* ---- add ---- */

static int add_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                        const int *want, poise_gradient *din, poise_error *err)
{
    (void)g;
    (void)err;
    for (int k = 0; k < n->nin; k++)
        if (want[k])
            din[k].value = dout[0];
    return 0;
}

static int add_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__map_compile(k, poise__vector_best()->add, 0.0, err);
}

const poise_op poise__op_add = {
    .name = "add",
    .formula = "y = a + b",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = poise__shape_all_equal,
    .backward = add_backward,
    .compile = add_compile,
};

poise_value *poise_add(poise_graph *g, poise_value *a, poise_value *b, poise_error *err)
{
    return poise__apply(g, &poise__op_add, 2, 2, POISE__IN(a, b), NULL, err);
}

/* ---- multiply ---- */

static int multiply_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                             const int *want, poise_gradient *din, poise_error *err)
{
    for (int k = 0; k < 2; k++)
        if (want[k] &&
            poise__gradient(g, n->op, 2, POISE__IN(dout[0], n->in[1 - k]), NULL, &din[k], err) < 0)
            return -1;
    return 0;
}

static int multiply_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__map_compile(k, poise__vector_best()->multiply, 0.0, err);
}

const poise_op poise__op_multiply = {
    .name = "multiply",
    .formula = "y = a b, element by element",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = poise__shape_all_equal,
    .backward = multiply_backward,
    .compile = multiply_compile,
};

poise_value *poise_multiply(poise_graph *g, poise_value *a, poise_value *b, poise_error *err)
{
    return poise__apply(g, &poise__op_multiply, 2, 2, POISE__IN(a, b), NULL, err);
}

/* ---- scale ---- */

static int scale_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                          const int *want, poise_gradient *din, poise_error *err)
{
    (void)want;
    return poise__gradient(g, n->op, 1, POISE__IN(dout[0]), &n->attr, &din[0], err);
}

static int scale_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return poise__map_compile(k, poise__vector_best()->scale, n->attr.f[0], err);
}

const poise_op poise__op_scale = {
    .name = "scale",
    .formula = "y = factor x",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = poise__shape_like_first,
    .backward = scale_backward,
    .compile = scale_compile,
};

poise_value *poise_scale(poise_graph *g, poise_value *x, double factor, poise_error *err)
{
    const poise_attr a = {.f = {factor}};
    if (factor == 1.0)
        return x;
    return poise__apply(g, &poise__op_scale, 1, 1, POISE__IN(x), &a, err);
}

/* ---- scale_by and weighted_sum: y = sum over k of s_k x_k ---- */

/* Inputs are x_0 .. x_n-1, then s_0 .. s_n-1. */
static int weighted_shape(poise_node *n, poise_error *err)
{
    const int terms = n->nin / 2;
    if (n->nin % 2 != 0)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%d inputs; each x needs its factor", n->nin);
    for (int k = 0; k < n->nin; k++)
        if (poise__want(n, k, k < terms ? "x" : "s", POISE_F32, 0, err) < 0 ||
            (k < terms && poise__want_same(n, k, "x", 0, "the first x", err) < 0) ||
            (k >= terms && poise__want_count(n, k, "s", 1, "a factor", err) < 0))
            return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static int scale_by_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                             const int *want, poise_gradient *din, poise_error *err)
{
    if (!want[0])
        return 0;
    return poise__gradient(g, n->op, 2, POISE__IN(dout[0], n->in[1]), NULL, &din[0], err);
}

enum { CHUNK = 2048 /* elements whose sum stays in the L1 cache until it is complete */ };

typedef struct weighted_plan {
    const poise__vector *v;
    int64_t count;
    int terms, parts;
} weighted_plan;

static int weighted_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const weighted_plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->count, j->parts, 64, part, &from, &to);
    for (; from < to; from += CHUNK) {
        const int64_t n = to - from < CHUNK ? to - from : CHUNK;
        float *y = (float *)j->out[0] + from;
        for (int t = 0; t < p->terms; t++) {
            const float *x = (const float *)j->in[t] + from;
            const float s = *(const float *)j->in[p->terms + t];
            if (t == 0)
                p->v->scale(n, x, NULL, s, y);
            else
                p->v->add_scaled(n, x, y, s, y);
        }
    }
    return 0;
}

static int weighted_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(weighted_part, ((const weighted_plan *)k->state)->parts), err);
}

static int weighted_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    weighted_plan *p = poise__kernel(k, sizeof *p, weighted_run, err);
    if (p == NULL)
        return -1;
    p->v = poise__vector_best();
    p->count = poise_value_count(n->out[0]);
    p->terms = n->nin / 2;
    p->parts = poise__parts(p->count);
    return 0;
}

const poise_op poise__op_scale_by = {
    .name = "scale_by",
    .formula = "y = s[1] x",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = weighted_shape,
    .backward = scale_by_backward,
    .compile = weighted_compile,
};

poise_value *poise_scale_by(poise_graph *g, poise_value *x, poise_value *s, poise_error *err)
{
    return poise__apply(g, &poise__op_scale_by, 2, 2, POISE__IN(x, s), NULL, err);
}

const poise_op poise__op_weighted_sum = {
    .name = "weighted_sum",
    .formula = "y = sum over k of s_k[1] x_k",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = weighted_shape,
    .compile = weighted_compile,
};

poise_value *poise_weighted_sum(poise_graph *g, int n, poise_value *const *s, poise_value *const *x,
                                poise_error *err)
{
    if (n < 1) {
        poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "a weighted sum of %d values; 1 or more", n);
        return NULL;
    }
    for (int k = 0; k < n; k++)
        if (s[k] == NULL || x[k] == NULL)
            return NULL;
    poise_value **in = poise__calloc((size_t)n, 2 * sizeof *in, err);
    if (in == NULL)
        return NULL;
    memcpy(in, x, (size_t)n * sizeof *in);
    memcpy(in + n, s, (size_t)n * sizeof *in);
    poise_value *y = poise__apply(g, &poise__op_weighted_sum, 2 * n, 2 * n, in, NULL, err);
    free(in);
    return y;
}
