#include "update.h"
#include <math.h>

/* POISE_UPDATE is the name of the instruction set this copy is compiled for. */
#define PASTE_(a, b) a##b
#define PASTE(a, b)  PASTE_(a, b)
#define TABLE        PASTE(poise__update_, POISE_UPDATE)

static void plain(int64_t n, const poise__update_step *s, float *restrict w,
                  const float *restrict g, float *restrict a, float *restrict b)
{
    float rate = s->rate, decay = s->decay;

    (void)a;
    (void)b;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        w[i] -= rate * (g[i] + decay * w[i]);
}

static void momentum(int64_t n, const poise__update_step *s, float *restrict w,
                     const float *restrict g, float *restrict a, float *restrict b)
{
    float rate = s->rate, decay = s->decay, keep = s->momentum;

    (void)b;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float v = keep * a[i] + (g[i] + decay * w[i]);

        a[i] = v;
        w[i] -= rate * v;
    }
}

static void adam(int64_t n, const poise__update_step *s, float *restrict w, const float *restrict g,
                 float *restrict a, float *restrict b)
{
    float rate = s->rate, shrink = s->shrink, decay = s->decay, eps = s->eps;
    float add1 = s->add1, keep2 = s->keep2, add2 = s->add2;

#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float h = g[i] + decay * w[i];
        float m = a[i] + add1 * (h - a[i]);
        float v = keep2 * b[i] + add2 * (h * h);

        a[i] = m;
        b[i] = v;
        w[i] = shrink * w[i] - rate * m / (sqrtf(v) + eps);
    }
}

static void adagrad(int64_t n, const poise__update_step *s, float *restrict w,
                    const float *restrict g, float *restrict a, float *restrict b)
{
    float rate = s->rate, decay = s->decay, eps = s->eps;

    (void)b;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float h = g[i] + decay * w[i];
        float v = a[i] + h * h;

        a[i] = v;
        w[i] -= rate * h / (sqrtf(v) + eps);
    }
}

/* The mean is taken in order, so that its bits are the same in every copy. */
static void adagrad_row(int64_t n, const poise__update_step *s, float *restrict w,
                        const float *restrict g, float *restrict a, float *restrict b)
{
    float decay = s->decay, sum = 0;

    (void)b;
    for (int64_t i = 0; i < n; i++) {
        float h = g[i] + decay * w[i];

        sum += h * h;
    }
    if (n > 0)
        a[0] += sum / (float)n;
    float rate = n > 0 ? s->rate / (sqrtf(a[0]) + s->eps) : 0;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        w[i] -= rate * (g[i] + decay * w[i]);
}

const poise__update_table TABLE = {plain, momentum, adam, adagrad, adagrad_row};
