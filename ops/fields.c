/* fields.c -- what fields of a row, vectors of one width, have in common, two by two.
 *
 *     factorise   y[B,D] = ((sum over f of x[B,f,:])^2 - sum over f of x[B,f,:]^2) / 2
 *                 dx[B,f,:] = dy (sum over f of x[B,f,:] - x[B,f,:])      factorise_backward(dy, x)
 *
 *     pairs       y[B,p,:] = a[B,i,:] b[B,j,:] for the p-th pair i < j, in the order (0, 1), (0, 2)
 *                 ..., (1, 2), ...: P = F (F - 1) / 2
 *                 da[B,i,:] = sum over j of dy[B,p,:] b[B,j,:]            pairs_left(dy, b)
 *                 db[B,j,:] = sum over i of dy[B,p,:] a[B,i,:]            pairs_right(dy, a)
 *
 * factorise is the sum of a[i] a[j] over all pairs without forming them (Rendle, ICDM 2010).
 */
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

typedef struct plan {
    const poise__vector *v;
    int64_t rows, fields, width;
    int parts;
} plan;

/* `x` is [B,F,D]; `work` is how many numbers a row costs. */
static int compile(poise_kernel *k, const poise_value *x, int64_t work, poise__run *run,
                   poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    *p = (plan){poise__vector_best(), x->dim[0], x->dim[1], x->dim[2],
                poise__parts(x->dim[0] * work)};
    return 0;
}

/* Row `from` of array k, which has `fields` fields. */
#define AT(type, array, k, fields) ((type *)j->array[k] + from * (fields)*p->width)
#define PART(name, call)                                                                      \
    static int name##_part(const poise__job *j, int part, poise_error *err)                   \
    {                                                                                         \
        (void)err;                                                                            \
        const plan *p = j->k->state;                                                          \
        const int64_t f = p->fields;                                                          \
        int64_t from, to;                                                                     \
        poise__part(p->rows, j->parts, 1, part, &from, &to);                                  \
        p->v->call;                                                                           \
        return 0;                                                                             \
    }                                                                                         \
    static int name##_run(POISE__RUN)                                                         \
    {                                                                                         \
        return poise__job_run(POISE__JOB(name##_part, ((const plan *)k->state)->parts), err); \
    }

PART(factorise, factorise(to - from, f, p->width, AT(const float, in, 0, f), AT(float, out, 0, 1)))
PART(back, factorise_back(to - from, f, p->width, AT(const float, in, 0, 1),
                          AT(const float, in, 1, f), AT(float, out, 0, f)))
PART(pairs, pairs(to - from, f, p->width, AT(const float, in, 0, f), AT(const float, in, 1, f),
                  AT(float, out, 0, f *(f - 1) / 2)))
PART(left, pairs_left(to - from, f, p->width, AT(const float, in, 0, f *(f - 1) / 2),
                      AT(const float, in, 1, f), AT(float, out, 0, f)))
PART(right, pairs_right(to - from, f, p->width, AT(const float, in, 0, f *(f - 1) / 2),
                        AT(const float, in, 1, f), AT(float, out, 0, f)))

/* ---- factorise ---- */

static int factorise_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 3, err) < 0)
        return -1;
    poise__out(n, 0, POISE_F32, 2, (int64_t[]){n->in[0]->dim[0], n->in[0]->dim[2]});
    return 0;
}

static int factorise_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                              const int *want, poise_gradient *din, poise_error *err)
{
    (void)want;
    return poise__gradient(g, &poise__op_factorise_backward, 2, POISE__IN(dout[0], n->in[0]), NULL,
                           &din[0], err);
}

static int factorise_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[0], poise__extent(n->in[0], 1, 3), factorise_run, err);
}

const poise_op poise__op_factorise = {
    .name = "factorise",
    .formula = "y[B, D] = ((sum over f of x[B, f, D])^2 - sum over f of x[B, f, D]^2) / 2",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .shape = factorise_shape,
    .backward = factorise_backward,
    .compile = factorise_compile,
};

poise_value *poise_factorise(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise__apply(g, &poise__op_factorise, 1, 1, POISE__IN(x), NULL, err);
}

static int back_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 2, err) < 0 ||
        poise__want(n, 1, "x", POISE_F32, 3, err) < 0 ||
        poise__want_dim(n, 1, "x", 0, n->in[0]->dim[0], "the batch", err) < 0 ||
        poise__want_dim(n, 1, "x", 2, n->in[0]->dim[1], "the width of dy", err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[1]);
    return 0;
}

static int back_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[1], poise__extent(n->in[1], 1, 3), back_run, err);
}

const poise_op poise__op_factorise_backward = {
    .name = "factorise_backward",
    .formula = "dx[B, f, D] = dy[B, D] (sum over f of x[B, f, D] - x[B, f, D])",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = back_shape,
    .compile = back_compile,
};

/* ---- pairs ---- */

static int pairs_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "a", POISE_F32, 3, err) < 0 ||
        poise__want(n, 1, "b", POISE_F32, 3, err) < 0 ||
        poise__want_same(n, 1, "b", 0, "a", err) < 0)
        return -1;
    const int64_t *dim = n->in[0]->dim, f = dim[1];
    if (f < 2 || f > INT32_MAX)
        return poise_node_fail(n, POISE_E_SHAPE, err, "pairs of %lld fields; 2 or more",
                               (long long)f);
    poise__out(n, 0, POISE_F32, 3, (int64_t[]){dim[0], f * (f - 1) / 2, dim[2]});
    return 0;
}

static int pairs_backward(poise_graph *g, const poise_node *n, poise_value *const *dout,
                          const int *want, poise_gradient *din, poise_error *err)
{
    if (want[0] && poise__gradient(g, &poise__op_pairs_left, 2, POISE__IN(dout[0], n->in[1]), NULL,
                                   &din[0], err) < 0)
        return -1;
    if (!want[1])
        return 0;
    return poise__gradient(g, &poise__op_pairs_right, 2, POISE__IN(dout[0], n->in[0]), NULL,
                           &din[1], err);
}

static int pairs_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[0], poise__extent(n->out[0], 1, 3), pairs_run, err);
}

const poise_op poise__op_pairs = {
    .name = "pairs",
    .formula = "y[B, (i, j), D] = a[B, i, D] b[B, j, D] for i < j",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = pairs_shape,
    .backward = pairs_backward,
    .compile = pairs_compile,
};

poise_value *poise_pairs(poise_graph *g, poise_value *a, poise_value *b, poise_error *err)
{
    return poise__apply(g, &poise__op_pairs, 2, 2, POISE__IN(a, b), NULL, err);
}

static int side_shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "dy", POISE_F32, 3, err) < 0 ||
        poise__want(n, 1, "the other side", POISE_F32, 3, err) < 0 ||
        poise__want_dim(n, 0, "dy", 1, n->in[1]->dim[1] * (n->in[1]->dim[1] - 1) / 2,
                        "the number of pairs", err) < 0 ||
        poise__want_dim(n, 0, "dy", 2, n->in[1]->dim[2], "the fields' width", err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[1]);
    return 0;
}

static int left_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[1], poise__extent(n->in[0], 1, 3), left_run, err);
}

static int right_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    return compile(k, n->in[1], poise__extent(n->in[0], 1, 3), right_run, err);
}

const poise_op poise__op_pairs_left = {
    .name = "pairs_left",
    .formula = "da[B, i, D] = sum over j > i of dy[B, (i, j), D] b[B, j, D]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = side_shape,
    .compile = left_compile,
};

const poise_op poise__op_pairs_right = {
    .name = "pairs_right",
    .formula = "db[B, j, D] = sum over i < j of dy[B, (i, j), D] a[B, i, D]",
    .min_in = 2,
    .max_in = 2,
    .nout = 1,
    .shape = side_shape,
    .compile = right_compile,
};
