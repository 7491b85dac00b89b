/* skip_rows.c -- the product of ops/skip.h for one instruction set, named by POISE_TILES.
 *
 *     for blocks of BROAD columns of C, of DEEP of k (gemm_blocks.h):
 *         b, packed into panels: [panel][deep][width]                              in the L2 cache
 *         for blocks of HIGH rows of C:
 *             what is not zero of a: lists of every row, by stretches of k         in the L2 cache
 *             for every panel, for every stretch: its rows of the panel            in the L1 cache
 *                 for every row: c += what is on its list times these
 */
#include <stddef.h>
#include <string.h>
#include "gemm_blocks.h"
#include "gemm_lane.h"
#include "skip.h"

#ifndef POISE_TILES
#error "POISE_TILES names the instruction set this copy is compiled for"
#endif

/* WIDE: vectors of a panel at most.  STRETCH: bytes of a panel that
 * stay in the L1 cache beside a list and a row of C. */
enum { HIGH = 128, WIDE = 12, STRETCH = 24576, ALIGN = 64 };

/* How a product's blocks are laid out in scratch, and where. */
typedef struct layout {
    int64_t deep;            /* of k in a block */
    int64_t width;           /* floats of a panel */
    int64_t stretch, places; /* of k in a list; lists of a row */
    float *b;                /* [panels][deep][width] */
    float *value;            /* [places][HIGH][stretch] */
    float *sum;              /* [HIGH][width] */
    uint16_t *at;            /* as value: where the row of b begins in its stretch, in bytes */
    uint16_t *count;         /* [places][HIGH] */
} layout;

/* The next `n` elements of `size` bytes; *end moves past them.  Without scratch only that. */
static void *take(void *scratch, size_t *end, int64_t n, size_t size)
{
    void *at = scratch != NULL ? (unsigned char *)scratch + *end : NULL;
    *end += (size_t)round_up(n * (int64_t)size, ALIGN);
    return at;
}

/* Returns the bytes in all. */
static size_t lay_out(const poise__gemm *g, void *scratch, layout *l)
{
    const int64_t vectors = (least(g->n, BROAD) + LANES - 1) / LANES;
    const int64_t panels = (vectors + WIDE - 1) / WIDE;
    size_t end = 0;
    l->deep = depth(g->k);
    l->width = (vectors + panels - 1) / panels * LANES;
    l->stretch = STRETCH / (l->width * (int64_t)sizeof(float)) / 8 * 8;
    l->places = (l->deep + l->stretch - 1) / l->stretch;
    l->stretch = round_up((l->deep + l->places - 1) / l->places, 8);
    l->b = take(scratch, &end, panels * l->deep * l->width, sizeof *l->b);
    l->value = take(scratch, &end, l->places * HIGH * l->stretch, sizeof *l->value);
    l->sum = take(scratch, &end, HIGH * l->width, sizeof *l->sum);
    l->at = take(scratch, &end, l->places * HIGH * l->stretch, sizeof *l->at);
    l->count = take(scratch, &end, l->places * HIGH, sizeof *l->count);
    return end;
}

/* A few columns less may be panels that are wider: the most of all that are not more. */
static size_t scratch(const poise__gemm *g)
{
    layout l;
    poise__gemm less = *g;
    size_t size = 0;
    for (; less.n > 0; less.n -= LANES) {
        const size_t bytes = lay_out(&less, NULL, &l);
        size = bytes > size ? bytes : size;
    }
    return size;
}

/* ---- b ---- */

/* Columns [0, n) of b, n <= width, deep rows: out[deep][width], 0 past n */
static void pack(const poise__gemm *g, const float *b, int64_t n, int64_t deep, int64_t width,
                 float *out)
{
    int64_t j = 0;
    if (!g->tb) {
        for (int64_t p = 0; p < deep; p++, b += g->ldb, out += width) {
            for (j = 0; j + LANES <= n; j += LANES)
                lane_store(out + j, lane_load(b + j));
            for (; j < width; j++)
                out[j] = j < n ? b[j] : 0.0f;
        }
        return;
    }
    for (; j + 8 <= n; j += 8) {
        int64_t p = 0;
        for (; p + 8 <= deep; p += 8)
            transpose8(b + j * g->ldb + p, g->ldb, out + p * width + j, width);
        for (; p < deep; p++)
            for (int64_t i = j; i < j + 8; i++)
                out[p * width + i] = b[i * g->ldb + p];
    }
    for (; j < width; j++)
        for (int64_t p = 0; p < deep; p++)
            out[p * width + j] = j < n ? b[j * g->ldb + p] : 0.0f;
}

/* ---- lists ---- */

/* Row i of C: its numbers of a one after the other, deep of them. */
static void list_row(const layout *l, int64_t i, const float *a, int64_t deep)
{
    const uint16_t step = (uint16_t)(l->width * (int64_t)sizeof(float));
    for (int64_t place = 0; place < l->places; place++) {
        const int64_t list = place * HIGH + i;
        const int64_t end = least(deep - place * l->stretch, l->stretch);
        float *value = l->value + list * l->stretch;
        uint16_t *at = l->at + list * l->stretch;
        int n = 0;
        int64_t d = 0;
        for (; d + 8 <= end; d += 8, a += 8)
            n += lane_list8(a, (uint16_t)(d * step), step, value + n, at + n);
        if (d < end) {
            float eight[8] = {0};
            memcpy(eight, a, (size_t)(end - d) * sizeof *a);
            n += lane_list8(eight, (uint16_t)(d * step), step, value + n, at + n);
        }
        l->count[list] = (uint16_t)n;
    }
}

/* Up to 8 by 8 numbers of a transposed a, at (i, p) of C's row and depth, as 8 rows of 8 in out. */
static void take8(const poise__gemm *g, int64_t i, int64_t p, int64_t rows, int64_t deep,
                  float *out)
{
    const float *a = g->a + p * g->lda + i;
    if (rows == 8 && deep == 8) {
        transpose8(a, g->lda, out, 8);
        return;
    }
    memset(out, 0, 64 * sizeof *out);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t d = 0; d < deep; d++)
            out[r * 8 + d] = a[d * g->lda + r];
}

/* Rows [i, i + high) of C, depth [p, p + deep), of a transposed a */
static void list_columns(const poise__gemm *g, const layout *l, int64_t i, int64_t high, int64_t p,
                         int64_t deep)
{
    const uint16_t step = (uint16_t)(l->width * (int64_t)sizeof(float));
    float eight[64];
    memset(l->count, 0, (size_t)(HIGH * l->places) * sizeof *l->count);
    for (int64_t d = 0; d < deep; d += 8) {
        const int64_t place = d / l->stretch, within = d - place * l->stretch;
        for (int64_t r = 0; r < high; r += 8) {
            const int64_t rows = least(high - r, 8);
            take8(g, i + r, p + d, rows, least(deep - d, 8), eight);
            for (int64_t q = 0; q < rows; q++) {
                const int64_t list = place * HIGH + r + q;
                const int64_t end = list * l->stretch + l->count[list];
                const int n = lane_list8(eight + q * 8, (uint16_t)(within * step), step,
                                         l->value + end, l->at + end);
                l->count[list] = (uint16_t)(l->count[list] + n);
            }
        }
    }
}

/* Rows [i, i + high) of C, depth [p, p + deep) */
static void list(const poise__gemm *g, const layout *l, int64_t i, int64_t high, int64_t p,
                 int64_t deep)
{
    if (g->ta)
        list_columns(g, l, i, high, p, deep);
    for (int64_t r = 0; r < high && !g->ta; r++)
        list_row(l, r, g->a + (i + r) * g->lda + p, deep);
}

/* ---- c ---- */

/* A stretch: rows of C and what is added to them. */
typedef struct stretch {
    int64_t rows;
    const float *value; /* their lists, l->stretch apart */
    const uint16_t *at;
    const uint16_t *count;
    int64_t apart;
    const float *b;   /* the stretch's rows of the panel */
    const float *sum; /* what was summed before, of this depth block; NULL: nothing */
    int64_t sum_row;
    float *out; /* where the sums go */
    int64_t out_row;
    const float *add; /* this is added to them; NULL: nothing */
    int64_t add_row;
    int64_t part; /* columns of the last vector; 0: all */
    poise__act act;
    float slope;
} stretch;

/* What is done to a row that was summed up. */
INLINE void finish(const int W, const stretch *t, const float *add, lane *sum)
{
    if (add != NULL) {
        UNROLL
        for (int w = 0; w < W; w++)
            sum[w] = lane_add(sum[w], w < W - 1 || t->part == 0
                                          ? lane_load(add + w * LANES)
                                          : lane_load_part(add + w * LANES, t->part));
    }
    if (t->act == POISE__ACT_RELU) {
        UNROLL
        for (int w = 0; w < W; w++)
            sum[w] = lane_relu(sum[w]);
    } else if (t->act == POISE__ACT_LEAKY) {
        UNROLL
        for (int w = 0; w < W; w++)
            sum[w] = lane_leaky(sum[w], lane_all(t->slope));
    }
}

/* W vectors, known to the compiler */
INLINE void rows(const int W, const stretch *t)
{
    const float *value = t->value, *before = t->sum, *add = t->add;
    const uint16_t *at = t->at;
    const unsigned char *b = (const unsigned char *)t->b;
    const int64_t apart = t->apart, last = W - 1;
    float *out = t->out;
    for (int64_t r = 0; r < t->rows; r++) {
        const int64_t count = t->count[r];
        lane sum[WIDE];
        UNROLL
        for (int w = 0; w < W; w++)
            sum[w] = before != NULL ? lane_load(before + w * LANES) : lane_zero();
        for (int64_t q = 0; q < count; q++) {
            const lane x = lane_all(value[q]);
            const float *y = (const float *)(const void *)(b + at[q]);
            UNROLL
            for (int w = 0; w < W; w++)
                sum[w] = lane_fma(x, lane_load(y + w * LANES), sum[w]);
        }
        finish(W, t, add, sum);
        UNROLL
        for (int w = 0; w < W - 1; w++)
            lane_store(out + w * LANES, sum[w]);
        if (t->part == 0)
            lane_store(out + last * LANES, sum[last]);
        else
            lane_store_part(out + last * LANES, t->part, sum[last]);
        value += apart;
        at += apart;
        out += t->out_row;
        if (before != NULL)
            before += t->sum_row;
        if (add != NULL)
            add += t->add_row;
    }
}

#define EACH(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#define ROWS(W)                            \
    static void rows_##W(const stretch *t) \
    {                                      \
        rows(W, t);                        \
    }
#define NAME_OF(W) rows_##W,
EACH(ROWS)

/* A block of C: rows [i, i + high), columns [j, j + n) of one panel, depth [p, p + deep) */
typedef struct block {
    int64_t i, high, j, n, p, deep;
    const float *b;
} block;

static void sum_up(const poise__gemm *g, const layout *l, const block *o)
{
    static void (*const of_width[])(const stretch *) = {NULL, EACH(NAME_OF)};
    const int64_t places = (o->deep + l->stretch - 1) / l->stretch;
    float *c = g->c + o->i * g->ldc + o->j;
    stretch t = {.rows = o->high, .apart = l->stretch, .sum_row = l->width, .slope = g->slope};
    for (int64_t s = 0; s < places; s++) {
        const int64_t list = s * HIGH;
        t.value = l->value + list * l->stretch;
        t.at = l->at + list * l->stretch;
        t.count = l->count + list;
        t.b = o->b + s * l->stretch * l->width;
        t.sum = s > 0 ? l->sum : NULL;
        t.out = l->sum;
        t.out_row = l->width;
        if (s == places - 1) {
            t.out = c;
            t.out_row = g->ldc;
            t.part = o->n % LANES;
            if (o->p > 0) {
                t.add = c;
                t.add_row = g->ldc;
            } else if (g->add != NULL) {
                t.add = g->add + o->i * g->add_row + o->j;
                t.add_row = g->add_row;
            }
            if (o->p + o->deep == g->k)
                t.act = g->act;
        }
        of_width[(o->n + LANES - 1) / LANES](&t);
    }
}

static void run(const poise__gemm *g, void *scratch)
{
    layout l;
    (void)lay_out(g, scratch, &l);
    for (int64_t j = 0; j < g->n; j += BROAD)
        for (int64_t p = 0; p < g->k; p += l.deep) {
            block o = {.p = p, .deep = least(g->k - p, l.deep)};
            const int64_t broad = least(g->n - j, BROAD);
            for (int64_t q = 0; q * l.width < broad; q++) {
                const int64_t at = j + q * l.width;
                pack(g, g->tb ? g->b + at * g->ldb + p : g->b + p * g->ldb + at,
                     least(broad - q * l.width, l.width), o.deep, l.width,
                     l.b + q * l.deep * l.width);
            }
            for (o.i = 0; o.i < g->m; o.i += HIGH) {
                o.high = least(g->m - o.i, HIGH);
                list(g, &l, o.i, o.high, p, o.deep);
                for (int64_t q = 0; q * l.width < broad; q++) {
                    o.j = j + q * l.width;
                    o.n = least(broad - q * l.width, l.width);
                    o.b = l.b + q * l.deep * l.width;
                    sum_up(g, &l, &o);
                }
            }
        }
    if (g->map != NULL)
        for (int64_t i = 0; i < g->m; i++)
            g->map(g->n, g->c + i * g->ldc, NULL, g->slope, g->c + i * g->ldc);
}

#define NAME_(set) poise__skip_##set
#define NAME(set)  NAME_(set)
#define TEXT_(set) "skip:" #set
#define TEXT(set)  TEXT_(set)

const poise__skip NAME(POISE_TILES) = {.name = TEXT(POISE_TILES), .scratch = scratch, .run = run};
