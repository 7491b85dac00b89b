/* The kind squeeze_excitation: whole fields are turned up and down (Hu, Shen, Sun, CVPR 2018; for features
 * FiBiNET: Huang et al., RecSys 2019).
 *
 *     mean[f]  = the mean of field f's numbers
 *     by       = activation(dense(relu(dense(mean)))), one number per field
 *     y        = field f times by[f]
 */
#include <stdlib.h>
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

typedef struct squeeze_keys {
    poise__references input;
    int64_t reduction;
    int activation;
} squeeze_keys;

static const poise_key rows[] = {
    {.name = "squeeze_excitation",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(squeeze_keys, input),
     .help = "the fields: features and layers"},
    {.name = "reduction",
     .kind = POISE_KEY_INT,
     .initial = "3",
     .min = 1,
     .max = 1024,
     POISE__INTO(squeeze_keys, reduction),
     .help = "the hidden layer has this many times fewer units than there are fields, at least 1"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICE,
     .initial = "sigmoid",
     .choice = poise__activation_names,
     POISE__INTO(squeeze_keys, activation),
     .help = "of the fields' factors; FiBiNET has relu"},
};

static int64_t hidden_units(const squeeze_keys *k, int64_t fields)
{
    return fields > k->reduction ? fields / k->reduction : 1;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const squeeze_keys *k = i->own;
    poise__fields f;
    *out = (poise__shape){0};
    if (poise__fields_shape(c, i, "squeeze_excitation", &k->input, 0, &f) < 0)
        return -1;
    const int64_t units = hidden_units(k, f.n);
    out->width = f.total;
    out->parameters = units * (f.n + 1) + f.n * (units + 1);
    return 0;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const squeeze_keys *k = i->own;
    poise__fields f;
    int64_t *width;
    poise_value *x = poise__fields_value(b, i, &k->input, &f, &width), *y = NULL;
    const char *path[] = {poise_graph_text(b->g, b->err, "%s/0", i->name),
                          poise_graph_text(b->g, b->err, "%s/1", i->name)};
    if (x && path[0] && path[1]) {
        const int64_t units = hidden_units(k, f.n);
        poise_value *by = poise_segment_dot(b->g, x, NULL, (int)f.n, width, 1, b->err);
        by = poise__linear(b, by, path[0], 0, f.n, units, POISE__ACT_relu);
        by = poise__linear(b, poise_relu(b->g, by, b->err), path[1], 0, units, f.n, k->activation);
        by = by ? poise__activate(b->g, by, k->activation, b->err) : NULL;
        y = poise_segment_scale(b->g, x, by, (int)f.n, width, 0, b->err);
    }
    free(width);
    return y;
}

const poise__layer_kind poise__squeeze_excitation_kind = {
    .section = {.name = "squeeze_excitation",
                .about = "each field times a number that all fields decide",
                POISE__ROWS(rows)},
    .own = sizeof(squeeze_keys),
    .shape = shape,
    .build = build};
