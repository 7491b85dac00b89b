/* The kind attention: a few vectors become one, weighed by themselves (AITM: Xi et al., KDD 2021).
 *
 *     weight[k] = softmax over k of <query(u_k), key(u_k)> / sqrt(width)
 *     y         = sum over k of weight[k] value(u_k)
 *
 * query, key and value are dense layers, the same for every vector: PATH/query, PATH/key, PATH/value.
 * A vector alone is passed on as it is: there is nothing to weigh. */
#include <math.h>
#include <stdlib.h>
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

typedef struct attention_keys {
    poise__references input;
} attention_keys;

static const poise_key rows[] = {
    {.name = "attention",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(attention_keys, input),
     .help = "the vectors, equally wide; one alone is passed on as it is"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const attention_keys *k = i->own;
    poise__fields f;
    *out = (poise__shape){0};
    if (poise__fields_shape(c, i, "attention", &k->input, 1, &f) < 0)
        return -1;
    out->width = f.width;
    out->parameters = f.n > 1 ? 3 * f.width * (f.width + 1) : 0;
    return 0;
}

/* u[B, n, D], each vector mapped; as rows of [B, n D] */
static poise_value *mapped(poise__builder *b, const poise__instance *i, poise_value *u,
                           const poise__fields *f, const char *name)
{
    const char *path = poise_graph_text(b->g, b->err, "%s/%s", i->name, name);
    poise_value *flat = poise_reshape(b->g, u, 2, (int64_t[]){b->batch * f->n, f->width}, b->err);
    poise_value *y = poise__linear(b, flat, path, 0, f->width, f->width, POISE__ACT_none);
    return poise_reshape(b->g, y, 2, (int64_t[]){b->batch, f->total}, b->err);
}

static poise_value *attend(poise__builder *b, const poise__instance *i, poise_value *u,
                           const poise__fields *f, const int64_t *width)
{
    poise_value *query = mapped(b, i, u, f, "query"), *key = mapped(b, i, u, f, "key");
    poise_value *value = mapped(b, i, u, f, "value");
    if (!query || !key || !value)
        return NULL;
    poise_value *score = poise_segment_dot(b->g, query, key, (int)f->n, width, 0, b->err);
    score = poise_scale(b->g, score, 1 / sqrt((double)f->width), b->err);
    value = poise_reshape(b->g, value, 3, (int64_t[]){b->batch, f->n, f->width}, b->err);
    return poise_mixture(b->g, poise_softmax(b->g, score, b->err), 1, &value, b->err);
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const attention_keys *k = i->own;
    poise__fields f;
    int64_t *width;
    poise_value *u = poise__fields_value(b, i, &k->input, &f, &width);
    poise_value *y = !u || f.n == 1 ? u : attend(b, i, u, &f, width);
    free(width);
    return y;
}

const poise__layer_kind poise__attention_kind = {
    .section = {.name = "attention",
                .about = "a few vectors weighed by themselves: softmax of query key / sqrt(width)",
                POISE__ROWS(rows)},
    .own = sizeof(attention_keys),
    .shape = shape,
    .build = build};
