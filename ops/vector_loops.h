/* vector_loops.h -- how a loop says that it is one of vectors, and the sums over a row.
 * Included by vector.c and its parts alone.
 */
#ifndef POISE_VECTOR_LOOPS_H
#define POISE_VECTOR_LOOPS_H

#include <stdint.h>

/* OpenMP's pragmas for the vectors of one thread (-fopenmp-simd: no runtime).  INDEPENDENT: the
 * output may be an input, which the compiler's own test for overlap would take for a reason to choose
 * the slow copy of the loop.  SUM, MAX: the accumulators may be split by lanes, in an order that
 * depends on the length alone.  (clang 14 does not know the maximum.) */
#define PRAGMA(...) _Pragma(#__VA_ARGS__)
#define INDEPENDENT PRAGMA(omp simd)
#define SUM(...)    PRAGMA(omp simd reduction(+ : __VA_ARGS__))
#if defined(__clang__)
#define MAX(s)
#else
#define MAX(s) PRAGMA(omp simd reduction(max : s))
#endif

/* Rows up to SHORT, such as a gate's, are reduced one element after the other: to prepare a vector
 * and to fold it takes longer. */
enum { TILE = 64, SHORT = 24 };

static inline float sum_of(int64_t n, const float *a)
{
    float s = 0.0f;
    if (n <= SHORT) {
        for (int64_t i = 0; i < n; i++)
            s += a[i];
        return s;
    }
    SUM(s)
    for (int64_t i = 0; i < n; i++)
        s += a[i];
    return s;
}

static inline float dot_of(int64_t n, const float *a, const float *b)
{
    float s = 0.0f;
    SUM(s)
    for (int64_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static inline float max_of(int64_t n, const float *a)
{
    float s = a[0];
    if (n <= SHORT) {
        for (int64_t i = 1; i < n; i++)
            s = a[i] > s ? a[i] : s;
        return s;
    }
    MAX(s)
    for (int64_t i = 1; i < n; i++)
        s = a[i] > s ? a[i] : s;
    return s;
}

#endif
