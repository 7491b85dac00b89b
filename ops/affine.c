/* affine.c -- matrix products of (batched) linear layers, cut into parts.
 *
 * Forward and data are cut by rows of the batch.  Weights are cut by rows of dw, or by its columns
 * where it is wider than high: no part sums over another's batch rows, so there is no reduction.
 */
#include <string.h>
#include "../core/parallel.h"
#include "affine.h"
#include "gemm.h"
#include "kernel.h"

/* Parts thinner than this spend their time packing the other operand. */
enum { LEAST_ROWS = 64 };

typedef struct plan {
    poise__affine a;
    int parts;
    int by_columns; /* of the weights' gradient */
} plan;

static int forward_part(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    const poise__affine *a = &p->a;
    const int64_t wide = a->experts * a->out, deep = a->experts * a->in;
    const float *x = j->in[0], *w = j->in[1], *b = j->k->node->nin > 2 ? j->in[2] : NULL;
    float *y = j->out[0];
    int64_t from, to;
    poise__part(a->batch, j->parts, 8, part, &from, &to);
    if (from == to)
        return 0;
    if (b != NULL)
        for (int64_t r = from; r < to; r++)
            memcpy(y + r * wide, b, (size_t)wide * sizeof *y);
    for (int64_t e = 0; e < a->experts; e++)
        if (poise__gemm(0, 1, to - from, a->out, a->in, x + from * deep + e * a->in, deep,
                        w + e * a->out * a->in, a->in, b != NULL ? 1.0f : 0.0f,
                        y + from * wide + e * a->out, wide, err) < 0)
            return -1;
    return 0;
}

static int data_part(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    const poise__affine *a = &p->a;
    const int64_t wide = a->experts * a->out, deep = a->experts * a->in;
    const float *dy = j->in[0], *w = j->in[1];
    float *dx = j->out[0];
    int64_t from, to;
    poise__part(a->batch, j->parts, 8, part, &from, &to);
    if (from == to)
        return 0;
    for (int64_t e = 0; e < a->experts; e++)
        if (poise__gemm(0, 0, to - from, a->in, a->out, dy + from * wide + e * a->out, wide,
                        w + e * a->out * a->in, a->in, 0.0f, dx + from * deep + e * a->in, deep,
                        err) < 0)
            return -1;
    return 0;
}

static int weights_part(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    const poise__affine *a = &p->a;
    const int64_t wide = a->experts * a->out, deep = a->experts * a->in;
    const float *dy = j->in[0], *x = j->in[1];
    float *dw = j->out[0];
    int64_t row = 0, row_end = wide, column = 0, column_end = a->in;
    if (p->by_columns)
        poise__part(a->in, j->parts, 8, part, &column, &column_end);
    else
        poise__part(wide, j->parts, 8, part, &row, &row_end);
    if (column == column_end)
        return 0;
    while (row < row_end) {
        const int64_t e = row / a->out, last = (e + 1) * a->out;
        const int64_t to = last < row_end ? last : row_end;
        if (poise__gemm(1, 0, to - row, column_end - column, a->batch, dy + row, wide,
                        x + e * a->in + column, deep, 0.0f, dw + row * a->in + column, a->in,
                        err) < 0)
            return -1;
        row = to;
    }
    return 0;
}

static int forward_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(forward_part, ((const plan *)k->state)->parts), err);
}

static int data_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(data_part, ((const plan *)k->state)->parts), err);
}

static int weights_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(weights_part, ((const plan *)k->state)->parts), err);
}

static plan *compile(poise_kernel *k, const poise__affine *a, poise__run *run, poise_error *err)
{
    if (poise__gemm_check(err) < 0)
        return NULL;
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return NULL;
    p->a = *a;
    k->impl = "dnnl:sgemm";
    k->flops = 2.0 * (double)a->batch * (double)a->experts * (double)a->in * (double)a->out;
    p->parts = poise__gemm_parts(k->flops, a->batch, LEAST_ROWS);
    return p;
}

int poise__affine_forward(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    return compile(k, a, forward_run, err) == NULL ? -1 : 0;
}

int poise__affine_data(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    return compile(k, a, data_run, err) == NULL ? -1 : 0;
}

int poise__affine_weights(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    plan *p = compile(k, a, weights_run, err);
    if (p == NULL)
        return -1;
    const int64_t high = a->experts * a->out;
    p->by_columns = a->in > high;
    p->parts = poise__gemm_parts(k->flops, p->by_columns ? a->in : high, LEAST_ROWS);
    return 0;
}
