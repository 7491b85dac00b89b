/* column_sum.c -- y[...] = sum over the leading dimensions of x[..., ...].
 *
 * i[0]: how many of the last dimensions stay.  oneDNN 2.6 has only its reference code for this.
 */
#include "../core/parallel.h"
#include "column_sum.h"
#include "kernel.h"
#include "shape.h"
#include "table.h"

typedef struct plan {
    const poise__vector *v;
    int64_t rows, columns, slice;
    int parts;
} plan;

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 0, err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    const int64_t keep = n->attr.i[0];
    if (keep < 1 || keep > x->rank)
        return poise_node_fail(n, POISE_E_SHAPE, err, "keeps %lld dimensions of %d",
                               (long long)keep, x->rank);
    poise__out(n, 0, POISE_F32, (int)keep, x->dim + x->rank - keep);
    return 0;
}

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->columns, j->parts, 16, which, &from, &to);
    const float *x = (const float *)j->in[0] + from;
    float *y = (float *)j->out[0] + from, *sum = (float *)j->scratch + from;
    p->v->column_sum(p->slice, to - from, p->columns, x, y);
    for (int64_t r = p->slice; r < p->rows; r += p->slice) {
        p->v->column_sum(p->slice, to - from, p->columns, x + r * p->columns, sum);
        p->v->add(to - from, y, sum, 0.0f, y);
    }
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->v = poise__vector_best();
    p->columns = poise_value_count(n->out[0]);
    p->rows = poise_value_count(n->in[0]) / p->columns;
    p->slice = p->rows;
    if (k->slice > 0) /* of the batch, which may be of several rows each */
        p->slice = p->rows / n->in[0]->dim[0] * k->slice;
    if (p->slice < p->rows)
        k->scratch = (size_t)p->columns * sizeof(float);
    p->parts = poise__parts(p->rows * p->columns);
    return 0;
}

const poise_op poise__op_column_sum = {
    .name = "column_sum",
    .formula = "y[C] = sum over b of x[b, C]",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_SUMS,
    .by_row = UINT32_MAX,
    .shape = shape,
    .compile = compile,
};

int poise__column_sum(poise_graph *g, poise_value *dy, int keep, poise_gradient *dx,
                      poise_error *err)
{
    const poise_attr attr = {.i = {keep}};
    return poise__gradient(g, &poise__op_column_sum, 1, POISE__IN(dy), &attr, dx, err);
}
