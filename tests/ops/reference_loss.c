/* reference_loss.c -- losses, signals, the balancer's place; and the search for a reference. */
#include <math.h>
#include <stddef.h>
#include <string.h>
#include "reference.h"

typedef double row_loss(const poise_node *n, const double *z, double label);

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

/* f: smoothing, positive weight */
static double bce(const poise_node *n, const double *z, double label)
{
    const double y = (1.0 - n->attr.f[0]) * label + n->attr.f[0] * 0.5;
    return -n->attr.f[1] * y * log(sigmoid(z[0])) - (1.0 - y) * log(sigmoid(-z[0]));
}

/* f: gamma, positive, negative */
static double focal(const poise_node *n, const double *z, double label)
{
    const double p = sigmoid(z[0]), *f = n->attr.f;
    return -f[1] * label * pow(1.0 - p, f[0]) * log(p) -
           f[2] * (1.0 - label) * pow(p, f[0]) * log(1.0 - p);
}

static double poisson(const poise_node *n, const double *z, double label)
{
    (void)n;
    return exp(z[0]) - label * z[0] + (label > 0.0 ? label * log(label) : 0.0) - label;
}

static double itself(const poise_node *n, const double *z, double label)
{
    (void)n;
    (void)label;
    return z[0];
}

static double ordinal(const poise_node *n, const double *c, double label)
{
    const int64_t last = n->in[0]->dim[1], k = (int64_t)label;
    const double above = k > 0 ? sigmoid(c[k - 1]) : 1.0, over = k < last ? sigmoid(c[k]) : 0.0;
    return -log(above - over);
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

/* -sum over c of target log softmax(z)[c];  f: smoothing */
static double cross_entropy(const poise_node *n, const double *z, double label)
{
    const int64_t classes = n->in[0]->dim[1];
    const double e = n->attr.f[0];
    double sum = 0.0, loss = 0.0;
    for (int64_t c = 0; c < classes; c++)
        sum += exp(z[c]);
    for (int64_t c = 0; c < classes; c++)
        loss -=
            ((c == (int64_t)label ? 1.0 - e : 0.0) + e / (double)classes) * log(exp(z[c]) / sum);
    return loss;
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
LOSS(loss_focal, focal)
LOSS(loss_poisson, poisson)
LOSS(loss_mean, itself)
LOSS(loss_ordinal, ordinal)

/* The gap is 1/1000 and softplus, shifted so that it is 1 at 0. */
static void thresholds(const poise_node *n, const double *const *in, double *const *out,
                       const poise_run *r)
{
    (void)r;
    const int64_t rows = n->out[0]->dim[0], count = n->out[0]->dim[1];
    const double start = log(exp(1.0 - 1e-3) - 1.0);
    double theta = in[1][0] - (double)(count - 1) / 2.0;
    for (int64_t k = 0; k < count; k++) {
        if (k > 0)
            theta += 1e-3 + log(1.0 + exp(in[1][k] + start));
        for (int64_t b = 0; b < rows; b++)
            out[0][b * count + k] = in[0][b] - theta;
    }
}

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
    {"loss_focal", loss_focal},
    {"loss_poisson", loss_poisson},
    {"loss_mean", loss_mean},
    {"loss_ordinal", loss_ordinal},
    {"thresholds", thresholds},
    {"gram", gram},
    {"grad_norm", grad_norm},
    {"balance", balance},
    {NULL, NULL},
};

reference_fn *reference_of(const char *op)
{
    const reference *const all[] = {references_linear, references_element, references_field,
                                    references_loss};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (const reference *r = all[k]; r->op != NULL; r++)
            if (strcmp(r->op, op) == 0)
                return r->fn;
    return NULL;
}
