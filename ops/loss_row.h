/* loss_row.h -- what the losses share.  Internal.
 *
 *     loss[1] = sum over rows of w l(row) / weight_sum, 0 where the weights sum to 0
 *     weight_sum[1] = sum of w over the rows that count: w > 0 and a label that is not NaN
 *
 *     dz = dloss w l'(z) / weight_sum in the rows that count, else 0
 *
 * Inputs (z, label, weight); of the backward operator (z, label, weight, weight_sum, dloss).
 * A loss of one number z against one label is a row of two maps (ops/vector.h); f[0] is their p.
 */
#ifndef POISE_LOSS_ROW_H
#define POISE_LOSS_ROW_H

#include "kernel.h"

/* label and weight have the batch's elements; outputs loss[1] and weight_sum[1]. */
int poise__loss_shape(poise_node *n, poise_dtype label, poise_error *err);
/* z[B,1] or [B] in particular */
int poise__loss_row_shape(poise_node *n, poise_error *err);
/* dz like z */
int poise__loss_backward_shape(poise_node *n, poise_error *err);

/* The backward rule with the operator `back`. */
int poise__loss_backward(poise_graph *g, const poise_node *n, const poise_op *back,
                         poise_value *const *dout, const int *want, poise_gradient *din,
                         poise_error *err);

int poise__loss_row_compile(poise_kernel *k, poise__map *loss, poise_error *err);
int poise__loss_row_backward_compile(poise_kernel *k, poise__map *slope, poise_error *err);

/* dloss / weight_sum, 0 where that is 0: what a backward kernel multiplies w l' with. */
double poise__loss_factor(void *const *in);

/* Append the loss `op`; returns loss and *weight_sum. */
poise_value *poise__loss(poise_graph *g, const poise_op *op, poise_value *z, poise_value *label,
                         poise_value *weight, double p, poise_value **weight_sum, poise_error *err);

#endif
