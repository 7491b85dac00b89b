/* What is read as vectors: each feature, each copy of a stack, each layer. */
#include <inttypes.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

/* One field after the other, `count` of them equally wide. */
typedef int field_fn(void *user, const poise__source *s, const char *name, int64_t count,
                     int64_t width);

typedef struct walk {
    const poise__shaper *c;
    field_fn *fn;
    void *user;
} walk;

static int see(void *user, const poise__source *s)
{
    const walk *w = user;
    const poise_schema *schema = w->c->schema;
    if (s->layer >= 0) {
        const poise__shape *x = &w->c->shape[s->instance->id];
        return w->fn(w->user, s, s->name, x->stack ? x->stack : 1, x->width);
    }
    if (s->layer == POISE__UNRESOLVED)
        return w->fn(w->user, s, s->name, 1, 0);
    int done = 0;
    for (int k = 0; k < schema->nfeature && !done; k++)
        if (poise__source_has(w->c->model, s, k))
            done = w->fn(w->user, s, schema->feature[k].name, 1,
                         poise_feature_width(&schema->feature[k]));
    return done;
}

static int each_field(const poise__shaper *c, const poise__instance *i,
                      const poise__references *refs, field_fn *fn, void *user)
{
    walk w = {c, fn, user};
    return poise__sources(c->model, i, refs, see, &w);
}

typedef struct sum {
    const poise__shaper *c;
    const poise__instance *i;
    const char *what;
    int equal, unknown;
    poise__fields *out;
} sum;

static int add_field(void *user, const poise__source *s, const char *name, int64_t count,
                     int64_t width)
{
    sum *a = user;
    poise__fields *f = a->out;
    a->unknown |= width == 0;
    if (f->n > 0 && f->width != width) {
        if (a->equal && width > 0 && f->width > 0)
            return poise_diagnose(a->c->diag, s->place,
                                  "%s '%s': '%s' is %" PRId64 " wide, but what stands before it "
                                  "%" PRId64 "; all must be equally wide",
                                  a->what, a->i->layer->name, name, width, f->width);
        f->width = 0;
    } else
        f->width = width;
    f->n += count;
    f->total += count * width;
    return 0;
}

int poise__fields_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                        const poise__references *refs, int equal, poise__fields *out)
{
    sum a = {.c = c, .i = i, .what = what, .equal = equal, .out = out};
    *out = (poise__fields){0};
    if (each_field(c, i, refs, add_field, &a) < 0)
        return -1;
    if (a.unknown)
        out->total = 0;
    return 0;
}

static int put_width(void *user, const poise__source *s, const char *name, int64_t count,
                     int64_t width)
{
    int64_t **to = user;
    (void)s;
    (void)name;
    for (int64_t k = 0; k < count; k++)
        *(*to)++ = width;
    return 0;
}

/* `features` and groups are numbers, then embeddings, then lists: feature by feature is another
 * order. */
typedef struct gather {
    poise__builder *b;
    poise_value **x;
    int n;
} gather;

static int gather_value(void *user, const poise__source *s)
{
    gather *g = user;
    poise__builder *b = g->b;
    if (s->layer < 0 && !!b->numeric + !!b->embedded + !!b->pooled > 1) {
        for (int k = 0; k < b->schema->nfeature; k++)
            if (poise__source_has(b->model, s, k) && !(g->x[g->n++] = poise__feature_value(b, k)))
                return -1;
        return 0;
    }
    poise_value *x = poise__source_value(b, s);
    if (x && x->rank == 3) /* a stack is laid flat */
        x = poise_reshape(b->g, x, 2, (int64_t[]){b->batch, x->dim[1] * x->dim[2]}, b->err);
    g->x[g->n++] = x;
    return x ? 0 : -1;
}

static poise_value *side_by_side(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs)
{
    const int n = poise__sources_count(b->model, i, refs), each = b->schema->nfeature + 1;
    poise_value *y = NULL;
    gather g = {.b = b,
                .x = poise__calloc((size_t)n * (size_t)each, sizeof(poise_value *), b->err)};
    if (g.x && poise__sources(b->model, i, refs, gather_value, &g) == 0)
        y = g.n == 1 ? g.x[0] : poise_concat(b->g, 1, g.n, g.x, b->err);
    free(g.x);
    return y;
}

poise_value *poise__fields_value(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs, poise__fields *f, int64_t **width)
{
    const poise__shaper c = {b->model, b->schema, b->shape, NULL};
    sum a = {.c = &c, .i = i, .out = f};
    *f = (poise__fields){0};
    *width = NULL;
    each_field(&c, i, refs, add_field, &a);
    int64_t *to = *width = poise__calloc((size_t)f->n, sizeof(int64_t), b->err);
    if (!to)
        return NULL;
    each_field(&c, i, refs, put_width, &to);
    return side_by_side(b, i, refs);
}
