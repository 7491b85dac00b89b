/* loss_huber.c -- squared near the label, linear beyond delta = f[0] (Huber, 1964).
 *
 *     l = d^2 / 2 where d = |x - label| <= delta, else delta (d - delta / 2)
 *     l' = x - label held within [-delta, delta]
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
    return poise__loss_backward(g, n, &poise__op_loss_huber_backward, dout, want, din, err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__loss_row_compile(k, poise__vector_best()->huber, err);
}

static int backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__loss_row_backward_compile(k, poise__vector_best()->huber_back, err);
}

const poise_op poise__op_loss_huber = {
    .name = "loss_huber",
    .formula = "loss = sum of w h(x - label) / sum of w",
    .min_in = 3,
    .max_in = 3,
    .nout = 2,
    .shape = poise__loss_row_shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_loss_huber_backward = {
    .name = "loss_huber_backward",
    .formula = "dx = dloss w (x - label held within [-delta, delta]) / sum of w",
    .min_in = 5,
    .max_in = 5,
    .nout = 1,
    .shape = poise__loss_backward_shape,
    .compile = backward_compile,
};

poise_value *poise_loss_huber(poise_graph *g, poise_value *x, poise_value *label,
                              poise_value *weight, double delta, poise_value **weight_sum,
                              poise_error *err)
{
    if (!(delta > 0.0)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "loss_huber: delta is %g; it must be positive",
                   delta);
        return NULL;
    }
    return poise__loss(g, &poise__op_loss_huber, x, label, weight, delta, weight_sum, err);
}
