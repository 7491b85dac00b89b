/* The kind embedding: features with tables of its own, beside those that all layers share (STEM: Su et
 * al., AAAI 2024).
 *
 * The numbers of the features named, as they are, then rows of LAYER/FEATURE for each that has a
 * table, lists pooled: in the order of `features`.  Features that use one table use one here too. */
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

typedef struct embedding_keys {
    poise__references input;
    int64_t dim; /* 0: each feature's own */
} embedding_keys;

static const poise_key rows[] = {
    {.name = "embedding",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(embedding_keys, input),
     .help = "the features; numbers among them are passed on as they are"},
    {.name = "dim",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 4096,
     POISE__INTO(embedding_keys, dim),
     .help = "width of every embedding; without it each feature's own"},
};

/* The features among the references. */
typedef struct names {
    const poise__shaper *c;
    const poise__instance *i;
    int n, *feature; /* ascending; malloc'd */
} names;

static int check_source(void *user, const poise__source *s)
{
    const names *n = user;
    return s->layer < 0 ? 0
                        : poise_diagnose(n->c->diag, s->place,
                                         "embedding '%s': '%s' is a layer; only features have "
                                         "embeddings",
                                         n->i->layer->name, s->name);
}

typedef struct search {
    const poise_model *model;
    int feature;
} search;

static int is_named(void *user, const poise__source *s)
{
    const search *x = user;
    return poise__source_has(x->model, s, x->feature);
}

/* 0, or -1 after a diagnosis, or without one where c->diag is NULL. */
static int find_named(names *n)
{
    const poise__shaper *c = n->c;
    const poise__references *refs = &((const embedding_keys *)n->i->own)->input;
    poise_error err;
    n->feature = poise__calloc((size_t)c->schema->nfeature, sizeof *n->feature, &err);
    if (!n->feature && c->diag)
        poise_diagnose_error(c->diag, &err);
    if (!n->feature || poise__sources(c->model, n->i, refs, check_source, n) < 0)
        return -1;
    for (int k = 0; k < c->schema->nfeature; k++)
        if (poise__sources(c->model, n->i, refs, is_named, &(search){c->model, k}))
            n->feature[n->n++] = k;
    return 0;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const embedding_keys *keys = i->own;
    names named = {.c = c, .i = i};
    int tables = 0, bad = find_named(&named) < 0;
    *out = (poise__shape){0};
    for (int k = 0; k < named.n && !bad; k++) {
        const int at = named.feature[k];
        const poise_feature *f = &c->schema->feature[at];
        out->width += poise_feature_numbers(f);
        if (!poise_feature_ids(f) && f->kind != POISE_LIST)
            continue;
        const int64_t dim = keys->dim ? keys->dim : f->dim;
        tables++;
        out->width += dim;
        if (c->schema->learnt && poise__table_first(c->schema, named.n, named.feature, at))
            out->parameters += poise_feature_rows(f) * dim;
    }
    free(named.feature);
    if (!bad && tables == 0 && c->schema->nfeature > 0)
        return poise_diagnose(c->diag, i->kind_at,
                              "embedding '%s': none of its features has an embedding; they are "
                              "numbers",
                              i->layer->name);
    return bad ? -1 : 0;
}

/* ---- values ---- */

/* Numbers, embeddings, lists, as many as there are; part has room for all.  How many, -1 on failure. */
static int parts(poise__builder *b, const poise__tables *t, poise__list_value *value,
                 poise_value **part)
{
    int n = poise__pieces(b, b->numeric, poise__numeric_width, t->n, t->feature, part);
    for (int k = 0; k < b->schema->nfeature; k++)
        value[k].ids = b->list[k].ids;
    if (n < 0 || poise__tables_look_up(b, t, &part[n], value) < 0)
        return -1;
    n += part[n] != NULL;
    for (int i = 0; i < t->n; i++)
        if (value[t->feature[i]].pooled)
            part[n++] = value[t->feature[i]].pooled;
    return n;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const poise__shaper c = {b->model, b->schema, b->shape, NULL};
    const size_t most = (size_t)b->schema->nfeature;
    names named = {.c = &c, .i = i};
    poise_value **part = poise__calloc(2 * most + 1, sizeof(*part), b->err), *y = NULL;
    poise__list_value *value = poise__calloc(most, sizeof(*value), b->err);
    int n = -1;
    if (find_named(&named) < 0)
        poise_fail(b->err, POISE_E_MEMORY, i->layer->place, "out of memory");
    else if (part && value)
        n = parts(
            b, &(poise__tables){i, ((const embedding_keys *)i->own)->dim, named.n, named.feature},
            value, part);
    if (n > 0)
        y = n == 1 ? part[0] : poise_concat(b->g, 1, n, part, b->err);
    free(part);
    free(value);
    free(named.feature);
    return y;
}

const poise__layer_kind poise__embedding_kind = {
    .section = {.name = "embedding",
                .about = "features with embedding tables of this layer's own",
                POISE__ROWS(rows)},
    .own = sizeof(embedding_keys),
    .shape = shape,
    .build = build};
