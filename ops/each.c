#include "each.h"

#include <stdlib.h>
#include "../core/parallel.h"
#include "affine.h"
#include "kernel.h"
#include "shape.h"
#include "table.h"

/* Products [first, first + count), which share their second input. */
typedef struct group {
    int first, count;
} group;

typedef struct plan {
    int inputs; /* of one */
    int groups;
    group group[POISE__EACH];
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

/* Products [from, to) of those, one after the other. */
static int run_some(const plan *p, int64_t from, int64_t to, POISE__RUN)
{
    for (int64_t t = from; t < to; t++)
        if (p->kernel.run(k, in + t * p->inputs, out + t, scratch, r, err) < 0)
            return -1;
    return 0;
}

static int joins(const plan *p, const group *g, void *const *in, void *const *out)
{
    return g->count > 1 &&
           poise__affine_joins(&p->kernel, g->count, p->inputs,
                               in + (ptrdiff_t)g->first * p->inputs, out + g->first);
}

static int run_group(const plan *p, const group *g, POISE__RUN)
{
    if (!joins(p, g, in, out))
        return run_some(p, g->first, g->first + g->count, k, in, out, scratch, r, err);
    return poise__affine_run_joined(k, g->count, p->inputs, in + (ptrdiff_t)g->first * p->inputs,
                                    out + g->first, scratch, r, err);
}

/* On one thread: part `part` of all products, or of all groups where they are joined. */
static int part_of(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    void *scratch = (unsigned char *)j->scratch + (size_t)part * p->scratch;
    poise_run alone = *j->r;
    int64_t from, to;
    alone.threads = 1;
    poise__part(j->k->node->nout, j->parts, 1, part, &from, &to);
    return run_some(p, from, to, &p->kernel, j->in, j->out, scratch, &alone, err);
}

static int groups_of(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    void *scratch = (unsigned char *)j->scratch + (size_t)part * p->scratch;
    poise_run alone = *j->r;
    int64_t from, to;
    alone.threads = 1;
    poise__part(p->groups, j->parts, 1, part, &from, &to);
    for (int64_t g = from; g < to; g++)
        if (run_group(p, &p->group[g], &p->kernel, j->in, j->out, scratch, &alone, err) < 0)
            return -1;
    return 0;
}

/* The only group has all threads. */
static int run(POISE__RUN)
{
    const plan *p = k->state;
    const int joined = joins(p, &p->group[0], in, out);
    const int count = joined ? p->groups : k->node->nout;
    const int parts = count < POISE__PARTS ? count : POISE__PARTS;
    if (joined && p->groups == 1)
        return run_group(p, &p->group[0], &p->kernel, in, out, scratch, r, err);
    return poise__job_run(POISE__JOB(joined ? groups_of : part_of, r->threads > 1 ? parts : 1),
                          err);
}

static void done(void *state)
{
    plan *p = state;
    if (p->kernel.done != NULL)
        p->kernel.done(p->kernel.state);
    free(p);
}

/* Neighbours with one second input, in groups as equal as can be of as many as can be joined. */
static void find_groups(const poise_node *n, plan *p)
{
    int most = 1;
    for (int t = 0, end; t < n->nout; t = end) {
        const poise_value *b = poise_resolve(n->in[t * p->inputs + 1]);
        for (end = t + 1; end < n->nout; end++)
            if (poise_resolve(n->in[end * p->inputs + 1])->id != b->id)
                break;
        const int groups = (end - t + POISE__AFFINE_JOINED - 1) / POISE__AFFINE_JOINED;
        for (int g = 0; g < groups; g++) {
            int64_t from, to;
            poise__part(end - t, groups, 1, g, &from, &to);
            p->group[p->groups++] = (group){t + (int)from, (int)(to - from)};
            most = to - from > most ? (int)(to - from) : most;
        }
    }
    poise__affine_join(&p->kernel, most);
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
    find_groups(n, p);
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
