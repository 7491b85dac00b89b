/* vector_fields.h -- loops over rows that are made of fields: segments, pairs, factorisation.
 * A part of vector.c, which alone includes it.
 */
#ifndef POISE_VECTOR_FIELDS_H
#define POISE_VECTOR_FIELDS_H

#include <stddef.h>
#include "vector_loops.h"
#include "vector_math.h"

/* ---- segments ---- */

static inline void segment_dot(int64_t rows, int64_t s, const int64_t *width, const float *a,
                               const float *b, const float *scale, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < s; k++) {
            const float sum = b == NULL ? sum_of(width[k], a) : dot_of(width[k], a, b);
            *y++ = scale == NULL ? sum : sum * scale[k];
            a += width[k];
            b = b == NULL ? NULL : b + width[k];
        }
}

static inline void segment_scale(int64_t rows, int64_t s, const int64_t *width, const float *x,
                                 const float *by, const float *scale, float *y)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t k = 0; k < s; k++) {
            const float factor = scale == NULL ? *by : *by * scale[k];
            by++;
            if (x == NULL) {
                for (int64_t i = 0; i < width[k]; i++)
                    y[i] = factor;
            } else {
                INDEPENDENT
                for (int64_t i = 0; i < width[k]; i++)
                    y[i] = factor * x[i];
                x += width[k];
            }
            y += width[k];
        }
}

/* ---- factorisation ---- */

/* Each field times the sum of those before it: nothing cancels, as it does in the usual form, half of
 * the squared sum less the sum of squares. */
static inline void factorise(int64_t rows, int64_t f, int64_t d, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += f * d, y += d)
        for (int64_t c = 0; c < d; c += TILE) {
            const int64_t m = d - c < TILE ? d - c : TILE;
            float sum[TILE] = {0}, pairs[TILE] = {0};
            for (int64_t k = 0; k < f; k++) {
                const float *v = x + k * d + c;
                for (int64_t i = 0; i < m; i++) {
                    pairs[i] = FMA(v[i], sum[i], pairs[i]);
                    sum[i] += v[i];
                }
            }
            memcpy(y + c, pairs, (size_t)m * sizeof *y);
        }
}

static inline void factorise_back(int64_t rows, int64_t f, int64_t d, const float *dy,
                                  const float *x, float *dx)
{
    for (int64_t r = 0; r < rows; r++, x += f * d, dx += f * d, dy += d)
        for (int64_t c = 0; c < d; c += TILE) {
            const int64_t m = d - c < TILE ? d - c : TILE;
            float sum[TILE] = {0};
            for (int64_t k = 0; k < f; k++)
                for (int64_t i = 0; i < m; i++)
                    sum[i] += x[k * d + c + i];
            for (int64_t k = 0; k < f; k++) {
                const float *v = x + k * d + c;
                float *to = dx + k * d + c;
                INDEPENDENT
                for (int64_t i = 0; i < m; i++)
                    to[i] = dy[c + i] * (sum[i] - v[i]);
            }
        }
}

/* ---- pairs ---- */

static inline void product(int64_t n, const float *a, const float *b, float *y)
{
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] * b[i];
}

static inline void pairs(int64_t rows, int64_t f, int64_t d, const float *a, const float *b,
                         float *y)
{
    for (int64_t r = 0; r < rows; r++, a += f * d, b += f * d)
        for (int64_t i = 0; i < f; i++)
            for (int64_t j = i + 1; j < f; j++, y += d)
                product(d, a + i * d, b + j * d, y);
}

static inline void add_product(int64_t n, const float *a, const float *b, float *y)
{
    INDEPENDENT
    for (int64_t i = 0; i < n; i++)
        y[i] = FMA(a[i], b[i], y[i]);
}

static inline void pairs_left(int64_t rows, int64_t f, int64_t d, const float *dy, const float *b,
                              float *da)
{
    memset(da, 0, (size_t)(rows * f * d) * sizeof *da);
    for (int64_t r = 0; r < rows; r++, b += f * d, da += f * d)
        for (int64_t i = 0; i < f; i++)
            for (int64_t j = i + 1; j < f; j++, dy += d)
                add_product(d, dy, b + j * d, da + i * d);
}

static inline void pairs_right(int64_t rows, int64_t f, int64_t d, const float *dy, const float *a,
                               float *db)
{
    memset(db, 0, (size_t)(rows * f * d) * sizeof *db);
    for (int64_t r = 0; r < rows; r++, a += f * d, db += f * d)
        for (int64_t i = 0; i < f; i++)
            for (int64_t j = i + 1; j < f; j++, dy += d)
                add_product(d, dy, a + i * d, db + j * d);
}

#endif
