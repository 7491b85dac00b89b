/* repeat.c -- a row n times: y[B,n,W] = x[B,W].
 *
 *     dx[B,W] = sum over n of dy[B,n,W]      repeat_backward(dy)
 *
 * i[0] is n.
 */
#include <string.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

typedef struct plan {
    const poise__vector *v;
    int64_t rows, n, width;
    int parts;
} plan;

static int compile(poise_kernel *k, poise__run *run, poise_error *err)
{
    const poise_node *n = k->node;
    const poise_value *y = n->in[0]->rank == 3 ? n->in[0] : n->out[0]; /* [B,n,W] */
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    *p = (plan){poise__vector_best(), y->dim[0], y->dim[1], y->dim[2],
                poise__parts(poise_value_count(y))};
    return 0;
}

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 2, err) < 0)
        return -1;
    const int64_t times = n->attr.i[0], *dim = n->in[0]->dim;
    if (times < 1 || times > INT64_MAX / 16 / dim[0] / dim[1])
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "%lld times; 1 or more, and the whole must fit memory",
                               (long long)times);
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){dim[0], times, dim[1]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    (void)n;
    (void)want;
    return poise__gradient(g, &poise__op_repeat_backward, 1, POISE__IN(dout[0]), NULL, &din[0],
                           err);
}

static int forth(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    const float *x = (const float *)j->in[0] + from * p->width;
    float *y = (float *)j->out[0] + from * p->n * p->width;
    for (int64_t r = from; r < to; r++, x += p->width)
        for (int64_t k = 0; k < p->n; k++, y += p->width)
            memcpy(y, x, (size_t)p->width * sizeof *y);
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(forth, ((const plan *)k->state)->parts), err);
}

static int forth_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return compile(k, run, err);
}

const poise_op poise__op_repeat = {
    .name = "repeat",
    .formula = "y[B, n, W] = x[B, W]",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = forth_compile,
};

poise_value *poise_repeat(poise_graph *g, poise_value *x, int64_t n, poise_error *err)
{
    const poise_attr a = {.i = {n}};
    return poise__apply(g, &poise__op_repeat, 1, 1, POISE__IN(x), &a, err);
}

/* ---- its gradient ---- */

static int back_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 3, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->in[0]->dim[2]});
    return 0;
}

static int back(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    for (int64_t r = from; r < to; r++)
        p->v->column_sum(p->n, p->width, p->width, (const float *)j->in[0] + r * p->n * p->width,
                         (float *)j->out[0] + r * p->width);
    return 0;
}

static int back_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back, ((const plan *)k->state)->parts), err);
}

static int back_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return compile(k, back_run, err);
}

const poise_op poise__op_repeat_backward = {
    .name = "repeat_backward",
    .formula = "dx[B, W] = sum over n of dy[B, n, W]",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .shape = back_shape,
    .compile = back_compile,
};
