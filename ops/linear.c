/* linear.c -- y[B,O] = x[B,I] w[O,I]' + b[O], weights as PyTorch lays them out.
 *
 *     dx = dy w        linear_data
 *     dw = dy' x       linear_weights
 *     db = sum of dy   column_sum
 *
 * linear takes over the activation after it (activation.h); each of the first two gradients is
 * added onto another contribution by a second operator, z + dy w.
 */
#include <stddef.h>
#include "activation.h"
#include "affine.h"
#include "column_sum.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 2, err) < 0 ||
        poise__want(n, 1, "w", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, 1, "w", 1, n->in[0]->dim[1], "the width of x", err) < 0)
        return -1;
    if (n->nin > 2 && (poise__want(n, 2, "b", POISE_F32, 1, err) < 0 ||
                       poise__want_dim(n, 2, "b", 0, n->in[1]->dim[0], "the height of w", err) < 0))
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->in[1]->dim[0]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    poise_value *dy = dout[0];
    if (poise__want_no_activation(n, err) < 0)
        return -1;
    if (want[0] && poise__gradient(g, &poise__op_linear_data, 2, POISE__IN(dy, n->in[1]), NULL,
                                   &din[0], err) < 0)
        return -1;
    if (want[1] && poise__gradient(g, &poise__op_linear_weights, 2, POISE__IN(dy, n->in[0]), NULL,
                                   &din[1], err) < 0)
        return -1;
    if (n->nin > 2 && want[2])
        return poise__column_sum(g, dy, 1, &din[2], err);
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *x = n->in[0], *w = n->in[1];
    return poise__affine_forward(k, &(poise__affine){x->dim[0], 1, w->dim[1], w->dim[0]}, err);
}

const poise_op poise__op_linear = {
    .name = "linear",
    .formula = "y[B, O] = x[B, I] w[O, I]' + b[O]",
    .min_in = 2,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = 1 << 0,
    .shape = shape,
    .backward = backward,
    .compile = compile,
    .absorb = poise__absorb_activation,
};

poise_value *poise_linear(poise_graph *g, poise_value *x, poise_value *w, poise_value *b,
                          poise_error *err)
{
    return poise__apply(g, &poise__op_linear, 2, b != NULL ? 3 : 2, POISE__IN(x, w, b), NULL, err);
}

/* z comes first where there are three inputs, and has the shape of the product. */
static int data_shape(poise_node *n, poise_error *err)
{
    const int at = n->nin > 2;
    if (poise__want(n, at, "dy", POISE_F32, 2, err) < 0 ||
        poise__want(n, at + 1, "w", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, at + 1, "w", 0, n->in[at]->dim[1], "the width of dy", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[at]->dim[0], n->in[at + 1]->dim[1]});
    return poise__want_onto(n, err);
}

static int data_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dy = n->in[n->nin - 2], *w = n->in[n->nin - 1];
    return poise__affine_data(k, &(poise__affine){dy->dim[0], 1, w->dim[1], w->dim[0]}, err);
}

const poise_op poise__op_linear_data_onto = {
    .name = "linear_data_onto",
    .formula = "dx[B, I] = z[B, I] + dy[B, O] w[O, I]",
    .min_in = 3,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = 1 << 0 | 1 << 1, /* z and dy */
    .shape = data_shape,
    .compile = data_compile,
};

const poise_op poise__op_linear_data = {
    .name = "linear_data",
    .formula = "dx[B, I] = dy[B, O] w[O, I]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = 1 << 0,
    .shape = data_shape,
    .compile = data_compile,
    .onto = &poise__op_linear_data_onto,
};

static int weights_shape(poise_node *n, poise_error *err)
{
    const int at = n->nin > 2;
    if (poise__want(n, at, "dy", POISE_F32, 2, err) < 0 ||
        poise__want(n, at + 1, "x", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, at + 1, "x", 0, n->in[at]->dim[0], "the rows of dy", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[at]->dim[1], n->in[at + 1]->dim[1]});
    return poise__want_onto(n, err);
}

static int weights_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dy = n->in[n->nin - 2], *x = n->in[n->nin - 1];
    return poise__affine_weights(k, &(poise__affine){x->dim[0], 1, x->dim[1], dy->dim[1]}, err);
}

const poise_op poise__op_linear_weights_onto = {
    .name = "linear_weights_onto",
    .formula = "dw[O, I] = z[O, I] + dy[B, O]' x[B, I]",
    .min_in = 3,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = weights_shape,
    .compile = weights_compile,
};

const poise_op poise__op_linear_weights = {
    .name = "linear_weights",
    .formula = "dw[O, I] = dy[B, O]' x[B, I]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_SUMS,
    .by_row = 1 << 0 | 1 << 1,
    .shape = weights_shape,
    .compile = weights_compile,
    .onto = &poise__op_linear_weights_onto,
};
