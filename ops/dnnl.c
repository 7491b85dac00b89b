/* dnnl.c -- the matrix product by oneDNN.  The only file that includes dnnl.h.
 *
 * dnnl_sgemm has one signature in oneDNN 2.x and 3.x, is row major, takes leading dimensions, and
 * on AVX2 was as fast as the inner-product and matmul primitives; so nothing here depends on the
 * major version but the check that header and library agree.
 *
 * Where A is not transposed, 2.6 asks the C library for a packing buffer in every call; the other
 * primitives do the same inside.
 */
#include <dnnl.h>
#include <stdio.h>
#include <string.h>
#include "gemm.h"
#include "vector.h"

static int allocates(const poise__gemm *g)
{
    return !g->ta;
}

static size_t scratch(const poise__gemm *g)
{
    (void)g;
    return 0;
}

static int failed(const poise__gemm *g, dnnl_status_t s, poise_error *err)
{
    if (s == dnnl_out_of_memory)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                          "oneDNN is out of memory in a product of %lld x %lld x %lld",
                          (long long)g->m, (long long)g->n, (long long)g->k);
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "oneDNN refused a product of %lld x %lld x %lld (leading dimensions %lld, "
                      "%lld, %lld) with status %d",
                      (long long)g->m, (long long)g->n, (long long)g->k, (long long)g->lda,
                      (long long)g->ldb, (long long)g->ldc, (int)s);
}

/* What is added goes into c before the product, the activation over c after it. */
static int run(const poise__gemm *g, void *unused, poise_error *err)
{
    (void)unused;
    if (g->add != NULL && g->add != g->c)
        for (int64_t i = 0; i < g->m; i++)
            memcpy(g->c + i * g->ldc, g->add + i * g->add_row, (size_t)g->n * sizeof *g->c);
    const dnnl_status_t s =
        dnnl_sgemm(g->ta ? 'T' : 'N', g->tb ? 'T' : 'N', g->m, g->n, g->k, 1.0f, g->a, g->lda, g->b,
                   g->ldb, g->add != NULL ? 1.0f : 0.0f, g->c, g->ldc);
    if (s != dnnl_success)
        return failed(g, s, err);
    const poise__vector *v = poise__vector_best();
    poise__map *const act[] = {g->act == POISE__ACT_RELU    ? v->relu
                               : g->act == POISE__ACT_LEAKY ? v->leaky_relu
                                                            : NULL,
                               g->map};
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < g->m && act[k] != NULL; i++)
            act[k](g->n, g->c + i * g->ldc, NULL, g->slope, g->c + i * g->ldc);
    return 0;
}

const poise__gemm_backend poise__gemm_dnnl = {
    .name = "dnnl:sgemm",
    .allocates = allocates,
    .scratch = scratch,
    .run = run,
};

const char *poise__gemm_library(char *buf, int size)
{
    const dnnl_version_t *v = dnnl_version();
    snprintf(buf, (size_t)size, "oneDNN %d.%d.%d", v->major, v->minor, v->patch);
    return buf;
}

int poise__gemm_check(poise_error *err)
{
    const dnnl_version_t *v = dnnl_version();
    if (v->major == DNNL_VERSION_MAJOR)
        return 0;
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "the oneDNN library that was loaded is %d.%d.%d, but Poise was built for "
                      "%d.x; build again or load that version",
                      v->major, v->minor, v->patch, DNNL_VERSION_MAJOR);
}
