/* affine.c -- matrix products of (batched) linear layers, cut into parts.
 *
 * A node is E products of one shape.  They are cut by columns, taken over all experts, where that
 * leaves every part enough of them, as B is then packed once; else by rows.  No part sums over
 * another's rows of the batch, so there is no reduction.
 */
#include <stddef.h>
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

/* Products of one B; without zeros up to POISE__AFFINE_JOINED at once, else one. */
typedef struct products {
    int count, skip;
    poise__gemm g[POISE__AFFINE_JOINED];
} products;

static int one(const plan *p, const products *of, void *scratch, poise_error *err)
{
    if (!of->skip)
        return p->by->run(of->g, scratch, err);
    p->skip->run(of->g, of->count, scratch);
    return 0;
}

/* The products of a part: of their slices, one after the other. */
static int multiply(const plan *p, const products *of, void *scratch, poise_error *err)
{
    if (p->slice == 0)
        return one(p, of, scratch, err);
    float *aside = p->aside > 0 ? (float *)((unsigned char *)scratch + p->aside) : NULL;
    const poise__gemm *whole = of->g;
    const int64_t size = whole->m * whole->n;
    products s = *of;
    for (int64_t k = 0; k < whole->k; k += p->slice) {
        for (int t = 0; t < of->count; t++)
            s.g[t].k = p->slice;
        if (one(p, &s, scratch, err) < 0)
            return -1;
        for (int t = 0; t < of->count; t++) {
            poise__gemm *g = &s.g[t];
            if (aside != NULL && k > 0)
                add_rows(&whole[t], aside + t * size);
            g->a += p->slice * g->lda;
            g->b += p->slice * g->ldb;
            g->c = aside != NULL ? aside + t * size : whole[t].c;
            g->ldc = aside != NULL ? g->n : whole->ldc;
            g->add = aside != NULL ? NULL : whole[t].c;
            g->add_row = whole->ldc;
        }
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
        if (multiply(p, &(products){.count = 1, .g = {g}}, scratch, err) < 0)
            return -1;
        from += g.n;
    }
    return 0;
}

/* Rows [from, to) of every expert's */
static int rows(const plan *p, const products *first, int64_t from, int64_t to, void *scratch,
                poise_error *err)
{
    for (int64_t e = 0; e < p->experts && from < to; e++) {
        products of = *first;
        for (int t = 0; t < of.count; t++) {
            poise__gemm *g = &of.g[t];
            *g = product_of(p, g, e);
            g->m = to - from;
            g->a += g->ta ? from : from * g->lda;
            g->c += from * g->ldc;
            if (g->add != NULL)
                g->add += from * g->add_row;
        }
        if (multiply(p, &of, scratch, err) < 0)
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
    return rows(p, &(products){.count = 1, .g = {g}}, from, to, scratch, err);
}

/* How many steps share a job's inputs, and how many inputs each has. */
typedef struct joined {
    poise__job job;
    int count, inputs;
} joined;

static products all_at_work(const plan *p, int count, int inputs, void *const *in, void *const *out)
{
    products of = {.count = count, .skip = 1};
    for (int t = 0; t < count; t++)
        of.g[t] = at_work(p, in + (ptrdiff_t)t * inputs, out + t);
    return of;
}

/* By rows, as every part lists its own part of A. */
static int part_without_zeros(const poise__job *j, int part, poise_error *err)
{
    const plan *p = j->k->state;
    const joined *all = (const joined *)(const void *)j;
    const products of = all_at_work(p, all->count, all->inputs, j->in, j->out);
    int64_t from, to;
    poise__part(p->g.m, j->parts, 1, part, &from, &to);
    return rows(p, &of, from, to, (unsigned char *)j->scratch + (size_t)part * p->scratch, err);
}

/* Where the bits do not depend on the cut, there are as many parts as threads. */
static int parts_for(const plan *p, const poise_run *r)
{
    return p->by->cuttable && r->threads < p->parts ? r->threads : p->parts;
}

/* Of all experts */
int poise__affine_joins(const poise_kernel *k, int count, int inputs, void *const *in,
                        void *const *out)
{
    const plan *p = k->state;
    if (p->skip == NULL)
        return 0;
    products of = all_at_work(p, count, inputs, in, out);
    for (int t = 0; t < count; t++)
        *(of.g[t].ta ? &of.g[t].m : &of.g[t].k) *= p->experts;
    return poise__skip_pays(of.g, count);
}

int poise__affine_run_joined(const poise_kernel *k, int count, int inputs, void *const *in,
                             void *const *out, void *scratch, const poise_run *r, poise_error *err)
{
    const joined all = {
        .job = *POISE__JOB(part_without_zeros, parts_for(k->state, r)),
        .count = count,
        .inputs = inputs,
    };
    return poise__job_run(&all.job, err);
}

static int run(POISE__RUN)
{
    if (poise__affine_joins(k, 1, 0, in, out))
        return poise__affine_run_joined(k, 1, 0, in, out, scratch, r, err);
    return poise__job_run(POISE__JOB(part_of, parts_for(k->state, r)), err);
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

/* Scratch of a part for up to `count` products at once; *aside is where in it slices go. */
static size_t scratch_for(const plan *p, int count, size_t *aside)
{
    poise__gemm g = p->g;
    if (p->slice > 0)
        g.k = p->slice;
    size_t size = p->by->scratch(&g);
    for (int t = 1; p->skip != NULL && t <= count; t++)
        if (p->skip->scratch(&g, t) > size)
            size = p->skip->scratch(&g, t);
    *aside = 0;
    if (p->slice > p->by->onto) {
        *aside = size > 0 ? size : 64;
        size = *aside + ((size_t)(count * g.m * g.n) * sizeof(float) + 63) / 64 * 64;
    }
    return size;
}

void poise__affine_join(poise_kernel *k, int count)
{
    plan *p = k->state;
    p->scratch = scratch_for(p, count, &p->aside);
    k->scratch = (size_t)p->parts * p->scratch;
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
    k->impl = p->by->name;
    k->flops = 2.0 * (double)p->experts * (double)p->g.m * (double)p->g.n * (double)p->g.k;
    p->parts =
        poise__gemm_parts(k->flops, p->g.m > p->g.n ? p->g.m : p->experts * p->g.n, LEAST_ROWS);
    poise__affine_join(k, 1);
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
