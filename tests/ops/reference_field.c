/* reference_field.c -- gates that choose, blends, and what is made of the fields of a row. */
#include <math.h>
#include <stddef.h>
#include "reference.h"

/* As often as `top`, the largest that is not taken yet. */
static void sparse_softmax(const poise_node *n, const double *const *in, double *const *out,
                           const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[0]->dim[1];
    for (int64_t at = 0; at < poise_value_count(n->in[0]); at += width) {
        double sum = 0.0;
        int64_t kept = 0;
        for (int64_t i = at; i < at + width; i++) {
            out[0][i] = 0.0;
            kept += in[1] != NULL && in[1][i] != 0.0;
        }
        for (int64_t k = 0; k < n->attr.i[0]; k++) {
            int64_t best = -1;
            for (int64_t i = at; i < at + width; i++)
                if (out[0][i] == 0.0 && (kept == 0 || in[1][i] != 0.0) &&
                    (best < 0 || in[0][i] > in[0][best]))
                    best = i;
            if (best < 0)
                break;
            out[0][best] = exp(in[0][best]);
            sum += out[0][best];
        }
        for (int64_t i = at; i < at + width; i++)
            out[0][i] /= sum;
    }
}

static void select_one(const poise_node *n, const double *const *in, double *const *out,
                       const poise_run *r)
{
    (void)r;
    const int64_t bits = n->in[0]->dim[2], experts = n->out[0]->dim[2];
    for (int64_t k = 0; k < poise_value_count(n->in[0]) / bits; k++) {
        for (int64_t e = 0; e < experts; e++)
            out[0][k * experts + e] = 0.0;
        for (int64_t code = 0; code < (INT64_C(1) << bits); code++) {
            double product = 1.0;
            for (int64_t m = 0; m < bits; m++) {
                const double s = in[0][k * bits + m];
                product *= code >> m & 1 ? s : 1.0 - s;
            }
            out[0][k * experts + code % experts] += product;
        }
    }
}

static void blend(const poise_node *n, const double *const *in, double *const *out,
                  const poise_run *r)
{
    (void)r;
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++) {
        out[0][i] = 0.0;
        for (int k = 1; k < n->nin; k++)
            out[0][i] += in[0][k - 1] * in[k][i];
    }
}

static void repeat(const poise_node *n, const double *const *in, double *const *out,
                   const poise_run *r)
{
    (void)r;
    const int64_t *dim = n->out[0]->dim;
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++)
        out[0][i] = in[0][i / (dim[1] * dim[2]) * dim[2] + i % dim[2]];
}

/* Of column c. */
static int64_t segment_of(const poise_node *n, int64_t c)
{
    const int64_t *width = n->attr.p;
    int64_t s = 0;
    for (int64_t end = width[0]; c >= end; end += width[s])
        s++;
    return s;
}

static double factor_of(const poise_node *n, int64_t segment)
{
    return n->attr.i[0] ? 1.0 / (double)((const int64_t *)n->attr.p)[segment] : 1.0;
}

static void segment_dot(const poise_node *n, const double *const *in, double *const *out,
                        const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[0]->dim[1], segments = n->out[0]->dim[1];
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++)
        out[0][i] = 0.0;
    for (int64_t i = 0; i < poise_value_count(n->in[0]); i++) {
        const int64_t s = segment_of(n, i % width);
        out[0][i / width * segments + s] +=
            factor_of(n, s) * in[0][i] * (in[1] != NULL ? in[1][i] : 1.0);
    }
}

static void segment_scale(const poise_node *n, const double *const *in, double *const *out,
                          const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[0]->dim[1], segments = n->in[1]->dim[1];
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++) {
        const int64_t s = segment_of(n, i % width);
        out[0][i] = factor_of(n, s) * in[0][i] * in[1][i / width * segments + s];
    }
}

/* The sum over pairs as it is defined. */
static void factorise(const poise_node *n, const double *const *in, double *const *out,
                      const poise_run *r)
{
    (void)r;
    const int64_t *dim = n->in[0]->dim;
    for (int64_t b = 0; b < dim[0]; b++)
        for (int64_t c = 0; c < dim[2]; c++) {
            const double *x = in[0] + b * dim[1] * dim[2] + c;
            double sum = 0.0;
            for (int64_t i = 0; i < dim[1]; i++)
                for (int64_t j = i + 1; j < dim[1]; j++)
                    sum += x[i * dim[2]] * x[j * dim[2]];
            out[0][b * dim[2] + c] = sum;
        }
}

static void pairs(const poise_node *n, const double *const *in, double *const *out,
                  const poise_run *r)
{
    (void)r;
    const int64_t *dim = n->in[0]->dim;
    double *y = out[0];
    for (int64_t b = 0; b < dim[0]; b++)
        for (int64_t i = 0; i < dim[1]; i++)
            for (int64_t j = i + 1; j < dim[1]; j++)
                for (int64_t c = 0; c < dim[2]; c++)
                    *y++ =
                        in[0][(b * dim[1] + i) * dim[2] + c] * in[1][(b * dim[1] + j) * dim[2] + c];
}

const reference references_field[] = {
    {"sparse_softmax", sparse_softmax},
    {"select", select_one},
    {"blend", blend},
    {"segment_dot", segment_dot},
    {"segment_scale", segment_scale},
    {"factorise", factorise},
    {"pairs", pairs},
    {"repeat", repeat},
    {NULL, NULL},
};
