/* embedding_bag.c -- lists of ids: their rows of a table, as they are or pooled.
 *
 *     embedding_list   y[B,L,D]  y[b,l,:] = row ids[b,l] of table[R,D];  0 where the id is -1
 *     embedding_bag    y[B,D]    y[b,:]   = the sum, mean or maximum of these over the l that have
 *                                           an id; 0 where none has
 *
 * An id of -1 is no item, wherever it stands in the list.  Of the maximum, each column goes its own
 * way; of equal numbers the first is the largest.
 *
 * The gradient is by rows (embedding.c), K = min(B L, R) of them:
 *
 *     bag_rows(ids, dy)          sum: dy[b,:]   mean: dy[b,:] / items of b   list: dy[b,l,:]
 *     bag_rows(ids, dy, table)   maximum: dy[b,d] to the item that has column d's largest
 *
 * i[0] is the pool, or LIST; of bag_rows i[1] is R, i[2] D.  A row that the batch names is among the
 * rows whatever its gradient is, so the rows depend on the ids alone.
 */
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "row_slots.h"
#include "shape.h"
#include "table.h"

enum { LIST = POISE_POOL_MAX + 1 };

static int bad_id(const poise_node *n, int64_t row, int64_t item, int32_t id, int64_t height,
                  poise_error *err)
{
    return poise_node_fail(n, POISE_E_DATA, err,
                           "row %lld, item %lld: the id is %ld; the table has rows 0 to %lld",
                           (long long)row, (long long)item, (long)id, (long long)height - 1);
}

static int want_ids(const poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "ids", POISE_I32, 2, err) < 0)
        return -1;
    if (n->in[0]->dim[0] > INT32_MAX / 4 / n->in[0]->dim[1])
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "%lld lists of %lld items are too many for one batch",
                               (long long)n->in[0]->dim[0], (long long)n->in[0]->dim[1]);
    return 0;
}

static int shape(poise_node *n, poise_error *err)
{
    const int pool = (int)n->attr.i[0];
    if (want_ids(n, err) < 0 || poise__want(n, 1, "table", POISE_F32, 2, err) < 0)
        return -1;
    if (n->in[1]->dim[0] > INT32_MAX)
        return poise_node_fail(n, POISE_E_SHAPE, err, "table %s has %lld rows; ids are 32 bits",
                               n->in[1]->name, (long long)n->in[1]->dim[0]);
    if (pool < POISE_POOL_SUM || pool > LIST)
        return poise_node_fail(n, POISE_E_SHAPE, err, "there is no way %d of pooling", pool);
    const int64_t batch = n->in[0]->dim[0], items = n->in[0]->dim[1], width = n->in[1]->dim[1];
    if (pool == LIST)
        poise__out(n, 0, POISE_F32, 3, (int64_t[]){batch, items, width});
    else
        poise__out(n, 0, POISE_F32, 2, (int64_t[]){batch, width});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    const poise_attr a = {.i = {n->attr.i[0], n->in[1]->dim[0], n->in[1]->dim[1]}};
    if (!want[1])
        return 0;
    poise_node *d = poise_apply(g, &poise__op_bag_rows, n->attr.i[0] == POISE_POOL_MAX ? 3 : 2,
                                POISE__IN(n->in[0], dout[0], n->in[1]), &a, err);
    if (d == NULL)
        return -1;
    din[1].value = d->out[0];
    din[1].rows = d->out[1];
    return 0;
}

/* ---- forward ---- */

typedef struct plan {
    int parts;
} plan;

static void pool_item(int pool, int first, const float *x, int64_t width, float *y)
{
    if (first)
        memcpy(y, x, (size_t)width * sizeof *y);
    else if (pool == POISE_POOL_MAX)
        for (int64_t d = 0; d < width; d++)
            y[d] = x[d] > y[d] ? x[d] : y[d];
    else
        for (int64_t d = 0; d < width; d++)
            y[d] += x[d];
}

static int part(const poise__job *j, int which, poise_error *err)
{
    const poise_node *n = j->k->node;
    const int pool = (int)n->attr.i[0];
    const int64_t items = n->in[0]->dim[1], height = n->in[1]->dim[0], width = n->in[1]->dim[1];
    const int64_t wide = pool == LIST ? items * width : width;
    int64_t from, to;
    poise__part(n->in[0]->dim[0], j->parts, 1, which, &from, &to);
    for (int64_t b = from; b < to; b++) {
        const int32_t *ids = (const int32_t *)j->in[0] + b * items;
        float *y = (float *)j->out[0] + b * wide;
        int64_t count = 0;
        memset(y, 0, (size_t)wide * sizeof *y);
        for (int64_t l = 0; l < items; l++) {
            if (ids[l] == -1)
                continue;
            if (ids[l] < 0 || ids[l] >= height)
                return bad_id(n, b, l, ids[l], height, err);
            const float *x = (const float *)j->in[1] + ids[l] * width;
            pool_item(pool, pool == LIST || count == 0, x, width, pool == LIST ? y + l * width : y);
            count++;
        }
        if (pool == POISE_POOL_MEAN && count > 1)
            for (int64_t d = 0; d < width; d++)
                y[d] /= (float)count;
    }
    return 0;
}

/* The rows that nobody has read before get their initial values. */
static void draw(const poise_node *n, const int32_t *ids, const poise_value *table,
                 const poise_run *r)
{
    if (table->param >= 0 && poise_store_undrawn(r->store, table->param) > 0)
        poise__store_rows(r->store, table->param, poise_value_count(n->in[0]), ids, 1);
}

static int run(POISE__RUN)
{
    draw(k->node, in[0], k->node->in[1], r);
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->parts = poise__parts(poise_value_count(n->in[0]) * n->in[1]->dim[1]);
    return 0;
}

const poise_op poise__op_embedding_bag = {
    .name = "embedding_bag",
    .formula = "y[B, D] = sum, mean or maximum over l of rows ids[b, l] of table[R, D]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_TABLES,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_embedding_list = {
    .name = "embedding_list",
    .formula = "y[B, L, D] = rows ids[b, l] of table[R, D]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_TABLES,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_embedding_bag(poise_graph *g, poise_value *ids, poise_value *table,
                                 poise_pool pool, poise_error *err)
{
    const poise_attr a = {.i = {pool}};
    return poise__apply(g, &poise__op_embedding_bag, 2, 2, POISE__IN(ids, table), &a, err);
}

poise_value *poise_embedding_list(poise_graph *g, poise_value *ids, poise_value *table,
                                  poise_error *err)
{
    const poise_attr a = {.i = {LIST}};
    return poise__apply(g, &poise__op_embedding_list, 2, 2, POISE__IN(ids, table), &a, err);
}

/* ---- the gradient of the table ---- */

static int rows_shape(poise_node *n, poise_error *err)
{
    const int64_t pool = n->attr.i[0], height = n->attr.i[1], width = n->attr.i[2];
    if (want_ids(n, err) < 0 || poise__want(n, 1, "dy", POISE_F32, pool == LIST ? 3 : 2, err) < 0 ||
        poise__want_dim(n, 1, "dy", 0, n->in[0]->dim[0], "the batch", err) < 0 ||
        poise__want_dim(n, 1, "dy", n->in[1]->rank - 1, width, "the table's width", err) < 0)
        return -1;
    if ((pool == POISE_POOL_MAX) != (n->nin == 3))
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "the maximum needs the table, and nothing else does");
    const int64_t all = n->in[0]->dim[0] * n->in[0]->dim[1], rows = all < height ? all : height;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){rows, width});
    poise__out(n, 1, POISE_I32, 1, &rows);
    return 0;
}

typedef struct merge {
    poise__slots slots;
    int64_t width;
    float *value;
    int32_t *rows;
    int32_t used;
} merge;

/* The merged row of an id, a new one of zeros where it had none. */
static float *row_of(merge *m, int32_t id)
{
    int32_t *slot = poise__slot(&m->slots, id, m->rows);
    if (*slot < 0) {
        *slot = m->used;
        m->rows[m->used] = id;
        memset(m->value + m->used * m->width, 0, (size_t)m->width * sizeof *m->value);
        m->used++;
    }
    return m->value + *slot * m->width;
}

static void add_maximum(merge *m, const int32_t *ids, int64_t items, const float *table,
                        const float *dy)
{
    for (int64_t d = 0; d < m->width; d++) {
        int32_t best = -1;
        for (int64_t l = 0; l < items; l++)
            if (ids[l] >= 0 &&
                (best < 0 || table[ids[l] * m->width + d] > table[best * m->width + d]))
                best = ids[l];
        if (best >= 0)
            row_of(m, best)[d] += dy[d];
    }
}

static int rows_run(POISE__RUN)
{
    const poise_node *n = k->node;
    const int pool = (int)n->attr.i[0];
    const int64_t batch = n->in[0]->dim[0], items = n->in[0]->dim[1], height = n->attr.i[1];
    const int64_t most = n->out[1]->dim[0];
    merge m = {.slots = poise__slots_of(batch * items, height, scratch),
               .width = n->attr.i[2],
               .value = out[0],
               .rows = out[1]};
    poise__slots_clear(&m.slots);
    if (n->nin == 3)
        draw(n, in[0], n->in[2], r);
    for (int64_t b = 0; b < batch; b++) {
        const int32_t *ids = (const int32_t *)in[0] + b * items;
        const float *dy = (const float *)in[1] + b * m.width * (pool == LIST ? items : 1);
        int64_t count = 0;
        for (int64_t l = 0; l < items; l++) {
            if (ids[l] < -1 || ids[l] >= height)
                return bad_id(n, b, l, ids[l], height, err);
            count += ids[l] >= 0;
        }
        const float share = pool == POISE_POOL_MEAN && count > 0 ? 1.0F / (float)count : 1.0F;
        for (int64_t l = 0; l < items; l++) {
            if (ids[l] < 0)
                continue;
            float *sum = row_of(&m, ids[l]);
            const float *from = pool == LIST ? dy + l * m.width : dy;
            for (int64_t d = 0; pool != POISE_POOL_MAX && d < m.width; d++)
                sum[d] += share * from[d];
        }
        if (pool == POISE_POOL_MAX)
            add_maximum(&m, ids, items, in[2], dy);
    }
    for (int64_t b = m.used; b < most; b++)
        m.rows[b] = -1;
    memset(m.value + m.used * m.width, 0, (size_t)((most - m.used) * m.width) * sizeof *m.value);
    return 0;
}

static int rows_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)err;
    k->run = rows_run;
    k->impl = "own";
    k->scratch =
        poise__slots_of(poise_value_count(n->in[0]), n->attr.i[1], NULL).size * sizeof(int32_t);
    return 0;
}

const poise_op poise__op_bag_rows = {
    .name = "bag_rows",
    .formula = "value[k, D] = sum of what dy sends to the items with ids[b, l] = rows[k]",
    .min_in = 2,
    .max_in = 3,
    .nout = 2,
    .flags = POISE_OP_TABLES,
    .shape = rows_shape,
    .compile = rows_compile,
};
