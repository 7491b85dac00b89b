/* vector_math.h -- elementary functions without branches, so that loops of them vectorise.
 * Included by vector.c alone.
 *
 * Polynomials are minimax fits in the relative error of the function (weighted least squares,
 * reweighted to equal ripple); their own error is below 0.06 ulp, what remains is rounding.
 * tests/ops/test_vector.c holds each against libm.
 */
#ifndef POISE_VECTOR_MATH_H
#define POISE_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* a b + c, fused where the instruction set does it at full speed.  Always spelt out, because
 * compilers differ in when they fuse by themselves. */
#ifdef __FMA__
#define FMA(a, b, c) fmaf(a, b, c)
#else
#define FMA(a, b, c) ((a) * (b) + (c))
#endif

static inline float of_bits(uint32_t u)
{
    float f;
    memcpy(&f, &u, sizeof f);
    return f;
}

static inline uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

/* x = n ln 2 + r, |r| <= ln 2 / 2;  e^x = 2^n (1 + r + r^2 P(r)).  Adding 1.5 * 2^23 rounds to an
 * integer and leaves it in the low bits.  2^n is applied in two halves, so that results from the
 * smallest denormal to infinity come out right. */
static inline float exp_of(float x)
{
    const float magic = 12582912.0f;
    float c = x < -104.0f ? -104.0f : x;
    c = c > 89.0f ? 89.0f : c;
    const float t = FMA(c, 1.442695041f, magic);
    const float n = t - magic;
    float r = FMA(n, -0.693359375f, c);
    r = FMA(n, 2.12194440e-4f, r);
    float p = 1.381460926e-03f;
    p = FMA(p, r, 8.368710987e-03f);
    p = FMA(p, r, 4.166838899e-02f);
    p = FMA(p, r, 1.666652113e-01f);
    p = FMA(p, r, 4.999999404e-01f);
    const float y = FMA(r * r, p, r) + 1.0f;
    const uint32_t u = bits_of(t) - bits_of(magic) + 256u; /* n + 256 */
    const uint32_t h = u >> 1;
    return y * of_bits((h - 1u) << 23) * of_bits((u - h - 1u) << 23);
}

static inline float sigmoid_of(float x)
{
    return 1.0f / (1.0f + exp_of(-x));
}

/* 0 <= x <= 1:  2 atanh(s), s = x / (2 + x), as 2 (s + s^3 P(s^2)) */
static inline float log1p_of(float x)
{
    const float s = x / (2.0f + x), z = s * s;
    float p = 1.215342134e-01f;
    p = FMA(p, z, 1.071310639e-01f);
    p = FMA(p, z, 1.430850327e-01f);
    p = FMA(p, z, 1.999943703e-01f);
    p = FMA(p, z, 3.333333731e-01f);
    return 2.0f * FMA(s * z, p, s);
}

/* e^x - 1 for x <= 0.  Where exp_of would multiply by 2^0 it is r + r^2 P(r), without the 1. */
static inline float expm1_of(float x)
{
    const float r = x < -0.34f ? -0.34f : x;
    float p = 1.381460926e-03f;
    p = FMA(p, r, 8.368710987e-03f);
    p = FMA(p, r, 4.166838899e-02f);
    p = FMA(p, r, 1.666652113e-01f);
    p = FMA(p, r, 4.999999404e-01f);
    return x < -0.34f ? exp_of(x) - 1.0f : FMA(r * r, p, r);
}

/* log(x) for a normal x > 0: x = 2^n m, sqrt(1/2) <= m < sqrt(2);  n ln 2 + 2 atanh(s),
 * s = (m - 1) / (m + 1), with the polynomial of log1p_of. */
static inline float log_of(float x)
{
    const uint32_t half = 0x3f3504f3u; /* sqrt(1/2) */
    const uint32_t n = (bits_of(x) - half + (127u << 23)) >> 23;
    const float m = of_bits(bits_of(x) - ((n - 127u) << 23)), e = (float)(int32_t)(n - 127u);
    const float s = (m - 1.0f) / (m + 1.0f), z = s * s;
    float p = 1.215342134e-01f;
    p = FMA(p, z, 1.071310639e-01f);
    p = FMA(p, z, 1.430850327e-01f);
    p = FMA(p, z, 1.999943703e-01f);
    p = FMA(p, z, 3.333333731e-01f);
    const float log_m = FMA(0.0f, x, 2.0f * FMA(s * z, p, s)); /* a NaN stays one */
    return FMA(e, 0.693359375f, FMA(e, -2.12194440e-4f, log_m));
}

/* |x| < 0.625: x + x^3 P(x^2); beyond: 1 - 2 / (e^2|x| + 1) with the sign of x */
static inline float tanh_of(float x)
{
    const float z = x * x, a = fabsf(x);
    float p = 2.122745616e-03f;
    p = FMA(p, z, -8.156280033e-03f);
    p = FMA(p, z, 2.169260755e-02f);
    p = FMA(p, z, -5.394537747e-02f);
    p = FMA(p, z, 1.333319545e-01f);
    p = FMA(p, z, -3.333333135e-01f);
    const float small = FMA(x * z, p, x);
    const float large = 1.0f - 2.0f / (exp_of(2.0f * a) + 1.0f);
    return a < 0.625f ? small : copysignf(large, x);
}

/* |x| < 0.93: x + x P(x^2); beyond: 1 - e^-(t + t Q(t)), t = |x| up to 4, where erf rounds to 1 */
static inline float erf_of(float x)
{
    const float z = x * x, a = fabsf(x), t = a > 4.0f ? 4.0f : a;
    float p = 8.327487740e-05f;
    p = FMA(p, z, -8.133215597e-04f);
    p = FMA(p, z, 5.200260784e-03f);
    p = FMA(p, z, -2.685911953e-02f);
    p = FMA(p, z, 1.128369123e-01f);
    p = FMA(p, z, -3.761263490e-01f);
    p = FMA(p, z, 1.283791661e-01f);
    const float small = FMA(x, p, x);
    float q = 1.123141919e-05f;
    q = FMA(q, t, -3.228049609e-04f);
    q = FMA(q, t, 3.642463358e-03f);
    q = FMA(q, t, -2.376207151e-02f);
    q = FMA(q, t, 1.062368900e-01f);
    q = FMA(q, t, 6.351513267e-01f);
    q = FMA(q, t, 1.286484897e-01f);
    const float large = 1.0f - exp_of(-FMA(t, q, t));
    return a < 0.93f ? small : copysignf(large, x);
}

/* The standard normal's distribution function and density. */
static inline float normal_cdf(float x)
{
    return 0.5f * (1.0f + erf_of(x * 0.7071067812f));
}

static inline float normal_pdf(float x)
{
    return 0.3989422804f * exp_of(-0.5f * x * x);
}

#endif
