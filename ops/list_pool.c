/* list_pool.c -- lists of vectors that have an item where ids[b,l] is not -1.
 *
 *     list_mask  y[B,L]   1 where there is an item, else 0; no gradient
 *     list_pool  y[B,D]   sum, mean or maximum over the items l of x[b,l,:]; 0 of an empty list
 *
 *     dx[b,l,:]  sum: dy[b,:]   mean: dy[b,:] / items of b   maximum: dy[b,d] where x[b,l,d] is the
 *                first of the largest; 0 where there is no item: list_pool_backward(ids, dy[, x])
 *
 * i[0] is the pool.
 */
#include <string.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int mask_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "ids", POISE_I32, 2, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, n->in[0]->dim);
    return 0;
}

static int mask_run(POISE__RUN)
{
    (void)scratch, (void)r, (void)err;
    const int32_t *ids = in[0];
    float *y = out[0];
    for (int64_t i = 0; i < poise_value_count(k->node->out[0]); i++)
        y[i] = ids[i] == -1 ? 0.0F : 1.0F;
    return 0;
}

static int mask_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = mask_run;
    k->impl = "own";
    return 0;
}

const poise_op poise__op_list_mask = {
    .name = "list_mask",
    .formula = "y[B, L] = 1 where ids[B, L] is not -1, else 0",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_STOP,
    .shape = mask_shape,
    .compile = mask_compile,
};

poise_value *poise_list_mask(poise_graph *g, poise_value *ids, poise_error *err)
{
    return poise__apply(g, &poise__op_list_mask, 1, 1, POISE__IN(ids), NULL, err);
}

/* ---- pooling ---- */

static int want_pool(const poise_node *n, poise_error *err)
{
    if (n->attr.i[0] < POISE_POOL_SUM || n->attr.i[0] > POISE_POOL_MAX)
        return poise_node_fail(n, POISE_E_SHAPE, err, "there is no way %d of pooling",
                               (int)n->attr.i[0]);
    return poise__want(n, 0, "ids", POISE_I32, 2, err);
}

static int want_items(const poise_node *n, int k, poise_error *err)
{
    return poise__want(n, k, "x", POISE_F32, 3, err) < 0 ||
                   poise__want_dim(n, k, "x", 0, n->in[0]->dim[0], "the batch", err) < 0 ||
                   poise__want_dim(n, k, "x", 1, n->in[0]->dim[1], "the length of lists", err) < 0
               ? -1
               : 0;
}

static int shape(poise_node *n, poise_error *err)
{
    if (want_pool(n, err) < 0 || want_items(n, 1, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[1]->dim[0], n->in[1]->dim[2]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    if (!want[1])
        return 0;
    return poise__gradient(g, &poise__op_list_pool_backward, n->attr.i[0] == POISE_POOL_MAX ? 3 : 2,
                           POISE__IN(n->in[0], dout[0], n->in[1]), &n->attr, &din[1], err);
}

/* The item that has the largest of column d, the first of equal ones; -1 of an empty list. */
static int64_t largest(const int32_t *ids, const float *x, int64_t items, int64_t width, int64_t d)
{
    int64_t best = -1;
    for (int64_t l = 0; l < items; l++)
        if (ids[l] != -1 && (best < 0 || x[l * width + d] > x[best * width + d]))
            best = l;
    return best;
}

static int64_t count_items(const int32_t *ids, int64_t items)
{
    int64_t count = 0;
    for (int64_t l = 0; l < items; l++)
        count += ids[l] != -1;
    return count;
}

typedef struct plan {
    int64_t items, width;
    int parts;
} plan;

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_node *n = j->k->node;
    const int pool = (int)n->attr.i[0];
    int64_t from, to;
    poise__part(n->in[0]->dim[0], j->parts, 1, which, &from, &to);
    for (int64_t b = from; b < to; b++) {
        const int32_t *ids = (const int32_t *)j->in[0] + b * p->items;
        const float *x = (const float *)j->in[1] + b * p->items * p->width;
        float *y = (float *)j->out[0] + b * p->width;
        const int64_t count = count_items(ids, p->items);
        for (int64_t d = 0; d < p->width; d++) {
            float sum = 0;
            if (pool == POISE_POOL_MAX)
                sum = count ? x[largest(ids, x, p->items, p->width, d) * p->width + d] : 0;
            else
                for (int64_t l = 0; l < p->items; l++)
                    sum += ids[l] != -1 ? x[l * p->width + d] : 0;
            y[d] = pool == POISE_POOL_MEAN && count > 1 ? sum / (float)count : sum;
        }
    }
    return 0;
}

static int back_part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_node *n = j->k->node;
    const int pool = (int)n->attr.i[0];
    int64_t from, to;
    poise__part(n->in[0]->dim[0], j->parts, 1, which, &from, &to);
    for (int64_t b = from; b < to; b++) {
        const int32_t *ids = (const int32_t *)j->in[0] + b * p->items;
        const float *dy = (const float *)j->in[1] + b * p->width;
        float *dx = (float *)j->out[0] + b * p->items * p->width;
        const int64_t count = count_items(ids, p->items);
        const float share = pool == POISE_POOL_MEAN && count > 0 ? 1.0F / (float)count : 1.0F;
        memset(dx, 0, (size_t)(p->items * p->width) * sizeof *dx);
        if (pool == POISE_POOL_MAX) {
            const float *x = (const float *)j->in[2] + b * p->items * p->width;
            for (int64_t d = 0; count && d < p->width; d++)
                dx[largest(ids, x, p->items, p->width, d) * p->width + d] = dy[d];
            continue;
        }
        for (int64_t l = 0; l < p->items; l++)
            for (int64_t d = 0; ids[l] != -1 && d < p->width; d++)
                dx[l * p->width + d] = share * dy[d];
    }
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int back_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back_part, ((const plan *)k->state)->parts), err);
}

static int make_plan(poise_kernel *k, const poise_value *x, poise__run *fn, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, fn, err);
    if (p == NULL)
        return -1;
    *p = (plan){x->dim[1], x->dim[2], poise__parts(poise_value_count(x))};
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return make_plan(k, n->in[1], run, err);
}

const poise_op poise__op_list_pool = {
    .name = "list_pool",
    .formula = "y[B, D] = sum, mean or maximum of x[B, L, D] over the l where ids[b, l] is not -1",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_list_pool(poise_graph *g, poise_value *ids, poise_value *x, poise_pool pool,
                             poise_error *err)
{
    const poise_attr a = {.i = {pool}};
    return poise__apply(g, &poise__op_list_pool, 2, 2, POISE__IN(ids, x), &a, err);
}

static int back_shape(poise_node *n, poise_error *err)
{
    if (want_pool(n, err) < 0 || poise__want(n, 1, "dy", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, 1, "dy", 0, n->in[0]->dim[0], "the batch", err) < 0 ||
        (n->nin == 3 && want_items(n, 2, err) < 0))
        return -1;
    if ((n->attr.i[0] == POISE_POOL_MAX) != (n->nin == 3))
        return poise_node_fail(n, POISE_E_SHAPE, err, "the maximum needs x, and nothing else does");
    poise__out(n, 0, POISE_F32, 3,
               (int64_t[]){n->in[0]->dim[0], n->in[0]->dim[1], n->in[1]->dim[1]});
    return 0;
}

static int back_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return make_plan(k, n->out[0], back_run, err);
}

const poise_op poise__op_list_pool_backward = {
    .name = "list_pool_backward",
    .formula = "dx[B, L, D] = what dy[B, D] sends to each item",
    .min_in = 2,
    .max_in = 3,
    .nout = 1,
    .shape = back_shape,
    .compile = back_compile,
};
