/* blend.c -- values added up with learnt weights, one number each.
 *
 *     y      = sum over k of w[k] x_k
 *     dx_k   = w[k] dy                 blend_term(dy, w), i[0] = k
 *     dw[k]  = <dy, x_k>               blend_weights(dy, x_0, x_1, ...), accumulated in double
 */
#include <stdio.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* Inputs from `first` on have the shape of input `like`. */
static int want_terms(const poise_node *n, int first, int like, const char *of, poise_error *err)
{
    char what[32];
    for (int k = first; k < n->nin; k++) {
        snprintf(what, sizeof what, "x%d", k - 1);
        if (poise__want(n, k, what, POISE_F32, 0, err) < 0 ||
            poise__want_same(n, k, what, like, of, err) < 0)
            return -1;
    }
    return 0;
}

typedef struct plan {
    const poise__vector *v;
    int64_t count;
    int parts;
} plan;

static int compile(poise_kernel *k, int64_t count, int parts, poise__run *run, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    *p = (plan){poise__vector_best(), count, parts};
    return 0;
}

/* ---- blend ---- */

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "w", POISE_F32, 1, err) < 0 ||
        poise__want_dim(n, 0, "w", 0, n->nin - 1, "the number of terms", err) < 0 ||
        want_terms(n, 1, 1, "x0", err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[1]);
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    if (want[0] && poise__gradient_with(g, &poise__op_blend_weights, n, dout[0], &din[0], err) < 0)
        return -1;
    for (int k = 1; k < n->nin; k++) {
        const poise_attr a = {.i = {k - 1}};
        if (want[k] && poise__gradient(g, &poise__op_blend_term, 2, POISE__IN(dout[0], n->in[0]),
                                       &a, &din[k], err) < 0)
            return -1;
    }
    return 0;
}

static int forth(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const float *w = j->in[0];
    int64_t from, to;
    poise__part(p->count, j->parts, 64, part, &from, &to);
    float *y = (float *)j->out[0] + from;
    for (int k = 1; k < j->k->node->nin; k++) {
        const float *x = (const float *)j->in[k] + from;
        if (k == 1)
            p->v->scale(to - from, x, NULL, w[0], y);
        else
            p->v->add_scaled(to - from, x, y, w[k - 1], y);
    }
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(forth, ((const plan *)k->state)->parts), err);
}

static int forth_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const int64_t count = poise_value_count(n->out[0]);
    return compile(k, count, poise__parts(count * (n->nin - 1)), run, err);
}

const poise_op poise__op_blend = {
    .name = "blend",
    .formula = "y = sum over k of w[k] x_k",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = forth_compile,
};

poise_value *poise_blend(poise_graph *g, poise_value *w, int n, poise_value *const *x,
                         poise_error *err)
{
    if (n < 1) {
        poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "blend: %d values; 1 or more", n);
        return NULL;
    }
    return poise__apply_first(g, &poise__op_blend, w, n, x, err);
}

/* ---- gradient of a term ---- */

static int term_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 0, err) < 0 ||
        poise__want(n, 1, "w", POISE_F32, 1, err) < 0)
        return -1;
    if (n->attr.i[0] < 0 || n->attr.i[0] >= n->in[1]->dim[0])
        return poise_node_fail(n, POISE_E_SHAPE, err, "term %lld of %lld", (long long)n->attr.i[0],
                               (long long)n->in[1]->dim[0]);
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static int term_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->count, j->parts, 64, part, &from, &to);
    p->v->scale(to - from, (const float *)j->in[0] + from, NULL,
                ((const float *)j->in[1])[j->k->node->attr.i[0]], (float *)j->out[0] + from);
    return 0;
}

static int term_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(term_part, ((const plan *)k->state)->parts), err);
}

static int term_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const int64_t count = poise_value_count(n->out[0]);
    return compile(k, count, poise__parts(count), term_run, err);
}

const poise_op poise__op_blend_term = {
    .name = "blend_term",
    .formula = "dx_k = w[k] dy",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = term_shape,
    .compile = term_compile,
};

/* ---- gradient of the weights ---- */

static int weights_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 0, err) < 0 || want_terms(n, 1, 0, "dy", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 1, (int64_t[]){n->nin - 1});
    return 0;
}

/* A part is some of the terms: each sum is taken by one thread. */
static int weights_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(j->k->node->nin - 1, j->parts, 1, part, &from, &to);
    for (int64_t k = from; k < to; k++)
        ((float *)j->out[0])[k] = (float)p->v->dot(p->count, j->in[0], j->in[k + 1]);
    return 0;
}

static int weights_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(weights_part, ((const plan *)k->state)->parts), err);
}

static int weights_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const int64_t count = poise_value_count(n->in[0]), terms = n->nin - 1;
    const int parts = poise__parts(count * terms);
    return compile(k, count, parts < terms ? parts : (int)terms, weights_run, err);
}

const poise_op poise__op_blend_weights = {
    .name = "blend_weights",
    .formula = "dw[k] = sum of dy x_k",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .shape = weights_shape,
    .compile = weights_compile,
};
