/* skip.h -- the matrix product that leaves out the zeros of A.  Internal.
 *
 * relu makes half of what comes after it zero: its outputs, and what its gradient lets through.  In
 *
 *     dx[B, I] = dy[B, O] w[O, I]      dw[O, I] = dy[B, O]' x[B, I]      y[B, O] = x[B, I] w[O, I]'
 *
 * a zero of the first factor, A, is multiplied with a whole row of B, n numbers.  Here the others are
 * listed first, row by row of A, and a row of C is the sum of the rows of B on its list:
 *
 *       A                lists: (value, row of B)          C[i, :]
 *     0 a 0 b    ->      (a, 1) (b, 3)             ->      a B[1, :] + b B[3, :]
 *     c 0 0 0            (c, 0)                            c B[0, :]
 *
 * A row of C stays in up to 12 registers; B is packed into panels of as many columns, in stretches of
 * rows that stay in the L1 cache.  Per number of A that is not zero, 12 multiply-adds take 13 loads:
 * 6.5 cycles where two loads and two multiply-adds can begin in each, and the tile of gemm_tile.h 6
 * cycles for as many, zeros included.
 *
 * The terms are added in the order of gemm_own.c and with its blocks (gemm_blocks.h): what comes out has the same bits
 * as the own product's, but that 0 times infinity or NaN is left out, and for the sign of a zero to
 * which numbers too small for f32 were rounded.
 */
#ifndef POISE_SKIP_H
#define POISE_SKIP_H

#include "gemm.h"

typedef struct poise__skip {
    const char *name; /* "skip:avx2" */
    /* bytes, 64-aligned; a product with smaller m or n needs no more */
    size_t (*scratch)(const poise__gemm *g);
    void (*run)(const poise__gemm *g, void *scratch);
} poise__skip;

/* The product for shapes like g's, of the same instruction set as `by`; NULL where listing A would
 * take too large a part of what it saves, and where there are no vectors. */
const poise__skip *poise__skip_choose(const poise__gemm *g, const poise__gemm_backend *by);

/* Are so many of A's numbers zero that leaving them out pays?  Looks at some of them. */
int poise__skip_pays(const poise__gemm *g);

#if defined(__x86_64__)
extern const poise__skip poise__skip_avx2, poise__skip_avx512;
#endif

#endif
