/* select.c -- one of E by a binary code, softly (DSelect-k, Hazimeh et al., NeurIPS 2021).
 *
 *     y[B,K,e] = sum over the codes c with c mod E = e of prod over bits m of
 *                (s[B,K,m] where bit m of c is 1, else 1 - s[B,K,m])
 *
 * M bits make 2^M codes; the E <= 2^M experts take them in turn, so that a row of y sums to 1 also
 * where E is no power of two.  With s 0 or 1, one y is 1 and the others 0.
 *
 *     ds[B,K,m] = sum over c of dy[B,K, c mod E] (+ or -) prod over the other bits
 *                                                        select_backward(dy, s)
 *
 * Both work on a tree: level m has 2^m products of the first m bits, at most 2^12.  i[0] is E.
 */
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

enum { MOST_BITS = 12 };

static int want_bits(const poise_node *n, int k, int64_t experts, poise_error *err)
{
    if (poise__want(n, k, "s", POISE_F32, 3, err) < 0)
        return -1;
    const int64_t bits = n->in[k]->dim[2];
    if (bits > MOST_BITS || experts < 1 || experts > (INT64_C(1) << bits))
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "%lld experts by %lld bits; at most %d bits make codes for up to 2 "
                               "to their number",
                               (long long)experts, (long long)bits, MOST_BITS);
    return 0;
}

static int shape(poise_node *n, poise_error *err)
{
    if (want_bits(n, 0, n->attr.i[0], err) < 0)
        return -1;
    const int64_t *dim = n->in[0]->dim;
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){dim[0], dim[1], n->attr.i[0]});
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    (void)want;
    return poise__gradient(g, &poise__op_select_backward, 2, POISE__IN(dout[0], n->in[0]), &n->attr,
                           &din[0], err);
}

typedef struct plan {
    int64_t rows, bits, experts;
    int parts;
} plan;

static int compile(poise_kernel *k, const poise_value *s, int64_t experts, poise__run *run,
                   poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    const int64_t codes = INT64_C(1) << s->dim[2];
    *p = (plan){s->dim[0] * s->dim[1], s->dim[2], experts, 0};
    p->parts = poise__parts(p->rows * codes);
    k->scratch = (size_t)p->parts * (size_t)codes * 2 * sizeof(float);
    return 0;
}

/* The part's own `codes` numbers, twice. */
static float *tree_of(const poise__job *j, int part)
{
    const plan *p = j->k->state;
    return (float *)j->scratch + part * (INT64_C(2) << p->bits);
}

/* From level m to m + 1, in place: bit m of the index says which. */
static void grow(float *tree, int64_t m, float s)
{
    const int64_t half = INT64_C(1) << m;
    for (int64_t c = 0; c < half; c++) {
        tree[half + c] = tree[c] * s;
        tree[c] *= 1.0f - s;
    }
}

static int forth(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    float *tree = tree_of(j, part);
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    for (int64_t r = from; r < to; r++) {
        const float *s = (const float *)j->in[0] + r * p->bits;
        float *y = (float *)j->out[0] + r * p->experts;
        tree[0] = 1.0f;
        for (int64_t m = 0; m < p->bits; m++)
            grow(tree, m, s[m]);
        for (int64_t e = 0; e < p->experts; e++)
            y[e] = tree[e];
        for (int64_t c = p->experts; c < INT64_C(1) << p->bits; c++)
            y[c % p->experts] += tree[c];
    }
    return 0;
}

/* `d` is the gradient of level m + 1, becomes that of level m; *ds that of bit m.  Level m itself
 * is had by growing again: where a bit is 0 or 1 there is no dividing back. */
static float shrink(float *d, float *tree, const float *s, int64_t m)
{
    const int64_t half = INT64_C(1) << m;
    float ds = 0.0f;
    tree[0] = 1.0f;
    for (int64_t k = 0; k < m; k++)
        grow(tree, k, s[k]);
    for (int64_t c = 0; c < half; c++) {
        ds += (d[half + c] - d[c]) * tree[c];
        d[c] = s[m] * d[half + c] + (1.0f - s[m]) * d[c];
    }
    return ds;
}

static int back(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    float *tree = tree_of(j, part), *d = tree + (INT64_C(1) << p->bits);
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, part, &from, &to);
    for (int64_t r = from; r < to; r++) {
        const float *dy = (const float *)j->in[0] + r * p->experts;
        const float *s = (const float *)j->in[1] + r * p->bits;
        float *ds = (float *)j->out[0] + r * p->bits;
        for (int64_t c = 0; c < INT64_C(1) << p->bits; c++)
            d[c] = dy[c % p->experts];
        for (int64_t m = p->bits - 1; m >= 0; m--)
            ds[m] = shrink(d, tree, s, m);
    }
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(forth, ((const plan *)k->state)->parts), err);
}

static int back_run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(back, ((const plan *)k->state)->parts), err);
}

static int forth_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[0], n->attr.i[0], run, err);
}

const poise_op poise__op_select = {
    .name = "select",
    .formula = "y[B, K, e] = sum over codes c = e mod E of prod over m of s[B, K, m] or 1 - s",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = forth_compile,
};

poise_value *poise_select(poise_graph *g, poise_value *s, int64_t experts, poise_error *err)
{
    const poise_attr a = {.i = {experts}};
    return poise__apply(g, &poise__op_select, 1, 1, POISE__IN(s), &a, err);
}

static int back_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 3, err) < 0 ||
        want_bits(n, 1, n->in[0]->dim[2], err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[1]);
    return 0;
}

static int back_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[1], n->attr.i[0], back_run, err);
}

const poise_op poise__op_select_backward = {
    .name = "select_backward",
    .formula = "ds[B, K, m] = sum over codes of dy[B, K, c mod E] times the slope of the product",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = back_shape,
    .compile = back_compile,
};
