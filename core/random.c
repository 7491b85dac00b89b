/* random.c -- Philox4x32-10, and what is drawn from it.
 *
 * Long runs of numbers are drawn LANES blocks at a time, word by word, in loops that vectorise.  They
 * hold no fused multiply-add and no library function but sqrt, which is exact: the bits are those of
 * one number at a time.
 */
#include "random.h"

#include <math.h>
#include <string.h>

enum { LANES = 32 };

void poise_philox(uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0;
        uint64_t p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += UINT32_C(0x9E3779B9); /* the golden ratio */
        k1 += UINT32_C(0xBB67AE85); /* sqrt(3) - 1 */
    }
    counter[0] = c0;
    counter[1] = c1;
    counter[2] = c2;
    counter[3] = c3;
}

uint64_t poise_random_stream(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (const unsigned char *s = (const unsigned char *)name; *s; s++)
        h = (h ^ *s) * UINT64_C(0x100000001b3);
    return h;
}

/* The finaliser of splitmix64: near seeds become far keys. */
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* The block of four words at `at`.  Two streams share it only if all 64 bits of the key and the
 * 32 of the last counter word agree. */
static void block(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, uint32_t out[4])
{
    uint64_t k = mix(seed) ^ stream;
    out[0] = (uint32_t)at;
    out[1] = (uint32_t)(at >> 32);
    out[2] = hi;
    out[3] = (uint32_t)(stream >> 32);
    poise_philox(out, (const uint32_t[2]){(uint32_t)k, (uint32_t)(k >> 32)});
}

/* 53 bits of two words, in [0, 1). */
static double unit(uint32_t a, uint32_t b)
{
    return ((double)(a >> 5) * 67108864.0 + (double)(b >> 6)) * (1.0 / 9007199254740992.0);
}

uint32_t poise_random_bits(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at)
{
    uint32_t w[4];
    block(seed, stream, hi, at / 4, w);
    return w[at % 4];
}

void poise_random_fill(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, uint32_t *out,
                       int64_t n)
{
    int64_t k = 0;
    for (; k < n && (at + (uint64_t)k) % 4; k++)
        out[k] = poise_random_bits(seed, stream, hi, at + (uint64_t)k);
    for (; k + 4 <= n; k += 4)
        block(seed, stream, hi, (at + (uint64_t)k) / 4, out + k);
    for (; k < n; k++)
        out[k] = poise_random_bits(seed, stream, hi, at + (uint64_t)k);
}

double poise_random_uniform(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at)
{
    uint32_t w[4];
    block(seed, stream, hi, at, w);
    return unit(w[0], w[1]);
}

double poise_random_normal(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at)
{
    uint32_t w[4];
    block(seed, stream, hi, at, w);
    /* 1 - u is in (0, 1]: the logarithm is finite. */
    return sqrt(-2.0 * log(1.0 - unit(w[0], w[1]))) *
           cos(6.283185307179586476925 * unit(w[2], w[3]));
}

/* ---- many at a time ---- */

typedef struct words {
    uint32_t w[4][LANES];
} words;

/* The first `count` blocks from `at` on; returns how many were made, a multiple of 8. */
static int blocks(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, int64_t count,
                  words *out)
{
    const int lanes = count < LANES ? (int)(count + 7) / 8 * 8 : LANES;
    uint32_t *restrict c0 = out->w[0], *restrict c1 = out->w[1];
    uint32_t *restrict c2 = out->w[2], *restrict c3 = out->w[3];
    const uint64_t key = mix(seed) ^ stream;
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);

    for (int j = 0; j < lanes; j++) {
        c0[j] = (uint32_t)(at + (uint64_t)j);
        c1[j] = (uint32_t)((at + (uint64_t)j) >> 32);
        c2[j] = hi;
        c3[j] = (uint32_t)(stream >> 32);
    }
    for (int round = 0; round < 10; round++) {
#pragma omp simd
        for (int j = 0; j < lanes; j++) {
            uint64_t p0 = UINT64_C(0xD2511F53) * c0[j];
            uint64_t p1 = UINT64_C(0xCD9E8D57) * c2[j];
            c0[j] = (uint32_t)(p1 >> 32) ^ c1[j] ^ k0;
            c1[j] = (uint32_t)p1;
            c2[j] = (uint32_t)(p0 >> 32) ^ c3[j] ^ k1;
            c3[j] = (uint32_t)p0;
        }
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    return lanes;
}

/* sqrt(-2 ln u) for u = (w + 1/2) / 2^32.  With u = m 2^e, m in [1 / sqrt 2, sqrt 2), and
 * s = (m - 1) / (m + 1): ln u = e ln 2 + 2 (s + s^3/3 + s^5/5 + ...). */
static inline float radius(uint32_t w)
{
    float u = ((float)(int32_t)(w >> 1) + 0.25F) * 0x1p-31F, m;
    uint32_t bits;

    memcpy(&bits, &u, sizeof bits);
    uint32_t offset = bits - UINT32_C(0x3f3504f3); /* the bits of 1 / sqrt 2 */
    int32_t e = (int32_t)(offset & UINT32_C(0xff800000)) / (1 << 23);
    bits = (offset & UINT32_C(0x7fffff)) + UINT32_C(0x3f3504f3);
    memcpy(&m, &bits, sizeof m);
    float s = (m - 1) / (m + 1), q = s * s;
    float p = s * (2 + q * (2.0F / 3 + q * (2.0F / 5 + q * (2.0F / 7 + q * (2.0F / 9)))));
    float square = -2 * ((float)e * 0.693147181F + p);
    return sqrtf(square > 0 ? square : 0);
}

/* cos and sin of 2 pi w / 2^32: an angle in [-pi/4, pi/4] by their series, turned by quarters. */
static inline void direction(uint32_t w, float *c, float *s)
{
    uint32_t quarter = (w + UINT32_C(0x20000000)) >> 30;
    float a = (float)(int32_t)(w - (quarter << 30)) * (1.57079633F * 0x1p-30F), q = a * a;
    float sine =
        a * (1 + q * (-1.0F / 6 + q * (1.0F / 120 + q * (-1.0F / 5040 + q * (1.0F / 362880)))));
    float cosine = 1 + q * (-0.5F + q * (1.0F / 24 + q * (-1.0F / 720 + q * (1.0F / 40320))));
    float x = quarter & 1 ? sine : cosine, y = quarter & 1 ? cosine : sine;

    *c = quarter == 1 || quarter == 2 ? -x : x;
    *s = quarter >= 2 ? -y : y;
}

/* Numbers that four words make four of, and how. */
typedef struct law {
    int normal;
    float low, span; /* uniform */
    float scale;     /* normal */
} law;

static void draw_uniform(const words *b, int lanes, const law *l, float *restrict out)
{
    for (int w = 0; w < 4; w++) {
        const uint32_t *u = b->w[w];
#pragma omp simd
        for (int j = 0; j < lanes; j++)
            out[4 * j + w] = l->low + l->span * ((float)(int32_t)(u[j] >> 8) * 0x1p-24F);
    }
}

static void draw_normal(const words *b, int lanes, const law *l, float *restrict out)
{
    for (int w = 0; w < 4; w += 2) {
        const uint32_t *u = b->w[w], *v = b->w[w + 1];
#pragma omp simd
        for (int j = 0; j < lanes; j++) {
            float r = l->scale * radius(u[j]), c, s;
            direction(v[j], &c, &s);
            out[4 * j + w] = r * c;
            out[4 * j + w + 1] = r * s;
        }
    }
}

static void draw(const law *l, uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, int64_t n,
                 float *out)
{
    words b;
    float drawn[4 * LANES];

    for (int64_t done = 0; done < n;) {
        uint64_t first = (at + (uint64_t)done) / 4;
        int64_t skip = (int64_t)((at + (uint64_t)done) % 4);
        const int lanes = blocks(seed, stream, hi, first, (skip + n - done + 3) / 4, &b);
        int64_t take = 4 * lanes - skip;

        if (take > n - done)
            take = n - done;
        if (l->normal)
            draw_normal(&b, lanes, l, drawn);
        else
            draw_uniform(&b, lanes, l, drawn);
        memcpy(out + done, drawn + skip, (size_t)take * sizeof *out);
        done += take;
    }
}

void poise_random_uniforms(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, int64_t n,
                           float low, float high, float *out)
{
    draw(&(law){.low = low, .span = high - low}, seed, stream, hi, at, n, out);
}

void poise_random_normals(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t at, int64_t n,
                          float scale, float *out)
{
    draw(&(law){.normal = 1, .scale = scale}, seed, stream, hi, at, n, out);
}

uint64_t poise_random_permute(uint64_t seed, uint64_t stream, uint32_t hi, uint64_t n, uint64_t i)
{
    enum { ROUNDS = 8 };
    int half = 1; /* bits of each half; 4^half >= n */
    while (half < 32 && (n - 1) >> (2 * half))
        half++;
    uint64_t mask = (UINT64_C(1) << half) - 1;
    uint32_t w[4];
    block(seed, stream, hi, n, w);
    uint64_t key = (uint64_t)w[1] << 32 | w[0], stride = ((uint64_t)w[3] << 32 | w[2]) | 1;
    do {
        uint64_t left = i >> half, right = i & mask;
        for (uint64_t round = 0; round < ROUNDS; round++) {
            uint64_t t = left ^ (mix(right ^ (key + round * stride)) & mask);
            left = right;
            right = t;
        }
        i = left << half | right;
    } while (i >= n);
    return i;
}
