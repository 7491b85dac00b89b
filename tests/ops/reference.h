/* reference.h -- every operator of ops.h again, in double, written from its formula and from
 * nothing of the library's kernels.  The forward pass alone: gradients come from differences. */
#ifndef TESTS_OPS_REFERENCE_H
#define TESTS_OPS_REFERENCE_H

#include "core/op.h"

/* Fill out[] of node n from in[].  Every value is doubles, whatever its type; an absent input is
 * NULL. */
typedef void reference_fn(const poise_node *n, const double *const *in, double *const *out,
                          const poise_run *r);

typedef struct reference {
    const char *op;
    reference_fn *fn;
} reference;

/* Ended by a NULL name. */
extern const reference references_linear[];
extern const reference references_element[];
extern const reference references_loss[];
extern const reference references_field[];

/* NULL: there is none. */
reference_fn *reference_of(const char *op);

#endif
