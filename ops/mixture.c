/* mixture.c -- experts mixed by gates, without putting the experts side by side first.
 *
 *     y[b]         = sum over e of gate[b,e] x[b,e,:]
 *     dgate[b,e]   = <dy[b], x[b,e,:]>         mixture_gate(dy, x_0, x_1, ...)
 *     dx_k[b,e,:]  = gate[b, first + e] dy[b]  mixture_expert(dy, gate), i[0] = first, i[1] = E_k
 *
 * The experts are those of x_0[B,E0,H], then those of x_1[B,E1,H] and so on.
 */
#include <stdio.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

/* Inputs from 1 on are x_k[B,E_k,H], with in[0]'s B; *experts is the sum of E_k. */
static int want_experts(const poise_node *n, int64_t *experts, poise_error *err)
{
    char what[32];
    *experts = 0;
    for (int k = 1; k < n->nin; k++) {
        snprintf(what, sizeof what, "x%d", k - 1);
        if (poise__want(n, k, what, POISE_F32, 3, err) < 0 ||
            poise__want_dim(n, k, what, 0, n->in[0]->dim[0], "the batch", err) < 0 ||
            poise__want_dim(n, k, what, 2, n->in[1]->dim[2], "the width of x0", err) < 0)
            return -1;
        *experts += n->in[k]->dim[1];
    }
    return 0;
}

static int shape(poise_node *n, poise_error *err)
{
    int64_t experts;
    if (poise__want(n, 0, "gate", POISE_F32, 2, err) < 0 || want_experts(n, &experts, err) < 0 ||
        poise__want_dim(n, 0, "gate", 1, experts, "the number of experts", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->in[1]->dim[2]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    if (want[0] && poise__gradient_with(g, &poise__op_mixture_gate, n, dout[0], &din[0], err) < 0)
        return -1;
    int64_t first = 0;
    for (int k = 1; k < n->nin; k++) {
        const poise_attr a = {.i = {first, n->in[k]->dim[1]}};
        if (want[k] && poise__gradient(g, &poise__op_mixture_expert, 2,
                                       POISE__IN(dout[0], n->in[0]), &a, &din[k], err) < 0)
            return -1;
        first += n->in[k]->dim[1];
    }
    return 0;
}

typedef struct plan {
    const poise__vector *v;
    int64_t batch, experts, width; /* experts: of all inputs */
    int parts;
} plan;

static plan *plan_of(poise_kernel *k, int64_t batch, int64_t experts, int64_t width,
                     poise__run *run, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return NULL;
    *p = (plan){poise__vector_best(), batch, experts, width, poise__parts(batch * experts * width)};
    k->flops = 2.0 * (double)batch * (double)experts * (double)width;
    return p;
}

static int forth(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to, first = 0;
    poise__part(p->batch, j->parts, 1, part, &from, &to);
    for (int k = 1; k < j->k->node->nin; k++) {
        const int64_t e = j->k->node->in[k]->dim[1];
        p->v->mixture(to - from, e, p->width, (const float *)j->in[0] + from * p->experts + first,
                      p->experts, (const float *)j->in[k] + from * e * p->width, k > 1,
                      (float *)j->out[0] + from * p->width);
        first += e;
    }
    return 0;
}

static int forth_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(forth, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *gate = n->in[0], *y = n->out[0];
    return plan_of(k, gate->dim[0], gate->dim[1], y->dim[1], forth_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_mixture = {
    .name = "mixture",
    .formula = "y[B, H] = sum over e of gate[B, e] x[B, e, H]",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_mixture(poise_graph *g, poise_value *gate, int n, poise_value *const *x,
                           poise_error *err)
{
    if (n < 1) {
        poise_fail(err, POISE_E_SHAPE, POISE_NOWHERE, "mixture: %d inputs of experts; 1 or more",
                   n);
        return NULL;
    }
    return poise__apply_first(g, &poise__op_mixture, gate, n, x, err);
}

/* ---- gradient of the gate ---- */

static int gate_shape(poise_node *n, poise_error *err)
{
    int64_t experts;
    if (poise__want(n, 0, "dy", POISE_F32, 2, err) < 0 || want_experts(n, &experts, err) < 0 ||
        poise__want_dim(n, 0, "dy", 1, n->in[1]->dim[2], "the width of x0", err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], experts});
    return 0;
}

static int gate_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to, first = 0;
    poise__part(p->batch, j->parts, 1, part, &from, &to);
    for (int k = 1; k < j->k->node->nin; k++) {
        const int64_t e = j->k->node->in[k]->dim[1];
        p->v->mixture_gate(to - from, e, p->width, (const float *)j->in[0] + from * p->width,
                           (const float *)j->in[k] + from * e * p->width,
                           (float *)j->out[0] + from * p->experts + first, p->experts);
        first += e;
    }
    return 0;
}

static int gate_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(gate_part, ((const plan *)k->state)->parts), err);
}

static int gate_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dy = n->in[0], *dgate = n->out[0];
    return plan_of(k, dy->dim[0], dgate->dim[1], dy->dim[1], gate_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_mixture_gate = {
    .name = "mixture_gate",
    .formula = "dgate[B, e] = sum over h of dy[B, h] x[B, e, h]",
    .min_in = 2,
    .max_in = -1,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = gate_shape,
    .compile = gate_compile,
};

/* ---- gradient of the experts of one input ---- */

static int expert_shape(poise_node *n, poise_error *err)
{
    const int64_t first = n->attr.i[0], experts = n->attr.i[1];
    if (poise__want(n, 0, "dy", POISE_F32, 2, err) < 0 ||
        poise__want(n, 1, "gate", POISE_F32, 2, err) < 0 ||
        poise__want_dim(n, 1, "gate", 0, n->in[0]->dim[0], "the batch", err) < 0)
        return -1;
    if (first < 0 || experts < 1 || first > n->in[1]->dim[1] - experts)
        return poise_node_fail(n, POISE_E_SHAPE, err, "experts %lld to %lld of %lld",
                               (long long)first, (long long)(first + experts),
                               (long long)n->in[1]->dim[1]);
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){n->in[0]->dim[0], experts, n->in[0]->dim[1]});
    return 0;
}

static int expert_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const poise_node *n = j->k->node;
    int64_t from, to;
    poise__part(p->batch, j->parts, 1, part, &from, &to);
    const int64_t stride = n->in[1]->dim[1];
    p->v->mixture_expert(to - from, p->experts, p->width, (const float *)j->in[0] + from * p->width,
                         (const float *)j->in[1] + from * stride + n->attr.i[0], stride,
                         (float *)j->out[0] + from * p->experts * p->width);
    return 0;
}

static int expert_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(expert_part, ((const plan *)k->state)->parts), err);
}

static int expert_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    const poise_value *dx = n->out[0];
    return plan_of(k, dx->dim[0], dx->dim[1], dx->dim[2], expert_run, err) == NULL ? -1 : 0;
}

const poise_op poise__op_mixture_expert = {
    .name = "mixture_expert",
    .formula = "dx[B, e, H] = gate[B, first + e] dy[B, H]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .flags = POISE_OP_ROWS,
    .by_row = UINT32_MAX,
    .shape = expert_shape,
    .compile = expert_compile,
};
