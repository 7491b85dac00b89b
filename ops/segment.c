/* segment.c -- rows cut into segments: the fields of an embedding, the vectors of a stack.
 *
 *     segment_dot     y[B,S] = f_s sum over c in s of a[B,c] b[B,c]    da = segment_scale(b, dy)
 *                                                                      db = segment_scale(a, dy)
 *     segment_scale   y[B,c] = f_s x[B,c] by[B,s]                      dx = segment_scale(dy, by)
 *                                                                      dby = segment_dot(dy, x)
 *
 * where s is c's segment.  f_s is 1, or 1 / its width where i[0] is 1 (a mean).  b and x may be
 * absent: then they are 1.  p is the array of widths, i[1] how many there are.
 */
#include <string.h>
#include "../core/graph_parts.h"
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int64_t total(const poise_attr *a)
{
    const int64_t *width = a->p;
    int64_t sum = 0;
    for (int64_t s = 0; s < a->i[1]; s++)
        sum += width[s];
    return sum;
}

/* Input k is f32[B, columns]; B is that of input 0, or this one's where that is absent. */
static int want_rows(const poise_node *n, int k, const char *what, int64_t columns, const char *why,
                     poise_error *err)
{
    if (poise__want(n, k, what, POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, k, what, 1, columns, why, err) < 0)
        return -1;
    return n->in[0] ? poise__want_dim(n, k, what, 0, n->in[0]->dim[0], "the batch", err) : 0;
}

static int dot_shape(poise_node *n, poise_error *err)
{
    const int64_t width = total(&n->attr);
    if (want_rows(n, 0, "a", width, "the segments' width", err) < 0 ||
        (n->in[1] && want_rows(n, 1, "b", width, "the segments' width", err) < 0))
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->attr.i[1]});
    return 0;
}

static int scale_shape(poise_node *n, poise_error *err)
{
    const int64_t width = total(&n->attr);
    if ((n->in[0] && want_rows(n, 0, "x", width, "the segments' width", err) < 0) ||
        want_rows(n, 1, "by", n->attr.i[1], "the number of segments", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[1]->dim[0], width});
    return 0;
}

static int dot_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                        const int *want, poise_gradient *din, poise_error *err)
{
    for (int k = 0; k < 2; k++)
        if (want[k] &&
            poise__gradient(g, &poise__op_segment_scale, 2, POISE__IN(n->in[1 - k], dout[0]),
                            &n->attr, &din[k], err) < 0)
            return -1;
    return 0;
}

static int scale_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                          const int *want, poise_gradient *din, poise_error *err)
{
    if (want[0] &&
        poise__gradient(g, n->op, 2, POISE__IN(dout[0], n->in[1]), &n->attr, &din[0], err) < 0)
        return -1;
    if (!want[1])
        return 0;
    return poise__gradient(g, &poise__op_segment_dot, 2, POISE__IN(dout[0], n->in[0]), &n->attr,
                           &din[1], err);
}

typedef struct plan {
    const poise__vector *v;
    int64_t rows, segments, width; /* width: of all segments together */
    int parts;
    float scale[]; /* [segments] */
} plan;

static int dot_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_attr *a = &j->k->node->attr;
    const float *b = j->in[1];
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    p->v->segment_dot(to - from, p->segments, a->p, (const float *)j->in[0] + from * p->width,
                      b ? b + from * p->width : NULL, a->i[0] ? p->scale : NULL,
                      (float *)j->out[0] + from * p->segments);
    return 0;
}

static int scale_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_attr *a = &j->k->node->attr;
    const float *x = j->in[0];
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    p->v->segment_scale(to - from, p->segments, a->p, x ? x + from * p->width : NULL,
                        (const float *)j->in[1] + from * p->segments, a->i[0] ? p->scale : NULL,
                        (float *)j->out[0] + from * p->width);
    return 0;
}

static int dot_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(dot_part, ((const plan *)k->state)->parts), err);
}

static int scale_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(scale_part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise__run *run, poise_error *err)
{
    const int64_t segments = n->attr.i[1], *width = n->attr.p;
    plan *p = poise__kernel(k, sizeof *p + (size_t)segments * sizeof(float), run, err);
    if (p == NULL)
        return -1;
    p->v = poise__vector_best();
    p->rows = n->out[0]->dim[0];
    p->segments = segments;
    p->width = total(&n->attr);
    p->parts = poise__parts(p->rows * p->width);
    for (int64_t s = 0; s < segments; s++)
        p->scale[s] = 1.0f / (float)width[s];
    return 0;
}

static int dot_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(n, k, dot_run, err);
}

static int scale_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(n, k, scale_run, err);
}

const poise_op poise__op_segment_dot = {
    .name = "segment_dot",
    .formula = "y[B, s] = sum over c in segment s of a[B, c] b[B, c]; mean: / width of s",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = dot_shape,
    .backward = dot_backward,
    .compile = dot_compile,
};

const poise_op poise__op_segment_scale = {
    .name = "segment_scale",
    .formula = "y[B, c] = x[B, c] by[B, segment of c]; mean: / width of the segment",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = scale_shape,
    .backward = scale_backward,
    .compile = scale_compile,
};

/* The widths, checked and copied into the graph. */
static int attributes(poise_graph *g, int segments, const int64_t *width, int mean, poise_attr *a,
                      poise_error *err)
{
    int64_t sum = 0;
    if (segments < 1)
        return poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "%d segments; 1 or more", segments);
    for (int s = 0; s < segments; s++) {
        if (width[s] < 1 || width[s] > INT32_MAX || sum > INT32_MAX)
            return poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE,
                              "segment %d is %lld wide; it must be 1 or more, and the whole fit in "
                              "memory",
                              s, (long long)width[s]);
        sum += width[s];
    }
    int64_t *copy = poise__arena_alloc(g->arena, (size_t)segments, sizeof *copy, err);
    if (copy == NULL)
        return -1;
    memcpy(copy, width, (size_t)segments * sizeof *copy);
    *a = (poise_attr){.i = {mean != 0, segments}, .p = copy};
    return 0;
}

poise_value *poise_segment_dot(poise_graph *g, poise_value *a, poise_value *b, int segments,
                               const int64_t *width, int mean, poise_error *err)
{
    poise_attr attr;
    if (a == NULL || attributes(g, segments, width, mean, &attr, err) < 0)
        return NULL;
    return poise__apply(g, &poise__op_segment_dot, 1, 2, POISE__IN(a, b), &attr, err);
}

poise_value *poise_segment_scale(poise_graph *g, poise_value *x, poise_value *by, int segments,
                                 const int64_t *width, int mean, poise_error *err)
{
    poise_attr attr;
    if (x == NULL || by == NULL || attributes(g, segments, width, mean, &attr, err) < 0)
        return NULL;
    return poise__apply(g, &poise__op_segment_scale, 2, 2, POISE__IN(x, by), &attr, err);
}
