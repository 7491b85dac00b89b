/* each.h -- several nodes of one operator and one shape as one step.  Internal.
 *
 *     in    those of the first, those of the second, ...; poise__each_inputs() of each, NULL where
 *           it has fewer
 *     out   one of each
 *     i[0]  how many there are; p: what they have in common
 *
 * The step compiles the operator once and runs it on the pointers of each: on one thread one after the
 * other, on several side by side, every one on a thread of its own.  Neighbours that read one second
 * input are products of one B: where their first inputs have zeros at the same places, as have the
 * tasks' gradients after one relu, they leave them out together (affine.h).  rewrite_stack.c makes
 * them.
 */
#ifndef POISE_EACH_H
#define POISE_EACH_H

#include "../core/op.h"

typedef struct poise__each {
    const poise_op *op;
    poise_attr attr; /* of every node */
} poise__each;

/* More are several steps: no operator tells the rows of more than 32 inputs (op.h, by_row). */
enum { POISE__EACH = 10 };

/* The operator that is several of `op`, a product; NULL: there is none. */
const poise_op *poise__each_of(const poise_op *op);
/* How many inputs of a node of that operator each of them has. */
int poise__each_inputs(const poise_op *each);

/* The kernel of one of them, if k is of such a step, else NULL. */
const poise_kernel *poise__each_kernel(const poise_kernel *k, int64_t *count);

#endif
