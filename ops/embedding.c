/* embedding.c -- y[B, sum D_f]: for every feature f, row ids[:, f] of table_f[R_f, D_f].
 *
 * Inputs: ids i32[B,F], then F tables.  A dense gradient of a table never exists: it is
 * (group_rows, row_sum), row_gradient.c.
 */
#include <stdio.h>
#include <string.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

enum { FETCHED = 16 }; /* rows of tables on their way from memory at a time, about */

static int shape(poise_node *n, poise_error *err)
{
    char what[32];
    if (poise__want(n, 0, "ids", POISE_I32, 2, err) < 0 ||
        poise__want_dim(n, 0, "ids", 1, n->nin - 1, "the number of tables", err) < 0)
        return -1;
    int64_t width = 0;
    for (int f = 1; f < n->nin; f++) {
        snprintf(what, sizeof what, "table %d", f - 1);
        if (poise__want(n, f, what, POISE_F32, 2, err) < 0)
            return -1;
        if (n->in[f]->dim[0] > INT32_MAX)
            return poise_node_fail(n, POISE_E_SHAPE, err, "table %s has %lld rows; ids are 32 bits",
                                   n->in[f]->name, (long long)n->in[f]->dim[0]);
        for (int k = 1; k < f; k++)
            if (n->in[k] == n->in[f])
                return poise_node_fail(n, POISE_E_SHAPE, err,
                                       "table %s is used for two features; each needs its own",
                                       n->in[f]->name);
        width += n->in[f]->dim[1];
    }
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], width});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    int64_t offset = 0;
    for (int f = 1; f < n->nin; f++) {
        const int64_t height = n->in[f]->dim[0], width = n->in[f]->dim[1];
        if (want[f]) {
            const poise_attr a = {.i = {f - 1, height}}, b = {.i = {offset, width}};
            const poise_node *rows =
                poise_apply(g, &poise__op_group_rows, 1, POISE__IN(n->in[0]), &a, err);
            const poise_node *sum = rows ? poise_apply(g, &poise__op_row_sum, 2,
                                                       POISE__IN(rows->out[1], dout[0]), &b, err)
                                         : NULL;
            if (sum == NULL)
                return -1;
            din[f].value = sum->out[0];
            din[f].rows = rows->out[0];
        }
        offset += width;
    }
    return 0;
}

static int bad_id(const poise_node *n, int64_t row, int feature, int32_t id, int64_t height,
                  const char *table, poise_error *err)
{
    return poise_node_fail(n, POISE_E_DATA, err,
                           "row %lld, feature %d: the id is %ld; table %s has rows 0 to %lld",
                           (long long)row, feature, (long)id, table, (long long)height - 1);
}

/* Ask for the rows of one line of the batch; only the first bytes of wide ones, the processor sees to
 * the rest. */
static void fetch(const poise__job *j, const int32_t *ids)
{
    const poise_node *n = j->k->node;
    for (int f = 1; f < n->nin; f++)
        if (ids[f - 1] >= 0 && ids[f - 1] < n->in[f]->dim[0])
            poise__prefetch((const float *)j->in[f] + ids[f - 1] * n->in[f]->dim[1]);
}

static int part(const poise__job *j, int which, poise_error *err)
{
    const poise_node *n = j->k->node;
    const int64_t features = n->nin - 1, wide = n->out[0]->dim[1];
    const int64_t ahead = features < FETCHED ? FETCHED / features : 1; /* lines of the batch */
    const int32_t *ids = j->in[0];
    int64_t from, to;
    poise__part(n->in[0]->dim[0], j->parts, 1, which, &from, &to);
    for (int64_t r = from; r < to; r++) {
        if (r + ahead < to)
            fetch(j, ids + (r + ahead) * features);
        float *y = (float *)j->out[0] + r * wide;
        for (int f = 1; f < n->nin; f++) {
            const int64_t height = n->in[f]->dim[0], width = n->in[f]->dim[1];
            const int32_t id = ids[r * features + f - 1];
            if (id < 0 || id >= height)
                return bad_id(n, j->r->row + r, f - 1, id, height, n->in[f]->name, err);
            memcpy(y, (const float *)j->in[f] + id * width, (size_t)width * sizeof *y);
            y += width;
        }
    }
    return 0;
}

/* The rows of some of the tables that nobody has read before get their initial values. */
static int draw_part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const poise_node *n = j->k->node;
    const int64_t features = n->nin - 1;
    int64_t from, to;
    poise__part(features, j->parts, 1, which, &from, &to);
    for (int64_t f = from; f < to; f++) {
        const int param = n->in[f + 1]->param;
        if (param >= 0 && poise_store_undrawn(j->r->store, param) > 0)
            poise__store_rows(j->r->store, param, n->in[0]->dim[0], (const int32_t *)j->in[0] + f,
                              features);
    }
    return 0;
}

typedef struct plan {
    int parts;
} plan;

static int run(POISE__RUN)
{
    const int features = k->node->nin - 1;
    const int parts = features < POISE__PARTS ? features : POISE__PARTS;
    if (poise__job_run(POISE__JOB(draw_part, parts), err) < 0)
        return -1;
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->parts = poise__parts(poise_value_count(n->out[0]));
    return 0;
}

const poise_op poise__op_embedding = {
    .name = "embedding",
    .formula = "y[B, sum D_f] = rows ids[:, f] of table_f[R_f, D_f], side by side",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_TABLES,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

/* Two gradients of one table would have to be merged: refused where the graph is built. */
static int table_is_free(poise_graph *g, const poise_value *table, poise_error *err)
{
    for (int i = 0; i < poise_graph_nodes(g); i++) {
        const poise_node *n = poise_graph_node(g, i);
        if (n->dead || n->op != &poise__op_embedding)
            continue;
        for (int f = 1; f < n->nin; f++)
            if (n->in[f] == table)
                return poise_node_fail(n, POISE_E_SHAPE, err,
                                       "table %s is used here already; a table belongs to one "
                                       "embedding",
                                       table->name);
    }
    return 0;
}

poise_value *poise_embedding(poise_graph *g, poise_value *ids, int ntable,
                             poise_value *const *table, poise_error *err)
{
    if (ntable < 1) {
        poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "embedding: %d tables; 1 or more", ntable);
        return NULL;
    }
    for (int f = 0; f < ntable; f++)
        if (table[f] != NULL && table_is_free(g, table[f], err) < 0)
            return NULL;
    return poise__apply_first(g, &poise__op_embedding, ids, ntable, table, err);
}
