/* gram.c -- products and norms of the tasks' gradients, accumulated in double.
 *
 *     gram[i,j]  = sum over p of <grad[p,i], grad[p,j]>      norm[i] = sqrt(gram[i,i])
 *
 * Inputs: grad[p T + t], NULL where it is zero.  i[0] is T.  The gradients are walked once, in blocks
 * that stay in the first-level cache while all their products are taken; the blocks of all
 * parameters form one sequence, which is cut into parts, whose sums are added in order.
 */
#include <math.h>
#include <stddef.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

enum { BLOCK = 1024 };

static int want_gradients(const poise_node *n, poise_error *err)
{
    char text[96], wanted[96];
    const int64_t tasks = n->attr.i[0];
    if (tasks < 1 || tasks > 4096 || n->nin % tasks != 0)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%d gradients of %lld tasks", n->nin,
                               (long long)tasks);
    for (int p = 0; p < n->nin; p += (int)tasks) {
        const poise_value *first = NULL;
        for (int t = p; t < p + tasks; t++) {
            const poise_value *v = n->in[t];
            if (v == NULL)
                continue;
            if (first == NULL)
                first = v;
            if (v->dtype != POISE_F32 || poise_value_count(v) != poise_value_count(first))
                return poise_node_fail(n, POISE_E_SHAPE, err,
                                       "two gradients of one parameter are %s and %s",
                                       poise_value_text(first, text, sizeof text),
                                       poise_value_text(v, wanted, sizeof wanted));
        }
    }
    return 0;
}

typedef struct plan {
    const poise__vector *v;
    int tasks, params, parts;
    int diagonal;   /* 1: norms only */
    int64_t blocks; /* of all parameters */
} plan;

/* Elements of the gradients of parameter p; 0 where all are zero. */
static int64_t elements(const poise_node *n, const plan *q, int p)
{
    for (int t = 0; t < q->tasks; t++)
        if (n->in[p * q->tasks + t] != NULL)
            return poise_value_count(n->in[p * q->tasks + t]);
    return 0;
}

static void add_block(const plan *q, void *const *grad, int64_t at, int64_t count, double *sum)
{
    for (int i = 0; i < q->tasks; i++) {
        if (grad[i] == NULL)
            continue;
        const float *a = (const float *)grad[i] + at;
        for (int j = q->diagonal ? i : 0; j <= i; j++)
            if (grad[j] != NULL)
                sum[q->diagonal ? i : i * q->tasks + j] +=
                    q->v->dot(count, a, (const float *)grad[j] + at);
    }
}

static size_t sums(const plan *q)
{
    return (size_t)q->tasks * (size_t)(q->diagonal ? 1 : q->tasks);
}

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *q = j->k->state;
    double *sum = (double *)j->scratch + (size_t)which * sums(q);
    for (size_t i = 0; i < sums(q); i++)
        sum[i] = 0.0;
    int64_t from, to, first = 0; /* first: block number of the parameter's first */
    poise__part(q->blocks, j->parts, 1, which, &from, &to);
    for (int p = 0; p < q->params && first < to; p++) {
        const int64_t n = elements(j->k->node, q, p), blocks = (n + BLOCK - 1) / BLOCK;
        for (int64_t b = from > first ? from - first : 0; b < blocks && first + b < to; b++) {
            const int64_t at = b * BLOCK;
            add_block(q, j->in + p * q->tasks, at, n - at < BLOCK ? n - at : BLOCK, sum);
        }
        first += blocks;
    }
    return 0;
}

static int run(POISE__RUN)
{
    const plan *q = k->state;
    if (poise__job_run(POISE__JOB(part, q->parts), err) < 0)
        return -1;
    double *total = scratch, *y = out[0];
    for (int p = 1; p < q->parts; p++)
        for (size_t i = 0; i < sums(q); i++)
            total[i] += total[(size_t)p * sums(q) + i];
    for (int i = 0; i < q->tasks; i++)
        if (q->diagonal)
            y[i] = sqrt(total[i]);
        else
            for (int j = 0; j <= i; j++)
                y[i * q->tasks + j] = y[j * q->tasks + i] = total[i * q->tasks + j];
    return 0;
}

static int compile_as(const poise_node *n, poise_kernel *k, int diagonal, poise_error *err)
{
    plan *q = poise__kernel(k, sizeof *q, run, err);
    if (q == NULL)
        return -1;
    q->v = poise__vector_best();
    q->tasks = (int)n->attr.i[0];
    q->params = n->nin / q->tasks;
    q->diagonal = diagonal;
    for (int p = 0; p < q->params; p++)
        q->blocks += (elements(n, q, p) + BLOCK - 1) / BLOCK;
    q->parts = poise__parts(q->blocks * BLOCK);
    k->scratch = (size_t)q->parts * sums(q) * sizeof(double);
    return 0;
}

static int gram_shape(poise_node *n, poise_error *err)
{
    if (want_gradients(n, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F64, 2, (int64_t[]){n->attr.i[0], n->attr.i[0]});
    return 0;
}

static int gram_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile_as(n, k, 0, err);
}

const poise_op poise__op_gram = {
    .name = "gram",
    .formula = "gram[T, T] = sum over p of <grad[p, i], grad[p, j]>",
    .min_in = 1,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_STOP,
    .shape = gram_shape,
    .compile = gram_compile,
};

static int norm_shape(poise_node *n, poise_error *err)
{
    if (want_gradients(n, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F64, 1, &n->attr.i[0]);
    return 0;
}

static int norm_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile_as(n, k, 1, err);
}

const poise_op poise__op_grad_norm = {
    .name = "grad_norm",
    .formula = "norm[T] = sqrt(sum over p of <grad[p, t], grad[p, t]>)",
    .min_in = 1,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_STOP,
    .shape = norm_shape,
    .compile = norm_compile,
};

static poise_value *append(poise_graph *g, const poise_op *op, int ntask, int nparam,
                           poise_value *const *grad, poise_error *err)
{
    const poise_attr a = {.i = {ntask}};
    if (ntask < 1 || nparam < 1 || nparam > INT32_MAX / ntask) {
        poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "%s: %d tasks and %d parameters; 1 or more",
                   op->name, ntask, nparam);
        return NULL;
    }
    return poise__apply(g, op, 0, ntask * nparam, grad, &a, err);
}

poise_value *poise_gram(poise_graph *g, int ntask, int nparam, poise_value *const *grad,
                        poise_error *err)
{
    return append(g, &poise__op_gram, ntask, nparam, grad, err);
}

poise_value *poise_grad_norm(poise_graph *g, int ntask, int nparam, poise_value *const *grad,
                             poise_error *err)
{
    return append(g, &poise__op_grad_norm, ntask, nparam, grad, err);
}
