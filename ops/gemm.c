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

/* The last of the list that allocates nothing: the own kernels where there are vectors for them, as
 * `poise bench --gemm` shows them level with oneDNN's or ahead on the shapes that occur; on other
 * processors oneDNN's where it packs nothing, and the plain loops for the rest. */
const poise__gemm_backend *poise__gemm_choose(const poise__gemm *g)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    int n = poise__gemm_backends(list);
    while (n > 1 && list[n - 1]->allocates(g))
        n--;
    return list[n - 1];
}
