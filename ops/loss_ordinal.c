/* loss_ordinal.c -- the cumulative link model: C - 1 falling logits c against a class of C.
 *
 *     P(label > k) = sigmoid(c[k]),  P(label = k) = sigmoid(a) - sigmoid(b), a = c[k-1], b = c[k]
 *
 *     l = softplus(-a) + softplus(b) - log(1 - e^-(a - b))
 *     dl/da = -sigmoid(-a) - s     dl/db = sigmoid(b) + s     s = 1 / (e^(a - b) - 1)
 *
 * At the ends the missing one of a and b, and with it the logarithm and s, falls away.  a - b is held
 * above TOUCH: logits that touch or cross have a large loss, whose slope pushes them apart.
 */
#include <math.h>
#include <stddef.h>
#include "loss.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static const double TOUCH = 1e-6;

static double softplus(double x)
{
    return fmax(x, 0.0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* What lies between the label's two logits. */
static double distance(const float *c, int64_t label)
{
    return fmax((double)c[label - 1] - (double)c[label], TOUCH);
}

static double loss_of(const float *c, int64_t n, int64_t label)
{
    double l = 0.0;
    if (label > 0)
        l += softplus(-(double)c[label - 1]);
    if (label < n)
        l += softplus((double)c[label]);
    if (label > 0 && label < n)
        l -= log(-expm1(-distance(c, label)));
    return l;
}

static void slope_of(const float *c, int64_t n, int64_t label, double factor, float *dc)
{
    const double s = label > 0 && label < n ? 1.0 / expm1(distance(c, label)) : 0.0;
    for (int64_t k = 0; k < n; k++)
        dc[k] = 0.0f;
    if (label > 0)
        dc[label - 1] = (float)(-factor * (sigmoid(-(double)c[label - 1]) + s));
    if (label < n)
        dc[label] = (float)(factor * (sigmoid((double)c[label]) + s));
}

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "c", POISE_F32, 2, err) < 0)
        return -1;
    return poise__loss_shape(n, POISE_I32, err);
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    return poise__loss_backward(g, n, &poise__op_loss_ordinal_backward, dout, want, din, err);
}

static int forth(POISE__RUN)
{
    (void)scratch;
    (void)r;
    const float *c = in[0], *weight = in[2];
    const int32_t *label = in[1];
    const int64_t rows = k->node->in[0]->dim[0], n = k->node->in[0]->dim[1];
    double loss = 0.0, sum = 0.0;
    for (int64_t i = 0; i < rows; i++) {
        if (!poise__loss_counts_class(weight[i], label[i]))
            continue;
        if (label[i] > n)
            return poise__loss_no_class(k->node, i, label[i], n + 1, err);
        loss += (double)weight[i] * loss_of(c + i * n, n, label[i]);
        sum += (double)weight[i];
    }
    *(float *)out[0] = sum > 0.0 ? (float)(loss / sum) : 0.0f;
    *(float *)out[1] = (float)sum;
    return 0;
}

static int back(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const float *c = in[0], *weight = in[2];
    const int32_t *label = in[1];
    float *dc = out[0];
    const int64_t rows = k->node->in[0]->dim[0], n = k->node->in[0]->dim[1];
    const double factor = poise__loss_factor(in);
    for (int64_t i = 0; i < rows; i++, c += n, dc += n)
        if (poise__loss_counts_class(weight[i], label[i]))
            slope_of(c, n, label[i], factor * (double)weight[i], dc);
        else
            for (int64_t j = 0; j < n; j++)
                dc[j] = 0.0f;
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__kernel(k, sizeof(int), forth, err) ? 0 : -1;
}

static int backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    return poise__kernel(k, sizeof(int), back, err) ? 0 : -1;
}

const poise_op poise__op_loss_ordinal = {
    .name = "loss_ordinal",
    .formula = "loss = sum of w (-log(sigmoid(c[label-1]) - sigmoid(c[label]))) / sum of w",
    .min_in = 3,
    .max_in = 3,
    .nout = 2,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_loss_ordinal_backward = {
    .name = "loss_ordinal_backward",
    .formula = "dc = dloss w l' / sum of w, in the label's two logits",
    .min_in = 5,
    .max_in = 5,
    .nout = 1,
    .shape = poise__loss_backward_shape,
    .compile = backward_compile,
};

poise_value *poise_loss_ordinal(poise_graph *g, poise_value *c, poise_value *label,
                                poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise__loss(g, &poise__op_loss_ordinal, c, label, weight, NULL, weight_sum, err);
}
