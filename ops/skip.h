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
 * Up to four products that share B, such as the gradients of as many tasks after one relu, whose zeros
 * are at the same places, are taken at once: the panels are narrower, a vector of B is loaded once for
 * all, and a number of A that is not zero in one of them is listed for all.  Four vectors for three
 * products take 7 loads for 12 multiply-adds, which then bound the sums, at 6 cycles.
 *
 * The terms are added in the order of gemm_own.c and with its blocks (gemm_blocks.h): what comes out has the same bits
 * as the own product's, but that 0 times infinity or NaN is left out, and for the sign of a zero to
 * which numbers too small for f32 were rounded.
 */
#ifndef POISE_SKIP_H
#define POISE_SKIP_H

#include "gemm.h"

/* Products of one shape and one B at once, at most. */
enum { POISE__SKIP_MOST = 4 };

typedef struct poise__skip {
    const char *name; /* "skip:avx2" */
    /* bytes, 64-aligned; products with smaller m or n need no more */
    size_t (*scratch)(const poise__gemm *g, int count);
    /* g[count], alike but for a, add and c; what is zero in all of their A is left out */
    void (*run)(const poise__gemm *g, int count, void *scratch);
} poise__skip;

/* The product for shapes like g's, of the same instruction set as `by`; NULL where listing A would
 * take too large a part of what it saves, and where there are no vectors. */
const poise__skip *poise__skip_choose(const poise__gemm *g, const poise__gemm_backend *by);

/* Are so many numbers zero, in A of all g[count], that leaving them out pays?  Looks at some. */
int poise__skip_pays(const poise__gemm *g, int count);

#if defined(__x86_64__)
extern const poise__skip poise__skip_avx2, poise__skip_avx512;
#endif

#endif
