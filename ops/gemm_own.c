/* gemm_own.c -- the own matrix product: blocks for the caches around the tiles of gemm_tile.h.
 *
 *     for blocks of BROAD columns of C, of DEEP of k:    b, packed into strips     in the L2 cache
 *         for blocks of HIGH rows of C:                  a, as it lies or packed   in the L2 cache
 *             for every strip:                           its part of b             in the L1 cache
 *
 * How deep a block is depends on k alone, so that the bits of an element depend on k alone.  What is
 * packed, and how broad and high blocks are, is a matter of speed: figures are of `poise bench --gemm`.
 */
#include <stddef.h>
#include <string.h>
#include "gemm.h"
#include "gemm_blocks.h"

enum { HIGH = 96, ALIGN = 16 /* floats of a cache line */ };

/* Packing A pays from so many columns on, as each strip reads it again: a transposed A, whose tiles
 * lie in as many places as they are deep; and one whose rows are a multiple of APART floats apart,
 * as they then meet in the same few places of the caches. */
enum { PACK_TRANSPOSED = 128, PACK_ROWS = 64, APART = 512 };

/* Packing B does not pay where it is read for so few rows, unless it is transposed. */
enum { DIRECT_ROWS = 32 };

/* One row of C or of B: broad strips of single rows, as there is little to read again. */
static int is_flat(const poise__gemm *g)
{
    return g->m == 1 || g->k == 1;
}

static int packs_a(const poise__gemm *g)
{
    if (is_flat(g))
        return 0;
    return g->ta ? g->n >= PACK_TRANSPOSED : g->n >= PACK_ROWS && g->lda % APART == 0;
}

/* Is B read as it lies, where its columns fill the strip? */
static int reads_b(const poise__gemm *g)
{
    return !g->tb && (g->m <= DIRECT_ROWS || is_flat(g));
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

/* Point s to the block of A of its rows from row i of C on, from depth p on. */
static void take_a(const poise__tiles *t, const poise__gemm *g, int64_t i, int64_t p, float *packed,
                   poise__strip *s)
{
    const float *a = g->ta ? g->a + p * g->lda + i : g->a + i * g->lda + p;
    s->a = packs_a(g) ? packed : a;
    s->a_row = g->ta ? 1 : g->lda;
    s->a_step = g->ta ? g->lda : 1;
    s->a_tile = 0;
    if (!packs_a(g))
        return;
    if (g->ta) {
        s->a_step = poise__tile_rows(s->rows, POISE__ROWS_WIDE);
        s->a_tile = s->a_step * s->k;
        t->pack_a(s->rows, s->k, s->a_step, a, g->lda, packed);
    } else {
        s->a_row = s->k;
        for (int64_t r = 0; r < s->rows; r++)
            memcpy(packed + r * s->k, a + r * g->lda, (size_t)s->k * sizeof *a);
    }
}

/* Columns [j, j + broad) of C: what the block of depth [p, p + deep) adds to them. */
typedef struct panel {
    int64_t j, broad, p, deep;
    const float *b; /* B at (p, j) */
    int64_t direct; /* so many columns are read from there, the rest from: */
    const float *packed;
} panel;

static panel take_b(const poise__tiles *t, const poise__gemm *g, int64_t j, int64_t p,
                    float *packed)
{
    panel of = {.j = j, .p = p, .packed = packed};
    of.broad = least(g->n - j, BROAD);
    of.deep = least(g->k - p, depth(g->k));
    of.b = g->tb ? g->b + j * g->ldb + p : g->b + p * g->ldb + j;
    if (reads_b(g)) /* all, or all but the last strip, which then is not full */
        of.direct = of.broad - (of.broad % t->lanes != 0 ? of.broad % (2 * t->lanes) : 0);
    if (of.direct < of.broad)
        t->pack_b(g->tb, of.broad - of.direct, of.deep, of.b + of.direct * (g->tb ? g->ldb : 1),
                  g->ldb, packed);
    return of;
}

/* Columns of the strip at q */
static int64_t strip_width(const poise__tiles *t, const poise__gemm *g, const panel *of, int64_t q)
{
    const int64_t wide = 2 * t->lanes;
    if (is_flat(g))
        for (int64_t width = POISE__FLAT * t->lanes; width > wide; width /= 2)
            if (q + width <= of->direct)
                return width;
    return least(of->broad - q, wide);
}

/* Rows [i, i + HIGH) of the panel */
static void rows_of(const poise__tiles *t, const poise__gemm *g, const panel *of, int64_t i,
                    float *packed)
{
    const int first = of->p == 0, last = of->p + of->deep == g->k;
    const int64_t wide = 2 * t->lanes;
    float *c = g->c + i * g->ldc + of->j;
    poise__strip s = {.rows = least(g->m - i, HIGH),
                      .k = of->deep,
                      .add_row = first ? g->add_row : g->ldc,
                      .c_row = g->ldc,
                      .act = last ? g->act : POISE__ACT_NONE,
                      .slope = g->slope};
    take_a(t, g, i, of->p, packed, &s);
    const float *b = of->packed;
    for (int64_t q = 0; q < of->broad; q += s.columns) {
        s.columns = strip_width(t, g, of, q);
        const int narrow = s.columns <= t->lanes;
        s.tile_rows = poise__tile_rows(s.rows, narrow && s.a_tile == 0 ? POISE__ROWS_NARROW
                                                                       : POISE__ROWS_WIDE);
        s.c = c + q;
        if (!first)
            s.add = s.c;
        else if (g->add != NULL)
            s.add = g->add + i * g->add_row + of->j + q;
        s.b_step = q < of->direct ? g->ldb : narrow ? t->lanes : wide;
        s.b = q < of->direct ? of->b + q : b;
        if (q >= of->direct)
            b += s.b_step * of->deep;
        t->strip(&s);
    }
    if (last && g->map != NULL) /* they are in the cache */
        for (int64_t r = 0; r < s.rows; r++, c += g->ldc)
            g->map(of->broad, c, NULL, g->slope, c);
}

/* Is C one column, or one row that is the column of C' = B' A'?  With the rows of A side by side. */
static int is_column(const poise__gemm *g)
{
    return (g->n == 1 && !g->ta) || (g->m == 1 && g->tb);
}

static void column(const poise__tiles *t, const poise__gemm *g)
{
    const int turned = g->n > 1 || g->ta;
    poise__strip s = {.rows = turned ? g->n : g->m,
                      .columns = 1,
                      .a_row = turned ? g->ldb : g->lda,
                      .a_step = 1,
                      .b_step = turned ? (g->ta ? g->lda : 1) : (g->tb ? 1 : g->ldb),
                      .add = g->add,
                      .add_row = turned ? 1 : g->add_row,
                      .c = g->c,
                      .c_row = turned ? 1 : g->ldc,
                      .slope = g->slope};
    const float *a = turned ? g->b : g->a, *b = turned ? g->a : g->b;
    for (int64_t p = 0; p < g->k; p += s.k) {
        s.k = least(g->k - p, depth(g->k));
        s.a = a + p;
        s.b = b + p * s.b_step;
        s.act = p + s.k == g->k ? g->act : POISE__ACT_NONE;
        t->column(&s);
        s.add = s.c;
        s.add_row = s.c_row;
    }
    for (int64_t i = 0; i < g->m && g->map != NULL; i++)
        g->map(g->n, g->c + i * g->ldc, NULL, g->slope, g->c + i * g->ldc);
}

static int run(const poise__tiles *t, const poise__gemm *g, void *scratch)
{
    if (is_column(g)) {
        column(t, g);
        return 0;
    }
    float *packed_b = scratch, *packed_a = packed_b + size_of_b(t, g);
    for (int64_t j = 0; j < g->n; j += BROAD)
        for (int64_t p = 0; p < g->k; p += depth(g->k)) {
            const panel of = take_b(t, g, j, p, packed_b);
            for (int64_t i = 0; i < g->m; i += HIGH)
                rows_of(t, g, &of, i, packed_a);
        }
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
        .onto = DEEP,                                                           \
        .allocates = never,                                                     \
        .scratch = scratch_##set,                                               \
        .run = run_##set,                                                       \
    };

BACKEND(plain)
#if defined(__x86_64__)
BACKEND(avx2)
BACKEND(avx512)
#endif
