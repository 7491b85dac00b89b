/* gemm_library.c -- around a library's product: what is added, the activation, errors. */
#include "gemm_library.h"

#include <string.h>

int poise__gemm_before(const poise__gemm *g)
{
    if (g->add != NULL && g->add != g->c)
        for (int64_t i = 0; i < g->m; i++)
            memcpy(g->c + i * g->ldc, g->add + i * g->add_row, (size_t)g->n * sizeof *g->c);
    return g->add != NULL;
}

void poise__gemm_after(const poise__gemm *g)
{
    const poise__vector *v = poise__vector_best();
    poise__map *const act[] = {g->act == POISE__ACT_RELU    ? v->relu
                               : g->act == POISE__ACT_LEAKY ? v->leaky_relu
                                                            : NULL,
                               g->map};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < g->m && act[k] != NULL; i++)
            act[k](g->n, g->c + i * g->ldc, NULL, g->slope, g->c + i * g->ldc);
}

int poise__gemm_refused(const poise__gemm *g, const char *library, int status, poise_error *err)
{
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "%s refused a product of %lld x %lld x %lld (leading dimensions %lld, "
                      "%lld, %lld) with status %d",
                      library, (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->lda,
                      (long long)g->ldb, (long long)g->ldc, status);
}
