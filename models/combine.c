/* Kinds that make one value of several: concat, add, subtract, multiply. */
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

typedef struct combine_keys {
    poise__references input;
} combine_keys;

#define ROWS(kind_name, text)                     \
    static const poise_key kind_name##_rows[] = { \
        {.name = #kind_name,                      \
         .kind = POISE_KEY_REFERENCES,            \
         .required = 1,                           \
         POISE__INTO(combine_keys, input),        \
         .help = text},                           \
    };
ROWS(concat, "what is put side by side")
ROWS(add, "what is added up, equally wide")
ROWS(subtract, "the first, less the others, equally wide")
ROWS(multiply, "what is multiplied, element by element, equally wide or 1 wide")

static int concat_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const combine_keys *k = i->own;
    return poise__concat_shape(c, i, "input", &k->input, POISE__ANY_STACK, out);
}

static int sum_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const combine_keys *k = i->own;
    int done = poise__equal_shape(c, i, i->layer->kind->section.name, &k->input, 0, out);
    out->probability = 0;
    return done;
}

static int not_probability(void *user, const poise__source *s)
{
    const poise__shaper *c = user;
    return !s->instance || !c->shape[s->instance->id].probability;
}

static int product_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const combine_keys *k = i->own;
    poise__shaper copy = *c;
    if (poise__equal_shape(c, i, "multiply", &k->input, 1, out) < 0)
        return -1;
    out->probability = !poise__sources(c->model, i, &k->input, not_probability, &copy);
    return 0;
}

static poise_value *build_concat(poise__builder *b, const poise__instance *i)
{
    const combine_keys *k = i->own;
    return poise__concat_value(b, i, &k->input);
}

/* a b, where one may be 1 wide. */
static poise_value *product(poise__builder *b, poise_value *a, poise_value *x)
{
    int64_t wa = a ? a->dim[a->rank - 1] : 0, wx = x ? x->dim[x->rank - 1] : 0;
    if (wa == wx)
        return poise_multiply(b->g, a, x, b->err);
    if (wa == 1)
        return poise_segment_scale(b->g, x, a, 1, &wx, 0, b->err);
    return poise_segment_scale(b->g, a, x, 1, &wa, 0, b->err);
}

static poise_value *difference(poise__builder *b, poise_value *a, poise_value *x)
{
    return poise_add(b->g, a, poise_scale(b->g, x, -1.0, b->err), b->err);
}

static poise_value *sum(poise__builder *b, poise_value *a, poise_value *x)
{
    return poise_add(b->g, a, x, b->err);
}

/* From the left to the right. */
static poise_value *fold(poise__builder *b, const poise__instance *i,
                         poise_value *(*with)(poise__builder *b, poise_value *a, poise_value *x))
{
    const combine_keys *k = i->own;
    int n = poise__sources_count(b->model, i, &k->input);
    poise_value **x = poise__calloc((size_t)n, sizeof(poise_value *), b->err), *y = NULL;
    if (x && poise__source_values(b, i, &k->input, n, x) == n) {
        y = x[0];
        for (int j = 1; j < n && y; j++)
            y = with(b, y, x[j]);
    }
    free(x);
    return y;
}

static poise_value *build_add(poise__builder *b, const poise__instance *i)
{
    return fold(b, i, sum);
}

static poise_value *build_subtract(poise__builder *b, const poise__instance *i)
{
    return fold(b, i, difference);
}

typedef struct logs {
    poise__builder *b;
    poise_value *sum;
} logs;

static int add_log(void *user, const poise__source *s)
{
    logs *l = user;
    poise_value *log = l->b->log_p[s->instance->id];
    l->sum = l->sum ? sum(l->b, l->sum, log) : log;
    return l->sum ? 0 : -1;
}

/* Of probabilities the logarithms are added too: the logit of the product comes from there. */
static poise_value *build_multiply(poise__builder *b, const poise__instance *i)
{
    const combine_keys *k = i->own;
    logs l = {.b = b};
    if (b->shape[i->id].probability) {
        if (poise__sources(b->model, i, &k->input, add_log, &l) < 0)
            return NULL;
        b->log_p[i->id] = l.sum;
    }
    return fold(b, i, product);
}

#define KIND(kind_name, text, shape_rule)                                              \
    const poise__layer_kind poise__##kind_name##_kind = {                              \
        .section = {.name = #kind_name, .about = text, POISE__ROWS(kind_name##_rows)}, \
        .own = sizeof(combine_keys),                                                   \
        .shape = shape_rule,                                                           \
        .build = build_##kind_name};
KIND(concat, "several side by side", concat_shape)
KIND(add, "a sum", sum_shape)
KIND(subtract, "a difference", sum_shape)
KIND(multiply, "a product, element by element; of probabilities a probability", product_shape)
