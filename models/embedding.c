/* The kind embedding: features with tables of its own, beside those that all layers share (STEM: Su et
 * al., AAAI 2024).
 *
 * The numbers of the features named, as they are, then rows of LAYER/FEATURE for each that has a
 * table, lists pooled: in the order of `features`. */
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

static int64_t dim_of(const embedding_keys *k, const poise_feature *f)
{
    return k->dim ? k->dim : f->dim;
}

/* named[k] is 1 where feature k is among the references; [nfeature] */
typedef struct names {
    const poise__shaper *c;
    const poise__instance *i;
    char *named;
} names;

static int name_source(void *user, const poise__source *s)
{
    names *n = user;
    if (s->layer >= 0)
        return poise_diagnose(n->c->diag, s->place,
                              "embedding '%s': '%s' is a layer; only features have embeddings",
                              n->i->layer->name, s->name);
    for (int k = 0; k < n->c->schema->nfeature; k++)
        n->named[k] |= (char)poise__source_has(n->c->model, s, k);
    return 0;
}

/* Malloc'd; NULL after a diagnosis, or without one where c->diag is NULL. */
static char *named_features(const poise__shaper *c, const poise__instance *i)
{
    poise_error err;
    names n = {c, i, poise__calloc((size_t)c->schema->nfeature, 1, &err)};
    if (!n.named && c->diag)
        poise_diagnose_error(c->diag, &err);
    if (!n.named ||
        poise__sources(c->model, i, &((const embedding_keys *)i->own)->input, name_source, &n) == 0)
        return n.named;
    free(n.named);
    return NULL;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    *out = (poise__shape){0};
    char *named = named_features(c, i);
    int tables = 0;
    if (!named)
        return -1;
    for (int k = 0; k < c->schema->nfeature; k++) {
        const poise_feature *f = &c->schema->feature[k];
        if (!named[k])
            continue;
        out->width += poise_feature_numbers(f);
        if (!poise_feature_ids(f) && f->kind != POISE_LIST)
            continue;
        const int64_t dim = dim_of(i->own, f);
        tables++;
        out->width += dim;
        out->parameters += c->schema->learnt ? poise_feature_rows(f) * dim : 0;
    }
    free(named);
    if (tables == 0 && c->schema->nfeature > 0)
        return poise_diagnose(c->diag, i->kind_at,
                              "embedding '%s': none of its features has an embedding; they are "
                              "numbers",
                              i->layer->name);
    return 0;
}

/* ---- values ---- */

/* The named features' columns of `numeric` or of `ids`, as many as `columns` says of each. */
static poise_value *columns_of(poise__builder *b, const char *named, poise_value *x,
                               int (*columns)(const poise_feature *f))
{
    const poise_schema *s = b->schema;
    poise_value **part = poise__calloc((size_t)s->nfeature, sizeof(*part), b->err), *y = NULL;
    int n = 0, at = 0, left = 0, bad = !part;
    for (int k = 0; k < s->nfeature && !bad; k++) {
        const int width = columns(&s->feature[k]);
        at += width;
        if (width == 0 || !named[k]) {
            left += width;
            continue;
        }
        part[n] = poise_slice(b->g, x, 1, at - width, at, b->err);
        bad = !part[n++];
    }
    if (!bad && n > 0)
        y = left == 0 ? x : poise_concat(b->g, 1, n, part, b->err);
    free(part);
    return y;
}

static poise_value *table_of(poise__builder *b, const poise__instance *i, const poise_feature *f)
{
    poise_init init = {.kind = POISE_INIT_NORMAL, .value = POISE__EMBEDDING_DEVIATION};
    const int64_t dim[] = {poise_feature_rows(f), dim_of(i->own, f)};
    return poise__parameter(b, i->name, f->name, POISE_TABLE, 2, dim, init);
}

/* The embeddings of the named features with ids; NULL where there are none, with *bad -1 on failure. */
static poise_value *embedded(poise__builder *b, const poise__instance *i, const char *named,
                             int *bad)
{
    const poise_schema *s = b->schema;
    poise_value **table = poise__calloc((size_t)s->nfeature, sizeof(*table), b->err), *y = NULL;
    int n = 0;
    *bad = table ? 0 : -1;
    for (int k = 0; k < s->nfeature && !*bad; k++)
        if (named[k] && poise_feature_ids(&s->feature[k])) {
            table[n] = table_of(b, i, &s->feature[k]);
            *bad = table[n++] ? 0 : -1;
        }
    if (!*bad && n > 0) {
        poise_value *ids = columns_of(b, named, b->ids, poise_feature_ids);
        y = ids ? poise_embedding(b->g, ids, n, table, b->err) : NULL;
        *bad = y ? 0 : -1;
    }
    free(table);
    return y;
}

/* Numbers, embeddings, lists, as many as there are; part has room for all.  How many, -1 on failure. */
static int parts(poise__builder *b, const poise__instance *i, const char *named, poise_value **part)
{
    const poise_schema *s = b->schema;
    int n = 0, bad;
    for (int k = 0, numbers = 0; k < s->nfeature && !numbers; k++) {
        numbers = named[k] ? poise_feature_numbers(&s->feature[k]) : 0;
        if (numbers && !(part[n++] = columns_of(b, named, b->numeric, poise_feature_numbers)))
            return -1;
    }
    part[n] = embedded(b, i, named, &bad);
    n += part[n] != NULL;
    for (int k = 0; k < s->nfeature && !bad; k++) {
        const poise_feature *f = &s->feature[k];
        if (!named[k] || f->kind != POISE_LIST)
            continue;
        poise_value *table = table_of(b, i, f);
        part[n] =
            table ? poise_embedding_bag(b->g, b->list[k].ids, table, poise__pool(f), b->err) : NULL;
        bad = part[n++] ? 0 : -1;
    }
    return bad ? -1 : n;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const poise__shaper c = {b->model, b->schema, b->shape, NULL};
    char *named = named_features(&c, i);
    poise_value **part = poise__calloc((size_t)b->schema->nfeature + 2, sizeof(*part), b->err),
                *y = NULL;
    if (!named)
        poise_fail(b->err, POISE_E_MEMORY, i->layer->place, "out of memory");
    int n = named && part ? parts(b, i, named, part) : -1;
    if (n > 0)
        y = n == 1 ? part[0] : poise_concat(b->g, 1, n, part, b->err);
    free(part);
    free(named);
    return y;
}

const poise__layer_kind poise__embedding_kind = {
    .section = {.name = "embedding",
                .about = "features with embedding tables of this layer's own",
                POISE__ROWS(rows)},
    .own = sizeof(embedding_keys),
    .shape = shape,
    .build = build};
