/* activation.h -- the functions of one element, for the layers that apply one to their output.
 * Internal.
 *
 * A linear or batched linear node whose attr.p is such an operator applies it, with attr.f[0] as its
 * parameter, to every element that it has summed.
 */
#ifndef POISE_ACTIVATION_H
#define POISE_ACTIVATION_H

#include "../core/op.h"
#include "gemm.h"

/* The inner loop of an operator of activation.c, for this processor; NULL: it is no such operator. */
poise__map *poise__activation(const poise_op *op);

/* poise_op.absorb of a layer: n takes over the activation `reader`, unless it has one. */
int poise__absorb_activation(poise_node *n, const poise_node *reader);
/* A layer's gradient is one of its sums; an error for a node that took over an activation. */
int poise__want_no_activation(const poise_node *n, poise_error *err);

/* What n's attributes ask for, as part of a product. */
void poise__activation_of(const poise_node *n, poise__gemm *g);

#endif
