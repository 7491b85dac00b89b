/* loss.h -- what the losses share.  Internal.
 *
 *     loss[1] = sum over rows of w l(row) / weight_sum, 0 where the weights sum to 0
 *     weight_sum[1] = sum of w over the rows that count: w > 0 and a label that is not missing
 *
 *     dz = dloss w l'(z) / weight_sum in the rows that count, else 0
 *
 * Inputs (z, label, weight); of the backward operator (z, label, weight, weight_sum, dloss), with the
 * forward's attributes.
 *
 *   loss_number.c    one number z against one real label
 *   loss_softmax.c   C logits against a class
 *   loss_ordinal.c   C - 1 cumulative logits against a class
 */
#ifndef POISE_LOSS_H
#define POISE_LOSS_H

#include "kernel.h"

/* label and weight have the batch's elements; outputs loss[1] and weight_sum[1]. */
int poise__loss_shape(poise_node *n, poise_dtype label, poise_error *err);
/* dz like z */
int poise__loss_backward_shape(poise_node *n, poise_error *err);

/* The backward rule with the operator `back`. */
int poise__loss_backward(poise_graph *g, const poise_node *n, const poise_op *back,
                         poise_value *const *dout, const int *want, poise_gradient *din,
                         poise_error *err);

/* dloss / weight_sum, 0 where that is 0: what a backward kernel multiplies w l' with. */
double poise__loss_factor(void *const *in);

/* A row counts.  A class is missing where it is negative. */
int poise__loss_counts(float weight, float label);
int poise__loss_counts_class(float weight, int32_t label);
/* An error of the run: the class of row k does not exist. */
int poise__loss_no_class(const poise_node *n, int64_t k, int32_t label, int64_t classes,
                         poise_error *err);

/* Append the loss `op` with settings f; returns loss and *weight_sum. */
poise_value *poise__loss(poise_graph *g, const poise_op *op, poise_value *z, poise_value *label,
                         poise_value *weight, const double f[4], poise_value **weight_sum,
                         poise_error *err);

/* A setting that must lie in [min, max]: 0, or -1 with SPEC. */
int poise__loss_setting(const char *loss, const char *name, double value, double min, double max,
                        poise_error *err);

#endif
