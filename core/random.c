/* random.c -- Philox4x32-10, and what is drawn from it. */
#include "random.h"

#include <math.h>

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
