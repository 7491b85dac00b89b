/* vector_mixture.h -- experts mixed by a gate, and the two gradients (ops/vector.h, mixture).
 * A part of vector.c, which alone includes it.
 *
 * Widths are short, 16 to 256, and experts few: what counts is that sums stay in registers.  A row of
 * width h is taken in blocks of BLOCK vectors, then of one, then what is left.
 */
#ifndef POISE_VECTOR_MIXTURE_H
#define POISE_VECTOR_MIXTURE_H

#include "gemm_lane.h"
#include "vector_loops.h"

enum { BLOCK = 4, TOGETHER = 8 /* dot products taken at a time */ };

#if defined(__clang__)
#define EACH_OF_BLOCK _Pragma("unroll")
#else
#define EACH_OF_BLOCK _Pragma("GCC unroll 8")
#endif
#define BLOCK_INLINE static inline __attribute__((always_inline))

/* ---- y = sum over e of gate x ---- */

/* W vectors of y, from column c of x on; W is known to the compiler. */
BLOCK_INLINE void mix(const int W, int64_t e, int64_t h, const float *gate, const float *x, int add,
                      float *y)
{
    lane sum[BLOCK];
    EACH_OF_BLOCK
    for (int w = 0; w < W; w++)
        sum[w] = add ? lane_load(y + w * LANES) : lane_zero();
    for (int64_t k = 0; k < e; k++, x += h) {
        const lane p = lane_all(gate[k]);
        EACH_OF_BLOCK
        for (int w = 0; w < W; w++)
            sum[w] = lane_fma(p, lane_load(x + w * LANES), sum[w]);
    }
    EACH_OF_BLOCK
    for (int w = 0; w < W; w++)
        lane_store(y + w * LANES, sum[w]);
}

static void mixture(int64_t rows, int64_t e, int64_t h, const float *gate, int64_t stride,
                    const float *x, int add, float *y)
{
    for (int64_t r = 0; r < rows; r++, gate += stride, x += e * h, y += h) {
        int64_t c = 0;
        for (; c + BLOCK * LANES <= h; c += BLOCK * LANES)
            mix(BLOCK, e, h, gate, x + c, add, y + c);
        for (; c + LANES <= h; c += LANES)
            mix(1, e, h, gate, x + c, add, y + c);
        for (; c < h; c++) {
            float sum = add ? y[c] : 0.0f;
            for (int64_t k = 0; k < e; k++)
                sum = FMA(gate[k], x[k * h + c], sum);
            y[c] = sum;
        }
    }
}

/* ---- dgate = <dy, x> ---- */

/* y[k] = <a, x[k]>, k < n <= TOGETHER; a row of x is h long.  A vector of partial sums for each, which
 * are turned, so that they can be added one below the other. */
BLOCK_INLINE void dots(const int N, int64_t n, int64_t h, const float *a, const float *x, float *y)
{
    float t[TOGETHER * TOGETHER] = {0}, u[TOGETHER * TOGETHER];
    const int64_t left = h % LANES;
    lane sum[TOGETHER];
    EACH_OF_BLOCK
    for (int k = 0; k < N; k++)
        sum[k] = lane_zero();
    for (int64_t i = 0; i + LANES <= h; i += LANES) {
        const lane b = lane_load(a + i);
        EACH_OF_BLOCK
        for (int k = 0; k < N; k++)
            sum[k] = lane_fma(b, lane_load(x + k * h + i), sum[k]);
    }
    if (left > 0) {
        const lane b = lane_load_part(a + h - left, left);
        EACH_OF_BLOCK
        for (int k = 0; k < N; k++)
            sum[k] = lane_fma(b, lane_load_part(x + (k + 1) * h - left, left), sum[k]);
    }
    EACH_OF_BLOCK
    for (int k = 0; k < N; k++)
        lane_store(t + k * TOGETHER, sum[k]);
    transpose8(t, TOGETHER, u, TOGETHER);
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int p = 0; p < half; p++) {
            INDEPENDENT
            for (int k = 0; k < TOGETHER; k++)
                u[p * TOGETHER + k] += u[(p + half) * TOGETHER + k];
        }
    for (int64_t k = 0; k < n; k++)
        y[k] = u[k];
}

static void mixture_gate(int64_t rows, int64_t e, int64_t h, const float *dy, const float *x,
                         float *dgate, int64_t stride)
{
    for (int64_t r = 0; r < rows; r++, dy += h, x += e * h, dgate += stride) {
        int64_t k = 0;
        for (; k + TOGETHER <= e; k += TOGETHER)
            dots(TOGETHER, TOGETHER, h, dy, x + k * h, dgate + k);
        for (; k < e; k++)
            dots(1, 1, h, dy, x + k * h, dgate + k);
    }
}

/* ---- dx = gate dy ---- */

BLOCK_INLINE void spread(const int W, int64_t e, int64_t h, const float *gate, const float *dy,
                         float *dx)
{
    lane y[BLOCK];
    EACH_OF_BLOCK
    for (int w = 0; w < W; w++)
        y[w] = lane_load(dy + w * LANES);
    for (int64_t k = 0; k < e; k++, dx += h) {
        const lane p = lane_all(gate[k]);
        EACH_OF_BLOCK
        for (int w = 0; w < W; w++)
            lane_store(dx + w * LANES, lane_fma(p, y[w], lane_zero()));
    }
}

static void mixture_expert(int64_t rows, int64_t e, int64_t h, const float *dy, const float *gate,
                           int64_t stride, float *dx)
{
    for (int64_t r = 0; r < rows; r++, dy += h, gate += stride, dx += e * h) {
        int64_t c = 0;
        for (; c + BLOCK * LANES <= h; c += BLOCK * LANES)
            spread(BLOCK, e, h, gate, dy + c, dx + c);
        for (; c + LANES <= h; c += LANES)
            spread(1, e, h, gate, dy + c, dx + c);
        for (; c < h; c++)
            for (int64_t k = 0; k < e; k++)
                dx[k * h + c] = gate[k] * dy[c];
    }
}

#undef EACH_OF_BLOCK
#undef BLOCK_INLINE
#endif
