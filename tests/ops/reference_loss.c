/* reference_loss.c -- losses, signals, the balancer's place; and the search for a reference. */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "reference.h"

typedef double row_loss(const poise_node *n, const double *z, double label);

static double bce(const poise_node *n, const double *z, double label)
{
    (void)n;
    return -label * log(1.0 / (1.0 + exp(-z[0]))) - (1.0 - label) * log(1.0 / (1.0 + exp(z[0])));
}

static double squared(const poise_node *n, const double *z, double label)
{
    (void)n;
    return pow(z[0] - label, 2.0);
}

static double huber(const poise_node *n, const double *z, double label)
{
    const double d = fabs(z[0] - label), delta = n->attr.f[0];
    return d <= delta ? d * d / 2.0 : delta * (d - delta / 2.0);
}

static double cross_entropy(const poise_node *n, const double *z, double label)
{
    double sum = 0.0;
    for (int64_t c = 0; c < n->in[0]->dim[1]; c++)
        sum += exp(z[c] - z[(int64_t)label]);
    return log(sum);
}

static void mean_loss(const poise_node *n, const double *const *in, double *const *out,
                      row_loss *loss)
{
    const int64_t rows = n->in[0]->dim[0], width = poise_value_count(n->in[0]) / rows;
    double sum = 0.0, weights = 0.0;
    for (int64_t b = 0; b < rows; b++) {
        const double label = in[1][b], weight = in[2][b];
        if (!(weight > 0.0) || isnan(label) || (n->in[1]->dtype == POISE_I32 && label < 0.0))
            continue;
        sum += weight * loss(n, in[0] + b * width, label);
        weights += weight;
    }
    out[0][0] = weights > 0.0 ? sum / weights : 0.0;
    out[1][0] = weights;
}

#define LOSS(op, row)                                                                \
    static void op(const poise_node *n, const double *const *in, double *const *out, \
                   const poise_run *r)                                               \
    {                                                                                \
        (void)r;                                                                     \
        mean_loss(n, in, out, row);                                                  \
    }
LOSS(loss_bce, bce)
LOSS(loss_squared, squared)
LOSS(loss_huber, huber)
LOSS(loss_softmax, cross_entropy)

static double product(const poise_node *n, const double *const *in, int64_t i, int64_t j)
{
    const int64_t tasks = n->attr.i[0];
    double sum = 0.0;
    for (int64_t p = 0; p < n->nin; p += tasks)
        if (n->in[p + i] != NULL && n->in[p + j] != NULL)
            for (int64_t k = 0; k < poise_value_count(n->in[p + i]); k++)
                sum += in[p + i][k] * in[p + j][k];
    return sum;
}

static void gram(const poise_node *n, const double *const *in, double *const *out,
                 const poise_run *r)
{
    (void)r;
    const int64_t tasks = n->attr.i[0];
    for (int64_t i = 0; i < tasks; i++)
        for (int64_t j = 0; j < tasks; j++)
            out[0][i * tasks + j] = product(n, in, i, j);
}

static void grad_norm(const poise_node *n, const double *const *in, double *const *out,
                      const poise_run *r)
{
    (void)r;
    for (int64_t t = 0; t < n->attr.i[0]; t++)
        out[0][t] = sqrt(product(n, in, t, t));
}

/* The call that the cases give: weight[t] = 2 in[0][t] + 1. */
static void balance(const poise_node *n, const double *const *in, double *const *out,
                    const poise_run *r)
{
    (void)r;
    for (int64_t t = 0; t < poise_value_count(n->out[0]); t++)
        out[0][t] = 2.0 * in[0][t] + 1.0;
}

const reference references_loss[] = {
    {"loss_bce", loss_bce},
    {"loss_squared", loss_squared},
    {"loss_huber", loss_huber},
    {"loss_softmax", loss_softmax},
    {"gram", gram},
    {"grad_norm", grad_norm},
    {"balance", balance},
    {NULL, NULL},
};

reference_fn *reference_of(const char *op)
{
    const reference *const all[] = {references_linear, references_element, references_loss};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (const reference *r = all[k]; r->op != NULL; r++)
            if (strcmp(r->op, op) == 0)
                return r->fn;
    return NULL;
}
