/* rows.c -- kernels that walk rows or columns of [rows, width]. */
#include "../core/parallel.h"
#include "rows.h"

typedef struct plan {
    poise__rows_fn *fn;
    const poise__vector *v;
    int64_t n, width; /* what is cut; the width */
    int64_t align;
    int parts;
} plan;

static int part(const poise__job *j, int which, poise_error *err)
{
    (void)err;
    const plan *p = j->k->state;
    int64_t from, to;
    poise__part(p->n, j->parts, p->align, which, &from, &to);
    if (from < to)
        p->fn(j, p->v, from, to, p->width);
    return 0;
}

static int run(POISE__RUN)
{
    return poise__job_run(POISE__JOB(part, ((const plan *)k->state)->parts), err);
}

static int compile(poise_kernel *k, poise__rows_fn *fn, int columns, poise_error *err)
{
    plan *p = poise__kernel(k, sizeof *p, run, err);
    if (p == NULL)
        return -1;
    const poise_value *x = k->node->in[0];
    const int64_t count = poise_value_count(x);
    p->fn = fn;
    p->v = poise__vector_best();
    p->width = x->dim[x->rank - 1];
    p->n = columns ? p->width : count / p->width;
    p->align = columns ? 16 : 1;
    p->parts = poise__parts(count);
    return 0;
}

int poise__rows_compile(poise_kernel *k, poise__rows_fn *fn, poise_error *err)
{
    return compile(k, fn, 0, err);
}

int poise__columns_compile(poise_kernel *k, poise__rows_fn *fn, poise_error *err)
{
    return compile(k, fn, 1, err);
}
