/* gemm.h -- the one matrix product everything stands on, and who computes it.  Internal.
 *
 *     poise__gemm g = {.tb = 1, .m = B, .n = O, .k = I, .a = x, .lda = I, .b = w, .ldb = I,
 *                      .add = bias, .c = y, .ldc = O};
 *     const poise__gemm_backend *by = poise__gemm_choose(&g);        // when a graph is compiled
 *     by->run(&g, scratch, err);                                     // by->scratch(&g) bytes
 *
 * One thread, the caller's.  Nothing is allocated unless `allocates` says so.
 */
#ifndef POISE_GEMM_H
#define POISE_GEMM_H

#include <stddef.h>
#include <stdint.h>
#include "../core/error.h"
#include "gemm_tile.h"
#include "vector.h"

/* c[m,n] = map(act(add + A B)), row major, m, n, k >= 1, leading dimensions in elements.
 *
 *   ta    A is stored [k,m], else [m,k]           tb    B is stored [n,k], else [k,n]
 *   add   element (i, j) at add[i * add_row + j]: a bias where add_row is 0, what to accumulate
 *         into where add is c and add_row ldc; NULL: nothing is added */
typedef struct poise__gemm {
    int ta, tb;
    int64_t m, n, k;
    const float *a;
    int64_t lda;
    const float *b;
    int64_t ldb;
    const float *add;
    int64_t add_row;
    float *c;
    int64_t ldc;
    poise__act act;
    float slope;
    poise__map *map; /* another activation, of parameter `slope`; NULL: none */
    void *state;     /* what the backend's open() made for this shape, where it has one */
} poise__gemm;

/* Shapes and leading dimensions decide all but `run`: pointers need not be set for the rest. */
typedef struct poise__gemm_backend {
    const char *name; /* "own:avx2", "dnnl:sgemm" */
    /* 1: the bits of an element depend on k alone; m and n may be cut anywhere */
    int cuttable;
    /* a product of so much k added onto a matrix has the bits of that product, then added; 0: none */
    int64_t onto;
    /* does a run ask the C library for memory? */
    int (*allocates)(const poise__gemm *g);
    /* bytes of scratch, 64-aligned; no product with smaller m or n needs more */
    size_t (*scratch)(const poise__gemm *g);
    /* Make *state for products of this shape, of which `add` need only be NULL or not; once, when a
     * graph is compiled; close() frees it.  NULL: the backend needs none. */
    int (*open)(const poise__gemm *g, void **state, poise_error *err);
    void (*close)(void *state);
    int (*run)(const poise__gemm *g, void *scratch, poise_error *err);
} poise__gemm_backend;

/* All that this processor can run and that need no open(), slowest first; returns how many. */
enum { POISE__GEMM_BACKENDS = 8 };
int poise__gemm_backends(const poise__gemm_backend *list[POISE__GEMM_BACKENDS]);
/* The same after those that are only measured beside them: oneDNN's matmul, and OpenBLAS where it is
 * installed, which is found out by loading it. */
int poise__gemm_all(const poise__gemm_backend *list[POISE__GEMM_BACKENDS]);

/* Who computes products of this shape: never one that allocates.  The rule is in gemm.c. */
const poise__gemm_backend *poise__gemm_choose(const poise__gemm *g);

/* ---- the backends: gemm_own.c, dnnl.c, dnnl_matmul.c, gemm_openblas.c ---- */

extern const poise__gemm_backend poise__gemm_plain;
#if defined(__x86_64__)
extern const poise__gemm_backend poise__gemm_avx2, poise__gemm_avx512;
#endif
extern const poise__gemm_backend poise__gemm_dnnl, poise__gemm_matmul, poise__gemm_openblas;

/* "oneDNN 2.6.3", of the library that is loaded; and whether its major is the header's. */
const char *poise__gemm_library(char *buf, int size);
int poise__gemm_check(poise_error *err);

#endif
