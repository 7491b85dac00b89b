/* double_pass.h -- forward and reverse through a graph's nodes in double precision, by the textbook
 * rules and with none of the library's kernels or backward operators.  Operators: linear,
 * batched_linear, embedding, concat, reshape, relu, multiply, softmax, mixture, loss_bce.
 *
 * One reverse pass per task is what the signals of train/signals.h are compared with.
 */
#ifndef POISE_TEST_DOUBLE_PASS_H
#define POISE_TEST_DOUBLE_PASS_H

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/graph.h"
#include "core/op.h"

typedef struct double_pass {
    const poise_graph *g;
    int nodes, values; /* only the first so many: the forward part */
    double **value;    /* by value id */
    double **grad;
} double_pass;

static size_t dp_count(const poise_value *v)
{
    return (size_t)poise_value_count(v);
}

static void double_pass_init(double_pass *p, const poise_graph *g)
{
    int n = poise_graph_values(g);

    p->g = g;
    p->nodes = poise_graph_nodes(g);
    p->values = n;
    p->value = calloc((size_t)n, sizeof *p->value);
    p->grad = calloc((size_t)n, sizeof *p->grad);
    for (int k = 0; k < n; k++) {
        const poise_value *v = poise_graph_value(g, k);
        p->value[k] = calloc(dp_count(v), sizeof(double));
        p->grad[k] = calloc(dp_count(v), sizeof(double));
        if (v->role == POISE_PARAM) {
            const float *w = poise_store_weight(poise_graph_store(g), v->param);
            for (size_t i = 0; i < dp_count(v); i++)
                p->value[k][i] = (double)w[i];
        }
    }
}

static void double_pass_done(double_pass *p)
{
    for (int k = 0; k < p->values; k++) {
        free(p->value[k]);
        free(p->grad[k]);
    }
    free(p->value);
    free(p->grad);
}

/* y[b, e, o] += x[b, (e,) i] w[e, o, i]; reverse: the two products the other way round. */
static void dp_maps(const poise_node *n, double_pass *p, int reverse)
{
    const poise_value *vx = n->in[0], *vw = n->in[1], *vb = n->nin > 2 ? n->in[2] : NULL;
    int64_t B = vx->dim[0], E = vw->rank == 3 ? vw->dim[0] : 1, O = vw->dim[vw->rank - 2],
            I = vw->dim[vw->rank - 1];
    int own = vx->rank == 3; /* every expert has its own input */
    double *x = p->value[vx->id], *w = p->value[vw->id], *y = p->value[n->out[0]->id];
    double *gx = p->grad[vx->id], *gw = p->grad[vw->id], *gy = p->grad[n->out[0]->id];

    for (int64_t b = 0; b < B; b++)
        for (int64_t e = 0; e < E; e++)
            for (int64_t o = 0; o < O; o++) {
                int64_t at = (b * E + e) * O + o, from = own ? (b * E + e) * I : b * I;
                double sum = vb ? p->value[vb->id][e * O + o] : 0;
                if (reverse && vb)
                    p->grad[vb->id][e * O + o] += gy[at];
                for (int64_t i = 0; i < I; i++) {
                    int64_t k = (e * O + o) * I + i;
                    if (reverse) {
                        gx[from + i] += gy[at] * w[k];
                        gw[k] += gy[at] * x[from + i];
                    }
                    sum += x[from + i] * w[k];
                }
                if (!reverse)
                    y[at] = sum;
            }
}

static void dp_embedding(const poise_node *n, double_pass *p, int reverse)
{
    const poise_value *ids = n->in[0];
    int64_t B = ids->dim[0], F = ids->dim[1], width = n->out[0]->dim[1], at = 0;

    for (int f = 0; f < F; at += n->in[1 + f]->dim[1], f++)
        for (int64_t b = 0; b < B; b++)
            for (int64_t d = 0; d < n->in[1 + f]->dim[1]; d++) {
                int64_t row = (int64_t)p->value[ids->id][b * F + f];
                int64_t from = row * n->in[1 + f]->dim[1] + d, to = b * width + at + d;
                if (reverse)
                    p->grad[n->in[1 + f]->id][from] += p->grad[n->out[0]->id][to];
                else
                    p->value[n->out[0]->id][to] = p->value[n->in[1 + f]->id][from];
            }
}

static void dp_concat(const poise_node *n, double_pass *p, int reverse)
{
    const poise_value *y = n->out[0];
    int64_t rows = y->rank == 2 ? y->dim[0] : 1, width = (int64_t)dp_count(y) / rows, at = 0;

    for (int i = 0; i < n->nin; i++) {
        int64_t w = (int64_t)dp_count(n->in[i]) / rows;
        for (int64_t b = 0; b < rows; b++)
            for (int64_t c = 0; c < w; c++) {
                if (reverse)
                    p->grad[n->in[i]->id][b * w + c] += p->grad[y->id][b * width + at + c];
                else
                    p->value[y->id][b * width + at + c] = p->value[n->in[i]->id][b * w + c];
            }
        at += w;
    }
}

static void dp_mixture(const poise_node *n, double_pass *p, int reverse)
{
    const poise_value *gate = n->in[0], *out = n->out[0];
    int64_t B = gate->dim[0], all = gate->dim[1], H = out->dim[1], first = 0;

    if (!reverse)
        memset(p->value[out->id], 0, dp_count(out) * sizeof(double));
    for (int i = 1; i < n->nin; first += n->in[i]->dim[1], i++)
        for (int64_t b = 0; b < B; b++)
            for (int64_t e = 0; e < n->in[i]->dim[1]; e++)
                for (int64_t h = 0; h < H; h++) {
                    int64_t g = b * all + first + e, x = (b * n->in[i]->dim[1] + e) * H + h;
                    int64_t y = b * H + h;
                    if (reverse) {
                        p->grad[gate->id][g] += p->grad[out->id][y] * p->value[n->in[i]->id][x];
                        p->grad[n->in[i]->id][x] += p->grad[out->id][y] * p->value[gate->id][g];
                    } else {
                        p->value[out->id][y] += p->value[gate->id][g] * p->value[n->in[i]->id][x];
                    }
                }
}

static void dp_softmax(const poise_node *n, double_pass *p, int reverse)
{
    const poise_value *x = n->in[0], *y = n->out[0];
    int64_t C = x->dim[x->rank - 1], rows = (int64_t)dp_count(x) / C;

    for (int64_t b = 0; b < rows; b++) {
        double *to = p->value[y->id] + b * C, sum = 0, dot = 0;
        for (int64_t c = 0; !reverse && c < C; c++)
            sum += to[c] = exp(p->value[x->id][b * C + c]);
        for (int64_t c = 0; !reverse && c < C; c++)
            to[c] /= sum;
        for (int64_t c = 0; c < C; c++)
            dot += to[c] * p->grad[y->id][b * C + c];
        for (int64_t c = 0; reverse && c < C; c++)
            p->grad[x->id][b * C + c] += to[c] * (p->grad[y->id][b * C + c] - dot);
    }
}

static void dp_bce(const poise_node *n, double_pass *p, int reverse)
{
    const double *z = p->value[n->in[0]->id], *label = p->value[n->in[1]->id];
    const double *weight = p->value[n->in[2]->id];
    int64_t B = n->in[2]->dim[0];
    double all = 0, sum = 0;

    for (int64_t b = 0; b < B; b++) {
        if (!(weight[b] > 0) || isnan(label[b]))
            continue;
        all += weight[b];
        sum += weight[b] * (log1p(exp(z[b])) - label[b] * z[b]);
    }
    if (!reverse) {
        p->value[n->out[0]->id][0] = all > 0 ? sum / all : 0;
        return;
    }
    for (int64_t b = 0; b < B && all > 0; b++)
        if (weight[b] > 0 && !isnan(label[b]))
            p->grad[n->in[0]->id][b] +=
                p->grad[n->out[0]->id][0] * weight[b] / all * (1 / (1 + exp(-z[b])) - label[b]);
}

/* 1 if the operator is known. */
static int dp_node(const poise_node *n, double_pass *p, int reverse)
{
    const char *op = n->op->name;
    size_t count = dp_count(n->out[0]);
    double *x = n->nin ? p->value[n->in[0]->id] : NULL, *y = p->value[n->out[0]->id];
    double *gx = n->nin ? p->grad[n->in[0]->id] : NULL, *gy = p->grad[n->out[0]->id];

    if (strcmp(op, "linear") == 0 || strcmp(op, "batched_linear") == 0)
        dp_maps(n, p, reverse);
    else if (strcmp(op, "embedding") == 0)
        dp_embedding(n, p, reverse);
    else if (strcmp(op, "concat") == 0)
        dp_concat(n, p, reverse);
    else if (strcmp(op, "mixture") == 0)
        dp_mixture(n, p, reverse);
    else if (strcmp(op, "softmax") == 0)
        dp_softmax(n, p, reverse);
    else if (strcmp(op, "loss_bce") == 0)
        dp_bce(n, p, reverse);
    else if (strcmp(op, "relu") == 0 || strcmp(op, "reshape") == 0)
        for (size_t k = 0; k < count; k++) {
            int pass = op[2] == 's' || x[k] > 0; /* reshape passes all */
            if (reverse)
                gx[k] += pass ? gy[k] : 0;
            else
                y[k] = pass ? x[k] : 0;
        }
    else if (strcmp(op, "multiply") == 0)
        for (size_t k = 0; k < count; k++) {
            double *z = p->value[n->in[1]->id];
            if (reverse) {
                gx[k] += gy[k] * z[k];
                p->grad[n->in[1]->id][k] += gy[k] * x[k];
            } else {
                y[k] = x[k] * z[k];
            }
        }
    else
        return 0;
    return 1;
}

static int double_pass_forward(double_pass *p)
{
    int known = 1;
    for (int k = 0; k < p->nodes; k++)
        known &= dp_node(poise_graph_node(p->g, k), p, 0);
    return known;
}

/* d loss / d everything, into p->grad. */
static void double_pass_reverse(double_pass *p, const poise_value *loss)
{
    for (int k = 0; k < p->values; k++)
        memset(p->grad[k], 0, dp_count(poise_graph_value(p->g, k)) * sizeof(double));
    p->grad[loss->id][0] = 1;
    for (int k = p->nodes - 1; k >= 0; k--)
        dp_node(poise_graph_node(p->g, k), p, 1);
}

#endif
