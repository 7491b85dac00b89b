/* peak.c -- how fast this machine's matrix product is, in the same process as the step. */
#include <stdlib.h>
#include <time.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "../ops/gemm.h"
#include "step.h"

enum { M = 2048, N = 1024, K = 1024 };

typedef struct product {
    const poise__gemm_backend *by;
    poise__gemm g;          /* the first thread's */
    size_t size;            /* of a thread's scratch, in bytes */
    float *c;               /* [threads, M, N] */
    unsigned char *scratch; /* [threads, size] */
    poise_error *error;     /* [threads] */
} product;

double bench_seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void multiply(int part, void *arg)
{
    product *p = arg;
    poise__gemm g = p->g;

    g.c = p->c + (size_t)part * M * N;
    p->by->run(&g, p->scratch + (size_t)part * p->size, &p->error[part]);
}

/* A second is enough: of a slow backend, or of a build with sanitizers, one try is. */
static int best_of(product *p, int threads, int tries, double *flops, poise_error *err)
{
    const double begin = bench_seconds();

    for (int k = 0; k < tries && (k == 0 || bench_seconds() - begin < 1); k++) {
        double from = bench_seconds(), rate;

        poise__parallel(threads, threads, multiply, p);
        rate = 2.0 * M * N * K * threads / (bench_seconds() - from);
        for (int t = 0; t < threads; t++)
            if (p->error[t].code != POISE_OK) {
                *err = p->error[t];
                return -1;
            }
        if (rate > *flops)
            *flops = rate;
    }
    return 0;
}

/* The fastest of the backends.  The plain loops are that only where there is little else. */
static int best_backend(product *p, int threads, int tries, double *flops, poise_error *err)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    int n = poise__gemm_backends(list), status = 0;

    *flops = 0;
    for (int k = 0; k < n && status == 0; k++) {
        if (n > 2 && list[k] == &poise__gemm_plain)
            continue;
        p->by = list[k];
        p->size = p->by->scratch(&p->g);
        p->scratch = poise__alloc_aligned((size_t)threads * p->size, err);
        status = p->scratch ? best_of(p, threads, tries, flops, err) : -1;
        free(p->scratch);
    }
    return status;
}

int bench_gemm_peak(int threads, int tries, double *flops, poise_error *err)
{
    const size_t size = (size_t)M * K + (size_t)K * N + (size_t)threads * M * N;
    void *base;
    float *a = poise__alloc_late(size * sizeof *a, &base, err), *b = a ? a + (size_t)M * K : NULL;
    product p = {.g = {.m = M, .n = N, .k = K, .a = a, .lda = K, .b = b, .ldb = N, .ldc = N},
                 .c = b ? b + (size_t)K * N : NULL,
                 .error = a ? poise__calloc((size_t)threads, sizeof(poise_error), err) : NULL};
    int status = -1;

    if (p.error) {
        poise__use_often(a, size * sizeof *a); /* as the step's */
        for (size_t k = 0; k < (size_t)M * K; k++)
            a[k] = (float)(k % 7) - 3;
        for (size_t k = 0; k < (size_t)K * N; k++)
            b[k] = (float)(k % 5) - 2;
        status = best_backend(&p, threads, tries, flops, err);
    }
    free(base);
    free(p.error);
    return status;
}
