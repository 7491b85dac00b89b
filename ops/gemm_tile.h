/* gemm_tile.h -- the innermost part of the matrix product, once per instruction set.  Internal.
 *
 * C is cut into strips, one or two vectors wide, and a strip into tiles of up to 12 or 6 rows: as
 * many sums as there are registers for.  Where C or k is one row high, strips are up to eight wide and
 * tiles one row; where C is one column wide, a vector holds its rows.
 *
 *       k             strip                        b: [k][columns of the strip], packed
 *   +-------+      +---+---+                       a: rows of the matrix itself, or packed
 *   |   a   |  x   | b |   |   k    =   c tile
 *   +-------+      +---+---+
 *
 * Every element is summed over its k in ascending order, one multiply-add after the other from 0,
 * wherever it lies in a tile: its bits do not depend on how C was cut.
 */
#ifndef POISE_GEMM_TILE_H
#define POISE_GEMM_TILE_H

#include <stdint.h>

/* What is done to a finished element; `slope` is leaky's. */
typedef enum poise__act { POISE__ACT_NONE, POISE__ACT_RELU, POISE__ACT_LEAKY } poise__act;

/* A strip of C:  c = act(add + a b) */
typedef struct poise__strip {
    int64_t rows, columns,
        k;             /* columns: at most 2 vectors; or 4 or POISE__FLAT whole ones, a_tile 0 */
    int64_t tile_rows; /* rows of the highest tile: poise__tile_rows() */
    const float *a;    /* element (i, p) of a tile at a[i * a_row + p * a_step] */
    int64_t a_row, a_step;
    int64_t a_tile; /* from a tile to the next; 0: a follows the rows of C */
    const float *b; /* element (p, j) at b[p * b_step + j]; vectors are read whole */
    int64_t b_step;
    const float *add; /* element (i, j) at add[i * add_row + j]; may be c; NULL: 0 */
    int64_t add_row;
    float *c;
    int64_t c_row;
    poise__act act;
    float slope;
} poise__strip;

typedef struct poise__tiles {
    const char *name;                     /* "plain", "avx2", "avx512" */
    int64_t lanes;                        /* floats of a vector */
    void (*strip)(const poise__strip *s); /* the product */
    /* The product of one column, with a_step 1 and a_tile 0: no element of b past it is read. */
    void (*column)(const poise__strip *s);
    /* Columns [0, n) of b, k deep, as strips: out[strip][k][2 lanes], the last [k][lanes] where
     * that is enough; what is past n is 0.  tb: b is [n, k], else [k, n]. */
    void (*pack_b)(int tb, int64_t n, int64_t k, const float *b, int64_t ldb, float *out);
    /* Columns [0, m) of a[k, m] as tiles of `tile_rows` or one fewer: out[tile][k][tile_rows]. */
    void (*pack_a)(int64_t m, int64_t k, int64_t tile_rows, const float *a, int64_t lda,
                   float *out);
} poise__tiles;

extern const poise__tiles poise__tiles_plain;
#if defined(__x86_64__)
extern const poise__tiles poise__tiles_avx2, poise__tiles_avx512;
#endif

/* The most rows of a tile whose strip is one vector wide, or two. */
enum { POISE__ROWS_NARROW = 12, POISE__ROWS_WIDE = 6 };
/* The most vectors of a strip whose tiles have one row. */
enum { POISE__FLAT = 8 };

/* Rows are spread evenly: of a tile where none may have more than `most`. */
static inline int64_t poise__tile_rows(int64_t rows, int64_t most)
{
    const int64_t tiles = (rows + most - 1) / most;
    return (rows + tiles - 1) / tiles;
}

#endif
