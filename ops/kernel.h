/* kernel.h -- what the operators' kernels share: state, and work split in fixed parts.  Internal.
 *
 * The number of parts is a function of the shape alone, so that the bits of a result do not depend
 * on the number of threads:
 *
 *     typedef struct plan { const poise__vector *v; int64_t rows; int parts; } plan;
 *
 *     static int part(const poise__job *j, int k, poise_error *err)   // part k of j->parts
 *     static int run(POISE__RUN)  { return poise__job_run(POISE__JOB(part, plan->parts), err); }
 *     compile:  plan *p = poise__kernel(k, sizeof *p, run, err);
 *
 * Ownership: the kernel owns its state, which is one block of memory.
 */
#ifndef POISE_KERNEL_H
#define POISE_KERNEL_H

#include "../core/op.h"
#include "vector.h"

enum { POISE__PARTS = 8 };

/* 1 below 64k elements, else up to POISE__PARTS parts of 32k or more. */
int poise__parts(int64_t elements);
/* 1 below 2 MFLOP, else up to POISE__PARTS parts of 1 MFLOP and `least` of n rows or more. */
int poise__gemm_parts(double flops, int64_t n, int64_t least);

/* The parameters of poise_kernel.run, and a job that carries them to each part. */
#define POISE__RUN                                                                               \
    const poise_kernel *k, void *const *in, void *const *out, void *scratch, const poise_run *r, \
        poise_error *err
typedef int poise__run(POISE__RUN);

typedef struct poise__job poise__job;
struct poise__job {
    int (*part)(const poise__job *j, int part, poise_error *err);
    int parts; /* at most POISE__PARTS */
    const poise_kernel *k;
    void *const *in;
    void *const *out;
    void *scratch;
    const poise_run *r;
};
#define POISE__JOB(fn, n)                                                                    \
    &(poise__job)                                                                            \
    {                                                                                        \
        .part = (fn), .parts = (n), .k = k, .in = in, .out = out, .scratch = scratch, .r = r \
    }

/* Run all parts; the first one's error if any failed. */
int poise__job_run(const poise__job *j, poise_error *err);

/* Give k a zeroed state of `size` bytes, freed with it, and its run function; impl is "own".
 * Returns the state, NULL on failure. */
void *poise__kernel(poise_kernel *k, size_t size, poise__run *run, poise_error *err);

/* out[0] = map(in[0], in[1] if there is one, p), element by element. */
int poise__map_compile(poise_kernel *k, poise__map *map, double p, poise_error *err);

#endif
