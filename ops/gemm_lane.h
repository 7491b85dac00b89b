/* gemm_lane.h -- one vector of floats, for the instruction set that this copy is compiled for.
 * Internal to ops/gemm_tile.c and ops/vector.c; the only header with intrinsics.
 *
 *   AVX-512  16 floats      AVX2 with FMA  8 floats      else  4 floats as an array, in plain C
 *
 * "part": the first n of LANES elements, 0 < n < LANES; what is not loaded is 0, what is not stored
 * is left alone.  fma(a, b, c) = a b + c, rounded once where the processor can.
 */
#ifndef POISE_GEMM_LANE_H
#define POISE_GEMM_LANE_H

#include <stdint.h>
#include <string.h>

#if defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#endif

/* Loops over registers: unrolled whole, or the sums would lie in memory. */
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif
#define INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { LANES = 16 };
typedef __m512 lane;

static inline lane lane_zero(void)
{
    return _mm512_setzero_ps();
}

static inline lane lane_all(float x)
{
    return _mm512_set1_ps(x);
}

static inline lane lane_load(const float *p)
{
    return _mm512_loadu_ps(p);
}

/* Into a register: it is used several times, but a compiler may prefer to load it each time. */
static inline lane lane_held(const float *p)
{
    lane a = _mm512_loadu_ps(p);
    __asm__("" : "+v"(a));
    return a;
}

static inline void lane_store(float *p, lane a)
{
    _mm512_storeu_ps(p, a);
}

static inline lane lane_load_part(const float *p, int64_t n)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1U << n) - 1), p);
}

static inline void lane_store_part(float *p, int64_t n, lane a)
{
    _mm512_mask_storeu_ps(p, (__mmask16)((1U << n) - 1), a);
}

static inline lane lane_fma(lane a, lane b, lane c)
{
    return _mm512_fmadd_ps(a, b, c);
}

static inline lane lane_add(lane a, lane b)
{
    return _mm512_add_ps(a, b);
}

/* a where a > 0 or a is NaN, else slope a */
static inline lane lane_leaky(lane a, lane slope)
{
    const __mmask16 low = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LE_OQ);
    return _mm512_mask_mul_ps(a, low, a, slope);
}

/* a where a > 0 or a is NaN, else 0 */
static inline lane lane_relu(lane a)
{
    const __mmask16 low = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LE_OQ);
    return _mm512_mask_mov_ps(a, low, _mm512_setzero_ps());
}

#elif defined(__AVX2__) && defined(__FMA__)
enum { LANES = 8 };
typedef __m256 lane;

static inline lane lane_zero(void)
{
    return _mm256_setzero_ps();
}

static inline lane lane_all(float x)
{
    return _mm256_set1_ps(x);
}

static inline lane lane_load(const float *p)
{
    return _mm256_loadu_ps(p);
}

/* Into a register: it is used several times, but a compiler may prefer to load it each time. */
static inline lane lane_held(const float *p)
{
    lane a = _mm256_loadu_ps(p);
    __asm__("" : "+x"(a));
    return a;
}

static inline void lane_store(float *p, lane a)
{
    _mm256_storeu_ps(p, a);
}

static inline lane lane_load_part(const float *p, int64_t n)
{
    const __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), place));
}

/* In pieces: a masked store is microcode on some processors. */
static inline void lane_store_part(float *p, int64_t n, lane a)
{
    __m128 x = _mm256_castps256_ps128(a);
    if (n & 4) {
        _mm_storeu_ps(p, x);
        x = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, x);
        x = _mm_movehl_ps(x, x);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, x);
}

static inline lane lane_fma(lane a, lane b, lane c)
{
    return _mm256_fmadd_ps(a, b, c);
}

static inline lane lane_add(lane a, lane b)
{
    return _mm256_add_ps(a, b);
}

static inline lane lane_leaky(lane a, lane slope)
{
    const __m256 low = _mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_LE_OQ);
    return _mm256_blendv_ps(a, _mm256_mul_ps(a, slope), low);
}

static inline lane lane_relu(lane a)
{
    return _mm256_andnot_ps(_mm256_cmp_ps(a, _mm256_setzero_ps(), _CMP_LE_OQ), a);
}

#else
enum { LANES = 4 };
typedef struct lane {
    float f[4];
} lane;

#define EACH for (int i = 0; i < LANES; i++)

static inline lane lane_zero(void)
{
    return (lane){{0}};
}

static inline lane lane_all(float x)
{
    return (lane){{x, x, x, x}};
}

static inline lane lane_load(const float *p)
{
    lane a;
    memcpy(&a, p, sizeof a);
    return a;
}

static inline void lane_store(float *p, lane a)
{
    memcpy(p, &a, sizeof a);
}

static inline lane lane_load_part(const float *p, int64_t n)
{
    lane a = {{0}};
    memcpy(&a, p, (size_t)n * sizeof *p);
    return a;
}

static inline void lane_store_part(float *p, int64_t n, lane a)
{
    memcpy(p, &a, (size_t)n * sizeof *p);
}

static inline lane lane_fma(lane a, lane b, lane c)
{
    EACH c.f[i] += a.f[i] * b.f[i];
    return c;
}

static inline lane lane_add(lane a, lane b)
{
    EACH a.f[i] += b.f[i];
    return a;
}

static inline lane lane_leaky(lane a, lane slope)
{
    EACH a.f[i] = a.f[i] <= 0.0f ? a.f[i] * slope.f[i] : a.f[i];
    return a;
}

static inline lane lane_relu(lane a)
{
    EACH a.f[i] = a.f[i] <= 0.0f ? 0.0f : a.f[i];
    return a;
}

#undef EACH
#endif

/* ---- out[p * step + i] = in[i * stride + p], i < 8, p < 8: rows become columns ---- */

#if defined(__AVX2__) && defined(__FMA__)
static inline void transpose8(const float *in, int64_t stride, float *out, int64_t step)
{
    __m256 a[8], b[8];
    /* Rows i and i + 4 in the halves of one vector: two rounds within halves then suffice. */
    for (int i = 0; i < 4; i++) {
        const float *low = in + i * stride, *high = in + (i + 4) * stride;
        a[i] =
            _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
        a[i + 4] = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low + 4)),
                                        _mm_loadu_ps(high + 4), 1);
    }
    for (int i = 0; i < 8; i += 4) {
        b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
        b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
        b[i + 2] = _mm256_unpacklo_ps(a[i + 2], a[i + 3]);
        b[i + 3] = _mm256_unpackhi_ps(a[i + 2], a[i + 3]);
        _mm256_storeu_ps(out + i * step, _mm256_shuffle_ps(b[i], b[i + 2], 0x44));
        _mm256_storeu_ps(out + (i + 1) * step, _mm256_shuffle_ps(b[i], b[i + 2], 0xee));
        _mm256_storeu_ps(out + (i + 2) * step, _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44));
        _mm256_storeu_ps(out + (i + 3) * step, _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee));
    }
}
#else
static inline void transpose8(const float *in, int64_t stride, float *out, int64_t step)
{
    for (int i = 0; i < 8; i++)
        for (int p = 0; p < 8; p++)
            out[p * step + i] = in[i * stride + p];
}
#endif

/* ---- which of eight numbers are not 0 ---- */

#if defined(__AVX2__) && defined(__FMA__)
/* Bit i: a[i] is not 0. */
static inline unsigned lane_mask8(const float *a)
{
    const __m256 x = _mm256_loadu_ps(a);
    return (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_NEQ_UQ));
}

/* The places of the mask's ones, one a byte, in their order; *n is how many. */
typedef __m128i places8;
static inline places8 lane_places8(unsigned mask, int *n)
{
    static const uint32_t place[16] = {0,     0,       1,       0x100,    2,     0x200,
                                       0x201, 0x20100, 3,       0x300,    0x301, 0x30100,
                                       0x302, 0x30200, 0x30201, 0x3020100};
    static const unsigned char ones[16] = {0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4};
    const unsigned low = mask & 15, high = mask >> 4;
    const uint64_t places = place[low] | (uint64_t)(place[high] + UINT32_C(0x04040404))
                                             << (8 * ones[low]);
    *n = ones[low] + ones[high];
    return _mm_cvtsi64_si128((long long)places);
}

/* The numbers at these places to value[0 ..], of which eight are written. */
static inline void lane_pick8(const float *a, places8 places, float *value)
{
    _mm256_storeu_ps(value,
                     _mm256_permutevar8x32_ps(_mm256_loadu_ps(a), _mm256_cvtepu8_epi32(places)));
}

/* at + step times these places to where[0 ..], of which eight are written. */
static inline void lane_where8(places8 places, uint16_t at, uint16_t step, uint16_t *where)
{
    const __m128i steps = _mm_mullo_epi16(_mm_cvtepu8_epi16(places), _mm_set1_epi16((short)step));
    _mm_storeu_si128((__m128i *)(void *)where, _mm_add_epi16(steps, _mm_set1_epi16((short)at)));
}
#endif

#endif
