/* The kind mask: an attention mask over a layer's units (MTAN: Liu, Johns, Davison, CVPR 2019), and with
 * factor 2 the gates of PEPNet (Chang et al., KDD 2023). */
#include "../ops/ops.h"
#include "gate.h"

typedef struct mask_keys {
    poise__references input;
    poise__gate gate;
    double factor;
} mask_keys;

static const poise_key rows[] = {
    {.name = "mask",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(mask_keys, input),
     .help = "what is masked; a list is put side by side"},
    {.name = "gate",
     .kind = POISE_KEY_SECTION,
     .required = 1,
     .section = &poise__mask_gate_section,
     POISE__INTO(mask_keys, gate),
     .help = "what decides: sigmoid of a dense layer over it, one output per unit"},
    {.name = "factor",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .min = 1e-6,
     .max = 1e6,
     POISE__INTO(mask_keys, factor),
     .help = "the mask is within 0 and this; 2: it starts around 1"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const mask_keys *k = i->own;
    if (poise__concat_shape(c, i, "mask", &k->input, 0, out) < 0)
        return -1;
    out->parameters = poise__gate_parameters(c, i, &k->gate, out->width);
    return out->parameters < 0 ? -1 : 0;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const mask_keys *k = i->own;
    const char *path = poise_graph_text(b->g, b->err, "%s/gate", i->name);
    poise_value *x = poise__concat_value(b, i, &k->input);
    if (!x || !path)
        return NULL;
    poise_value *z = poise__gate_logits(b, i, &k->gate, path, x->dim[1]);
    poise_value *mask = poise_scale(b->g, poise_sigmoid(b->g, z, b->err), k->factor, b->err);
    return poise_multiply(b->g, x, mask, b->err);
}

const poise__layer_kind poise__mask_kind = {
    .section = {.name = "mask",
                .about = "a layer whose units are turned up and down: sigmoid(gate) input",
                POISE__ROWS(rows)},
    .own = sizeof(mask_keys),
    .shape = shape,
    .build = build};
