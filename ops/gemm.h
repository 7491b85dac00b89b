/* gemm.h -- the one matrix product everything stands on.  Internal.  ops/dnnl.c implements it and
 * alone includes dnnl.h. */
#ifndef POISE_GEMM_H
#define POISE_GEMM_H

#include <stdint.h>
#include "../core/error.h"

/* C[m,n] = A B + beta C, row major, leading dimensions in elements; ta: A is stored [k,m], tb: B is
 * stored [n,k].  One thread, the caller's.  beta is 0 (C need not be initialised) or 1. */
int poise__gemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc, poise_error *err);

/* "oneDNN 2.6.3", of the library that is loaded; and whether its major is the header's. */
const char *poise__gemm_library(char *buf, int size);
int poise__gemm_check(poise_error *err);

#endif
