/* gemm_tile.c -- the table of ops/gemm_tile.h for one instruction set, named by POISE_TILES. */
#include <stddef.h>
#include "gemm_lane.h"
#include "gemm_tile.h"

#ifndef POISE_TILES
#error "POISE_TILES names the instruction set this copy is compiled for"
#endif

INLINE lane finish(const poise__strip *s, lane x)
{
    if (s->act == POISE__ACT_RELU)
        return lane_relu(x);
    return s->act == POISE__ACT_LEAKY ? lane_leaky(x, lane_all(s->slope)) : x;
}

/* R rows and W vectors of C, both known to the compiler.  `part`: columns of the last vector, 0: all */
INLINE void tile(const int R, const int W, const poise__strip *s, const float *a, int64_t row,
                 int64_t part)
{
    lane sum[POISE__ROWS_NARROW], y[POISE__FLAT];
    const float *b = s->b;
    const int64_t a_row = s->a_row, a_step = s->a_step, b_step = s->b_step;
    if (s->add != NULL && s->add_row != 0) { /* read at the end: on its way by then */
        UNROLL
        for (int i = 0; i < R; i++) {
            const float *add = s->add + (row + i) * s->add_row;
            __builtin_prefetch(add, 1);
            __builtin_prefetch(add + W * LANES - 1, 1);
        }
    }
    UNROLL
    for (int i = 0; i < R * W; i++)
        sum[i] = lane_zero();
    for (int64_t p = 0; p < s->k; p++, a += a_step, b += b_step) {
        UNROLL
        for (int w = 0; w < W; w++)
            y[w] = lane_load(b + w * LANES);
        UNROLL
        for (int i = 0; i < R; i++) {
            const lane x = lane_all(a[i * a_row]);
            UNROLL
            for (int w = 0; w < W; w++)
                sum[i * W + w] = lane_fma(x, y[w], sum[i * W + w]);
        }
    }
    const float *add = s->add != NULL ? s->add + row * s->add_row : NULL;
    float *c = s->c + row * s->c_row;
    UNROLL
    for (int i = 0; i < R; i++) {
        UNROLL
        for (int w = 0; w < W; w++) {
            lane x = sum[i * W + w];
            const int whole = w < W - 1 || part == 0;
            if (add != NULL)
                x = lane_add(x, whole ? lane_load(add + w * LANES)
                                      : lane_load_part(add + w * LANES, part));
            x = finish(s, x);
            if (whole)
                lane_store(c + w * LANES, x);
            else
                lane_store_part(c + w * LANES, part, x);
        }
        c += s->c_row;
        if (add != NULL)
            add += s->add_row;
    }
}

/* Tiles of R rows for the rows [from, to) of C; returns where the next tile's a is. */
typedef const float *run_tiles(const poise__strip *s, const float *a, int64_t from, int64_t to);

#define TILES(R, W)                                                                          \
    static const float *tiles_##R##_##W(const poise__strip *s, const float *a, int64_t from, \
                                        int64_t to)                                          \
    {                                                                                        \
        const int64_t part = s->columns % LANES;                                             \
        const int64_t next = s->a_tile != 0 ? s->a_tile : R * s->a_row;                      \
        for (int64_t row = from; row < to; row += R, a += next)                              \
            tile(R, W, s, a, row, part);                                                     \
        return a;                                                                            \
    }
#define EACH_NARROW(X) \
    X(1, 1)            \
    X(2, 1) X(3, 1) X(4, 1) X(5, 1) X(6, 1) X(7, 1) X(8, 1) X(9, 1) X(10, 1) X(11, 1) X(12, 1)
#define EACH_WIDE(X)  X(1, 2) X(2, 2) X(3, 2) X(4, 2) X(5, 2) X(6, 2)
#define NAME_OF(R, W) tiles_##R##_##W,

EACH_NARROW(TILES)
EACH_WIDE(TILES)
TILES(1, 4)
TILES(1, 8)

static void strip(const poise__strip *s)
{
    static run_tiles *const narrow[] = {NULL, EACH_NARROW(NAME_OF)};
    static run_tiles *const wide[] = {NULL, EACH_WIDE(NAME_OF)};
    if (s->columns > 2 * LANES) {
        (s->columns > 4 * LANES ? tiles_1_8 : tiles_1_4)(s, s->a, 0, s->rows);
        return;
    }
    run_tiles *const *run = s->columns > LANES ? wide : narrow;
    /* count tiles: `high` rows are in tiles of tile_rows, the rest in tiles of one row fewer */
    const int64_t most = s->tile_rows, count = (s->rows + most - 1) / most;
    const int64_t high = (s->rows - count * (most - 1)) * most;
    const float *a = run[most](s, s->a, 0, high);
    if (high < s->rows)
        run[most - 1](s, a, high, s->rows);
}

/* ---- one column: TALL rows of A at a time, transposed, so that a vector is a row each ---- */

enum { TALL = 32, ACROSS = 8 };

/* out[q][TALL] = a[i * a_row + q] for i < rows, else 0 */
INLINE void take_rows(int64_t rows, int64_t deep, const float *a, int64_t a_row, float *out)
{
    int64_t i = 0;
    if (deep == ACROSS)
        for (; i + 8 <= rows; i += 8)
            transpose8(a + i * a_row, a_row, out + i, TALL);
    for (; i < TALL; i++)
        for (int64_t q = 0; q < deep; q++)
            out[q * TALL + i] = i < rows ? a[i * a_row + q] : 0.0f;
}

/* Rows [row, row + rows) of C, at most TALL */
INLINE void column_of(const poise__strip *s, int64_t row, int64_t rows)
{
    enum { VECTORS = TALL / LANES };
    float block[ACROSS * TALL], y[TALL];
    lane sum[VECTORS];
    UNROLL
    for (int w = 0; w < VECTORS; w++)
        sum[w] = lane_zero();
    for (int64_t p = 0; p < s->k; p += ACROSS) {
        const int64_t deep = s->k - p < ACROSS ? s->k - p : ACROSS;
        take_rows(rows, deep, s->a + row * s->a_row + p, s->a_row, block);
        for (int64_t q = 0; q < deep; q++) {
            const lane x = lane_all(s->b[(p + q) * s->b_step]);
            UNROLL
            for (int w = 0; w < VECTORS; w++)
                sum[w] = lane_fma(lane_load(block + q * TALL + w * LANES), x, sum[w]);
        }
    }
    for (int w = 0; w < VECTORS; w++)
        lane_store(y + w * LANES, sum[w]);
    for (int64_t i = 0; i < rows && s->add != NULL; i++)
        y[i] += s->add[(row + i) * s->add_row];
    for (int w = 0; w < VECTORS; w++)
        lane_store(y + w * LANES, finish(s, lane_load(y + w * LANES)));
    for (int64_t i = 0; i < rows; i++)
        s->c[(row + i) * s->c_row] = y[i];
}

static void column(const poise__strip *s)
{
    for (int64_t row = 0; row < s->rows; row += TALL)
        column_of(s, row, s->rows - row < TALL ? s->rows - row : TALL);
}

/* ---- packing ---- */

/* n columns of b' to out[k][width], 0 past n */
static void pack_transposed(int64_t n, int64_t k, const float *b, int64_t ldb, float *out,
                            int64_t width)
{
    int64_t j = 0;
    for (; j + 8 <= n; j += 8) {
        int64_t p = 0;
        for (; p + 8 <= k; p += 8)
            transpose8(b + j * ldb + p, ldb, out + p * width + j, width);
        for (; p < k; p++)
            for (int64_t i = j; i < j + 8; i++)
                out[p * width + i] = b[i * ldb + p];
    }
    for (; j < width; j++)
        for (int64_t p = 0; p < k; p++)
            out[p * width + j] = j < n ? b[j * ldb + p] : 0.0f;
}

INLINE void pack_whole(const int W, int64_t k, const float *b, int64_t ldb, float *out)
{
    for (int64_t p = 0; p < k; p++, b += ldb, out += W * LANES) {
        UNROLL
        for (int w = 0; w < W; w++)
            lane_store(out + w * LANES, lane_load(b + w * LANES));
    }
}

static void pack_rows(int64_t n, int64_t k, const float *b, int64_t ldb, float *out, int64_t width)
{
    if (n == 2 * LANES) {
        pack_whole(2, k, b, ldb, out);
    } else if (n == LANES && width == LANES) {
        pack_whole(1, k, b, ldb, out);
    } else {
        for (int64_t p = 0; p < k; p++, b += ldb, out += width) {
            memcpy(out, b, (size_t)n * sizeof *b);
            memset(out + n, 0, (size_t)(width - n) * sizeof *out);
        }
    }
}

static void pack_b(int tb, int64_t n, int64_t k, const float *b, int64_t ldb, float *out)
{
    for (int64_t j = 0; j < n; j += 2 * LANES) {
        const int64_t left = n - j, width = left > LANES ? 2 * LANES : LANES;
        const int64_t columns = left < width ? left : width;
        if (tb)
            pack_transposed(columns, k, b + j * ldb, ldb, out, width);
        else
            pack_rows(columns, k, b + j, ldb, out, width);
        out += k * width;
    }
}

/* Rows are packed GROUP at a time, tile after tile: what lies side by side is read together, as rows
 * far apart share few places of the caches. */
enum { GROUP = 8 };

INLINE void pack_tile(const int64_t R, int64_t k, int64_t width, const float *a, int64_t lda,
                      float *out)
{
    for (int64_t p = 0; p < k; p++, a += lda, out += width)
        memcpy(out, a, (size_t)R * sizeof *a);
}

static void pack_a(int64_t m, int64_t k, int64_t tile_rows, const float *a, int64_t lda, float *out)
{
    const int64_t count = (m + tile_rows - 1) / tile_rows, high = m - count * (tile_rows - 1);
    for (int64_t p = 0; p < k; p += GROUP) {
        const int64_t deep = k - p < GROUP ? k - p : GROUP;
        const float *from = a + p * lda;
        float *to = out + p * tile_rows;
        for (int64_t t = 0; t < count; t++, to += k * tile_rows) {
            const int64_t rows = t < high ? tile_rows : tile_rows - 1;
            switch (rows) {
            case 4:
                pack_tile(4, deep, tile_rows, from, lda, to);
                break;
            case 5:
                pack_tile(5, deep, tile_rows, from, lda, to);
                break;
            case 6:
                pack_tile(6, deep, tile_rows, from, lda, to);
                break;
            default:
                pack_tile(rows, deep, tile_rows, from, lda, to);
            }
            from += rows;
        }
    }
}

#define NAME_(set) poise__tiles_##set
#define NAME(set)  NAME_(set)
#define TEXT_(set) #set
#define TEXT(set)  TEXT_(set)

const poise__tiles NAME(POISE_TILES) = {
    .name = TEXT(POISE_TILES),
    .lanes = LANES,
    .strip = strip,
    .column = column,
    .pack_b = pack_b,
    .pack_a = pack_a,
};
