/* dropout.c -- y = x / (1 - rate) where kept, else 0.
 *
 *     dx = dropout of dy: the same rate and stream give the same mask
 *
 * f[0] is the rate, i[0] the stream.  Element i is kept when word i % 4 of Philox4x32-10 at counter
 * {i / 4, step, stream} under the run's seed is >= rate 2^32: nothing is stored.
 */
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    const double rate = n->attr.f[0];
    if (!(rate >= 0.0 && rate < 1.0))
        return poise_node_fail(n, POISE_E_SPEC, err,
                               "the rate is %g; it must be 0 or more, and below 1", rate);
    return poise__shape_like_first(n, err);
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    (void)want;
    return poise__gradient(g, n->op, 1, POISE__IN(dout[0]), &n->attr, &din[0], err);
}

typedef struct plan {
    const poise__vector *v;
    int64_t count;
    int parts;
} plan;

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_attr *a = &j->k->node->attr;
    const poise__mask mask = {.seed = j->r->seed,
                              .stream = (uint64_t)a->i[0],
                              .step = (uint32_t)j->r->step,
                              .threshold = (uint32_t)(a->f[0] * 4294967296.0)};
    int64_t from, to;
    poise__part(p->count, j->parts, 64, which, &from, &to);
    const int64_t at = from + j->r->row * (p->count / j->k->node->in[0]->dim[0]);
    p->v->dropout(to - from, at, &mask, (float)(1.0 / (1.0 - a->f[0])),
                  (const float *)j->in[0] + from, (float *)j->out[0] + from);
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
    p->count = poise_value_count(n->out[0]);
    p->parts = poise__parts(p->count);
    return 0;
}

const poise_op poise__op_dropout = {
    .name = "dropout",
    .formula = "y = x / (1 - rate) where kept, else 0",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_dropout(poise_graph *g, poise_value *x, double rate, uint64_t stream,
                           poise_error *err)
{
    const poise_attr a = {.f = {rate}, .i = {(int64_t)stream}};
    if (rate == 0.0 || (!poise_graph_training(g) && rate > 0.0 && rate < 1.0))
        return x;
    return poise__apply(g, &poise__op_dropout, 1, 1, POISE__IN(x), &a, err);
}
