/* shape.h -- what the operators' shape rules are written with.  Internal.
 *
 * A check returns 0, or -1 with a SHAPE error at the node's place that names the input, what it is
 * and what was wanted.  `what` is the input's name in the operator's formula ("x", "w").
 */
#ifndef POISE_SHAPE_H
#define POISE_SHAPE_H

#include "../core/op.h"

/* Input k is there, has this type and this rank (0: any). */
int poise__want(const poise_node *n, int k, const char *what, poise_dtype dtype, int rank,
                poise_error *err);
/* Dimension `axis` of input k is `size`, which `why` explains: "the width of x". */
int poise__want_dim(const poise_node *n, int k, const char *what, int axis, int64_t size,
                    const char *why, poise_error *err);
/* Input k has the shape of input j. */
int poise__want_same(const poise_node *n, int k, const char *what, int j, const char *other,
                     poise_error *err);
/* Input k has `count` elements. */
int poise__want_count(const poise_node *n, int k, const char *what, int64_t count, const char *why,
                      poise_error *err);
/* A shape in attributes: i[at] is the rank, then the dimensions; each 1 or more, the product
 * within int64. */
int poise__want_shape(const poise_node *n, int at, int64_t *count, poise_error *err);

/* A shape as attributes, the rank at i[0]; dimensions are read where the rank is one that exists. */
poise_attr poise__attr_shape(int rank, const int64_t *dim);

/* Set the type and shape of output k. */
void poise__out(poise_node *n, int k, poise_dtype dtype, int rank, const int64_t *dim);
void poise__out_like(poise_node *n, int k, const poise_value *v);

/* The shape rule of operators whose only output is like their first input, f32. */
int poise__shape_like_first(poise_node *n, poise_error *err);
/* ... whose inputs are all of one shape, f32. */
int poise__shape_all_equal(poise_node *n, poise_error *err);

/* Product of the dimensions [from, to) of v. */
int64_t poise__extent(const poise_value *v, int from, int to);

/* poise_apply, returning output 0; NULL where in[0 .. need) holds a NULL, leaving *err alone. */
poise_value *poise__apply(poise_graph *g, const poise_op *op, int need, int nin,
                          poise_value *const *in, const poise_attr *attr, poise_error *err);

/* The same for a gradient: *din = output 0; 0 or -1. */
int poise__gradient(poise_graph *g, const poise_op *op, int nin, poise_value *const *in,
                    const poise_attr *attr, poise_gradient *din, poise_error *err);

/* The same, of an operator that takes the node's inputs with the first one replaced. */
int poise__gradient_with(poise_graph *g, const poise_op *op, const poise_node *n,
                         poise_value *first, poise_gradient *din, poise_error *err);
/* poise__apply on `first` and the n values of x, all of them needed. */
poise_value *poise__apply_first(poise_graph *g, const poise_op *op, poise_value *first, int n,
                                poise_value *const *x, poise_error *err);

#define POISE__IN(...) ((poise_value *[]){__VA_ARGS__})

#endif
