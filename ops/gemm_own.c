/* gemm_own.c -- the own matrix product: blocks for the caches around the tiles of gemm_tile.h.
 *
 *     for blocks of DEEP of k, of BROAD columns of C:    b, packed into strips     in the L2 cache
 *         for blocks of HIGH rows of C:                  a, as it lies or packed   in the L2 cache
 *             for every strip:                           its part of b             in the L1 cache
 *
 * How deep a block is depends on k alone, so that the bits of an element depend on k alone.
 */
#include <stddef.h>
#include "gemm.h"

enum { DEEP = 256, BROAD = 256, HIGH = 96, ALIGN = 16 /* floats of a cache line */ };

/* Below so many columns a transposed A is read as it lies: it would be packed for too few strips. */
enum { PACK_COLUMNS = 64 };

static int64_t round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) / unit * unit;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* k in equal blocks of at most DEEP */
static int64_t depth(int64_t k)
{
    const int64_t blocks = (k + DEEP - 1) / DEEP;
    return round_up((k + blocks - 1) / blocks, 8);
}

static int packs_a(const poise__gemm *g)
{
    return g->ta && g->n >= PACK_COLUMNS;
}

/* floats of a packed block of B */
static int64_t size_of_b(const poise__tiles *t, const poise__gemm *g)
{
    return round_up(depth(g->k) * round_up(least(g->n, BROAD), t->lanes), ALIGN);
}

static size_t scratch(const poise__tiles *t, const poise__gemm *g)
{
    int64_t size = size_of_b(t, g);
    if (packs_a(g))
        size += depth(g->k) * (round_up(least(g->m, HIGH), POISE__ROWS_WIDE) + POISE__ROWS_WIDE);
    return (size_t)round_up(size, ALIGN) * sizeof(float);
}

/* A block of A and where it is. */
typedef struct block {
    const float *a;
    int64_t row, step, tile;
} block;

/* Rows [i, i + rows), depth [p, p + deep) of A */
static block block_of_a(const poise__tiles *t, const poise__gemm *g, int64_t i, int64_t rows,
                        int64_t p, int64_t deep, float *packed)
{
    if (!g->ta)
        return (block){g->a + i * g->lda + p, g->lda, 1, 0};
    const float *a = g->a + p * g->lda + i;
    if (!packs_a(g))
        return (block){a, 1, g->lda, 0};
    const int64_t high = poise__tile_rows(rows, POISE__ROWS_WIDE);
    t->pack_a(rows, deep, high, a, g->lda, packed);
    return (block){packed, 1, high, high * deep};
}

/* Columns [j, j + broad) of C, depth [p, p + deep) */
static void panel(const poise__tiles *t, const poise__gemm *g, int64_t j, int64_t broad, int64_t p,
                  int64_t deep, float *packed_b, float *packed_a)
{
    const float *b = g->tb ? g->b + j * g->ldb + p : g->b + p * g->ldb + j;
    const int first = p == 0, last = p + deep == g->k;
    t->pack_b(g->tb, broad, deep, b, g->ldb, packed_b);
    for (int64_t i = 0; i < g->m; i += HIGH) {
        const int64_t rows = least(g->m - i, HIGH), wide = 2 * t->lanes;
        const block a = block_of_a(t, g, i, rows, p, deep, packed_a);
        poise__strip s = {.rows = rows,
                          .k = deep,
                          .a = a.a,
                          .a_row = a.row,
                          .a_step = a.step,
                          .a_tile = a.tile,
                          .b = packed_b,
                          .add_row = first ? g->add_row : g->ldc,
                          .c_row = g->ldc,
                          .act = last ? g->act : POISE__ACT_NONE,
                          .slope = g->slope};
        for (int64_t q = 0; q < broad; q += wide) {
            s.columns = least(broad - q, wide);
            s.c = g->c + i * g->ldc + j + q;
            if (!first)
                s.add = s.c;
            else if (g->add != NULL)
                s.add = g->add + i * g->add_row + j + q;
            const int narrow = s.columns <= t->lanes;
            s.b_step = narrow ? t->lanes : wide;
            s.tile_rows = poise__tile_rows(rows, narrow && a.tile == 0 ? POISE__ROWS_NARROW
                                                                       : POISE__ROWS_WIDE);
            t->strip(&s);
            s.b += s.b_step * deep;
        }
        if (last && g->map != NULL) /* the block is in the cache */
            for (int64_t r = i; r < i + rows; r++)
                g->map(broad, g->c + r * g->ldc + j, NULL, g->slope, g->c + r * g->ldc + j);
    }
}

static int run(const poise__tiles *t, const poise__gemm *g, void *scratch)
{
    float *packed_b = scratch, *packed_a = packed_b + size_of_b(t, g);
    const int64_t deep = depth(g->k);
    for (int64_t j = 0; j < g->n; j += BROAD)
        for (int64_t p = 0; p < g->k; p += deep)
            panel(t, g, j, least(g->n - j, BROAD), p, least(g->k - p, deep), packed_b, packed_a);
    return 0;
}

static int never(const poise__gemm *g)
{
    (void)g;
    return 0;
}

#define BACKEND(set)                                                            \
    static size_t scratch_##set(const poise__gemm *g)                           \
    {                                                                           \
        return scratch(&poise__tiles_##set, g);                                 \
    }                                                                           \
    static int run_##set(const poise__gemm *g, void *scratch, poise_error *err) \
    {                                                                           \
        (void)err;                                                              \
        return run(&poise__tiles_##set, g, scratch);                            \
    }                                                                           \
    const poise__gemm_backend poise__gemm_##set = {                             \
        .name = "own:" #set,                                                    \
        .cuttable = 1,                                                          \
        .allocates = never,                                                     \
        .scratch = scratch_##set,                                               \
        .run = run_##set,                                                       \
    };

BACKEND(plain)
#if defined(__x86_64__)
BACKEND(avx2)
BACKEND(avx512)
#endif
