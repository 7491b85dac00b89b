#include "loss.h"
#include <math.h>
#include <string.h>
#include "shape.h"

int poise__loss_shape(poise_node *n, poise_dtype label, poise_error *err)
{
    const int64_t batch = n->in[0]->dim[0];
    if (poise__want(n, 1, "label", label, 0, err) < 0 ||
        poise__want_count(n, 1, "label", batch, "the batch", err) < 0 ||
        poise__want(n, 2, "weight", POISE_F32, 0, err) < 0 ||
        poise__want_count(n, 2, "weight", batch, "the batch", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 1, (int64_t[]){1});
    poise__out(n, 1, POISE_F32, 1, (int64_t[]){1});
    return 0;
}

int poise__loss_backward_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "z", POISE_F32, 0, err) < 0 ||
        poise__want(n, 3, "weight_sum", POISE_F32, 1, err) < 0 ||
        poise__want(n, 4, "dloss", POISE_F32, 1, err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

int poise__loss_backward(poise_graph *g, const poise_node *n, const poise_op *back,
                         poise_value *const *dout, const int *want, poise_gradient *din,
                         poise_error *err)
{
    if (dout[0] == NULL)
        return poise_node_fail(n, POISE_E_GRADIENT, err, "its sum of weights has no gradient");
    if (!want[0])
        return 0;
    return poise__gradient(g, back, 5, POISE__IN(n->in[0], n->in[1], n->in[2], n->out[1], dout[0]),
                           &n->attr, &din[0], err);
}

double poise__loss_factor(void *const *in)
{
    const double sum = (double)*(const float *)in[3];
    return sum > 0.0 ? (double)*(const float *)in[4] / sum : 0.0;
}

int poise__loss_counts(float weight, float label)
{
    return weight > 0.0f && !isnan(label);
}

int poise__loss_counts_class(float weight, int32_t label)
{
    return weight > 0.0f && label >= 0;
}

int poise__loss_no_class(const poise_node *n, int64_t k, int32_t label, int64_t classes,
                         poise_error *err)
{
    return poise_node_fail(n, POISE_E_DATA, err,
                           "the label of row %lld is class %ld; there are %lld classes",
                           (long long)k, (long)label, (long long)classes);
}

poise_value *poise__loss(poise_graph *g, const poise_op *op, poise_value *z, poise_value *label,
                         poise_value *weight, const double f[4], poise_value **weight_sum,
                         poise_error *err)
{
    poise_attr a = {.f = {0.0}};
    if (f != NULL)
        memcpy(a.f, f, sizeof a.f);
    poise_value *loss = poise__apply(g, op, 3, 3, POISE__IN(z, label, weight), &a, err);
    if (weight_sum != NULL)
        *weight_sum = loss == NULL ? NULL : loss->producer->out[1];
    return loss;
}

int poise__loss_setting(const char *loss, const char *name, double value, double min, double max,
                        poise_error *err)
{
    if (value >= min && value <= max)
        return 0;
    return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%s: %s is %g; it must be within %g .. %g",
                      loss, name, value, min, max);
}
