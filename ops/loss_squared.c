/* loss_squared.c -- the squared error of x.
 *
 *     l = (x - label)^2     l' = 2 (x - label)
 *
 * Weights, labels that are missing and the backward inputs: loss_row.h.
 */
#include "loss_row.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    return poise__loss_backward(g, n, &poise__op_loss_squared_backward, dout, want, din, err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__loss_row_compile(k, poise__vector_best()->squared, err);
}

static int backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__loss_row_backward_compile(k, poise__vector_best()->squared_back, err);
}

const poise_op poise__op_loss_squared = {
    .name = "loss_squared",
    .formula = "loss = sum of w (x - label)^2 / sum of w",
    .min_in = 3,
    .max_in = 3,
    .nout = 2,
    .shape = poise__loss_row_shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_loss_squared_backward = {
    .name = "loss_squared_backward",
    .formula = "dx = dloss w 2 (x - label) / sum of w",
    .min_in = 5,
    .max_in = 5,
    .nout = 1,
    .shape = poise__loss_backward_shape,
    .compile = backward_compile,
};

poise_value *poise_loss_squared(poise_graph *g, poise_value *x, poise_value *label,
                                poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise__loss(g, &poise__op_loss_squared, x, label, weight, 0.0, weight_sum, err);
}
