/* vector.c -- the table of ops/vector.h for one instruction set, named by POISE_VECTOR. */
#include <stddef.h>
#include "vector.h"
#include "vector_fields.h"
#include "vector_loops.h"
#include "vector_math.h"
#include "vector_mixture.h"

#ifndef POISE_VECTOR
#error "POISE_VECTOR names the instruction set this copy is compiled for"
#endif

#define MAP(name, expression)                                                            \
    static void map_##name(int64_t n, const float *a, const float *b, float p, float *y) \
    {                                                                                    \
        (void)b;                                                                         \
        (void)p;                                                                         \
        INDEPENDENT                                                                      \
        for (int64_t i = 0; i < n; i++)                                                  \
            y[i] = expression;                                                           \
    }

static inline float silu_slope(float x)
{
    const float s = sigmoid_of(x);
    return s * FMA(x, 1.0f - s, 1.0f);
}

static inline float bce_of(float z, float label)
{
    return FMA(-z, label, z > 0.0f ? z : 0.0f) + log1p_of(exp_of(-fabsf(z)));
}

static inline float huber_of(float d, float delta)
{
    return d <= delta ? 0.5f * d * d : delta * (d - 0.5f * delta);
}

static inline float clamp_of(float d, float delta)
{
    const float low = d < -delta ? -delta : d;
    return low > delta ? delta : low;
}

/* The logarithm of a probability: of one that is 1 - 1e-30 where it would round to 1.  A NaN is not
 * greater: it passes through. */
static inline float below_one(float x)
{
    return x > -1e-30f ? -1e-30f : x;
}

static inline float inside(float x, float eps)
{
    const float high = x > 1.0f - eps ? 1.0f - eps : x;
    return high < eps ? eps : high;
}

static inline float logit_of(float x)
{
    return log_of(x) - log_of(1.0f - x);
}

static inline float smooth_of(float t)
{
    return FMA(t, FMA(-2.0f * t, t, 1.5f), 0.5f);
}

static inline float smooth_slope(float t)
{
    return FMA(-6.0f * t, t, 1.5f);
}

MAP(exp, exp_of(a[i]))
MAP(erf, erf_of(a[i]))
MAP(log1p, log1p_of(a[i]))
MAP(tanh, tanh_of(a[i]))
MAP(sigmoid, sigmoid_of(a[i]))
/* A NaN is not <= 0: it passes through. */
MAP(relu, a[i] <= 0.0f ? 0.0f : a[i])
MAP(leaky_relu, a[i] <= 0.0f ? p * a[i] : a[i])
MAP(gelu, a[i] * normal_cdf(a[i]))
MAP(silu, a[i] * sigmoid_of(a[i]))
MAP(tanh_back, a[i] * FMA(-b[i], b[i], 1.0f))
MAP(sigmoid_back, a[i] * (b[i] * (1.0f - b[i])))
MAP(relu_back, b[i] > 0.0f ? a[i] : 0.0f)
MAP(leaky_back, b[i] > 0.0f ? a[i] : p * a[i])
MAP(gelu_back, a[i] * FMA(b[i], normal_pdf(b[i]), normal_cdf(b[i])))
MAP(silu_back, a[i] * silu_slope(b[i]))
MAP(add, a[i] + b[i])
MAP(multiply, a[i] * b[i])
MAP(scale, p *a[i])
MAP(add_scaled, FMA(p, a[i], b[i]))
MAP(bce, bce_of(a[i], b[i]))
MAP(bce_back, sigmoid_of(a[i]) - b[i])
MAP(squared, (a[i] - b[i]) * (a[i] - b[i]))
MAP(squared_back, 2.0f * (a[i] - b[i]))
MAP(huber, huber_of(fabsf(a[i] - b[i]), p))
MAP(huber_back, clamp_of(a[i] - b[i], p))
MAP(log_sigmoid, (a[i] > 0.0f ? 0.0f : a[i]) - log1p_of(exp_of(-fabsf(a[i]))))
MAP(log_sigmoid_back, a[i] * sigmoid_of(-b[i]))
MAP(log_odds, below_one(a[i]) - log_of(-expm1_of(below_one(a[i]))))
MAP(log_odds_back, -a[i] / expm1_of(below_one(b[i])))
MAP(logit, logit_of(inside(a[i], p)))
MAP(logit_back, a[i] / (inside(b[i], p) * (1.0f - inside(b[i], p))))
MAP(reciprocal, 1.0f / (a[i] < p ? p : a[i]))
MAP(reciprocal_back, -a[i] / ((b[i] < p ? p : b[i]) * (b[i] < p ? p : b[i])))
MAP(smooth_step, smooth_of(clamp_of(a[i] / p, 0.5f)))
MAP(smooth_step_back, a[i] / p * smooth_slope(clamp_of(b[i] / p, 0.5f)))

/* ---- sums ---- */

static double dot(int64_t n, const float *a, const float *b)
{
    double s = 0.0;
    SUM(s)
    for (int64_t i = 0; i < n; i++)
        s += (double)a[i] * (double)b[i];
    return s;
}

static void column_sum(int64_t rows, int64_t n, int64_t stride, const float *x, float *y)
{
    memset(y, 0, (size_t)n * sizeof *y);
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        const float *a = x + r * stride, *b = a + stride, *c = b + stride, *d = c + stride;
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            y[i] += (a[i] + b[i]) + (c[i] + d[i]);
    }
    for (; r < rows; r++)
        for (int64_t i = 0; i < n; i++)
            y[i] += x[r * stride + i];
}

/* ---- softmax ---- */

/* y = e^(x - max).  Rows are short: the exponentials are taken of many rows at once. */
static void exp_rows(int64_t rows, int64_t n, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r++) {
        const float top = max_of(n, x + r * n);
        for (int64_t i = 0; i < n; i++)
            y[r * n + i] = x[r * n + i] - top;
    }
    map_exp(rows * n, y, NULL, 0.0f, y);
}

static void softmax(int64_t rows, int64_t n, const float *x, float *y)
{
    for (int64_t r = 0; r < rows; r += TILE) {
        const int64_t m = rows - r < TILE ? rows - r : TILE;
        exp_rows(m, n, x + r * n, y + r * n);
        for (int64_t k = r; k < r + m; k++) {
            const float inv = 1.0f / sum_of(n, y + k * n);
            for (int64_t i = k * n; i < (k + 1) * n; i++)
                y[i] *= inv;
        }
    }
}

static void softmax_back(int64_t rows, int64_t n, const float *dy, const float *y, float *dx)
{
    for (int64_t r = 0; r < rows; r++) {
        const float *p = y + r * n, *d = dy + r * n;
        const float mean = dot_of(n, d, p);
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            dx[r * n + i] = p[i] * (d[i] - mean);
    }
}

static void log_sum_exp(int64_t rows, int64_t n, const float *x, float *y)
{
    float e[TILE];
    for (int64_t r = 0; r < rows; r++) {
        const float *row = x + r * n;
        const float top = max_of(n, row);
        float sum = 0.0f;
        for (int64_t i = 0; i < n; i += TILE) {
            const int64_t m = n - i < TILE ? n - i : TILE;
            for (int64_t k = 0; k < m; k++)
                e[k] = row[i + k] - top;
            map_exp(m, e, NULL, 0.0f, e);
            sum += sum_of(m, e);
        }
        y[r] = top + logf(sum);
    }
}

/* ---- normalisation of rows ---- */

static void layer_norm(int64_t rows, int64_t n, float eps, const float *x, const float *gamma,
                       const float *beta, float *y, float *mean, float *inv)
{
    for (int64_t r = 0; r < rows; r++, x += n, y += n) {
        const float m = sum_of(n, x) / (float)n;
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            y[i] = x[i] - m;
        const float s = 1.0f / sqrtf(dot_of(n, y, y) / (float)n + eps);
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            y[i] = FMA(y[i] * s, gamma[i], beta[i]);
        mean[r] = m;
        inv[r] = s;
    }
}

static void layer_norm_data(int64_t rows, int64_t n, const float *dy, const float *x,
                            const float *gamma, const float *mean, const float *inv, float *dx)
{
    for (int64_t r = 0; r < rows; r++, dy += n, x += n, dx += n) {
        const float m = mean[r], s = inv[r];
        float ga = 0.0f, gb = 0.0f;
        SUM(ga, gb)
        for (int64_t i = 0; i < n; i++) {
            const float g = dy[i] * gamma[i];
            ga += g;
            gb += g * ((x[i] - m) * s);
        }
        ga /= (float)n;
        gb /= (float)n;
        INDEPENDENT
        for (int64_t k = 0; k < n; k++)
            dx[k] = s * (dy[k] * gamma[k] - ga - (x[k] - m) * s * gb);
    }
}

static void layer_norm_gamma(int64_t rows, int64_t n, int64_t stride, const float *dy,
                             const float *x, const float *mean, const float *inv, float *y)
{
    memset(y, 0, (size_t)n * sizeof *y);
    for (int64_t r = 0; r < rows; r++, dy += stride, x += stride) {
        const float m = mean[r], s = inv[r];
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            y[i] = FMA(dy[i], (x[i] - m) * s, y[i]);
    }
}

/* ---- normalisation of columns ---- */

static int64_t column_moments(int64_t rows, int64_t n, int64_t stride, const float *x,
                              const float *weight, float *mean, float *var)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++)
        count += weight == NULL || weight[r] != 0.0f;
    const double scale = count > 0 ? 1.0 / (double)count : 0.0;
    for (int64_t c = 0; c < n; c += TILE) {
        const int64_t m = n - c < TILE ? n - c : TILE;
        double s[TILE] = {0}, q[TILE] = {0};
        for (int64_t r = 0; r < rows; r++)
            if (weight == NULL || weight[r] != 0.0f)
                for (int64_t i = 0; i < m; i++)
                    s[i] += (double)x[r * stride + c + i];
        for (int64_t i = 0; i < m; i++)
            s[i] *= scale;
        for (int64_t r = 0; r < rows; r++)
            if (weight == NULL || weight[r] != 0.0f)
                for (int64_t i = 0; i < m; i++) {
                    const double d = (double)x[r * stride + c + i] - s[i];
                    q[i] += d * d;
                }
        for (int64_t i = 0; i < m; i++) {
            mean[c + i] = (float)s[i];
            var[c + i] = (float)(q[i] * scale);
        }
    }
    return count;
}

static void column_norm(int64_t rows, int64_t n, int64_t stride, const float *x, const float *mean,
                        const float *inv, const float *gamma, const float *beta, float *y)
{
    for (int64_t r = 0; r < rows; r++, x += stride, y += stride) {
        INDEPENDENT
        for (int64_t i = 0; i < n; i++)
            y[i] = FMA((x[i] - mean[i]) * inv[i], gamma[i], beta[i]);
    }
}

static void column_sums(int64_t rows, int64_t n, int64_t stride, const float *dy, const float *x,
                        const float *mean, const float *inv, float *sum, float *product)
{
    for (int64_t c = 0; c < n; c += TILE) {
        const int64_t m = n - c < TILE ? n - c : TILE;
        double s[TILE] = {0}, q[TILE] = {0};
        for (int64_t r = 0; r < rows; r++) {
            const float *d = dy + r * stride + c, *v = x + r * stride + c;
            for (int64_t i = 0; i < m; i++) {
                s[i] += (double)d[i];
                q[i] += (double)d[i] * (double)(v[i] - mean[c + i]);
            }
        }
        for (int64_t i = 0; i < m; i++) {
            sum[c + i] = (float)s[i];
            product[c + i] = (float)(q[i] * (double)inv[c + i]);
        }
    }
}

static void column_norm_data(int64_t rows, int64_t n, int64_t stride, const float *dy,
                             const float *x, const float *weight, const float *gamma,
                             const float *mean, const float *inv, const float *sum,
                             const float *product, int64_t count, float *dx)
{
    const float part = count > 0 ? 1.0f / (float)count : 0.0f;
    for (int64_t r = 0; r < rows; r++, dy += stride, x += stride, dx += stride) {
        const float in = weight == NULL || weight[r] != 0.0f ? part : 0.0f;
        INDEPENDENT
        for (int64_t i = 0; i < n; i++) {
            const float share = FMA((x[i] - mean[i]) * inv[i], product[i], sum[i]);
            dx[i] = gamma[i] * inv[i] * FMA(-in, share, dy[i]);
        }
    }
}

/* ---- dropout ---- */

enum { WIDE = 32 }; /* Philox counters computed side by side */

/* Words w[0..3][l] of Philox4x32-10 at counter {block + l, step, stream}. */
static inline void philox_wide(uint64_t block, const poise__mask *mask, uint32_t w[4][WIDE])
{
    for (uint32_t l = 0; l < WIDE; l++) {
        w[0][l] = (uint32_t)block + l;
        w[1][l] = mask->step;
        w[2][l] = (uint32_t)mask->stream;
        w[3][l] = (uint32_t)(mask->stream >> 32);
    }
    uint32_t k0 = (uint32_t)mask->seed, k1 = (uint32_t)(mask->seed >> 32);
    for (int round = 0; round < 10; round++) {
        for (int l = 0; l < WIDE; l++) {
            const uint64_t p = (uint64_t)w[0][l] * 0xD2511F53u;
            const uint64_t q = (uint64_t)w[2][l] * 0xCD9E8D57u;
            const uint32_t a = w[1][l], b = w[3][l];
            w[0][l] = (uint32_t)(q >> 32) ^ a ^ k0;
            w[1][l] = (uint32_t)q;
            w[2][l] = (uint32_t)(p >> 32) ^ b ^ k1;
            w[3][l] = (uint32_t)p;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
}

static void dropout(int64_t n, int64_t from, const poise__mask *mask, float scale, const float *x,
                    float *y)
{
    uint32_t w[4][WIDE];
    float keep[4 * WIDE];
    for (int64_t i = 0; i < n; i += 4 * WIDE) {
        philox_wide((uint64_t)(from + i) / 4, mask, w);
        for (int l = 0; l < WIDE; l++)
            for (int k = 0; k < 4; k++)
                keep[4 * l + k] = w[k][l] >= mask->threshold ? scale : 0.0f;
        const int64_t m = n - i < 4 * WIDE ? n - i : 4 * WIDE;
        INDEPENDENT
        for (int64_t k = 0; k < m; k++)
            y[i + k] = keep[k] != 0.0f ? x[i + k] * keep[k] : 0.0f;
    }
}

#define TABLE_OF(set) poise__vector_##set
#define TABLE(set)    TABLE_OF(set)
#define NAME_OF(set)  #set
#define NAME(set)     NAME_OF(set)

const poise__vector TABLE(POISE_VECTOR) = {
    .name = NAME(POISE_VECTOR),
#define X(f) .f = map_##f,
    POISE__MAPS(X)
#undef X
        .dot = dot,
    .column_sum = column_sum,
    .softmax = softmax,
    .softmax_back = softmax_back,
    .log_sum_exp = log_sum_exp,
    .mixture = mixture,
    .mixture_gate = mixture_gate,
    .mixture_expert = mixture_expert,
    .segment_dot = segment_dot,
    .segment_scale = segment_scale,
    .factorise = factorise,
    .factorise_back = factorise_back,
    .pairs = pairs,
    .pairs_left = pairs_left,
    .pairs_right = pairs_right,
    .layer_norm = layer_norm,
    .layer_norm_data = layer_norm_data,
    .layer_norm_gamma = layer_norm_gamma,
    .column_moments = column_moments,
    .column_norm = column_norm,
    .column_sums = column_sums,
    .column_norm_data = column_norm_data,
    .dropout = dropout,
};
