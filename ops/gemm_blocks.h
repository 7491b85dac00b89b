/* gemm_blocks.h -- the blocks of the own products, dense (gemm_own.c) and without zeros (skip_rows.c).
 * Internal.
 *
 * The terms of an element are added block of k by block of k, in registers within one: products with
 * the same depth() have the same bits.
 */
#ifndef POISE_GEMM_BLOCKS_H
#define POISE_GEMM_BLOCKS_H

#include <stdint.h>

enum { DEEP = 384 /* of k at most */, BROAD = 448 /* columns of C */ };

static inline int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static inline int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* k in equal blocks of at most DEEP */
static inline int64_t depth(int64_t k)
{
    const int64_t blocks = (k + DEEP - 1) / DEEP;
    return round_up((k + blocks - 1) / blocks, 8);
}

#endif
