/* reshape.c -- the same elements with another shape: i[0] is the rank, i[1..] the dimensions.
 *
 *     dx = dy with x's shape
 */
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    char text[96];
    int64_t count;
    if (n->in[0] == NULL)
        return poise_node_fail(n, POISE_E_SHAPE, err, "input 0 (x) is missing");
    if (poise__want_shape(n, 0, &count, err) < 0)
        return -1;
    if (count != poise_value_count(n->in[0]))
        return poise_node_fail(n, POISE_E_SHAPE, err, "x is %s; it cannot become %lld elements",
                               poise_value_text(n->in[0], text, sizeof text), (long long)count);
    poise__out(n, 0, n->in[0]->dtype, (int)n->attr.i[0], &n->attr.i[1]);
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    (void)want;
    const poise_attr a = poise__attr_shape(n->in[0]->rank, n->in[0]->dim);
    return poise__gradient(g, n->op, 1, POISE__IN(dout[0]), &a, &din[0], err);
}

const poise_op poise__op_reshape = {
    .name = "reshape",
    .formula = "y = x with another shape",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_VIEW,
    .shape = shape,
    .backward = backward,
};

poise_value *poise_reshape(poise_graph *g, poise_value *x, int rank, const int64_t *dim,
                           poise_error *err)
{
    const poise_attr a = poise__attr_shape(rank, dim);
    return poise__apply(g, &poise__op_reshape, 1, 1, POISE__IN(x), &a, err);
}
