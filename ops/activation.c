/* activation.c -- functions of one element.
 *
 *     relu         max(x, 0)                  dx = dy [y > 0]
 *     leaky_relu   x where x > 0, else f x    dx = dy (y > 0 ? 1 : f), f = f[0] >= 0
 *     tanh         tanh(x)                    dx = dy (1 - y^2)
 *     sigmoid      1 / (1 + e^-x)             dx = dy y (1 - y)
 *     gelu         x Phi(x)                   dx = dy (Phi(x) + x phi(x))
 *     silu         x sigmoid(x)               dx = dy s (1 + x (1 - s)), s = sigmoid(x)
 *     smooth_step  1/2 + 3/2 t - 2 t^3        dx = dy (3/2 - 6 t^2) / f, t = x / f within +- 1/2
 *     log_sigmoid  log(1 / (1 + e^-x))        dx = dy sigmoid(-x)
 *     log_odds     x - log(1 - e^x)           dx = dy / (1 - e^x)      the logit of p, x = log p
 *     logit        log(x) - log(1 - x)        dx = dy / (x (1 - x))    the logit of p, x = p
 *     reciprocal   1 / x                      dx = -dy / x^2
 *
 * The logit of a product of sigmoids, p = prod_k sigmoid(z_k), is log_odds(sum over k of
 * log_sigmoid(z_k)): exact to rounding however small p is, and up to 1 - p = 1e-30; x is held at or
 * below -1e-30.  For a probability that came about in another way there is logit: x is held within
 * [f, 1 - f].  reciprocal holds x at or above f.  Beyond what x is held to, the slope of these three is
 * that at the bound.
 *
 * The first four go backward from y, so that forward can be done in place of x.  All backward
 * operators take (dy, y or x) and can be done in place of dy.  The subgradient at 0 is that of
 * x < 0.
 */
#include "activation.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* name, formula, forward kernel, backward kernel, what backward reads, flags */
#define ACTIVATIONS(X)                                                                      \
    X(relu, "y = max(x, 0)", relu, relu_back, out, POISE_OP_INPLACE)                        \
    X(leaky_relu, "y = x > 0 ? x : slope x", leaky_relu, leaky_back, out, POISE_OP_INPLACE) \
    X(tanh, "y = tanh(x)", tanh, tanh_back, out, POISE_OP_INPLACE)                          \
    X(sigmoid, "y = 1 / (1 + exp(-x))", sigmoid, sigmoid_back, out, POISE_OP_INPLACE)       \
    X(gelu, "y = x Phi(x)", gelu, gelu_back, in, POISE_OP_INPLACE)                          \
    X(silu, "y = x sigmoid(x)", silu, silu_back, in, POISE_OP_INPLACE)                      \
    X(smooth_step, "y = 0 below -gamma/2, 1 above gamma/2, a cubic between", smooth_step,   \
      smooth_step_back, in, POISE_OP_INPLACE)                                               \
    X(log_sigmoid, "y = log(1 / (1 + exp(-x)))", log_sigmoid, log_sigmoid_back, in,         \
      POISE_OP_INPLACE)                                                                     \
    X(log_odds, "y = x - log(1 - exp(x)), x at most -1e-30", log_odds, log_odds_back, in,   \
      POISE_OP_INPLACE)                                                                     \
    X(logit, "y = log(x) - log(1 - x), x within eps and 1 - eps", logit, logit_back, in,    \
      POISE_OP_INPLACE)                                                                     \
    X(reciprocal, "y = 1 / x, x at least eps", reciprocal, reciprocal_back, in, POISE_OP_INPLACE)

#define X(op, text, forth, back, source, flag)                                                     \
    static int op##_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,        \
                             const int *want, poise_gradient *din, poise_error *err)               \
    {                                                                                              \
        (void)want;                                                                                \
        return poise__gradient(g, &poise__op_##op##_backward, 2, POISE__IN(dout[0], n->source[0]), \
                               &n->attr, &din[0], err);                                            \
    }                                                                                              \
                                                                                                   \
    static int op##_compile(const poise_node *n, poise_kernel *k, poise_error *err)                \
    {                                                                                              \
        return poise__map_compile(k, poise__vector_best()->forth, n->attr.f[0], err);              \
    }                                                                                              \
                                                                                                   \
    static int op##_backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)       \
    {                                                                                              \
        return poise__map_compile(k, poise__vector_best()->back, n->attr.f[0], err);               \
    }                                                                                              \
                                                                                                   \
    const poise_op poise__op_##op = {                                                              \
        .name = #op,                                                                               \
        .formula = text,                                                                           \
        .min_in = 1,                                                                               \
        .max_in = 1,                                                                               \
        .nout = 1,                                                                                 \
        .flags = flag | POISE_OP_ROWS,                                                             \
        .by_row = UINT32_MAX,                                                                      \
        .shape = poise__shape_like_first,                                                          \
        .backward = op##_backward,                                                                 \
        .compile = op##_compile,                                                                   \
    };                                                                                             \
                                                                                                   \
    const poise_op poise__op_##op##_backward = {                                                   \
        .name = #op "_backward",                                                                   \
        .formula = "dx = dy dy/dx where " text,                                                    \
        .min_in = 2,                                                                               \
        .max_in = 2,                                                                               \
        .nout = 1,                                                                                 \
        .flags = POISE_OP_INPLACE | POISE_OP_ROWS,                                                 \
        .by_row = UINT32_MAX,                                                                      \
        .shape = poise__shape_all_equal,                                                           \
        .compile = op##_backward_compile,                                                          \
    };
ACTIVATIONS(X)
#undef X

poise__map *poise__activation(const poise_op *op)
{
#define X(name, text, forth, back, source, flag) \
    if (op == &poise__op_##name)                 \
        return poise__vector_best()->forth;
    ACTIVATIONS(X)
#undef X
    return NULL;
}

int poise__absorb_activation(poise_node *n, const poise_node *reader)
{
    if (n->attr.p != NULL || poise__activation(reader->op) == NULL)
        return 0;
    n->attr.p = reader->op;
    n->attr.f[0] = reader->attr.f[0];
    return 1;
}

int poise__want_no_activation(const poise_node *n, poise_error *err)
{
    if (n->attr.p == NULL)
        return 0;
    return poise_node_fail(
        n, POISE_E_GRADIENT, err,
        "it computes an activation since poise_rewrite_epilogue; build gradients "
        "before");
}

void poise__activation_of(const poise_node *n, poise__gemm *g)
{
    const poise_op *op = n->attr.p;
    g->slope = (float)n->attr.f[0];
    if (op == &poise__op_relu)
        g->act = POISE__ACT_RELU;
    else if (op == &poise__op_leaky_relu)
        g->act = POISE__ACT_LEAKY;
    else if (op != NULL)
        g->map = poise__activation(op);
}

poise_value *poise_relu(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_relu, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_leaky_relu(poise_graph *g, poise_value *x, double slope, poise_error *err)
{
    if (!(slope >= 0.0)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "leaky_relu: the slope is %g; it must be 0 or more", slope);
        return NULL;
    }
    const poise_attr a = {.f = {slope}};
    return poise__apply(g, &poise__op_leaky_relu, 1, 1, POISE__IN(x), &a, err);
}

poise_value *poise_tanh(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_tanh, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_sigmoid(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_sigmoid, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_gelu(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_gelu, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_silu(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_silu, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_log_sigmoid(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_log_sigmoid, 1, 1, POISE__IN(x), NULL, err);
}

poise_value *poise_log_odds(poise_graph *g, poise_value *log_p, poise_error *err)
{
    return poise__apply(g, &poise__op_log_odds, 1, 1, POISE__IN(log_p), NULL, err);
}

poise_value *poise_logit(poise_graph *g, poise_value *p, double eps, poise_error *err)
{
    const poise_attr a = {.f = {eps}};
    if (!(eps >= 1e-7 && eps < 0.5)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "logit: eps is %g; it must be 1e-7 or more, and below 0.5", eps);
        return NULL;
    }
    return poise__apply(g, &poise__op_logit, 1, 1, POISE__IN(p), &a, err);
}

poise_value *poise_reciprocal(poise_graph *g, poise_value *x, double eps, poise_error *err)
{
    const poise_attr a = {.f = {eps}};
    if (!(eps >= 1e-12 && eps <= 1e12)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "reciprocal: eps is %g; it must be within 1e-12 and 1e12", eps);
        return NULL;
    }
    return poise__apply(g, &poise__op_reciprocal, 1, 1, POISE__IN(x), &a, err);
}

poise_value *poise_smooth_step(poise_graph *g, poise_value *x, double gamma, poise_error *err)
{
    const poise_attr a = {.f = {gamma}};
    if (!(gamma > 0.0)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "smooth_step: gamma is %g; it must be above 0",
                   gamma);
        return NULL;
    }
    return poise__apply(g, &poise__op_smooth_step, 1, 1, POISE__IN(x), &a, err);
}
