/* Tables, and what features look up in them.
 *
 * Ids of features that have a table to themselves are columns of one embedding; a list is a bag.  What
 * several features use, they look up at once: their ids stand side by side, i32[B, W], the rows are
 * [B, W, D], and each feature has its part of them.  So a table is read in one place, and its gradient
 * has the rows of all its users' ids, whichever task reads which of them. */
#include <stdlib.h>
#include "../core/graph_parts.h"
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

poise_pool poise__pool(const poise_feature *f)
{
    static const poise_pool pool[] = {POISE_POOL_MEAN, POISE_POOL_SUM, POISE_POOL_MAX};
    return pool[f->pool];
}

/* How many of the features use the table that feature k uses; -1 where one before it does. */
static int users(const poise_schema *s, int n, const int *feature, int k)
{
    const int owner = poise_feature_owner(s, k);
    int count = 0;
    if (poise_feature_alone(&s->feature[k]))
        return 1;
    for (int i = 0; i < n; i++) {
        if (poise_feature_owner(s, feature[i]) != owner)
            continue;
        if (count == 0 && feature[i] != k)
            return -1;
        count++;
    }
    return count;
}

int poise__table_first(const poise_schema *s, int n, const int *feature, int k)
{
    return users(s, n, feature, k) > 0;
}

/* ---- one table ---- */

typedef struct look_up {
    poise__builder *b;
    const poise__tables *t;
    poise__list_value *value;
} look_up;

/* The parameter that feature k looks rows up in; its node is at the feature, unless a layer's. */
static poise_value *table_of(const look_up *l, int k)
{
    poise__builder *b = l->b;
    const poise_feature *f = &b->schema->feature[poise_feature_owner(b->schema, k)];
    const int64_t dim[] = {poise_feature_rows(f), l->t->dim ? l->t->dim : f->dim};
    const poise_init init = {.kind = POISE_INIT_NORMAL, .value = POISE__EMBEDDING_DEVIATION};
    if (!l->t->of) {
        const char *name = poise_graph_text(b->g, b->err, "embedding/%s", f->name);
        if (!name || poise_graph_at(b->g, name, f->place, b->err) < 0)
            return NULL;
    }
    return poise__parameter(b, l->t->of ? l->t->of->name : "embedding", f->name, POISE_TABLE, 2,
                            dim, init);
}

/* ---- features with a table to themselves ---- */

static int embed(const look_up *l, int n, const int *feature, poise_value **embedded)
{
    poise__builder *b = l->b;
    poise_value **table = poise__calloc((size_t)n, sizeof(poise_value *), b->err);
    int bad = !table;
    for (int k = 0; k < n && !bad; k++)
        bad = !(table[k] = table_of(l, feature[k]));
    if (!bad && !l->t->of)
        bad = poise_graph_at(b->g, "embedding", b->model->place, b->err) < 0;
    poise_value *ids = bad ? NULL : poise__columns(b, b->ids, poise__ids_width, n, feature);
    *embedded = ids ? poise_embedding(b->g, ids, n, table, b->err) : NULL;
    free(table);
    return *embedded ? 0 : -1;
}

static int is_feature(void *user, const poise__source *s)
{
    return s->layer == POISE__ONE_FEATURE && s->feature == *(const int *)user;
}

/* 1 where a layer of a kind that takes items reads the feature. */
static int items_wanted(const poise_model *m, int feature)
{
    for (int k = 0; k < m->ninstance; k++)
        if (m->instance[k]->layer->kind->items &&
            poise__all_sources(m, m->instance[k], is_feature, &feature))
            return 1;
    return 0;
}

static int look_up_list(const look_up *l, int k)
{
    poise__builder *b = l->b;
    poise__list_value *v = &l->value[k];
    const poise_pool pool = poise__pool(&b->schema->feature[k]);
    poise_value *table = table_of(l, k);
    if (l->t->of || !items_wanted(b->model, k)) {
        v->pooled = poise_embedding_bag(b->g, v->ids, table, pool, b->err);
    } else {
        v->items = poise_embedding_list(b->g, v->ids, table, b->err);
        v->pooled = poise_list_pool(b->g, v->ids, v->items, pool, b->err);
    }
    return v->pooled ? 0 : -1;
}

/* ---- several features and one table ---- */

/* The ids of feature k, i32[B, L]; of one that is no list, i32[B, 1]. */
static poise_value *ids_of(const look_up *l, int k)
{
    return l->b->schema->feature[k].kind == POISE_LIST
               ? l->value[k].ids
               : poise__columns(l->b, l->b->ids, poise__ids_width, 1, &k);
}

/* Feature k has rows [B, from .. to, D] of what all users looked up. */
static int take_part(const look_up *l, int k, poise_value *rows, int64_t from, int64_t to)
{
    poise__builder *b = l->b;
    poise__list_value *v = &l->value[k];
    poise_value *part = poise_slice(b->g, rows, 1, from, to, b->err);
    if (b->schema->feature[k].kind != POISE_LIST) {
        v->pooled = poise_reshape(b->g, part, 2, (int64_t[]){b->batch, rows->dim[2]}, b->err);
    } else {
        v->items = part;
        v->pooled =
            poise_list_pool(b->g, v->ids, part, poise__pool(&b->schema->feature[k]), b->err);
    }
    return v->pooled ? 0 : -1;
}

/* For all of the `count` users of the table of feature `first`. */
static int look_up_together(const look_up *l, int first, int count)
{
    poise__builder *b = l->b;
    const poise__tables *t = l->t;
    const int owner = poise_feature_owner(b->schema, first);
    poise_value **ids = poise__calloc((size_t)count, sizeof(poise_value *), b->err);
    poise_value *table = ids ? table_of(l, first) : NULL, *rows = NULL;
    int n = 0, bad = !table;
    for (int i = 0; i < t->n && !bad; i++)
        if (poise_feature_owner(b->schema, t->feature[i]) == owner)
            bad = !(ids[n++] = ids_of(l, t->feature[i]));
    if (!bad)
        rows = poise_embedding_list(b->g, poise_concat(b->g, 1, n, ids, b->err), table, b->err);
    bad |= !rows;
    int64_t from = 0;
    for (int i = 0, k = 0; i < t->n && !bad; i++) {
        if (poise_feature_owner(b->schema, t->feature[i]) != owner)
            continue;
        const int64_t to = from + ids[k++]->dim[1];
        bad = take_part(l, t->feature[i], rows, from, to);
        from = to;
    }
    free(ids);
    return bad ? -1 : 0;
}

/* ---- all ---- */

int poise__tables_look_up(poise__builder *b, const poise__tables *t, poise_value **embedded,
                          poise__list_value *value)
{
    const look_up l = {b, t, value};
    int *alone = poise__calloc((size_t)t->n, sizeof *alone, b->err);
    int n = 0, bad = !alone;
    *embedded = NULL;
    for (int i = 0; i < t->n && !bad; i++)
        if (poise_feature_ids(&b->schema->feature[t->feature[i]]) &&
            users(b->schema, t->n, t->feature, t->feature[i]) == 1)
            alone[n++] = t->feature[i];
    if (!bad && n > 0)
        bad = embed(&l, n, alone, embedded);
    for (int i = 0; i < t->n && !bad; i++) {
        const int k = t->feature[i], count = users(b->schema, t->n, t->feature, k);
        if (count > 1)
            bad = look_up_together(&l, k, count);
        else if (count == 1 && b->schema->feature[k].kind == POISE_LIST)
            bad = look_up_list(&l, k);
    }
    free(alone);
    return bad ? -1 : 0;
}
