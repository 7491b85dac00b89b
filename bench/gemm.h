/* gemm.h -- the matrix products of a case, by every backend of ops/gemm.h. */
#ifndef POISE_BENCH_GEMM_H
#define POISE_BENCH_GEMM_H

#include "../ops/gemm.h"
#include "step.h"

enum { BENCH_MOST_PRODUCTS = 256 };

/* Products of one shape. */
typedef struct bench_product {
    poise__gemm g;          /* its pointers are not set */
    int64_t count;          /* of a training step */
    const char *layer, *op; /* of the first node that has it */
    const poise__gemm_backend *chosen;
    double flops[POISE__GEMM_BACKENDS]; /* per second, of backend k of the list; 0: not timed */
} bench_product;

/* The distinct products of the step's session, the most work first; returns how many. */
int bench_products(const bench_step *s, bench_product list[BENCH_MOST_PRODUCTS]);

/* The product of bench_gemm_peak, of no layer. */
bench_product bench_peak_product(void);

/* Fill flops: the best of `rounds` rounds, in which the backends take turns on the same matrices, by
 * the processor time of this thread.  Plain C is timed only where it was chosen. */
int bench_product_time(bench_product *p, int rounds, poise_error *err);

#endif
