/* softmax.c -- over the last axis: y = e^(x - max) / sum of e^(x - max).
 *
 *     dx = y (dy - sum of dy y)      softmax_backward(dy, y)
 */
#include "ops.h"
#include "rows.h"
#include "shape.h"
#include "table.h"

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    (void)want;
    return poise__gradient(g, &poise__op_softmax_backward, 2, POISE__IN(dout[0], n->out[0]), NULL,
                           &din[0], err);
}

static void forth(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                  int64_t width)
{
    v->softmax(to - from, width, (const float *)j->in[0] + from * width,
               (float *)j->out[0] + from * width);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__rows_compile(k, forth, err);
}

const poise_op poise__op_softmax = {
    .name = "softmax",
    .formula = "y[..., C] = exp(x) / sum over c of exp(x)",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = poise__shape_like_first,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_softmax(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_softmax, 1, 1, POISE__IN(x), NULL, err);
}

static void back(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                 int64_t width)
{
    const int64_t at = from * width;
    v->softmax_back(to - from, width, (const float *)j->in[0] + at, (const float *)j->in[1] + at,
                    (float *)j->out[0] + at);
}

static int backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__rows_compile(k, back, err);
}

const poise_op poise__op_softmax_backward = {
    .name = "softmax_backward",
    .formula = "dx = y (dy - sum over c of dy y)",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_INPLACE | POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = poise__shape_all_equal,
    .compile = backward_compile,
};
