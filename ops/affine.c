/* affine.c -- matrix products of (batched) linear layers, cut into parts.
 *
 * A node is E products of one shape.  They are cut by columns, taken over all experts, where that
 * leaves every part enough of them, as B is then packed once; else by rows.  No part sums over
 * another's rows of the batch, so there is no reduction.
 */
#include "../core/parallel.h"
#include "activation.h"
#include "affine.h"
#include "each.h"
#include "gemm.h"
#include "kernel.h"
#include "shape.h"
#include "skip.h"

/* Parts with fewer rows spend their time packing the other operand; COLUMNS, ROWS: a part's bounds
 * are multiples, strips and tiles. */
enum { LEAST_ROWS = 64, COLUMNS = 32, ROWS = 12 };

typedef struct plan {
    const poise__gemm_backend *by;
    const poise__skip *skip; /* used where A has zeros enough; NULL: never */
    poise__gemm g;           /* the first expert's, without pointers */
    int64_t experts;
    int64_t a, b, add, c;   /* from one expert's matrix to the next */
    int in_a, in_b, in_add; /* which input is A, B, what is added; -1: nothing */
    int parts;              /* at most */
    int64_t slice;          /* of k, which is summed first; 0: all */
    size_t aside;   /* where in a part's scratch a slice's product goes, to be added; 0: onto c */
    size_t scratch; /* of a part */
} plan;

static poise__gemm product_of(const plan *p, const poise__gemm *first, int64_t expert)
{
    poise__gemm g = *first;
    g.a += expert * p->a;
    g.b += expert * p->b;
    g.c += expert * p->c;
    if (g.add != NULL)
        g.add += expert * p->add;
    return g;
}

/* c += of which both have g's shape, rows of `of` one after the other */
static void add_rows(const poise__gemm *g, const float *of)
{
    const poise__vector *v = poise__vector_best();
    for (int64_t i = 0; i < g->m; i++)
        v->add(g->n, g->c + i * g->ldc, of + i * g->n, 0.0f, g->c + i * g->ldc);
}

static int one(const plan *p, const poise__gemm *g, int skip, void *scratch, poise_error *err)
{
    if (!skip)
        return p->by->run(g, scratch, err);
    p->skip->run(g, scratch);
    return 0;
}

/* The product of a part: of its slices, one after the other. */
static int multiply(const plan *p, const poise__gemm *g, int skip, void *scratch, poise_error *err)
{
    if (p->slice == 0)
        return one(p, g, skip, scratch, err);
    float *aside = p->aside > 0 ? (float *)((unsigned char *)scratch + p->aside) : NULL;
    poise__gemm s = *g;
    s.k = p->slice;
    for (int64_t k = 0; k < g->k; k += s.k) {
        if (one(p, &s, skip, scratch, err) < 0)
            return -1;
        if (aside != NULL && k > 0)
            add_rows(g, aside);
        s.a += s.k * g->lda;
        s.b += s.k * g->ldb;
        s.c = aside != NULL ? aside : g->c;
        s.ldc = aside != NULL ? g->n : g->ldc;
        s.add = aside != NULL ? NULL : g->c;
        s.add_row = g->ldc;
    }
    return 0;
}

/* Columns [from, to) of all experts' side by side */
static int columns(const plan *p, const poise__gemm *first, int64_t from, int64_t to, void *scratch,
                   poise_error *err)
{
    while (from < to) {
        const int64_t e = from / p->g.n, j = from - e * p->g.n, left = p->g.n - j;
        poise__gemm g = product_of(p, first, e);
        g.n = to - from < left ? to - from : left;
        g.b += g.tb ? j * g.ldb : j;
        g.c += j;
        if (g.add != NULL)
            g.add += j;
        if (multiply(p, &g, 0, scratch, err) < 0)
            return -1;
        from += g.n;
    }
    return 0;
}

/* Rows [from, to) of every expert's */
static int rows(const plan *p, const poise__gemm *first, int skip, int64_t from, int64_t to,
                void *scratch, poise_error *err)
{
    for (int64_t e = 0; e < p->experts && from < to; e++) {
        poise__gemm g = product_of(p, first, e);
        g.m = to - from;
        g.a += g.ta ? from : from * g.lda;
        g.c += from * g.ldc;
        if (g.add != NULL)
            g.add += from * g.add_row;
        if (multiply(p, &g, skip, scratch, err) < 0)
            return -1;
    }
    return 0;
}

static poise__gemm at_work(const plan *p, void *const *in, void *const *out)
{
    poise__gemm g = p->g;
    g.a = in[p->in_a];
    g.b = in[p->in_b];
    g.add = p->in_add < 0 ? NULL : in[p->in_add];
    g.c = out[0];
    return g;
}

static int part_of(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    void *scratch = (unsigned char *)j->scratch + (size_t)part * p->scratch;
    const int64_t wide = p->experts * p->g.n;
    const poise__gemm g = at_work(p, j->in, j->out);
    int64_t from, to;
    if (wide >= 2 * COLUMNS * (int64_t)j->parts) {
        poise__part(wide, j->parts, COLUMNS, part, &from, &to);
        return columns(p, &g, from, to, scratch, err);
    }
    poise__part(g.m, j->parts, ROWS, part, &from, &to);
    return rows(p, &g, 0, from, to, scratch, err);
}

/* By rows, as every part lists its own part of A. */
static int part_without_zeros(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    const poise__gemm g = at_work(p, j->in, j->out);
    int64_t from, to;
    poise__part(g.m, j->parts, 1, part, &from, &to);
    return rows(p, &g, 1, from, to, (unsigned char *)j->scratch + (size_t)part * p->scratch, err);
}

/* Is A, of all experts, such that its zeros are left out? */
static int without_zeros(const plan *p, void *const *in, void *const *out)
{
    poise__gemm g = at_work(p, in, out);
    *(g.ta ? &g.m : &g.k) *= p->experts;
    return p->skip != NULL && poise__skip_pays(&g);
}

/* Where the bits do not depend on the cut, there are as many parts as threads. */
static int run(POISE__RUN)
{
    const plan *p = k->state;
    const int parts = p->by->cuttable && r->threads < p->parts ? r->threads : p->parts;
    return poise__job_run(
        POISE__JOB(without_zeros(p, in, out) ? part_without_zeros : part_of, parts), err);
}

int64_t poise__affine_products(const poise_kernel *k, poise__gemm *g)
{
    int64_t count = 1;
    const poise_kernel *each = poise__each_kernel(k, &count);
    if (each != NULL)
        k = each;
    const plan *p = k->state;
    if (k->run != run)
        return 0;
    *g = p->g;
    return count * p->experts;
}

static void take_scratch(plan *p)
{
    poise__gemm g = p->g;
    if (p->slice > 0)
        g.k = p->slice;
    p->scratch = p->by->scratch(&g);
    if (p->skip != NULL && p->skip->scratch(&g) > p->scratch)
        p->scratch = p->skip->scratch(&g);
    if (p->slice > p->by->onto) {
        p->scratch = p->scratch > 0 ? p->scratch : 64;
        p->aside = p->scratch;
        p->scratch += ((size_t)(g.m * g.n) * sizeof(float) + 63) / 64 * 64;
    }
}

static int compile(poise_kernel *k, const plan *made, poise_error *err)
{
    if (poise__gemm_check(err) < 0)
        return -1;
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    *p = *made;
    p->by = poise__gemm_choose(&p->g);
    p->skip = poise__skip_choose(&p->g, p->by);
    take_scratch(p);
    k->impl = p->by->name;
    k->flops = 2.0 * (double)p->experts * (double)p->g.m * (double)p->g.n * (double)p->g.k;
    p->parts =
        poise__gemm_parts(k->flops, p->g.m > p->g.n ? p->g.m : p->experts * p->g.n, LEAST_ROWS);
    k->scratch = (size_t)p->parts * p->scratch;
    return 0;
}

int poise__affine_forward(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    plan p = {.g = {.tb = 1,
                    .m = a->batch,
                    .n = a->out,
                    .k = a->in,
                    .lda = a->experts * a->in,
                    .ldb = a->in,
                    .ldc = a->experts * a->out},
              .experts = a->experts,
              .a = a->in,
              .b = a->out * a->in,
              .add = a->out,
              .c = a->out,
              .in_b = 1,
              .in_add = k->node->nin > 2 ? 2 : -1};
    poise__activation_of(k->node, &p.g);
    return compile(k, &p, err);
}

/* in: A, B; or z, A, B where the product is added onto z, which lies as C does */
static int compile_onto(poise_kernel *k, plan *p, poise_error *err)
{
    const int onto = k->node->nin > 2;
    p->in_a = onto;
    p->in_b = onto + 1;
    p->in_add = onto ? 0 : -1;
    p->add = p->c;
    p->g.add_row = p->g.ldc;
    return compile(k, p, err);
}

int poise__affine_data(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    plan p = {.g = {.m = a->batch,
                    .n = a->in,
                    .k = a->out,
                    .lda = a->experts * a->out,
                    .ldb = a->in,
                    .ldc = a->experts * a->in},
              .experts = a->experts,
              .a = a->out,
              .b = a->out * a->in,
              .c = a->in};
    return compile_onto(k, &p, err);
}

int poise__affine_weights(poise_kernel *k, const poise__affine *a, poise_error *err)
{
    plan p = {.g = {.ta = 1,
                    .m = a->out,
                    .n = a->in,
                    .k = a->batch,
                    .lda = a->experts * a->out,
                    .ldb = a->experts * a->in,
                    .ldc = a->in},
              .experts = a->experts,
              .a = a->out,
              .b = a->in,
              .c = a->out * a->in,
              .slice = k->node->nin > 2 || k->slice == a->batch ? 0 : k->slice};
    return compile_onto(k, &p, err);
}

int poise__want_onto(const poise_node *n, poise_error *err)
{
    if (n->nin < 3)
        return 0;
    const poise_value *y = n->out[0];
    if (poise__want(n, 0, "z", POISE_F32, y->rank, err) < 0)
        return -1;
    for (int k = 0; k < y->rank; k++)
        if (poise__want_dim(n, 0, "z", k, y->dim[k], "that of the product", err) < 0)
            return -1;
    return 0;
}
