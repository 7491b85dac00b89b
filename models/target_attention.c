/* The kind target_attention: the items of a list feature, weighed by how they go with a target (DIN: Zhou
 * et al., KDD 2018).
 *
 *     score[l] = dense(mlp([q, k_l, q - k_l, q k_l]))          `score: mlp`, as DIN
 *              = <q, k_l> / sqrt(width)                        `score: dot`
 *     y        = sum over l of weight[l] k_l,  weight = score, or its softmax over the items
 *
 * q is the target, k_l the embedding of item l; where there is no item there is no weight, and an
 * empty list gives 0. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

enum { MLP, DOT };
static const char *const scores[] = {"mlp", "dot", NULL};

typedef struct target_keys {
    poise__references items, target;
    int score, softmax, activation;
    poise__ints hidden;
} target_keys;

static const poise_key rows[] = {
    {.name = "target_attention",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(target_keys, items),
     .help = "a list feature, which is read item by item"},
    {.name = "target",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(target_keys, target),
     .help = "what the items are weighed by, as wide as one of them; a list is put side by side"},
    {.name = "score",
     .kind = POISE_KEY_CHOICE,
     .initial = "mlp",
     .choice = scores,
     POISE__INTO(target_keys, score),
     .help = "mlp: a network of target, item, their difference and product; dot: their product's "
             "sum over sqrt(width)"},
    {.name = "hidden",
     .kind = POISE_KEY_INTS,
     .min = 1,
     .max = 65536,
     POISE__INTO(target_keys, hidden),
     .needs = "score: mlp",
     .help = "widths of the network's hidden layers; without it there are none"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICE,
     .initial = "sigmoid",
     .choice = poise__activation_names,
     POISE__INTO(target_keys, activation),
     .needs = "hidden",
     .help = "after every hidden layer"},
    {.name = "normalise",
     .kind = POISE_KEY_BOOL,
     .initial = "false",
     POISE__INTO(target_keys, softmax),
     .help = "true: weights are the scores' softmax over the items; false: the scores, as DIN, so "
             "that more items of interest weigh more"},
};

/* ---- shape ---- */

typedef struct search {
    const poise__shaper *c;
    const poise__instance *i;
    int feature; /* of the list; -1: none yet */
} search;

static int find_list(void *user, const poise__source *s)
{
    search *x = user;
    const poise_feature *f =
        s->layer == POISE__ONE_FEATURE ? &x->c->schema->feature[s->feature] : NULL;
    if (s->layer == POISE__UNRESOLVED)
        return -1;
    if (!f || f->kind != POISE_LIST)
        return poise_diagnose(x->c->diag, s->place,
                              "target_attention '%s': '%s' is no list feature; it takes one, item "
                              "by item",
                              x->i->layer->name, s->name);
    if (x->feature >= 0)
        return poise_diagnose(x->c->diag, s->place,
                              "target_attention '%s': '%s' is a second list; it takes one",
                              x->i->layer->name, s->name);
    x->feature = s->feature;
    return 0;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const target_keys *k = i->own;
    search x = {c, i, -1};
    poise__shape target;
    *out = (poise__shape){0};
    if (poise__sources(c->model, i, &k->items, find_list, &x) < 0 ||
        poise__concat_shape(c, i, "target", &k->target, 0, &target) < 0)
        return -1;
    const int64_t width = c->schema->feature[x.feature].dim;
    if (target.width > 0 && target.width != width)
        return poise_diagnose(c->diag, k->target.at[0].place,
                              "target_attention '%s': the target is %" PRId64
                              " wide, but an item %" PRId64 "; they must be the same",
                              i->layer->name, target.width, width);
    out->width = width;
    if (k->score == MLP) {
        const int64_t last = k->hidden.n ? k->hidden.value[k->hidden.n - 1] : 4 * width;
        out->parameters = poise__hidden_parameters(&k->hidden, 4 * width) + last + 1;
    }
    return 0;
}

/* ---- values ---- */

/* The scores [B,L] of items k[B,L,D] beside the target q[B,L,D], the same for all of a row. */
static poise_value *mlp_scores(poise__builder *b, const poise__instance *i, poise_value *q,
                               poise_value *k)
{
    const target_keys *own = i->own;
    const int64_t items = k->dim[1], width = k->dim[2];
    poise_value *less = poise_add(b->g, q, poise_scale(b->g, k, -1, b->err), b->err);
    poise_value *times = poise_multiply(b->g, q, k, b->err);
    poise_value *x = poise_concat(b->g, 2, 4, (poise_value *[]){q, k, less, times}, b->err);
    x = poise_reshape(b->g, x, 2, (int64_t[]){b->batch * items, 4 * width}, b->err);
    x = poise__hidden(b, x, i->name, &own->hidden, own->activation);
    x = x ? poise__linear(b, x, i->name, 0, x->dim[1], 1, POISE__ACT_none) : NULL;
    return poise_reshape(b->g, x, 2, (int64_t[]){b->batch, items}, b->err);
}

static poise_value *dot_scores(poise__builder *b, poise_value *q, poise_value *k)
{
    const int64_t items = k->dim[1], width = k->dim[2], dim[] = {b->batch, items * width};
    int64_t *each = poise__calloc((size_t)items, sizeof(*each), b->err);
    poise_value *score = NULL;
    if (each) {
        for (int64_t l = 0; l < items; l++)
            each[l] = width;
        score =
            poise_segment_dot(b->g, poise_reshape(b->g, q, 2, dim, b->err),
                              poise_reshape(b->g, k, 2, dim, b->err), (int)items, each, 0, b->err);
    }
    free(each);
    return poise_scale(b->g, score, 1 / sqrt((double)width), b->err);
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const target_keys *own = i->own;
    const poise__shaper c = {b->model, b->schema, b->shape, NULL};
    search x = {&c, i, -1};
    poise__sources(b->model, i, &own->items, find_list, &x);
    poise_value *ids = b->list[x.feature].ids, *k = b->list[x.feature].items;
    poise_value *target = poise__concat_value(b, i, &own->target);
    poise_value *q = poise_repeat(b->g, target, k->dim[1], b->err);
    poise_value *is_item = poise_list_mask(b->g, ids, b->err);
    if (!q || !is_item)
        return NULL;
    poise_value *weight = own->score == DOT ? dot_scores(b, q, k) : mlp_scores(b, i, q, k);
    weight = own->softmax ? poise_sparse_softmax(b->g, weight, is_item, k->dim[1], b->err)
                          : poise_multiply(b->g, weight, is_item, b->err);
    return poise_mixture(b->g, weight, 1, &k, b->err);
}

const poise__layer_kind poise__target_attention_kind = {
    .section = {.name = "target_attention",
                .about = "the items of a list feature, weighed by how they go with a target",
                POISE__ROWS(rows)},
    .own = sizeof(target_keys),
    .items = 1,
    .shape = shape,
    .build = build};
