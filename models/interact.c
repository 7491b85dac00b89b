/* Kinds that make products of fields: factorisation_machine and bilinear.
 *
 *     factorisation_machine   y = sum over i < j of v_i v_j, element by element, summed to one number
 *                             (Rendle, ICDM 2010) or left a vector (He, Chua, SIGIR 2017)
 *     bilinear                y_ij = (v_i W) v_j, element by element, for i < j, side by side; one W, or
 *                             one for each i, or one for each pair (FiBiNET: Huang et al., RecSys 2019)
 */
#include <stdlib.h>
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

enum { ONE, FIELD, PAIR };
enum { NUMBER, VECTOR };
static const char *const matrices[] = {"one", "field", "pair", NULL};
static const char *const results[] = {"number", "vector", NULL};

typedef struct interact_keys {
    poise__references input;
    int result, matrix;
} interact_keys;

static const poise_key machine_rows[] = {
    {.name = "factorisation_machine",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(interact_keys, input),
     .help = "the fields: features and layers, equally wide"},
    {.name = "result",
     .kind = POISE_KEY_CHOICE,
     .initial = "number",
     .choice = results,
     POISE__INTO(interact_keys, result),
     .help = "number: all products added up; vector: added up element by element, as wide as a "
             "field"},
};
static const poise_key bilinear_rows[] = {
    {.name = "bilinear",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(interact_keys, input),
     .help = "the fields: features and layers, equally wide, two or more"},
    {.name = "matrix",
     .kind = POISE_KEY_CHOICE,
     .initial = "one",
     .choice = matrices,
     POISE__INTO(interact_keys, matrix),
     .help = "one for all, one for each field, or one for each pair of fields"},
};

static int64_t pairs_of(int64_t n)
{
    return n * (n - 1) / 2;
}

/* ---- factorisation machine ---- */

static int machine_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const interact_keys *k = i->own;
    poise__fields f;
    *out = (poise__shape){0};
    if (poise__fields_shape(c, i, "factorisation_machine", &k->input, 1, &f) < 0)
        return -1;
    out->width = k->result == NUMBER ? 1 : f.width;
    return 0;
}

static poise_value *build_machine(poise__builder *b, const poise__instance *i)
{
    const interact_keys *k = i->own;
    poise__fields f;
    int64_t *width;
    poise_value *x = poise__fields_value(b, i, &k->input, &f, &width);
    free(width);
    x = poise_reshape(b->g, x, 3, (int64_t[]){b->batch, f.n, f.width}, b->err);
    poise_value *y = poise_factorise(b->g, x, b->err);
    return k->result == VECTOR ? y : poise_segment_dot(b->g, y, NULL, 1, &f.width, 0, b->err);
}

/* ---- bilinear ---- */

static int bilinear_shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const interact_keys *k = i->own;
    poise__fields f;
    *out = (poise__shape){0};
    if (poise__fields_shape(c, i, "bilinear", &k->input, 1, &f) < 0)
        return -1;
    if (f.n < 2 || f.n > 1000)
        return poise_diagnose(c->diag, i->kind_at,
                              "bilinear '%s': %lld field%s; it needs 2, and at most 1000",
                              i->layer->name, (long long)f.n, f.n == 1 ? "" : "s");
    const int64_t n[] = {1, f.n, pairs_of(f.n)};
    out->width = pairs_of(f.n) * f.width;
    out->parameters = n[k->matrix] * f.width * f.width;
    return 0;
}

/* Every field, or the left field of every pair, times its matrix. */
static poise_value *times_matrix(poise__builder *b, const poise__instance *i, poise_value *x)
{
    const int64_t n = x->dim[1], d = x->dim[2], dim[] = {n, d, d};
    const int one = ((const interact_keys *)i->own)->matrix == ONE;
    poise_init init = {.kind = POISE_INIT_GLOROT, .fan_in = d, .fan_out = d};
    poise_value *w = poise__parameter(b, i->name, "weight", POISE_DENSE, 3 - one, dim + one, init);
    if (!w)
        return NULL;
    if (!one)
        return poise_batched_linear(b->g, x, w, NULL, b->err);
    x = poise_reshape(b->g, x, 2, (int64_t[]){b->batch * n, d}, b->err);
    x = poise_linear(b->g, x, w, NULL, b->err);
    return poise_reshape(b->g, x, 3, (int64_t[]){b->batch, n, d}, b->err);
}

static poise_value *products(poise__builder *b, const poise__instance *i, poise_value *x)
{
    const interact_keys *k = i->own;
    if (k->matrix != PAIR) {
        poise_value *left = times_matrix(b, i, x);
        return left ? poise_pairs(b->g, left, x, b->err) : NULL;
    }
    poise_value *ones = poise_fill(b->g, 1, 3, x->dim, b->err);
    poise_value *left = poise_pairs(b->g, x, ones, b->err);
    left = left ? times_matrix(b, i, left) : NULL;
    return left ? poise_multiply(b->g, left, poise_pairs(b->g, ones, x, b->err), b->err) : NULL;
}

static poise_value *build_bilinear(poise__builder *b, const poise__instance *i)
{
    const interact_keys *k = i->own;
    poise__fields f;
    int64_t *width;
    poise_value *x = poise__fields_value(b, i, &k->input, &f, &width);
    free(width);
    x = poise_reshape(b->g, x, 3, (int64_t[]){b->batch, f.n, f.width}, b->err);
    poise_value *y = x ? products(b, i, x) : NULL;
    return poise_reshape(b->g, y, 2, (int64_t[]){b->batch, pairs_of(f.n) * f.width}, b->err);
}

const poise__layer_kind poise__factorisation_machine_kind = {
    .section = {.name = "factorisation_machine",
                .about = "the products of all pairs of fields, added up",
                POISE__ROWS(machine_rows)},
    .own = sizeof(interact_keys),
    .shape = machine_shape,
    .build = build_machine};
const poise__layer_kind poise__bilinear_kind = {
    .section = {.name = "bilinear",
                .about =
                    "the products of all pairs of fields, side by side, one of each pair mapped "
                    "first",
                POISE__ROWS(bilinear_rows)},
    .own = sizeof(interact_keys),
    .shape = bilinear_shape,
    .build = build_bilinear};
