/* gemm.c -- which backend computes which product. */
#include "gemm.h"

int poise__gemm_backends(const poise__gemm_backend *list[POISE__GEMM_BACKENDS])
{
    int n = 0;
    list[n++] = &poise__gemm_plain;
    list[n++] = &poise__gemm_dnnl;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        list[n++] = &poise__gemm_avx2;
        if (__builtin_cpu_supports("avx512f"))
            list[n++] = &poise__gemm_avx512;
    }
#endif
    return n;
}

int poise__gemm_all(const poise__gemm_backend *list[POISE__GEMM_BACKENDS])
{
    const poise__gemm_backend *always[POISE__GEMM_BACKENDS];
    const poise__gemm one = {.m = 1, .n = 1, .k = 1, .lda = 1, .ldb = 1, .ldc = 1};
    void *state = NULL;
    int n = 0;
    if (poise__gemm_openblas.open(&one, &state, NULL) == 0) {
        poise__gemm_openblas.close(state);
        list[n++] = &poise__gemm_openblas;
    }
    list[n++] = &poise__gemm_matmul;
    for (int k = 0, m = poise__gemm_backends(always); k < m; k++)
        list[n++] = always[k];
    return n;
}

/* The rule: the last of the list that allocates nothing.  That is the own kernels where there are
 * vectors for them; on other processors oneDNN where A is transposed, and the plain loops for the rest.
 *
 * Why no shape goes to oneDNN on AVX2 (`poise bench --gemm`, GFLOP/s of own / dnnl:sgemm on a core
 * that reaches 88): level on large products (85 / 83 forward, 89 / 82 data, 85 / 79 weights of
 * 2048 x 2048 x 429), ahead where rows are far apart (75 / 33, weights of an expert's second layer)
 * or few (94 / 57, a tower of 16 x 8); behind in products of 8 columns (63 / 74) or one (15 / 27), of
 * which a step has little, and where oneDNN would allocate. */
const poise__gemm_backend *poise__gemm_choose(const poise__gemm *g)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    int n = poise__gemm_backends(list);
    while (n > 1 && list[n - 1]->allocates(g))
        n--;
    return list[n - 1];
}
