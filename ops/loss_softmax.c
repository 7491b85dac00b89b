/* loss_softmax.c -- cross entropy of logits z[B,C] against a class; f[0] is the smoothing e.
 *
 *     l = log(sum over c of e^z[c]) - sum over c of target[c] z[c]     dl/dz = softmax(z) - target
 *
 *     target = (1 - e) onehot(label) + e / C     (Szegedy et al., CVPR 2016)
 *
 * A row with a negative label does not count; a label of C or more is an error of the run.
 */
#include <stddef.h>
#include "../core/parallel.h"
#include "loss.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "logits", POISE_F32, 2, err) < 0)
        return -1;
    return poise__loss_shape(n, POISE_I32, err);
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    return poise__loss_backward(g, n, &poise__op_loss_softmax_backward, dout, want, din, err);
}

typedef struct plan {
    const poise__vector *v;
    int64_t rows, classes;
    double hit, each; /* target = each, and hit more at the label */
    int parts;
} plan;

enum { TILE = 64 };

/* sum over c of target[c] z[c] */
static double expected(const plan *p, const float *z, int32_t label)
{
    double sum = 0.0;
    for (int64_t c = 0; p->each > 0.0 && c < p->classes; c++)
        sum += (double)z[c];
    return p->hit * (double)z[label] + p->each * sum;
}

static int forth(POISE__RUN)
{
    (void)scratch;
    (void)r;
    const plan *p = k->state;
    const float *z = in[0], *weight = in[2];
    const int32_t *label = in[1];
    float l[TILE];
    double loss = 0.0, sum = 0.0;
    for (int64_t from = 0; from < p->rows; from += TILE) {
        const int64_t m = p->rows - from < TILE ? p->rows - from : TILE;
        p->v->log_sum_exp(m, p->classes, z + from * p->classes, l);
        for (int64_t i = from; i < from + m; i++) {
            if (!poise__loss_counts_class(weight[i], label[i]))
                continue;
            if (label[i] >= p->classes)
                return poise__loss_no_class(k->node, i, label[i], p->classes, err);
            loss += (double)weight[i] *
                    ((double)l[i - from] - expected(p, z + i * p->classes, label[i]));
            sum += (double)weight[i];
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
    const float *z = j->in[0], *weight = j->in[2];
    const int32_t *label = j->in[1];
    const float factor = (float)poise__loss_factor(j->in);
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    float *dz = (float *)j->out[0] + from * p->classes;
    p->v->softmax(to - from, p->classes, z + from * p->classes, dz);
    for (int64_t i = from; i < to; i++, dz += p->classes)
        if (poise__loss_counts_class(weight[i], label[i])) {
            for (int64_t c = 0; p->each > 0.0 && c < p->classes; c++)
                dz[c] -= (float)p->each;
            dz[label[i]] -= (float)p->hit;
            p->v->scale(p->classes, dz, NULL, factor * weight[i], dz);
        } else {
            for (int64_t c = 0; c < p->classes; c++)
                dz[c] = 0.0f;
        }
    return 0;
}

static int back(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back_part, ((const plan *)k->state)->parts), err);
}

static int compile_as(const poise_node *n, poise_kernel *k, poise__run *run, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->v = poise__vector_best();
    p->rows = n->in[0]->dim[0];
    p->classes = n->in[0]->dim[1];
    p->hit = 1.0 - n->attr.f[0];
    p->each = n->attr.f[0] / (double)p->classes;
    p->parts = poise__parts(p->rows * p->classes);
    return 0;
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile_as(n, k, forth, err);
}

static int backward_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile_as(n, k, back, err);
}

const poise_op poise__op_loss_softmax = {
    .name = "loss_softmax",
    .formula = "loss = sum of w (log(sum over c of exp(z[c])) - <target, z>) / sum of w",
    .min_in = 3,
    .max_in = 3,
    .nout = 2,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

const poise_op poise__op_loss_softmax_backward = {
    .name = "loss_softmax_backward",
    .formula = "dz = dloss w (softmax(z) - target) / sum of w",
    .min_in = 5,
    .max_in = 5,
    .nout = 1,
    .shape = poise__loss_backward_shape,
    .compile = backward_compile,
};

poise_value *poise_loss_softmax(poise_graph *g, poise_value *logits, poise_value *label,
                                poise_value *weight, poise_value **weight_sum, poise_error *err)
{
    return poise_loss_softmax_with(g, logits, label, weight, 0.0, weight_sum, err);
}

poise_value *poise_loss_softmax_with(poise_graph *g, poise_value *logits, poise_value *label,
                                     poise_value *weight, double smoothing,
                                     poise_value **weight_sum, poise_error *err)
{
    const double f[4] = {smoothing};
    if (poise__loss_setting("loss_softmax", "smoothing", smoothing, 0.0, 1.0, err) < 0)
        return NULL;
    return poise__loss(g, &poise__op_loss_softmax, logits, label, weight, f, weight_sum, err);
}
