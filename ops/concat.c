/* concat.c -- concat, slice and pad: blocks of memory moved along one axis.
 *
 * A value is [outer, axis, inner]; along the axis, a block of `outer` rows is contiguous.
 *
 *     concat   y = x0, x1, ... side by side      dx_k = slice of dy
 *     slice    y = x[from : to]                  dx = pad of dy with zeros
 *     pad      y = 0 .. 0, x, 0 .. 0             dx = slice of dy
 *
 * i[0] is the axis; of slice i[1], i[2] are from and to; of pad the zeros before and the size.
 */
#include <string.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int want_axis(const poise_node *n, poise_error *err)
{
    char text[96];
    if (n->in[0] == NULL)
        return poise_node_fail(n, POISE_E_SHAPE, err, "input 0 is missing");
    if (n->attr.i[0] < 0 || n->attr.i[0] >= n->in[0]->rank)
        return poise_node_fail(n, POISE_E_SHAPE, err, "x is %s; it has no dimension %lld",
                               poise_value_text(n->in[0], text, sizeof text),
                               (long long)n->attr.i[0]);
    return 0;
}

/* Bytes along the axis and below it, of one outer index. */
static size_t row_bytes(const poise_value *v, int axis)
{
    return (size_t)poise__extent(v, axis, v->rank) * poise_dtype_size(v->dtype);
}

typedef struct plan {
    int64_t outer;
    size_t row;    /* of the output */
    size_t before; /* bytes of a row skipped: of slice's input, of pad's output */
    size_t x_row;  /* of in[0] */
    int parts;
} plan;

static plan *plan_of(const poise_node *n, poise_kernel *k, poise__run *run, poise_error *err)
{
    const int axis = (int)n->attr.i[0];
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return NULL;
    p->outer = poise__extent(n->out[0], 0, axis);
    p->row = row_bytes(n->out[0], axis);
    p->x_row = row_bytes(n->in[0], axis);
    p->before = (size_t)(n->attr.i[1] * poise__extent(n->in[0], axis + 1, n->in[0]->rank)) *
                poise_dtype_size(n->in[0]->dtype);
    p->parts = poise__parts(poise_value_count(n->out[0]));
    return p;
}

/* ---- concat ---- */

static int concat_shape(poise_node *n, poise_error *err)
{
    char text[96], wanted[96];
    if (want_axis(n, err) < 0)
        return -1;
    const poise_value *first = n->in[0];
    const int axis = (int)n->attr.i[0];
    int64_t dim[POISE_MAX_RANK];
    memcpy(dim, first->dim, sizeof dim);
    dim[axis] = 0;
    for (int k = 0; k < n->nin; k++) {
        const poise_value *v = n->in[k];
        if (v == NULL)
            return poise_node_fail(n, POISE_E_SHAPE, err, "input %d is missing", k);
        int same = v->rank == first->rank && v->dtype == first->dtype;
        for (int d = 0; same && d < v->rank; d++)
            same = d == axis || v->dim[d] == first->dim[d];
        if (!same)
            return poise_node_fail(n, POISE_E_SHAPE, err,
                                   "input %d is %s but input 0 is %s; side by side along dimension "
                                   "%d, all others must be the same",
                                   k, poise_value_text(v, text, sizeof text),
                                   poise_value_text(first, wanted, sizeof wanted), axis);
        dim[axis] += v->dim[axis];
    }
    poise__out(n, 0, first->dtype, first->rank, dim);
    return 0;
}

static int concat_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                           const int *want, poise_gradient *din, poise_error *err)
{
    const int64_t axis = n->attr.i[0];
    int64_t from = 0;
    for (int k = 0; k < n->nin; k++) {
        const int64_t to = from + n->in[k]->dim[axis];
        const poise_attr a = {.i = {axis, from, to}};
        if (want[k] &&
            poise__gradient(g, &poise__op_slice, 1, POISE__IN(dout[0]), &a, &din[k], err) < 0)
            return -1;
        from = to;
    }
    return 0;
}

static int concat_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_node *n = j->k->node;
    int64_t from, to;
    poise__part(p->outer, j->parts, 1, part, &from, &to);
    char *y = (char *)j->out[0] + (size_t)from * p->row;
    for (int64_t o = from; o < to; o++)
        for (int i = 0; i < n->nin; i++) {
            const size_t size = row_bytes(n->in[i], (int)n->attr.i[0]);
            memcpy(y, (const char *)j->in[i] + (size_t)o * size, size);
            y += size;
        }
    return 0;
}

static int concat_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(concat_part, ((const plan *)k->state)->parts), err);
}

static int concat_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return plan_of(n, k, concat_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_concat = {
    .name = "concat",
    .formula = "y = x0, x1, ... side by side along one dimension",
    .min_in = 1,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = concat_shape,
    .backward = concat_backward,
    .compile = concat_compile,
};

poise_value *poise_concat(poise_graph *g, int axis, int n, poise_value *const *x, poise_error *err)
{
    const poise_attr a = {.i = {axis}};
    return poise__apply(g, &poise__op_concat, n, n, x, &a, err);
}

/* ---- slice ---- */

static int slice_shape(poise_node *n, poise_error *err)
{
    char text[96];
    if (want_axis(n, err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    const int axis = (int)n->attr.i[0];
    const int64_t from = n->attr.i[1], to = n->attr.i[2];
    if (from < 0 || from >= to || to > x->dim[axis])
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "x is %s; %lld to %lld is no part of its "
                               "dimension %d",
                               poise_value_text(x, text, sizeof text), (long long)from,
                               (long long)to, axis);
    int64_t dim[POISE_MAX_RANK];
    memcpy(dim, x->dim, sizeof dim);
    dim[axis] = to - from;
    poise__out(n, 0, x->dtype, x->rank, dim);
    return 0;
}

static int slice_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                          const int *want, poise_gradient *din, poise_error *err)
{
    (void)want;
    const int64_t axis = n->attr.i[0];
    const poise_attr a = {.i = {axis, n->attr.i[1], n->in[0]->dim[axis]}};
    return poise__gradient(g, &poise__op_pad, 1, POISE__IN(dout[0]), &a, &din[0], err);
}

static int slice_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->outer, j->parts, 1, part, &from, &to);
    for (int64_t o = from; o < to; o++)
        memcpy((char *)j->out[0] + (size_t)o * p->row,
               (const char *)j->in[0] + (size_t)o * p->x_row + p->before, p->row);
    return 0;
}

static int slice_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(slice_part, ((const plan *)k->state)->parts), err);
}

static int slice_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return plan_of(n, k, slice_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_slice = {
    .name = "slice",
    .formula = "y = x[..., from:to, ...]",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = slice_shape,
    .backward = slice_backward,
    .compile = slice_compile,
};

poise_value *poise_slice(poise_graph *g, poise_value *x, int axis, int64_t from, int64_t to,
                         poise_error *err)
{
    const poise_attr a = {.i = {axis, from, to}};
    return poise__apply(g, &poise__op_slice, 1, 1, POISE__IN(x), &a, err);
}

/* ---- pad ---- */

static int pad_shape(poise_node *n, poise_error *err)
{
    if (want_axis(n, err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    const int axis = (int)n->attr.i[0];
    const int64_t before = n->attr.i[1], size = n->attr.i[2];
    if (before < 0 || size < x->dim[axis] || before > size - x->dim[axis])
        return poise_node_fail(n, POISE_E_SHAPE, err, "%lld elements at %lld do not fit in %lld",
                               (long long)x->dim[axis], (long long)before, (long long)size);
    int64_t dim[POISE_MAX_RANK];
    memcpy(dim, x->dim, sizeof dim);
    dim[axis] = size;
    poise__out(n, 0, x->dtype, x->rank, dim);
    return 0;
}

static int pad_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                        const int *want, poise_gradient *din, poise_error *err)
{
    (void)want;
    const int64_t axis = n->attr.i[0], before = n->attr.i[1];
    const poise_attr a = {.i = {axis, before, before + n->in[0]->dim[axis]}};
    return poise__gradient(g, &poise__op_slice, 1, POISE__IN(dout[0]), &a, &din[0], err);
}

static int pad_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->outer, j->parts, 1, part, &from, &to);
    for (int64_t o = from; o < to; o++) {
        char *y = (char *)j->out[0] + (size_t)o * p->row;
        memset(y, 0, p->before);
        memcpy(y + p->before, (const char *)j->in[0] + (size_t)o * p->x_row, p->x_row);
        memset(y + p->before + p->x_row, 0, p->row - p->before - p->x_row);
    }
    return 0;
}

static int pad_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(pad_part, ((const plan *)k->state)->parts), err);
}

static int pad_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return plan_of(n, k, pad_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_pad = {
    .name = "pad",
    .formula = "y[..., from:to, ...] = x, 0 elsewhere",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = pad_shape,
    .backward = pad_backward,
    .compile = pad_compile,
};
