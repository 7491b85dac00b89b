/* reference_linear.c -- linear maps, tables, shapes, mixtures. */
#include <math.h>
#include <stddef.h>
#include "reference.h"

static void linear(const poise_node *n, const double *const *in, double *const *out,
                   const poise_run *r)
{
    (void)r;
    const int64_t batch = n->in[0]->dim[0], width = n->in[0]->dim[1], high = n->in[1]->dim[0];
    for (int64_t b = 0; b < batch; b++)
        for (int64_t o = 0; o < high; o++) {
            double s = n->nin > 2 ? in[2][o] : 0.0;
            for (int64_t i = 0; i < width; i++)
                s += in[0][b * width + i] * in[1][o * width + i];
            out[0][b * high + o] = s;
        }
}

static void batched_linear(const poise_node *n, const double *const *in, double *const *out,
                           const poise_run *r)
{
    (void)r;
    const poise_value *x = n->in[0], *w = n->in[1];
    const int64_t experts = w->dim[0], high = w->dim[1], width = w->dim[2];
    for (int64_t b = 0; b < x->dim[0]; b++)
        for (int64_t e = 0; e < experts; e++)
            for (int64_t o = 0; o < high; o++) {
                double s = n->nin > 2 ? in[2][e * high + o] : 0.0;
                const double *row = in[0] + (x->rank == 2 ? b : b * experts + e) * width;
                for (int64_t i = 0; i < width; i++)
                    s += row[i] * in[1][(e * high + o) * width + i];
                out[0][(b * experts + e) * high + o] = s;
            }
}

static void embedding(const poise_node *n, const double *const *in, double *const *out,
                      const poise_run *r)
{
    (void)r;
    const int64_t features = n->in[0]->dim[1];
    double *y = out[0];
    for (int64_t b = 0; b < n->in[0]->dim[0]; b++)
        for (int64_t f = 0; f < features; f++) {
            const int64_t width = n->in[f + 1]->dim[1];
            const int64_t id = (int64_t)in[0][b * features + f];
            for (int64_t i = 0; i < width; i++)
                *y++ = in[f + 1][id * width + i];
        }
}

/* x is [B,L,D] at items, or where table is not NULL looked up in it. */
static void pool(const poise_node *n, const double *ids, const double *x, const double *table,
                 int64_t width, double *y)
{
    const int64_t items = n->in[0]->dim[1];
    for (int64_t b = 0; b < n->in[0]->dim[0]; b++)
        for (int64_t d = 0; d < width; d++) {
            double sum = 0.0, most = -INFINITY, count = 0.0;
            for (int64_t l = 0; l < items; l++) {
                const int64_t id = (int64_t)ids[b * items + l];
                if (id < 0)
                    continue;
                const double v = table ? table[id * width + d] : x[(b * items + l) * width + d];
                sum += v;
                most = fmax(most, v);
                count++;
            }
            const double pooled[] = {sum, sum / count, most};
            y[b * width + d] = count > 0.0 ? pooled[n->attr.i[0]] : 0.0;
        }
}

static void embedding_bag(const poise_node *n, const double *const *in, double *const *out,
                          const poise_run *r)
{
    (void)r;
    pool(n, in[0], NULL, in[1], n->in[1]->dim[1], out[0]);
}

static void list_pool(const poise_node *n, const double *const *in, double *const *out,
                      const poise_run *r)
{
    (void)r;
    pool(n, in[0], in[1], NULL, n->in[1]->dim[2], out[0]);
}

static void embedding_list(const poise_node *n, const double *const *in, double *const *out,
                           const poise_run *r)
{
    (void)r;
    const int64_t width = n->in[1]->dim[1];
    for (int64_t k = 0; k < poise_value_count(n->in[0]); k++)
        for (int64_t d = 0; d < width; d++)
            out[0][k * width + d] = in[0][k] < 0.0 ? 0.0 : in[1][(int64_t)in[0][k] * width + d];
}

static void list_mask(const poise_node *n, const double *const *in, double *const *out,
                      const poise_run *r)
{
    (void)r;
    for (int64_t k = 0; k < poise_value_count(n->in[0]); k++)
        out[0][k] = in[0][k] < 0.0 ? 0.0 : 1.0;
}

/* Elements before, along and after an axis. */
static void extents(const poise_value *v, int64_t axis, int64_t *outer, int64_t *inner)
{
    *outer = *inner = 1;
    for (int64_t d = 0; d < axis; d++)
        *outer *= v->dim[d];
    for (int64_t d = axis + 1; d < v->rank; d++)
        *inner *= v->dim[d];
}

static void concat(const poise_node *n, const double *const *in, double *const *out,
                   const poise_run *r)
{
    (void)r;
    const int64_t axis = n->attr.i[0];
    int64_t outer, inner, at = 0;
    extents(n->out[0], axis, &outer, &inner);
    for (int k = 0; k < n->nin; k++) {
        const int64_t along = n->in[k]->dim[axis];
        for (int64_t o = 0; o < outer; o++)
            for (int64_t a = 0; a < along; a++)
                for (int64_t i = 0; i < inner; i++)
                    out[0][(o * n->out[0]->dim[axis] + at + a) * inner + i] =
                        in[k][(o * along + a) * inner + i];
        at += along;
    }
}

static void slice(const poise_node *n, const double *const *in, double *const *out,
                  const poise_run *r)
{
    (void)r;
    const int64_t axis = n->attr.i[0], from = n->attr.i[1], to = n->attr.i[2];
    int64_t outer, inner;
    extents(n->in[0], axis, &outer, &inner);
    double *y = out[0];
    for (int64_t o = 0; o < outer; o++)
        for (int64_t a = from; a < to; a++)
            for (int64_t i = 0; i < inner; i++)
                *y++ = in[0][(o * n->in[0]->dim[axis] + a) * inner + i];
}

static void same(const poise_node *n, const double *const *in, double *const *out,
                 const poise_run *r)
{
    (void)r;
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++)
        out[0][i] = in[0][i];
}

static void fill(const poise_node *n, const double *const *in, double *const *out,
                 const poise_run *r)
{
    (void)r;
    (void)in;
    for (int64_t i = 0; i < poise_value_count(n->out[0]); i++)
        out[0][i] = n->attr.f[0];
}

static void mixture(const poise_node *n, const double *const *in, double *const *out,
                    const poise_run *r)
{
    (void)r;
    const int64_t all = n->in[0]->dim[1], width = n->out[0]->dim[1];
    for (int64_t b = 0; b < n->in[0]->dim[0]; b++)
        for (int64_t h = 0; h < width; h++) {
            double s = 0.0;
            int64_t first = 0;
            for (int k = 1; k < n->nin; k++) {
                const int64_t experts = n->in[k]->dim[1];
                for (int64_t e = 0; e < experts; e++)
                    s += in[0][b * all + first + e] * in[k][(b * experts + e) * width + h];
                first += experts;
            }
            out[0][b * width + h] = s;
        }
}

const reference references_linear[] = {
    {"linear", linear},
    {"batched_linear", batched_linear},
    {"embedding", embedding},
    {"embedding_bag", embedding_bag},
    {"embedding_list", embedding_list},
    {"list_mask", list_mask},
    {"list_pool", list_pool},
    {"concat", concat},
    {"slice", slice},
    {"reshape", same},
    {"fill", fill},
    {"stop_gradient", same},
    {"mixture", mixture},
    {NULL, NULL},
};
