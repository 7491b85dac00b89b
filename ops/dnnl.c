/* dnnl.c -- the matrix product by oneDNN.  The only file that includes dnnl.h.
 *
 * dnnl_sgemm has one signature in oneDNN 2.x and 3.x, is row major, takes leading dimensions, and
 * on AVX2 was as fast as the inner-product and matmul primitives; so nothing here depends on the
 * major version but the check that header and library agree.
 */
#include <dnnl.h>
#include <stdio.h>
#include "gemm.h"

int poise__gemm(int ta, int tb, int64_t m, int64_t n, int64_t k, const float *a, int64_t lda,
                const float *b, int64_t ldb, float beta, float *c, int64_t ldc, poise_error *err)
{
    const dnnl_status_t s =
        dnnl_sgemm(ta ? 'T' : 'N', tb ? 'T' : 'N', m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
    if (s == dnnl_success)
        return 0;
    if (s == dnnl_out_of_memory)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                          "oneDNN is out of memory in a product of %lld x %lld x %lld",
                          (long long)m, (long long)n, (long long)k);
    return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                      "oneDNN refused a product of %lld x %lld x %lld (leading dimensions %lld, "
                      "%lld, %lld) with status %d",
                      (long long)m, (long long)n, (long long)k, (long long)lda, (long long)ldb,
                      (long long)ldc, (int)s);
}

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
