/* loss_row.c -- losses of one number against one label, by rows. */
#include <math.h>
#include <stddef.h>
#include "../core/parallel.h"
#include "loss_row.h"
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

int poise__loss_row_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "z", POISE_F32, 0, err) < 0 ||
        poise__want_count(n, 0, "z", n->in[0]->dim[0], "one a row", err) < 0)
        return -1;
    return poise__loss_shape(n, POISE_F32, err);
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

static int counts(float weight, float label)
{
    return weight > 0.0f && !isnan(label);
}

enum { TILE = 256 };

typedef struct plan {
    poise__map *map;
    int64_t rows;
    float p;
    int parts;
} plan;

static int forth(POISE__RUN)
{
    (void)scratch;
    (void)r;
    (void)err;
    const plan *p = k->state;
    const float *z = in[0], *label = in[1], *weight = in[2];
    float l[TILE];
    double loss = 0.0, sum = 0.0;
    for (int64_t from = 0; from < p->rows; from += TILE) {
        const int64_t m = p->rows - from < TILE ? p->rows - from : TILE;
        p->map(m, z + from, label + from, p->p, l);
        for (int64_t i = 0; i < m; i++)
            if (counts(weight[from + i], label[from + i])) {
                loss += (double)weight[from + i] * (double)l[i];
                sum += (double)weight[from + i];
            }
    }
    *(float *)out[0] = sum > 0.0 ? (float)(loss / sum) : 0.0f;
    *(float *)out[1] = (float)sum;
    return 0;
}

static int back_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const float *z = j->in[0], *label = j->in[1], *weight = j->in[2];
    const float factor = (float)poise__loss_factor(j->in);
    float *dz = j->out[0];
    int64_t from, to;
    poise__part(p->rows, j->parts, 64, part, &from, &to);
    p->map(to - from, z + from, label + from, p->p, dz + from);
    for (int64_t i = from; i < to; i++)
        dz[i] = counts(weight[i], label[i]) ? factor * weight[i] * dz[i] : 0.0f;
    return 0;
}

static int back(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back_part, ((const plan *)k->state)->parts), err);
}

static int compile(poise_kernel *k, poise__map *map, poise__run *run, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->map = map;
    p->rows = k->node->in[0]->dim[0];
    p->p = (float)k->node->attr.f[0];
    p->parts = poise__parts(p->rows);
    return 0;
}

int poise__loss_row_compile(poise_kernel *k, poise__map *loss, poise_error *err)
{
    return compile(k, loss, forth, err);
}

int poise__loss_row_backward_compile(poise_kernel *k, poise__map *slope, poise_error *err)
{
    return compile(k, slope, back, err);
}

poise_value *poise__loss(poise_graph *g, const poise_op *op, poise_value *z, poise_value *label,
                         poise_value *weight, double p, poise_value **weight_sum, poise_error *err)
{
    const poise_attr a = {.f = {p}};
    poise_value *loss = poise__apply(g, op, 3, 3, POISE__IN(z, label, weight), &a, err);
    if (weight_sum != NULL)
        *weight_sum = loss == NULL ? NULL : loss->producer->out[1];
    return loss;
}
