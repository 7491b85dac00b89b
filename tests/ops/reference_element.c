/* reference_element.c -- element by element, softmax, dropout, normalisation. */
#include <math.h>
#include <stddef.h>
#include "core/random.h"
#include "reference.h"

/* A function of one element, or of two at the same place. */
#define ELEMENT(name, expression)                                                            \
    static void name##_all(const poise_node *n, const double *const *in, double *const *out, \
                           const poise_run *r)                                               \
    {                                                                                        \
        (void)r;                                                                             \
        for (int64_t i = 0; i < poise_value_count(n->out[0]); i++) {                         \
            const double x = in[0][i];                                                       \
            out[0][i] = expression;                                                          \
        }                                                                                    \
    }

ELEMENT(add, x + in[1][i])
ELEMENT(multiply, x *in[1][i])
ELEMENT(scale, n->attr.f[0] * x)
ELEMENT(scale_by, in[1][0] * x)
ELEMENT(relu, fmax(x, 0.0))
ELEMENT(leaky_relu, x > 0.0 ? x : n->attr.f[0] * x)
ELEMENT(gelu, 0.5 * x * erfc(-x / sqrt(2.0)))
ELEMENT(silu, x / (1.0 + exp(-x)))
ELEMENT(tanh, tanh(x))
ELEMENT(sigmoid, 1.0 / (1.0 + exp(-x)))
ELEMENT(log_sigmoid, -log1p(exp(-x)))
ELEMENT(log_odds, x - log1p(-exp(x)))
ELEMENT(logit, log(x / (1.0 - x)))
ELEMENT(reciprocal, 1.0 / fmax(x, n->attr.f[0]))

static double smooth(double t, double gamma)
{
    if (t <= -gamma / 2.0)
        return 0.0;
    if (t >= gamma / 2.0)
        return 1.0;
    return -2.0 / pow(gamma, 3.0) * pow(t, 3.0) + 1.5 / gamma * t + 0.5;
}

ELEMENT(smooth_step, smooth(x, n->attr.f[0]))

static void weighted_sum(const poise_node *n, const double *const *in, double *const *out,
                         const poise_run *r)
{
    (void)r;
    const int terms = n->nin / 2;
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++) {
        out[0][i] = 0.0;
        for (int k = 0; k < terms; k++)
            out[0][i] += in[terms + k][0] * in[k][i];
    }
}

static void softmax(const poise_node *n, const double *const *in, double *const *out,
                    const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[0]->dim[n->in[0]->rank - 1];
    for (int64_t at = 0; at < poise_value_count(n->in[0]); at += width) {
        double sum = 0.0;
        for (int64_t i = at; i < at + width; i++)
            sum += exp(in[0][i]);
        for (int64_t i = at; i < at + width; i++)
            out[0][i] = exp(in[0][i]) / sum;
    }
}

static void dropout(const poise_node *n, const double *const *in, double *const *out,
                    const poise_run *r)
{
    const double rate = n->attr.f[0];
    const uint64_t stream = (uint64_t)n->attr.i[0];
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++) {
        uint32_t w[4] = {(uint32_t)(i / 4), (uint32_t)r->step, (uint32_t)stream,
                         (uint32_t)(stream >> 32)};
        poise_philox(w, (uint32_t[]){(uint32_t)r->seed, (uint32_t)(r->seed >> 32)});
        out[0][i] = (double)w[i % 4] >= floor(rate * 4294967296.0) ? in[0][i] / (1.0 - rate) : 0.0;
    }
}

static void layer_norm(const poise_node *n, const double *const *in, double *const *out,
                       const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[1]->dim[0], rows = poise_value_count(n->in[0]) / width;
    for (int64_t k = 0; k < rows; k++) {
        const double *x = in[0] + k * width;
        double mean = 0.0, var = 0.0;
        for (int64_t i = 0; i < width; i++)
            mean += x[i] / (double)width;
        for (int64_t i = 0; i < width; i++)
            var += (x[i] - mean) * (x[i] - mean) / (double)width;
        out[1][k] = mean;
        out[2][k] = 1.0 / sqrt(var + n->attr.f[0]);
        for (int64_t i = 0; i < width; i++)
            out[0][k * width + i] = in[1][i] * (x[i] - mean) * out[2][k] + in[2][i];
    }
}

static void batch_norm(const poise_node *n, const double *const *in, double *const *out,
                       const poise_run *r)
{
    (void)r;
    const int64_t rows = n->in[0]->dim[0], width = n->in[0]->dim[1];
    for (int64_t c = 0; c < width; c++) {
        double mean = 0.0, var = 0.0, count = 0.0;
        for (int64_t b = 0; b < rows; b++)
            if (in[1] == NULL || in[1][b] > 0.0) {
                mean += in[0][b * width + c];
                count += 1.0;
            }
        mean = count > 0.0 ? mean / count : in[4][c];
        for (int64_t b = 0; b < rows; b++)
            if (in[1] == NULL || in[1][b] > 0.0)
                var += pow(in[0][b * width + c] - mean, 2.0);
        var = count > 0.0 ? var / count : in[5][c];
        out[1][c] = mean;
        out[2][c] = 1.0 / sqrt(var + n->attr.f[1]);
        for (int64_t b = 0; b < rows; b++)
            out[0][b * width + c] = in[2][c] * (in[0][b * width + c] - mean) * out[2][c] + in[3][c];
    }
}

static void batch_norm_running(const poise_node *n, const double *const *in, double *const *out,
                               const poise_run *r)
{
    (void)r;
    const int64_t rows = n->in[0]->dim[0], width = n->in[0]->dim[1];
    for (int64_t c = 0; c < width; c++) {
        out[1][c] = 1.0 / sqrt(in[4][c] + n->attr.f[1]);
        for (int64_t b = 0; b < rows; b++)
            out[0][b * width + c] =
                in[1][c] * (in[0][b * width + c] - in[3][c]) * out[1][c] + in[2][c];
    }
}

const reference references_element[] = {
    {"add", add_all},
    {"multiply", multiply_all},
    {"scale", scale_all},
    {"scale_by", scale_by_all},
    {"weighted_sum", weighted_sum},
    {"relu", relu_all},
    {"leaky_relu", leaky_relu_all},
    {"gelu", gelu_all},
    {"silu", silu_all},
    {"tanh", tanh_all},
    {"sigmoid", sigmoid_all},
    {"log_sigmoid", log_sigmoid_all},
    {"log_odds", log_odds_all},
    {"logit", logit_all},
    {"reciprocal", reciprocal_all},
    {"smooth_step", smooth_step_all},
    {"softmax", softmax},
    {"dropout", dropout},
    {"layer_norm", layer_norm},
    {"batch_norm", batch_norm},
    {"batch_norm_running", batch_norm_running},
    {NULL, NULL},
};
