/* The kinds layer_norm and batch_norm, and what an mlp uses of them. */
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

static const double bn_momentum = 0.1, norm_eps = 1e-5; /* as PyTorch */

typedef struct norm_keys {
    poise__references input;
} norm_keys;

static const poise_key layer_rows[] = {
    {.name = "layer_norm",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(norm_keys, input),
     .help = "what it reads; a list is put side by side; copies are normalised each on its own"},
};
static const poise_key batch_rows[] = {
    {.name = "batch_norm",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(norm_keys, input),
     .help = "what it reads; a list is put side by side"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const norm_keys *k = i->own;
    if (poise__concat_shape(c, i, "input", &k->input, POISE__ANY_STACK, out) < 0)
        return -1;
    out->parameters = 2 * out->width * (out->stack ? out->stack : 1);
    return 0;
}

/* Copies are normalised each on its own: their gamma and beta are rows of [E, H]. */
static poise_value *stacked(poise__builder *b, poise_value *x, poise_value *gamma,
                            poise_value *beta)
{
    int64_t stack = x->dim[1], width = x->dim[2], e = 0;
    poise_value **y = poise__calloc((size_t)stack, sizeof(poise_value *), b->err), *joined = NULL;
    for (; y && e < stack; e++) {
        poise_value *ge = poise_slice(b->g, gamma, 0, e, e + 1, b->err);
        poise_value *be = poise_slice(b->g, beta, 0, e, e + 1, b->err);
        ge = poise_reshape(b->g, ge, 1, &width, b->err);
        be = poise_reshape(b->g, be, 1, &width, b->err);
        y[e] = poise_slice(b->g, x, 1, e, e + 1, b->err);
        y[e] = poise_layer_norm(b->g, y[e], ge, be, norm_eps, b->err);
        if (!y[e])
            break;
    }
    if (y && e == stack)
        joined = poise_concat(b->g, 1, (int)stack, y, b->err);
    free(y);
    return joined;
}

poise_value *poise__layer_norm(poise__builder *b, poise_value *x, const char *path)
{
    poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1}, zero = {.kind = POISE_INIT_ZERO};
    if (!x)
        return NULL;
    int rank = x->rank - 1;
    poise_value *gamma = poise__parameter(b, path, "gamma", POISE_DENSE, rank, &x->dim[1], one);
    poise_value *beta =
        gamma ? poise__parameter(b, path, "beta", POISE_DENSE, rank, &x->dim[1], zero) : NULL;
    if (!beta)
        return NULL;
    return rank == 2 ? stacked(b, x, gamma, beta)
                     : poise_layer_norm(b->g, x, gamma, beta, norm_eps, b->err);
}

/* Channels are independent: a stack is [B, E H] to it. */
poise_value *poise__batch_norm(poise__builder *b, poise_value *x, const char *path)
{
    static const struct {
        const char *name;
        poise_param_kind kind;
        double start;
    } row[] = {{"gamma", POISE_DENSE, 1},
               {"beta", POISE_DENSE, 0},
               {"mean", POISE_STATE, 0},
               {"variance", POISE_STATE, 1}};
    poise_value *p[4], *counts;
    if (!x)
        return NULL;
    int64_t width = poise_value_count(x) / x->dim[0], dim[3] = {x->dim[0], x->dim[1], 0};
    int rank = x->rank;
    dim[2] = rank == 3 ? x->dim[2] : 0;
    for (int k = 0; k < 4; k++) {
        poise_init init = {.kind = POISE_INIT_CONSTANT, .value = row[k].start};
        p[k] = poise__parameter(b, path, row[k].name, row[k].kind, 1, &width, init);
        if (!p[k])
            return NULL;
    }
    if (poise__row_counts(b, &counts) < 0)
        return NULL;
    if (rank == 3)
        x = poise_reshape(b->g, x, 2, (int64_t[]){dim[0], width}, b->err);
    x = poise_batch_norm(b->g, x, counts, p[0], p[1], p[2], p[3], bn_momentum, norm_eps, b->err);
    return rank == 3 ? poise_reshape(b->g, x, 3, dim, b->err) : x;
}

static poise_value *build_layer(poise__builder *b, const poise__instance *i)
{
    const norm_keys *k = i->own;
    return poise__layer_norm(b, poise__concat_value(b, i, &k->input), i->name);
}

static poise_value *build_batch(poise__builder *b, const poise__instance *i)
{
    const norm_keys *k = i->own;
    return poise__batch_norm(b, poise__concat_value(b, i, &k->input), i->name);
}

const poise__layer_kind poise__layer_norm_kind = {
    .section = {.name = "layer_norm",
                .about = "each row to mean 0 and deviation 1, then scaled and shifted as it learns",
                POISE__ROWS(layer_rows)},
    .own = sizeof(norm_keys),
    .shape = shape,
    .build = build_layer};
const poise__layer_kind poise__batch_norm_kind = {
    .section = {.name = "batch_norm",
                .about =
                    "each column to the batch's mean 0 and deviation 1, scaled and shifted as it "
                    "learns",
                POISE__ROWS(batch_rows)},
    .own = sizeof(norm_keys),
    .shape = shape,
    .build = build_batch};
