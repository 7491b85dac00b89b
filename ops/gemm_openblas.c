/* gemm_openblas.c -- the matrix product by OpenBLAS, where it is installed.
 *
 * Poise is not linked with it: the library is looked for at run time, so that it can be measured
 * beside the others.  open() loads it, and close() lets it go.
 */
#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "gemm_library.h"

/* cblas.h's values */
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TRANSPOSED = 112 };

typedef void sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a,
                   int lda, const float *b, int ldb, float beta, float *c, int ldc);
typedef void set_threads(int n);

typedef struct library {
    void *handle;
    sgemm *product;
} library;

/* A function's address comes as one of data: C has no cast between them. */
static int find(void *handle, const char *name, void *function, size_t size)
{
    void *at = dlsym(handle, name);
    if (at == NULL || size != sizeof at)
        return -1;
    memcpy(function, &at, size);
    return 0;
}

static void close(void *state)
{
    library *l = state;
    if (l != NULL && l->handle != NULL)
        (void)dlclose(l->handle);
    free(l);
}

static int open(const poise__gemm *g, void **state, poise_error *err)
{
    (void)g;
    set_threads *threads;
    library *l = poise__calloc(1, sizeof *l, err);
    if (l == NULL)
        return -1;
    l->handle = dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
    if (l->handle == NULL || find(l->handle, "cblas_sgemm", &l->product, sizeof l->product) < 0 ||
        find(l->handle, "openblas_set_num_threads", &threads, sizeof threads) < 0) {
        close(l);
        return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE,
                          "OpenBLAS (libopenblas.so.0) is not there; on Debian and Ubuntu: apt-get "
                          "install libopenblas0-pthread");
    }
    threads(1); /* parts of a product are Poise's own business */
    *state = l;
    return 0;
}

static int run(const poise__gemm *g, void *scratch, poise_error *err)
{
    (void)scratch;
    const library *l = g->state;
    const int64_t size[] = {g->m, g->n, g->k, g->lda, g->ldb, g->ldc};
    for (size_t k = 0; k < sizeof size / sizeof *size; k++)
        if (size[k] > INT_MAX)
            return poise__gemm_refused(g, "OpenBLAS", -1, err);
    const float onto = poise__gemm_before(g) ? 1.0f : 0.0f;
    l->product(ROW_MAJOR, g->ta ? TRANSPOSED : AS_IT_IS, g->tb ? TRANSPOSED : AS_IT_IS, (int)g->m,
               (int)g->n, (int)g->k, 1.0f, g->a, (int)g->lda, g->b, (int)g->ldb, onto, g->c,
               (int)g->ldc);
    poise__gemm_after(g);
    return 0;
}

/* Its packing buffers are taken once and kept. */
static int allocates(const poise__gemm *g)
{
    (void)g;
    return 0;
}

static size_t scratch(const poise__gemm *g)
{
    (void)g;
    return 0;
}

const poise__gemm_backend poise__gemm_openblas = {
    .name = "openblas",
    .allocates = allocates,
    .scratch = scratch,
    .open = open,
    .close = close,
    .run = run,
};
