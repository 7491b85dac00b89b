/* kernel.c -- kernels' state, the fixed split, and the element-by-element kernel. */
#include <stdlib.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "kernel.h"

int poise__parts(int64_t elements)
{
    if (elements < 65536)
        return 1;
    const int64_t n = elements / 32768;
    return n < POISE__PARTS ? (int)n : POISE__PARTS;
}

int poise__gemm_parts(double flops, int64_t n, int64_t least)
{
    if (flops < 2e6)
        return 1;
    const int64_t rows = n / least;
    int parts = flops < 1e6 * POISE__PARTS ? (int)(flops / 1e6) : POISE__PARTS;
    if (rows < parts)
        parts = (int)rows;
    return parts < 1 ? 1 : parts;
}

typedef struct outcome {
    const poise__job *job;
    int failed[POISE__PARTS];
    poise_error error[POISE__PARTS]; /* filled where failed */
} outcome;

static void one_part(int part, void *arg)
{
    outcome *o = arg;
    o->failed[part] = o->job->part(o->job, part, &o->error[part]) < 0;
}

int poise__job_run(const poise__job *j, poise_error *err)
{
    outcome o;
    o.job = j;
    poise__parallel(j->parts, j->r->threads, one_part, &o);
    for (int p = 0; p < j->parts; p++)
        if (o.failed[p]) {
            if (err != NULL)
                *err = o.error[p];
            return -1;
        }
    return 0;
}

void *poise__kernel(poise_kernel *k, size_t size, poise__run *run, poise_error *err)
{
    k->state = poise__calloc(1, size, err);
    k->done = free;
    k->run = run;
    k->impl = "own";
    return k->state;
}

typedef struct map_plan {
    poise__map *map;
    int64_t n;
    float p;
    int binary, parts;
} map_plan;

static int map_part(const poise__job *j, int part, poise_error *err)
{
    (void)err;
    const map_plan *m = j->k->state;
    int64_t from, to;
    poise__part(m->n, j->parts, 64, part, &from, &to);
    const float *a = (const float *)j->in[0] + from;
    const float *b = m->binary ? (const float *)j->in[1] + from : NULL;
    m->map(to - from, a, b, m->p, (float *)j->out[0] + from);
    return 0;
}

static int map_run(POISE__RUN)
{
    const map_plan *m = k->state;
    return poise__job_run(POISE__JOB(map_part, m->parts), err);
}

int poise__map_compile(poise_kernel *k, poise__map *map, double p, poise_error *err)
{
    map_plan *m = poise__kernel(k, sizeof *m, map_run, err);
    if (m == NULL)
        return -1;
    m->map = map;
    m->n = poise_value_count(k->node->out[0]);
    m->p = (float)p;
    m->binary = k->node->nin > 1;
    m->parts = poise__parts(m->n);
    return 0;
}
