/* batched_linear.c -- E linear maps at once: y[B,E,O] = x[B,E,I] w[E,O,I]' + b[E,O].
 *
 * Where all experts see one input, x[B,I], w is a matrix [E*O, I] and the work is one wide product.
 *
 *     dx = dy w        batched_linear_data; i[0] = 1 where x is [B,I]: then it sums over experts
 *     dw = dy' x       batched_linear_weights
 *     db = sum of dy   column_sum
 *
 * An activation and the sum of gradients are taken over as in linear.c.
 */
#include <stddef.h>
#include "activation.h"
#include "affine.h"
#include "column_sum.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* x is [B,I] or [B,E,I] with E the first dimension of w or dy, `experts` */
static int want_input(const poise_node *n, int k, int64_t experts, poise_error *err)
{
    if (poise__want(n, k, "x", POISE_F32, n->nin > k && n->in[k] && n->in[k]->rank == 2 ? 2 : 3,
                    err) < 0)
        return -1;
    if (n->in[k]->rank == 3)
        return poise__want_dim(n, k, "x", 1, experts, "the number of experts", err);
    return 0;
}

static poise__affine affine(int64_t batch, int64_t experts, int64_t in, int64_t out, int shared)
{
    if (shared)
        return (poise__affine){batch, 1, in, experts * out};
    return (poise__affine){batch, experts, in, out};
}

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 1, "w", POISE_F32, 3, err) < 0)
        return -1;
    const poise_value *w = n->in[1];
    if (want_input(n, 0, w->dim[0], err) < 0)
        return -1;
    const poise_value *x = n->in[0];
    if (poise__want_dim(n, 1, "w", 2, x->dim[x->rank - 1], "the width of x", err) < 0)
        return -1;
    if (n->nin > 2 && (poise__want(n, 2, "b", POISE_F32, 2, err) < 0 ||
                       poise__want_dim(n, 2, "b", 0, w->dim[0], "the number of experts", err) < 0 ||
                       poise__want_dim(n, 2, "b", 1, w->dim[1], "the height of w", err) < 0))
        return -1;
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){x->dim[0], w->dim[0], w->dim[1]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    poise_value *dy = dout[0];
    if (poise__want_no_activation(n, err) < 0)
        return -1;
    const poise_attr shared = {.i = {n->in[0]->rank == 2}};
    if (want[0] && poise__gradient(g, &poise__op_batched_linear_data, 2, POISE__IN(dy, n->in[1]),
                                   &shared, &din[0], err) < 0)
        return -1;
    if (want[1] && poise__gradient(g, &poise__op_batched_linear_weights, 2, POISE__IN(dy, n->in[0]),
                                   NULL, &din[1], err) < 0)
        return -1;
    if (n->nin > 2 && want[2])
        return poise__column_sum(g, dy, 2, &din[2], err);
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *x = n->in[0], *w = n->in[1];
    const poise__affine a = affine(x->dim[0], w->dim[0], w->dim[2], w->dim[1], x->rank == 2);
    return poise__affine_forward(k, &a, err);
}

const poise_op poise__op_batched_linear = {
    .name = "batched_linear",
    .formula = "y[B, E, O] = x[B, E, I] or x[B, I], times w[E, O, I]', + b[E, O]",
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

poise_value *poise_batched_linear(poise_graph *g, poise_value *x, poise_value *w, poise_value *b,
                                  poise_error *err)
{
    return poise__apply(g, &poise__op_batched_linear, 2, b != NULL ? 3 : 2, POISE__IN(x, w, b),
                        NULL, err);
}

/* z comes first where there are three inputs, and has the shape of the product. */
static int data_shape(poise_node *n, poise_error *err)
{
    const int at = n->nin > 2;
    if (poise__want(n, at, "dy", POISE_F32, 3, err) < 0 ||
        poise__want(n, at + 1, "w", POISE_F32, 3, err) < 0)
        return -1;
    const poise_value *dy = n->in[at], *w = n->in[at + 1];
    if (poise__want_dim(n, at + 1, "w", 0, dy->dim[1], "the number of experts", err) < 0 ||
        poise__want_dim(n, at + 1, "w", 1, dy->dim[2], "the width of dy", err) < 0)
        return -1;
    if (n->attr.i[0])
        poise__out(n, 0, POISE_F32, 2, (int64_t[]){dy->dim[0], w->dim[2]});
    else
        poise__out(n, 0, POISE_F32, 3, (int64_t[]){dy->dim[0], w->dim[0], w->dim[2]});
    return poise__want_onto(n, err);
}

static int data_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dy = n->in[n->nin - 2], *w = n->in[n->nin - 1];
    const poise__affine a = affine(dy->dim[0], w->dim[0], w->dim[2], w->dim[1], n->attr.i[0] != 0);
    return poise__affine_data(k, &a, err);
}

const poise_op poise__op_batched_data_onto = {
    .name = "batched_data_onto",
    .formula =
        "dx[B, E, I] = z[B, E, I] + dy[B, E, O] w[E, O, I]; or dx[B, I] = z[B, I] + its sum over E",
    .min_in = 3,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = 1 << 0 | 1 << 1, /* z and dy */
    .shape = data_shape,
    .compile = data_compile,
};

const poise_op poise__op_batched_linear_data = {
    .name = "batched_linear_data",
    .formula = "dx[B, E, I] = dy[B, E, O] w[E, O, I], or dx[B, I]: its sum over E",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = 1 << 0,
    .shape = data_shape,
    .compile = data_compile,
    .onto = &poise__op_batched_data_onto,
};

static int weights_shape(poise_node *n, poise_error *err)
{
    const int at = n->nin > 2;
    if (poise__want(n, at, "dy", POISE_F32, 3, err) < 0)
        return -1;
    const poise_value *dy = n->in[at];
    if (want_input(n, at + 1, dy->dim[1], err) < 0 ||
        poise__want_dim(n, at + 1, "x", 0, dy->dim[0], "the rows of dy", err) < 0)
        return -1;
    const poise_value *x = n->in[at + 1];
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){dy->dim[1], dy->dim[2], x->dim[x->rank - 1]});
    return poise__want_onto(n, err);
}

static int weights_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dy = n->in[n->nin - 2], *x = n->in[n->nin - 1];
    const poise__affine a =
        affine(x->dim[0], dy->dim[1], x->dim[x->rank - 1], dy->dim[2], x->rank == 2);
    return poise__affine_weights(k, &a, err);
}

const poise_op poise__op_batched_weights_onto = {
    .name = "batched_weights_onto",
    .formula = "dw[E, O, I] = z[E, O, I] + dy[B, E, O]' x[B, E, I] or x[B, I]",
    .min_in = 3,
    .max_in = 3,
    .nout = 1,
    .flags = POISE_OP_INPLACE,
    .shape = weights_shape,
    .compile = weights_compile,
};

const poise_op poise__op_batched_linear_weights = {
    .name = "batched_linear_weights",
    .formula = "dw[E, O, I] = dy[B, E, O]' x[B, E, I] or x[B, I]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_SUMS,
    .by_row = 1 << 0 | 1 << 1,
    .shape = weights_shape,
    .compile = weights_compile,
    .onto = &poise__op_batched_weights_onto,
};
