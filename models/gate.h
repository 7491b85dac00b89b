/* gate.h -- what makes the weights of a mixture's experts, and the factors of a mask.  Internal.
 *
 *     gate: features                          # the input alone
 *     gate: {input: features, mlp: [64], top: 2}
 *
 * A gate is a network: hidden dense layers PATH/0, PATH/1, ..., then a dense layer PATH.
 */
#ifndef POISE_GATE_H
#define POISE_GATE_H

#include "layer.h"

typedef struct poise__gate {
    poise__references input;
    poise__ints mlp;
    int activation;
    double temperature, dropout, smooth;
    int64_t top, select; /* 0: not said */
} poise__gate;

/* Both fill a poise__gate; of a mask it has input, mlp and activation. */
extern const poise_section poise__gate_section, poise__mask_gate_section;

/* How many weights and biases a gate of `outputs` has, 0 where its input's width is not known; -1
 * after a diagnosis. */
int64_t poise__gate_parameters(const poise__shaper *c, const poise__instance *i,
                               const poise__gate *k, int64_t outputs);
/* Diagnose what does not go with `experts` experts, or with each other; 0 or -1. */
int poise__gate_check(const poise__shaper *c, const poise__instance *i, const poise__gate *k,
                      int64_t experts);

/* The gate's last dense layer, [B, outputs]. */
poise_value *poise__gate_logits(poise__builder *b, const poise__instance *i, const poise__gate *k,
                                const char *path, int64_t outputs);
/* The weights of `experts` experts, [B, experts]: rows sum to 1. */
poise_value *poise__gate_weights(poise__builder *b, const poise__instance *i, const poise__gate *k,
                                 const char *path, int64_t experts);

#endif
