/* skip.c -- for which products zeros are left out. */
#include <stddef.h>
#include "skip.h"

/* Narrower, or with fewer sums to take, listing A costs more than is saved. */
enum { LEAST_COLUMNS = 64, LEAST_DEPTH = 32 };
#define LEAST_FLOPS 2e6

/* The sample: so many rows of A as it lies, so many numbers of each.  Two in five must be zero. */
enum { SAMPLE_ROWS = 24, SAMPLE_COLUMNS = 32 };
#define LEAST_ZEROS 0.4

const poise__skip *poise__skip_choose(const poise__gemm *g, const poise__gemm_backend *by)
{
    if (g->n < LEAST_COLUMNS || g->k < LEAST_DEPTH ||
        2.0 * (double)g->m * (double)g->n * (double)g->k < LEAST_FLOPS)
        return NULL;
#if defined(__x86_64__)
    if (by == &poise__gemm_avx2)
        return &poise__skip_avx2;
    if (by == &poise__gemm_avx512)
        return &poise__skip_avx512;
#endif
    (void)by;
    return NULL;
}

int poise__skip_pays(const poise__gemm *g, int count)
{
    const int64_t height = g->ta ? g->k : g->m, width = g->ta ? g->m : g->k;
    const int64_t rows = height < SAMPLE_ROWS ? height : SAMPLE_ROWS;
    const int64_t columns = width < SAMPLE_COLUMNS ? width : SAMPLE_COLUMNS;
    int64_t zeros = 0;
    for (int64_t r = 0; r < rows; r++) { /* down a diagonal */
        const int64_t at = r * height / rows * g->lda + r * (width - columns) / rows;
        for (int64_t c = at; c < at + columns; c++) {
            int zero = 1;
            for (int t = 0; t < count; t++)
                zero = zero && g[t].a[c] == 0.0f;
            zeros += zero;
        }
    }
    return (double)zeros >= LEAST_ZEROS * (double)(rows * columns);
}
