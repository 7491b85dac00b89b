/* skip_rows.c -- the products of ops/skip.h for one instruction set, named by POISE_TILES.
 *
 *     for blocks of BROAD columns of C, of DEEP of k (gemm_blocks.h):
 *         b, packed into panels: [panel][deep][width]                              in the L2 cache
 *         for blocks of rows of C:
 *             what is not zero of a: lists of every row, by stretches of k         in the L2 cache
 *             for every panel, for every stretch: its rows of the panel            in the L1 cache
 *                 for every row: c += what is on its list times these
 *
 * Each `a` and `c` is of all T products.
 */
#include <stddef.h>
#include <string.h>
#include "../core/parallel.h"
#include "gemm_blocks.h"
#include "gemm_lane.h"
#include "skip.h"

#ifndef POISE_TILES
#error "POISE_TILES names the instruction set this copy is compiled for"
#endif

/* STRETCH: bytes of a panel that stay in the L1 cache beside a list and a row of C. */
enum { MOST = POISE__SKIP_MOST, STRETCH = 24576, ALIGN = 64 };

/* So many vectors of sums stay in registers: T products have panels of SUMS / T vectors at most. */
enum { SUMS = 12 };

/* Rows are asked for so many rows ahead: they may lie pages apart, where no processor guesses. */
enum { AHEAD = 16, LINE = 16 /* floats */ };

/* How the products' blocks are laid out in scratch, and where. */
typedef struct layout {
    int64_t count;           /* of products */
    int64_t high;            /* rows of C in a block */
    int64_t deep;            /* of k in a block */
    int64_t width;           /* floats of a panel */
    int64_t stretch, places; /* of k in a list; lists of a row */
    float *b;                /* [panels][deep][width] */
    float *value;            /* [places][high][count][stretch] */
    float *sum;              /* [high][count][width] */
    uint16_t *at;            /* [places][high][stretch]: where the row of b begins, in bytes */
    uint16_t *number;        /* [places][high]: how many are on the list */
} layout;

/* The next `n` elements of `size` bytes; *end moves past them.  Without scratch only that. */
static void *take(void *scratch, size_t *end, int64_t n, size_t size)
{
    void *at = scratch != NULL ? (unsigned char *)scratch + *end : NULL;
    *end += (size_t)round_up(n * (int64_t)size, ALIGN);
    return at;
}

/* Returns the bytes in all. */
static size_t lay_out(const poise__gemm *g, int count, void *scratch, layout *l)
{
    const int64_t vectors = (least(g->n, BROAD) + LANES - 1) / LANES;
    const int64_t widest = SUMS / count;
    const int64_t panels = (vectors + widest - 1) / widest;
    size_t end = 0;
    l->count = count;
    l->high = count > 1 ? 64 : 128;
    l->deep = depth(g->k);
    l->width = (vectors + panels - 1) / panels * LANES;
    l->stretch = STRETCH / (l->width * (int64_t)sizeof(float)) / 8 * 8;
    l->places = (l->deep + l->stretch - 1) / l->stretch;
    l->stretch = round_up((l->deep + l->places - 1) / l->places, 8);
    l->b = take(scratch, &end, panels * l->deep * l->width, sizeof *l->b);
    l->value = take(scratch, &end, l->places * l->high * count * l->stretch, sizeof *l->value);
    l->sum = take(scratch, &end, l->high * count * l->width, sizeof *l->sum);
    l->at = take(scratch, &end, l->places * l->high * l->stretch, sizeof *l->at);
    l->number = take(scratch, &end, l->places * l->high, sizeof *l->number);
    return end;
}

/* A few columns less may be panels that are wider: the most of all that are not more. */
static size_t scratch(const poise__gemm *g, int count)
{
    layout l;
    poise__gemm less = *g;
    size_t size = 0;
    for (; less.n > 0; less.n -= LANES) {
        const size_t bytes = lay_out(&less, count, NULL, &l);
        size = bytes > size ? bytes : size;
    }
    return size;
}

/* Ask for n floats, which will be read soon. */
static void fetch(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i += LINE)
        poise__prefetch(x + i);
}

/* ---- b ---- */

/* Each packs columns [0, n) of b, deep rows, into panels [deep][width], 0 past n.  Rows are read whole,
 * though panels have few columns: then they come from memory as fast as they can. */
static void pack(const poise__gemm *g, const layout *l, const float *b, int64_t n, int64_t deep)
{
    for (int64_t p = 0; p < deep; p++, b += g->ldb) {
        float *out = l->b + p * l->width;
        if (p + AHEAD < deep)
            fetch(b + AHEAD * g->ldb, n);
        for (int64_t at = 0; at < n; at += l->width, out += l->deep * l->width) {
            const int64_t columns = least(n - at, l->width);
            int64_t j = 0;
            for (; j + LANES <= columns; j += LANES)
                lane_store(out + j, lane_load(b + at + j));
            for (; j < l->width; j++)
                out[j] = j < columns ? b[at + j] : 0.0f;
        }
    }
}

static void pack_transposed(const poise__gemm *g, const layout *l, const float *b, int64_t n,
                            int64_t deep)
{
    float *out = l->b;
    for (int64_t at = 0; at < n;
         at += l->width, out += l->deep * l->width, b += l->width * g->ldb) {
        const int64_t columns = least(n - at, l->width);
        int64_t j = 0;
        for (; j + 8 <= columns; j += 8) {
            int64_t p = 0;
            for (; p + 8 <= deep; p += 8)
                transpose8(b + j * g->ldb + p, g->ldb, out + p * l->width + j, l->width);
            for (; p < deep; p++)
                for (int64_t i = j; i < j + 8; i++)
                    out[p * l->width + i] = b[i * g->ldb + p];
        }
        for (; j < l->width; j++)
            for (int64_t p = 0; p < deep; p++)
                out[p * l->width + j] = j < columns ? b[j * g->ldb + p] : 0.0f;
    }
}

/* ---- lists ---- */

/* Eight numbers of every A, from depth d of a stretch on: what is not zero in one of them goes to the
 * list, of which there are `end`.  Returns how many then. */
INLINE int64_t list8(const int T, const layout *l, int64_t list, int64_t end, int64_t d,
                     const float *const *a)
{
    const uint16_t step = (uint16_t)(l->width * (int64_t)sizeof(float));
    float *value = l->value + list * T * l->stretch + end;
    unsigned mask = 0;
    int n;
    UNROLL
    for (int t = 0; t < T; t++)
        mask |= lane_mask8(a[t]);
    const places8 places = lane_places8(mask, &n);
    UNROLL
    for (int t = 0; t < T; t++)
        lane_pick8(a[t], places, value + t * l->stretch);
    lane_where8(places, (uint16_t)(d * step), step, l->at + list * l->stretch + end);
    return end + n;
}

/* Row i of C, whose numbers of every A lie one after the other from a[t] on, deep of them. */
INLINE void list_row(const int T, const layout *l, int64_t i, const float **a, int64_t deep)
{
    for (int64_t list = i, left = deep; left > 0; list += l->high, left -= l->stretch) {
        const int64_t end = least(left, l->stretch);
        int64_t d = 0, n = 0;
        for (; d + 8 <= end; d += 8) {
            n = list8(T, l, list, n, d, a);
            UNROLL
            for (int t = 0; t < T; t++)
                a[t] += 8;
        }
        if (d < end) {
            float eight[MOST][8] = {{0}};
            for (int t = 0; t < T; t++) {
                memcpy(eight[t], a[t], (size_t)(end - d) * sizeof **a);
                a[t] = eight[t];
            }
            n = list8(T, l, list, n, d, a);
        }
        l->number[list] = (uint16_t)n;
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

/* Rows [from, from + high) of C, depth [p, p + deep), of a transposed A */
INLINE void list_columns(const int T, const poise__gemm *g, const layout *l, int64_t from,
                         int64_t high, int64_t p, int64_t deep)
{
    float sixteen[MOST][LINE * 8]; /* of C's rows, the columns of a cache line */
    for (int64_t d = 0; d < deep; d += 8) {
        const int64_t place = d / l->stretch, within = d - place * l->stretch;
        for (int t = 0; t < T; t++)
            for (int64_t row = d + AHEAD; row < least(d + AHEAD + 8, deep); row++)
                fetch(g[t].a + (p + row) * g->lda + from, high);
        for (int64_t r = 0; r < high; r += LINE) {
            const int64_t rows = least(high - r, LINE);
            for (int t = 0; t < T; t++)
                for (int64_t q = 0; q < rows; q += 8)
                    take8(g + t, from + r + q, p + d, least(rows - q, 8), least(deep - d, 8),
                          sixteen[t] + q * 8);
            for (int64_t q = 0; q < rows; q++) {
                const float *a[MOST];
                UNROLL
                for (int t = 0; t < T; t++)
                    a[t] = sixteen[t] + q * 8;
                uint16_t *n = l->number + place * l->high + r + q;
                *n = (uint16_t)list8(T, l, place * l->high + r + q, *n, within, a);
            }
        }
    }
}

/* Rows [from, from + high) of C, depth [p, p + deep) */
INLINE void list(const int T, const poise__gemm *g, const layout *l, int64_t from, int64_t high,
                 int64_t p, int64_t deep)
{
    const layout own = *l; /* no store changes it */
    if (g->ta) {
        memset(l->number, 0, (size_t)(l->high * l->places) * sizeof *l->number);
        list_columns(T, g, &own, from, high, p, deep);
        return;
    }
    for (int64_t i = 0; i < high; i++) {
        const float *a[MOST];
        UNROLL
        for (int t = 0; t < T; t++)
            a[t] = g[t].a + (from + i) * g->lda + p;
        list_row(T, &own, i, a, deep);
    }
}

#define COUNTS(X) X(1) X(2) X(3) X(4)
#define LIST(T)                                                                             \
    static void list_##T(const poise__gemm *g, const layout *l, int64_t from, int64_t high, \
                         int64_t p, int64_t deep)                                           \
    {                                                                                       \
        list(T, g, l, from, high, p, deep);                                                 \
    }
#define LIST_AT(T) [T] = list_##T,
COUNTS(LIST)
static void (*const list_of[MOST + 1])(const poise__gemm *g, const layout *l, int64_t from,
                                       int64_t high, int64_t p, int64_t deep) = {COUNTS(LIST_AT)};

/* ---- c ---- */

/* A stretch: rows of every C and what is added to them. */
typedef struct stretch {
    int64_t rows;
    const float *value; /* their lists, l->stretch apart */
    const uint16_t *at;
    const uint16_t *number;
    int64_t apart;
    const float *b;         /* the stretch's rows of the panel */
    const float *sum;       /* what was summed before, of this depth block; NULL: nothing */
    float *out[MOST];       /* where the sums go */
    const float *add[MOST]; /* this is added to them; NULL: nothing */
    int64_t sum_row, out_row, add_row;
    int64_t part; /* columns of the last vector; 0: all */
    poise__act act;
    float slope;
} stretch;

/* What is done to a row that was summed up, and where it goes. */
INLINE void finish(const int W, const stretch *t, const float *add, lane *sum, float *out)
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
    UNROLL
    for (int w = 0; w < W - 1; w++)
        lane_store(out + w * LANES, sum[w]);
    if (t->part == 0)
        lane_store(out + (W - 1) * LANES, sum[W - 1]);
    else
        lane_store_part(out + (W - 1) * LANES, t->part, sum[W - 1]);
}

/* T products of W vectors, both known to the compiler.  A vector of B that is loaded is used T times. */
INLINE void rows(const int T, const int W, const stretch *of_rows)
{
    const stretch own = *of_rows, *t = &own; /* no store changes it */
    const float *value = t->value, *before = t->sum;
    const uint16_t *at = t->at;
    const unsigned char *b = (const unsigned char *)t->b;
    const int64_t apart = t->apart;
    for (int64_t r = 0; r < t->rows; r++) {
        const int64_t n = t->number[r];
        lane sum[SUMS];
        UNROLL
        for (int k = 0; k < T * W; k++)
            sum[k] = before != NULL ? lane_load(before + k * LANES) : lane_zero();
        for (int64_t q = 0; q < n; q++) {
            const float *y = (const float *)(const void *)(b + at[q]);
            if (T <= W) { /* the sums and T numbers of A fill the registers, */
                lane x[MOST];
                UNROLL
                for (int k = 0; k < T; k++)
                    x[k] = lane_all(value[k * apart + q]);
                UNROLL
                for (int w = 0; w < W; w++) {
                    const lane of = T > 1 ? lane_held(y + w * LANES) : lane_load(y + w * LANES);
                    UNROLL
                    for (int k = 0; k < T; k++)
                        sum[k * W + w] = lane_fma(x[k], of, sum[k * W + w]);
                }
            } else { /* or W vectors of B do */
                lane of[SUMS];
                UNROLL
                for (int w = 0; w < W; w++)
                    of[w] = lane_held(y + w * LANES);
                UNROLL
                for (int k = 0; k < T; k++) {
                    const lane x = lane_all(value[k * apart + q]);
                    UNROLL
                    for (int w = 0; w < W; w++)
                        sum[k * W + w] = lane_fma(x, of[w], sum[k * W + w]);
                }
            }
        }
        UNROLL
        for (int k = 0; k < T; k++)
            finish(W, t, t->add[k] != NULL ? t->add[k] + r * t->add_row : NULL, sum + k * W,
                   t->out[k] + r * t->out_row);
        value += T * apart;
        at += apart;
        if (before != NULL)
            before += t->sum_row;
    }
}

/* A block of every C: rows [i, i + high), columns [j, j + n) of one panel, depth [p, p + deep) */
typedef struct block {
    int64_t i, high, j, n, p, deep;
    const float *b;
} block;

#define UP_TO_3(X, T)  X(T, 1) X(T, 2) X(T, 3)
#define UP_TO_4(X, T)  UP_TO_3(X, T) X(T, 4)
#define UP_TO_6(X, T)  UP_TO_4(X, T) X(T, 5) X(T, 6)
#define UP_TO_12(X, T) UP_TO_6(X, T) X(T, 7) X(T, 8) X(T, 9) X(T, 10) X(T, 11) X(T, 12)
#define WIDTHS(X)      UP_TO_12(X, 1) UP_TO_6(X, 2) UP_TO_4(X, 3) UP_TO_3(X, 4)
#define ROWS(T, W)                               \
    static void rows_##T##_##W(const stretch *t) \
    {                                            \
        rows(T, W, t);                           \
    }
#define ROWS_AT(T, W) [T][W] = rows_##T##_##W,
WIDTHS(ROWS)
static void (*const rows_of[MOST + 1][SUMS + 1])(const stretch *) = {WIDTHS(ROWS_AT)};

static void sum_up(const poise__gemm *g, const layout *l, const block *o)
{
    const int64_t places = (o->deep + l->stretch - 1) / l->stretch;
    stretch t = {
        .rows = o->high, .apart = l->stretch, .sum_row = l->count * l->width, .slope = g->slope};
    for (int64_t s = 0; s < places; s++) {
        const int64_t list = s * l->high, last = s == places - 1;
        t.value = l->value + list * l->count * l->stretch;
        t.at = l->at + list * l->stretch;
        t.number = l->number + list;
        t.b = o->b + s * l->stretch * l->width;
        t.sum = s > 0 ? l->sum : NULL;
        t.out_row = last ? g->ldc : l->count * l->width;
        t.add_row = o->p > 0 ? g->ldc : g->add_row;
        t.part = last ? o->n % LANES : 0;
        t.act = last && o->p + o->deep == g->k ? g->act : POISE__ACT_NONE;
        for (int64_t k = 0; k < l->count; k++) {
            float *c = g[k].c + o->i * g->ldc + o->j;
            t.out[k] = last ? c : l->sum + k * round_up(o->n, LANES);
            if (last && o->p > 0)
                t.add[k] = c;
            else if (last && g[k].add != NULL)
                t.add[k] = g[k].add + o->i * g->add_row + o->j;
        }
        rows_of[l->count][(o->n + LANES - 1) / LANES](&t);
    }
}

static void run(const poise__gemm *g, int count, void *scratch)
{
    layout l;
    (void)lay_out(g, count, scratch, &l);
    for (int64_t j = 0; j < g->n; j += BROAD)
        for (int64_t p = 0; p < g->k; p += l.deep) {
            block o = {.p = p, .deep = least(g->k - p, l.deep)};
            const int64_t broad = least(g->n - j, BROAD);
            if (g->tb)
                pack_transposed(g, &l, g->b + j * g->ldb + p, broad, o.deep);
            else
                pack(g, &l, g->b + p * g->ldb + j, broad, o.deep);
            for (o.i = 0; o.i < g->m; o.i += l.high) {
                o.high = least(g->m - o.i, l.high);
                list_of[count](g, &l, o.i, o.high, p, o.deep);
                for (int64_t q = 0; q * l.width < broad; q++) {
                    o.j = j + q * l.width;
                    o.n = least(broad - q * l.width, l.width);
                    o.b = l.b + q * l.deep * l.width;
                    sum_up(g, &l, &o);
                }
            }
        }
    for (int t = 0; t < count && g->map != NULL; t++)
        for (int64_t i = 0; i < g->m; i++)
            g->map(g->n, g[t].c + i * g->ldc, NULL, g->slope, g[t].c + i * g->ldc);
}

#define NAME_(set) poise__skip_##set
#define NAME(set)  NAME_(set)
#define TEXT_(set) "skip:" #set
#define TEXT(set)  TEXT_(set)

const poise__skip NAME(POISE_TILES) = {.name = TEXT(POISE_TILES), .scratch = scratch, .run = run};
