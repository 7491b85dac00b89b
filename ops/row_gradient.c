/* row_gradient.c -- the gradient of a table, by the rows that a batch touched.
 *
 *     group_rows(ids)      rows i32[B], slot i32[B]:  each id once, in order of first use, then -1;
 *                          rows[slot[b]] = ids[b, f].  i[0] is f, i[1] the table's rows
 *     row_sum(slot, dy)    value[B,D]:  value[k,:] = sum of dy[b, o:o+D] over the b with slot[b] = k,
 *                          in the order of the batch; 0 after the last row.  i[0] is o, i[1] D
 *
 * Ids are grouped once, whatever the number of gradients (one per task) that are summed by them:
 * equal group_rows nodes are merged (rewrite_common.c).
 */
#include <string.h>
#include "kernel.h"
#include "row_slots.h"
#include "shape.h"
#include "table.h"

static int group_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "ids", POISE_I32, 2, err) < 0)
        return -1;
    if (n->attr.i[0] < 0 || n->attr.i[0] >= n->in[0]->dim[1] || n->attr.i[1] < 1)
        return poise_node_fail(n, POISE_E_SHAPE, err, "feature %lld of %lld is not there",
                               (long long)n->attr.i[0], (long long)n->in[0]->dim[1]);
    if (n->in[0]->dim[0] > INT32_MAX / 4)
        return poise_node_fail(n, POISE_E_SHAPE, err, "a batch of %lld rows is too large",
                               (long long)n->in[0]->dim[0]);
    poise__out(n, 0, POISE_I32, 1, n->in[0]->dim);
    poise__out(n, 1, POISE_I32, 1, n->in[0]->dim);
    return 0;
}

static int group_run(POISE__RUN)
{
    (void)r;
    const poise_node *n = k->node;
    const int64_t batch = n->in[0]->dim[0], features = n->in[0]->dim[1];
    const int64_t column = n->attr.i[0], height = n->attr.i[1];
    const int32_t *ids = (const int32_t *)in[0] + column;
    int32_t *rows = out[0], *slot = out[1], used = 0;
    poise__slots s = poise__slots_of(batch, height, scratch);
    poise__slots_clear(&s);
    for (int64_t b = 0; b < batch; b++) {
        const int32_t id = ids[b * features];
        if (id < 0 || id >= height)
            return poise_node_fail(n, POISE_E_DATA, err,
                                   "row %lld, feature %lld: the id is %ld; the table has rows 0 to "
                                   "%lld",
                                   (long long)b, (long long)column, (long)id,
                                   (long long)height - 1);
        int32_t *at = poise__slot(&s, id, rows);
        if (*at < 0) {
            *at = used;
            rows[used++] = id;
        }
        slot[b] = *at;
    }
    for (int64_t b = used; b < batch; b++)
        rows[b] = -1;
    return 0;
}

static int group_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)err;
    k->run = group_run;
    k->impl = "own";
    k->scratch = poise__slots_of(n->in[0]->dim[0], n->attr.i[1], NULL).size * sizeof(int32_t);
    return 0;
}

const poise_op poise__op_group_rows = {
    .name = "group_rows",
    .formula = "rows[k]: the ids[b, f], each once; rows[slot[b]] = ids[b, f]",
    .min_in = 1,
    .max_in = 1,
    .nout = 2,
    .shape = group_shape,
    .compile = group_compile,
};

static int sum_shape(poise_node *n, poise_error *err)
{
    const int64_t offset = n->attr.i[0], width = n->attr.i[1];
    if (poise__want(n, 0, "slot", POISE_I32, 1, err) < 0 ||
        poise__want(n, 1, "dy", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, 1, "dy", 0, n->in[0]->dim[0], "the batch", err) < 0)
        return -1;
    if (offset < 0 || width < 1 || width > n->in[1]->dim[1] || offset > n->in[1]->dim[1] - width)
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "columns %lld and on, %lld of them, are not part of dy",
                               (long long)offset, (long long)width);
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], width});
    return 0;
}

static int sum_run(POISE__RUN)
{
    (void)scratch, (void)r, (void)err;
    const poise_node *n = k->node;
    const int64_t batch = n->in[0]->dim[0], width = n->attr.i[1], wide = n->in[1]->dim[1];
    const size_t bytes = (size_t)width * sizeof(float);
    const int32_t *slot = in[0];
    float *value = out[0];
    int32_t used = 0; /* slots are numbered in the order of their first use */
    for (int64_t b = 0; b < batch; b++) {
        const float *dy = (const float *)in[1] + b * wide + n->attr.i[0];
        float *sum = value + slot[b] * width;
        if (slot[b] == used) {
            memcpy(sum, dy, bytes);
            used++;
        } else {
            for (int64_t i = 0; i < width; i++)
                sum[i] += dy[i];
        }
    }
    memset(value + used * width, 0, (size_t)(batch - used) * bytes);
    return 0;
}

static int sum_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = sum_run;
    k->impl = "own";
    return 0;
}

const poise_op poise__op_row_sum = {
    .name = "row_sum",
    .formula = "value[k, D] = sum of dy[b, o : o + D] over the b with slot[b] = k",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = sum_shape,
    .compile = sum_compile,
};
