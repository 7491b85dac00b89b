#include "each.h"

#include <stdlib.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "shape.h"
#include "table.h"

typedef struct plan {
    int inputs; /* of one */
    size_t scratch;
    poise_node first;
    poise_kernel kernel;
} plan;

/* The node that number t was. */
static poise_node one(const poise_node *n, int t)
{
    const poise__each *e = n->attr.p;
    const int inputs = poise__each_inputs(n->op);
    poise_node of = *n;
    of.op = e->op;
    of.attr = e->attr;
    of.in = n->in + (ptrdiff_t)t * inputs;
    of.nin = inputs;
    of.out = n->out + t;
    of.nout = 1;
    while (of.nin > 0 && of.in[of.nin - 1] == NULL)
        of.nin--;
    return of;
}

static int shape(poise_node *n, poise_error *err)
{
    if (n->nin != n->nout * poise__each_inputs(n->op))
        return poise_node_fail(n, POISE_E_SHAPE, err, "%d inputs of %d products", n->nin, n->nout);
    for (int t = 0; t < n->nout; t++) {
        poise_node of = one(n, t);
        if (of.op->shape(&of, err) < 0)
            return -1;
        for (int d = 0; d < of.out[0]->rank; d++)
            if (of.out[0]->dim[d] != n->out[0]->dim[d])
                return poise_node_fail(n, POISE_E_SHAPE, err, "product %d has another shape", t);
    }
    return 0;
}

/* ---- running ---- */

static int run_one(const poise__job *j, int t, void *scratch, const poise_run *r, poise_error *err)
{
    const plan *p = j->k->state;
    return p->kernel.run(&p->kernel, j->in + (ptrdiff_t)t * p->inputs, j->out + t, scratch, r, err);
}

static int part_of(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    poise_run alone = *j->r;
    int64_t from, to;
    alone.threads = 1;
    poise__part(j->k->node->nout, j->parts, 1, part, &from, &to);
    for (int64_t t = from; t < to; t++)
        if (run_one(j, (int)t, (unsigned char *)j->scratch + (size_t)part * p->scratch, &alone,
                    err) < 0)
            return -1;
    return 0;
}

static int run(POISE__RUN)
{
    const int count = k->node->nout, parts = count < POISE__PARTS ? count : POISE__PARTS;
    const poise__job *j = POISE__JOB(part_of, r->threads > 1 ? parts : 1);
    return poise__job_run(j, err);
}

static void done(void *state)
{
    plan *p = state;
    if (p->kernel.done != NULL)
        p->kernel.done(p->kernel.state);
    free(p);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->first = one(n, 0);
    p->kernel.node = &p->first;
    p->kernel.slice = k->slice;
    p->inputs = poise__each_inputs(n->op);
    if (p->first.op->compile(&p->first, &p->kernel, err) < 0) {
        free(p);
        return -1;
    }
    p->kernel.node = &p->first;
    p->scratch = (p->kernel.scratch + 63) / 64 * 64;
    k->scratch = (size_t)(n->nout < POISE__PARTS ? n->nout : POISE__PARTS) * p->scratch;
    k->impl = p->kernel.impl;
    k->flops = n->nout * p->kernel.flops;
    k->done = done;
    return 0;
}

/* ---- the operators ---- */

const poise_op poise__op_each_linear = {
    .name = "each_linear",
    .formula = "y_t[B, O] = x_t[B, I] w_t[O, I]' + b_t[O]",
    .min_in = 3,
    .max_in = 3 * POISE__EACH,
    .flags = POISE_OP_ROWS,
    .by_row = 0x09249249, /* every x */
    .shape = shape,
    .compile = compile,
};

const poise_op poise__op_each_data = {
    .name = "each_data",
    .formula = "dx_t[B, I] = dy_t[B, O] w_t[O, I]",
    .min_in = 2,
    .max_in = 2 * POISE__EACH,
    .flags = POISE_OP_ROWS,
    .by_row = 0x55555, /* every dy */
    .shape = shape,
    .compile = compile,
};

const poise_op poise__op_each_weights = {
    .name = "each_weights",
    .formula = "dw_t[O, I] = dy_t[B, O]' x_t[B, I]",
    .min_in = 2,
    .max_in = 2 * POISE__EACH,
    .flags = POISE_OP_SUMS,
    .by_row = UINT32_MAX,
    .shape = shape,
    .compile = compile,
};

const poise_op *poise__each_of(const poise_op *op)
{
    return op == &poise__op_linear || op == &poise__op_batched_linear ? &poise__op_each_linear
           : op == &poise__op_linear_data || op == &poise__op_batched_linear_data
               ? &poise__op_each_data
           : op == &poise__op_linear_weights || op == &poise__op_batched_linear_weights
               ? &poise__op_each_weights
               : NULL;
}

int poise__each_inputs(const poise_op *each)
{
    return each->min_in;
}

const poise_kernel *poise__each_kernel(const poise_kernel *k, int64_t *count)
{
    const plan *p = k->state;
    if (k->run != run)
        return NULL;
    *count = k->node->nout;
    return &p->kernel;
}
