/* dnnl.c -- the matrix product by oneDNN.  Only this file and dnnl_matmul.c include dnnl.h.
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
#include "gemm_library.h"

static int allocates(const poise__gemm *g)
{
    return !g->ta;
}

static size_t scratch(const poise__gemm *g)
{
    (void)g;
    return 0;
}

static int run(const poise__gemm *g, void *unused, poise_error *err)
{
    (void)unused;
    const float onto = poise__gemm_before(g) ? 1.0f : 0.0f;
    const dnnl_status_t s = dnnl_sgemm(g->ta ? 'T' : 'N', g->tb ? 'T' : 'N', g->m, g->n, g->k, 1.0f,
                                       g->a, g->lda, g->b, g->ldb, onto, g->c, g->ldc);
    if (s != dnnl_success)
        return poise__gemm_refused(g, "oneDNN", (int)s, err);
    poise__gemm_after(g);
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
