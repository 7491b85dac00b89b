/* peak.c -- how fast this machine's matrix product is, in the same process as the step. */
#include <stdlib.h>
#include <time.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "../ops/gemm.h"
#include "step.h"

enum { M = 2048, N = 1024, K = 1024 };

typedef struct product {
    const float *a, *b;
    float *c;           /* [threads, M, N] */
    poise_error *error; /* [threads] */
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

    poise__gemm(0, 0, M, N, K, p->a, K, p->b, N, 0, p->c + (size_t)part * M * N, N,
                &p->error[part]);
}

static int best_of(product *p, int threads, int tries, double *flops, poise_error *err)
{
    *flops = 0;
    for (int k = 0; k < tries; k++) {
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

int bench_gemm_peak(int threads, int tries, double *flops, poise_error *err)
{
    float *a = poise__calloc((size_t)M * K, sizeof *a, err);
    float *b = poise__calloc((size_t)K * N, sizeof *b, err);
    float *c = poise__calloc((size_t)threads * M * N, sizeof *c, err);
    poise_error *error = poise__calloc((size_t)threads, sizeof *error, err);
    int status = -1;

    if (a && b && c && error) {
        for (size_t k = 0; k < (size_t)M * K; k++)
            a[k] = (float)(k % 7) - 3;
        for (size_t k = 0; k < (size_t)K * N; k++)
            b[k] = (float)(k % 5) - 2;
        status = best_of(&(product){a, b, c, error}, threads, tries, flops, err);
    }
    free(a);
    free(b);
    free(c);
    free(error);
    return status;
}
