/* affine.h -- the three matrix products of linear and batched linear.  Internal.
 *
 * With E = 1 they are a linear layer's; a batched linear whose experts see one input is a linear
 * layer of width E * O.  Experts are reached through leading dimensions: nothing is copied.
 */
#ifndef POISE_AFFINE_H
#define POISE_AFFINE_H

#include "../core/op.h"

typedef struct poise__affine {
    int64_t batch, experts, in, out;
} poise__affine;

/* out[0] y[B,E,O] = in[0] x[B,E,I] in[1] w[E,O,I]' + in[2] b[E,O], where there is one */
int poise__affine_forward(poise_kernel *k, const poise__affine *a, poise_error *err);
/* out[0] dx[B,E,I] = in[0] dy[B,E,O] in[1] w[E,O,I] */
int poise__affine_data(poise_kernel *k, const poise__affine *a, poise_error *err);
/* out[0] dw[E,O,I] = in[0] dy[B,E,O]' in[1] x[B,E,I] */
int poise__affine_weights(poise_kernel *k, const poise__affine *a, poise_error *err);

#endif
