/* affine.h -- the three matrix products of linear and batched linear.  Internal.
 *
 * With E = 1 they are a linear layer's; a batched linear whose experts see one input is a linear
 * layer of width E * O.  Experts are reached through leading dimensions: nothing is copied.
 */
#ifndef POISE_AFFINE_H
#define POISE_AFFINE_H

#include "../core/op.h"
#include "gemm.h"
#include "skip.h"

typedef struct poise__affine {
    int64_t batch, experts, in, out;
} poise__affine;

/* out[0] y[B,E,O] = in[0] x[B,E,I] in[1] w[E,O,I]' + in[2] b[E,O], where there is one, and the
 * activation that the node took over (activation.h) */
int poise__affine_forward(poise_kernel *k, const poise__affine *a, poise_error *err);
/* out[0] dx[B,E,I] = in[0] dy[B,E,O] in[1] w[E,O,I]; with three inputs z + that of the other two,
 * z = in[0], which may be out[0] */
int poise__affine_data(poise_kernel *k, const poise__affine *a, poise_error *err);
/* out[0] dw[E,O,I] = in[0] dy[B,E,O]' in[1] x[B,E,I]; or z + that */
int poise__affine_weights(poise_kernel *k, const poise__affine *a, poise_error *err);

/* Of such kernels, several that differ in A and C alone can leave out together what is zero in all
 * of their A: a vector of B is then read once for all (skip.h).
 *
 *   join        k, compiled, will be one of up to `count` of them: makes room in k->scratch
 *   joins       are they such that it pays?  Number t has its inputs from in[t * inputs] on
 *   run_joined  runs them, with k's scratch */
enum { POISE__AFFINE_JOINED = POISE__SKIP_MOST };
void poise__affine_join(poise_kernel *k, int count);
int poise__affine_joins(const poise_kernel *k, int count, int inputs, void *const *in,
                        void *const *out);
int poise__affine_run_joined(const poise_kernel *k, int count, int inputs, void *const *in,
                             void *const *out, void *scratch, const poise_run *r, poise_error *err);

/* The products of a compiled node: how many there are and, but for the pointers, one of them; 0 and
 * *g as it was for another operator's. */
int64_t poise__affine_products(const poise_kernel *k, poise__gemm *g);

/* The shape rule's last line: z, the first of three inputs, is like out[0], which is set. */
int poise__want_onto(const poise_node *n, poise_error *err);

#endif
