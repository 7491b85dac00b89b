/* stop_gradient.c -- y = x, and dx is zero by definition. */
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    if (n->in[0] == NULL)
        return poise_node_fail(n, POISE_E_SHAPE, err, "input 0 (x) is missing");
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

const poise_op poise__op_stop_gradient = {
    .name = "stop_gradient",
    .formula = "y = x, dx = 0",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_VIEW | POISE_OP_STOP,
    .shape = shape,
};

poise_value *poise_stop_gradient(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_stop_gradient, 1, 1, POISE__IN(x), NULL, err);
}
