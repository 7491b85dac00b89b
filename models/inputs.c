/* What a layer's references come to, as shapes and as values. */
#include <inttypes.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../core/random.h"
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

int poise__source_has(const poise_model *m, const poise__source *s, int feature)
{
    if (s->layer != POISE__GROUP)
        return s->layer == POISE__FEATURES ||
               (s->layer == POISE__ONE_FEATURE && s->feature == feature);
    const poise__group *group = &m->groups->at[s->feature];
    for (int k = 0; k < group->n; k++)
        if (group->feature[k] == feature)
            return 1;
    return 0;
}

/* ---- shapes ---- */

static poise__shape shape_of(const poise__shaper *c, const poise__source *s)
{
    if (s->layer >= 0)
        return c->shape[s->instance->id];
    if (s->layer == POISE__FEATURES)
        return (poise__shape){.width = poise__features_width(c->schema)};
    if (s->layer == POISE__UNRESOLVED)
        return (poise__shape){0};
    if (s->layer == POISE__ONE_FEATURE)
        return (poise__shape){.width = poise_feature_width(&c->schema->feature[s->feature])};
    const poise__group *group = &c->model->groups->at[s->feature];
    poise__shape sum = {0};
    for (int k = 0; k < group->n; k++)
        sum.width += poise_feature_width(&c->schema->feature[group->feature[k]]);
    return sum;
}

typedef struct sum {
    const poise__shaper *c;
    const poise__instance *i;
    const char *what;
    int64_t stack; /* how deep a stack may be; of experts: how many so far */
    int sources, unknown;
    poise__shape *out;
} sum;

static int add_width(void *user, const poise__source *s)
{
    sum *a = user;
    poise__shape x = shape_of(a->c, s);
    a->unknown |= x.width == 0;
    a->out->width += x.width;
    if (x.stack == 0)
        return 0;
    if (a->stack == POISE__ANY_STACK && a->sources == 1)
        a->stack = x.stack;
    if (a->stack == POISE__ANY_STACK)
        return poise_diagnose(a->c->diag, s->place,
                              "%s of '%s': '%s' is a stack, and a stack must be the only input",
                              a->what, a->i->layer->name, s->name);
    if (a->stack != x.stack)
        return poise_diagnose(a->c->diag, s->place,
                              "%s of '%s': '%s' is a stack of %" PRId64
                              "; take it into a mixture, or give '%s' copies: %" PRId64,
                              a->what, a->i->layer->name, s->name, x.stack, a->i->layer->name,
                              x.stack);
    if (a->sources != 1)
        return poise_diagnose(a->c->diag, s->place,
                              "%s of '%s': '%s' is a stack, and a stack must be the only input",
                              a->what, a->i->layer->name, s->name);
    a->out->stack = x.stack;
    return 0;
}

int poise__concat_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                        const poise__references *refs, int64_t stack, poise__shape *out)
{
    sum a = {.c = c, .i = i, .what = what, .stack = stack, .out = out};
    a.sources = poise__sources_count(c->model, i, refs);
    *out = (poise__shape){0};
    if (poise__sources(c->model, i, refs, add_width, &a) < 0)
        return -1;
    if (a.unknown)
        out->width = 0;
    return 0;
}

static int add_equal(void *user, const poise__source *s)
{
    sum *a = user;
    poise__shape x = shape_of(a->c, s), *out = a->out;
    int first = a->sources++ == 0, narrow = a->unknown && !x.stack && !out->stack;
    if (first || (narrow && out->width == 1)) {
        *out = x;
        return 0;
    }
    if (x.width == 0 || out->width == 0 || (narrow && x.width == 1) ||
        (x.width == out->width && x.stack == out->stack))
        return 0;
    char text[2][80];
    return poise_diagnose(a->c->diag, s->place,
                          "%s '%s': '%s' is %s, but what stands before it %s; they must be the "
                          "same",
                          a->what, a->i->layer->name, s->name,
                          poise__shape_text(&x, text[0], sizeof(text[0])),
                          poise__shape_text(out, text[1], sizeof(text[1])));
}

int poise__equal_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                       const poise__references *refs, int narrow, poise__shape *out)
{
    sum a = {.c = c, .i = i, .what = what, .out = out, .unknown = narrow};
    *out = (poise__shape){0};
    if (poise__sources(c->model, i, refs, add_equal, &a) < 0)
        return -1;
    out->parameters = 0;
    return 0;
}

static int add_experts(void *user, const poise__source *s)
{
    sum *a = user;
    poise__shape x = shape_of(a->c, s);
    a->stack += x.stack ? x.stack : 1;
    if (x.width == 0)
        a->unknown = 1;
    else if (a->out->width == 0)
        a->out->width = x.width;
    else if (a->out->width != x.width)
        return poise_diagnose(a->c->diag, s->place,
                              "mixture '%s': '%s' is %" PRId64
                              " wide, but the experts before it %" PRId64
                              "; experts of one mixture are equally wide",
                              a->i->layer->name, s->name, x.width, a->out->width);
    return 0;
}

int poise__experts_shape(const poise__shaper *c, const poise__instance *i,
                         const poise__references *refs, poise__shape *out)
{
    sum a = {.c = c, .i = i, .what = "mixture", .out = out};
    *out = (poise__shape){0};
    if (poise__sources(c->model, i, refs, add_experts, &a) < 0)
        return -1;
    if (a.unknown)
        out->width = 0;
    out->stack = a.stack;
    return 0;
}

/* ---- values ---- */

int64_t poise__numeric_width(const poise_schema *s, int k)
{
    return poise_feature_numbers(&s->feature[k]);
}

int64_t poise__ids_width(const poise_schema *s, int k)
{
    return poise_feature_ids(&s->feature[k]);
}

int64_t poise__embedded_width(const poise_schema *s, int k)
{
    const poise_feature *f = &s->feature[k];
    return poise_feature_ids(f) && poise_feature_alone(f) ? f->dim : 0;
}

/* Columns [from, to) of x; x itself where these are all of it. */
static poise_value *columns(poise__builder *b, poise_value *x, int64_t from, int64_t to)
{
    return x && x->dim[1] == to - from ? x : poise_slice(b->g, x, 1, from, to, b->err);
}

int poise__pieces(poise__builder *b, poise_value *x, poise__width_fn *width_of, int n,
                  const int *feature, poise_value **piece)
{
    const poise_schema *s = b->schema;
    int64_t at = 0, from = 0, to = 0;
    int npiece = 0;
    for (int f = 0, k = 0; f <= s->nfeature; f++) {
        const int wanted = k < n && feature[k] == f;
        const int64_t width = f == s->nfeature ? 0 : width_of(s, f);
        k += wanted;
        if (from < to && (f == s->nfeature || (width > 0 && !wanted))) {
            piece[npiece] = columns(b, x, from, to);
            if (!piece[npiece++])
                return -1;
            from = to = 0;
        }
        if (wanted && width > 0) {
            from = from < to ? from : at;
            to = at + width;
        }
        at += width;
    }
    return npiece;
}

poise_value *poise__columns(poise__builder *b, poise_value *x, poise__width_fn *width, int n,
                            const int *feature)
{
    poise_value **piece = poise__calloc((size_t)n, sizeof(*piece), b->err), *y = NULL;
    int npiece = piece ? poise__pieces(b, x, width, n, feature, piece) : -1;
    if (npiece > 0)
        y = npiece == 1 ? piece[0] : poise_concat(b->g, 1, npiece, piece, b->err);
    free(piece);
    return y;
}

/* Features [n], ascending, side by side as all are: numbers, then embeddings, then lists and what
 * shares a table. */
static poise_value *some_features(poise__builder *b, int n, const int *feature)
{
    poise_value **piece = poise__calloc((size_t)n * 3, sizeof(*piece), b->err), *y = NULL;
    int numbers =
        piece ? poise__pieces(b, b->numeric, poise__numeric_width, n, feature, piece) : -1;
    int more = numbers < 0 ? -1
                           : poise__pieces(b, b->embedded, poise__embedded_width, n, feature,
                                           piece + numbers);
    int all = numbers + more;
    for (int k = 0; k < n && more >= 0; k++)
        if (b->list[feature[k]].pooled)
            piece[all++] = b->list[feature[k]].pooled;
    if (more >= 0)
        y = all == 1 ? piece[0] : poise_concat(b->g, 1, all, piece, b->err);
    free(piece);
    return y;
}

poise_value *poise__feature_value(poise__builder *b, int feature)
{
    return some_features(b, 1, &feature);
}

poise_value *poise__source_value(poise__builder *b, const poise__source *s)
{
    if (s->layer >= 0)
        return b->instance[s->instance->id];
    if (s->layer == POISE__FEATURES)
        return b->features;
    if (s->layer == POISE__ONE_FEATURE)
        return some_features(b, 1, &s->feature);
    const poise__group *group = &b->model->groups->at[s->feature];
    return some_features(b, group->n, group->feature);
}

typedef struct gather {
    poise__builder *b;
    poise_value **out;
    int n, most, stacks;
} gather;

static int gather_one(void *user, const poise__source *s)
{
    gather *a = user;
    poise_value *x = poise__source_value(a->b, s);
    if (!x || a->n == a->most)
        return -1;
    if (a->stacks && x->rank == 2)
        x = poise_reshape(a->b->g, x, 3, (int64_t[]){x->dim[0], 1, x->dim[1]}, a->b->err);
    a->out[a->n++] = x;
    return x ? 0 : -1;
}

poise_value *poise__concat_value(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs)
{
    int n = poise__sources_count(b->model, i, refs);
    poise_value **x = poise__calloc((size_t)n, sizeof(poise_value *), b->err);
    gather a = {.b = b, .out = x, .most = n};
    poise_value *y = NULL;
    if (x && poise__sources(b->model, i, refs, gather_one, &a) == 0)
        y = n == 1 ? x[0] : poise_concat(b->g, 1, n, x, b->err);
    free(x);
    return y;
}

int poise__expert_values(poise__builder *b, const poise__instance *i, const poise__references *refs,
                         int most, poise_value **out)
{
    gather a = {.b = b, .out = out, .most = most, .stacks = 1};
    return poise__sources(b->model, i, refs, gather_one, &a) < 0 ? -1 : a.n;
}

int poise__source_values(poise__builder *b, const poise__instance *i, const poise__references *refs,
                         int most, poise_value **out)
{
    gather a = {.b = b, .out = out, .most = most};
    return poise__sources(b->model, i, refs, gather_one, &a) < 0 ? -1 : a.n;
}

int poise__row_counts(poise__builder *b, poise_value **counts)
{
    if (!b->counts && poise_graph_training(b->g)) {
        poise_value *count = b->weight[0];
        for (int t = 1; count && t < b->model->ntask; t++)
            count = poise_add(b->g, count, b->weight[t], b->err);
        if (!count)
            return -1;
        b->counts = count;
    }
    *counts = b->counts;
    return 0;
}

poise_value *poise__parameter(poise__builder *b, const char *path, const char *name,
                              poise_param_kind kind, int rank, const int64_t *dim, poise_init init)
{
    const char *full = path ? poise_graph_text(b->g, b->err, "%s/%s", path, name) : NULL;
    return full ? poise_weight(b->g, full, kind, rank, dim, init, b->err) : NULL;
}

poise_value *poise__linear(poise__builder *b, poise_value *x, const char *path, int64_t stack,
                           int64_t in, int64_t units, int activation)
{
    poise_init init = {.kind = poise__activation_init(activation), .fan_in = in, .fan_out = units};
    poise_init zero = {.kind = POISE_INIT_ZERO};
    const int64_t wdim[] = {stack, units, in}, bdim[] = {stack, units};
    int one = stack == 0; /* no stack: one dimension less */
    if (!x || !path)
        return NULL;
    poise_value *w = poise__parameter(b, path, "weight", POISE_DENSE, 3 - one, wdim + one, init);
    poise_value *bias =
        w ? poise__parameter(b, path, "bias", POISE_DENSE, 2 - one, bdim + one, zero) : NULL;
    if (!bias)
        return NULL;
    return one ? poise_linear(b->g, x, w, bias, b->err)
               : poise_batched_linear(b->g, x, w, bias, b->err);
}

poise_value *poise__hidden(poise__builder *b, poise_value *x, const char *path,
                           const poise__ints *units, int activation)
{
    for (int k = 0; x && k < units->n; k++) {
        const char *at = poise_graph_text(b->g, b->err, "%s/%d", path, k);
        x = poise__linear(b, x, at, 0, x->dim[1], units->value[k], activation);
        x = x ? poise__activate(b->g, x, activation, b->err) : NULL;
    }
    return x;
}

int64_t poise__hidden_parameters(const poise__ints *units, int64_t in)
{
    int64_t n = 0;
    for (int k = 0; in > 0 && k < units->n; k++) {
        n += units->value[k] * (in + 1);
        in = units->value[k];
    }
    return n;
}

poise_value *poise__dropped(poise__builder *b, poise_value *x, double rate, const char *path)
{
    const char *stream = x && path ? poise_graph_text(b->g, b->err, "dropout/%s", path) : NULL;
    return stream ? poise_dropout(b->g, x, rate, poise_random_stream(stream), b->err) : NULL;
}
