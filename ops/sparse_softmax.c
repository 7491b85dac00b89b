/* sparse_softmax.c -- softmax over the largest entries of each row, 0 for the others.
 *
 *     y[r,c] = e^x[r,c] / sum over the chosen of e^x, c chosen; else 0
 *     dx     = y (dy - sum of dy y)      softmax_backward(dy, y): 0 where y is
 *
 * Chosen are the i[0] largest of the kept: keep[r,c] is not 0, or keep is absent.  Of equal ones the
 * first.  Where a row keeps nothing, all of it is kept.
 */
#include <math.h>
#include "../core/parallel.h"
#include "kernel.h"
#include "ops.h"
#include "shape.h"
#include "table.h"

static int shape(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 2, err) < 0)
        return -1;
    if (n->nin > 1 && (poise__want(n, 1, "keep", POISE_F32, 2, err) < 0 ||
                       poise__want_same(n, 1, "keep", 0, "x", err) < 0))
        return -1;
    if (n->attr.i[0] < 1 || n->attr.i[0] > n->in[0]->dim[1])
        return poise_node_fail(n, POISE_E_SHAPE, err, "the %lld largest of %lld; 1 to all",
                               (long long)n->attr.i[0], (long long)n->in[0]->dim[1]);
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

static int backward(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err)
{
    if (!want[0])
        return 0;
    return poise__gradient(g, &poise__op_softmax_backward, 2, POISE__IN(dout[0], n->out[0]), NULL,
                           &din[0], err);
}

/* y = x where chosen, else -infinity.  An entry's place is how many kept ones beat it; a NaN is
 * beaten by none, and shows. */
static void choose(int64_t n, int64_t top, const float *x, const float *keep, float *y)
{
    int64_t kept = 0;
    for (int64_t c = 0; keep != NULL && c < n; c++)
        kept += keep[c] != 0.0f;
    if (kept == 0)
        keep = NULL;
    for (int64_t c = 0; c < n; c++) {
        int64_t place = 0;
        for (int64_t k = 0; k < n && top < n; k++) {
            const int beats = x[k] > x[c] || (k < c && x[k] >= x[c]);
            place += beats && (keep == NULL || keep[k] != 0.0f);
        }
        const int out = place >= top || (keep != NULL && keep[c] == 0.0f);
        y[c] = out ? -INFINITY : x[c];
    }
}

typedef struct plan {
    const poise__vector *v;
    int64_t rows, width;
    int parts;
} plan;

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    const float *keep = j->k->node->nin > 1 ? j->in[1] : NULL;
    int64_t from, to;
    poise__part(p->rows, j->parts, 1, which, &from, &to);
    float *y = (float *)j->out[0];
    for (int64_t r = from; r < to; r++)
        choose(p->width, j->k->node->attr.i[0], (const float *)j->in[0] + r * p->width,
               keep ? keep + r * p->width : NULL, y + r * p->width);
    if (from < to)
        p->v->softmax(to - from, p->width, y + from * p->width, y + from * p->width);
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    p->v = poise__vector_best();
    p->rows = n->in[0]->dim[0];
    p->width = n->in[0]->dim[1];
    p->parts = poise__parts(p->rows * p->width * p->width);
    return 0;
}

const poise_op poise__op_sparse_softmax = {
    .name = "sparse_softmax",
    .formula = "y[B, C] = softmax over the largest of those kept, 0 for the others",
    .min_in = 1,
    .max_in = 2,
    .nout = 1,
    .shape = shape,
    .backward = backward,
    .compile = compile,
};

poise_value *poise_sparse_softmax(poise_graph *g, poise_value *x, poise_value *keep, int64_t top,
                                  poise_error *err)
{
    const poise_attr a = {.i = {top}};
    return poise__apply(g, &poise__op_sparse_softmax, 1, keep != NULL ? 2 : 1, POISE__IN(x, keep),
                        &a, err);
}
