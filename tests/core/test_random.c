/* Random numbers are the published Philox, are a function of their position, and look uniform. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/random.h"

#include <math.h>
#include <stdlib.h>

/* Random123 1.14, tests/kat_vectors, "philox4x32 10". */
static void philox_matches_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        uint32_t counter[4], key[2], want[4];
    } rows[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        uint32_t c[4];
        for (int k = 0; k < 4; k++)
            c[k] = rows[r].counter[k];
        poise_philox(c, rows[r].key);
        for (int k = 0; k < 4; k++)
            assert_int_equal(c[k], rows[r].want[k]);
    }
}

/* Vectors of the FNV reference, http://www.isthe.com/chongo/tech/comp/fnv/ (test_fnv.c). */
static void a_stream_is_the_fnv_hash_of_its_name(void **state)
{
    (void)state;
    assert_true(poise_random_stream("") == UINT64_C(0xcbf29ce484222325));
    assert_true(poise_random_stream("a") == UINT64_C(0xaf63dc4c8601ec8c));
    assert_true(poise_random_stream("foobar") == UINT64_C(0x85944171f73967e8));
}

static void every_part_of_the_position_matters(void **state)
{
    (void)state;
    uint32_t base = poise_random_bits(1, 2, 3, 4);
    assert_int_equal(poise_random_bits(1, 2, 3, 4), base);
    assert_int_not_equal(poise_random_bits(2, 2, 3, 4), base);
    assert_int_not_equal(poise_random_bits(1, 3, 3, 4), base);
    assert_int_not_equal(poise_random_bits(1, 2, 4, 4), base);
    assert_int_not_equal(poise_random_bits(1, 2, 3, 5), base);
    assert_int_not_equal(poise_random_bits(1, UINT64_C(1) << 40 | 2, 3, 4), base);
    assert_int_not_equal(poise_random_bits(UINT64_C(1) << 40 | 1, 2, 3, 4), base);
    assert_int_not_equal(poise_random_bits(1, 2, 3, UINT64_C(1) << 40 | 4), base);
}

static void fill_is_bits_one_by_one(void **state)
{
    (void)state;
    uint32_t out[40];
    for (uint64_t at = 0; at < 9; at++)
        for (int64_t n = 0; n <= 23; n++) {
            out[n] = 77;
            poise_random_fill(5, 6, 7, at, out, n);
            for (int64_t k = 0; k < n; k++)
                assert_int_equal(out[k], poise_random_bits(5, 6, 7, at + (uint64_t)k));
            assert_int_equal(out[n], 77);
        }
}

static void uniform_and_normal_have_their_moments(void **state)
{
    (void)state;
    enum { N = 200000 };
    double u1 = 0, u2 = 0, n1 = 0, n2 = 0, n4 = 0;
    for (uint64_t k = 0; k < N; k++) {
        double u = poise_random_uniform(9, 1, 0, k), z = poise_random_normal(9, 2, 0, k);
        assert_true(u >= 0 && u < 1);
        assert_true(isfinite(z));
        u1 += u;
        u2 += u * u;
        n1 += z;
        n2 += z * z;
        n4 += z * z * z * z;
    }
    /* Five standard errors each. */
    assert_true(fabs(u1 / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    assert_true(fabs(u2 / N - 1.0 / 3) < 5 * sqrt(4.0 / 45 / N));
    assert_true(fabs(n1 / N) < 5 / sqrt(N));
    assert_true(fabs(n2 / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(n4 / N - 3) < 5 * sqrt(96.0 / N));
}

/* Drawn in pieces of any length, from any position: the same numbers. */
static void long_runs_are_the_same_in_any_pieces(void **state)
{
    (void)state;
    enum { N = 700 };
    float whole[2][N], piece[N];
    poise_random_normals(3, 4, 5, 0, N, 2, whole[0]);
    poise_random_uniforms(3, 4, 5, 0, N, -1, 3, whole[1]);
    for (int64_t n = 1; n < 150; n += 7)
        for (int64_t at = 0; at + n < N; at += 13) {
            piece[n] = 77;
            poise_random_normals(3, 4, 5, (uint64_t)at, n, 2, piece);
            assert_memory_equal(piece, whole[0] + at, (size_t)n * sizeof *piece);
            poise_random_uniforms(3, 4, 5, (uint64_t)at, n, -1, 3, piece);
            assert_memory_equal(piece, whole[1] + at, (size_t)n * sizeof *piece);
            assert_true(piece[n] == 77);
        }
    poise_random_normals(3, 4, 6, 0, N, 2, piece);
    assert_memory_not_equal(piece, whole[0], sizeof piece);
}

/* The share of numbers below some points is that of the distribution, within five standard errors;
 * neighbours do not go together. */
static void long_runs_have_their_distribution(void **state)
{
    (void)state;
    enum { N = 400000 };
    static float z[N], u[N];
    poise_random_normals(9, 1, 0, 1, N, 3, z);
    poise_random_uniforms(9, 2, 0, 1, N, 2, 4, u);
    double together[2] = {0};
    for (int k = 0; k < N; k++) {
        assert_true(isfinite(z[k]) && u[k] >= 2 && u[k] <= 4);
        if (k) {
            together[0] += (double)z[k] * (double)z[k - 1] / 9;
            together[1] += ((double)u[k] - 3) * ((double)u[k - 1] - 3) * 3;
        }
    }
    assert_true(fabs(together[0]) < 5 * sqrt(N) && fabs(together[1]) < 5 * sqrt(N));
    for (double x = -4; x <= 4; x += 0.25) {
        int below[2] = {0};
        for (int k = 0; k < N; k++) {
            below[0] += (double)z[k] < 3 * x;
            below[1] += (double)u[k] < 3 + x / 4;
        }
        double p[2] = {erfc(-x / sqrt(2)) / 2, (x + 4) / 8};
        for (int d = 0; d < 2; d++)
            assert_true(fabs(below[d] - N * p[d]) <= 5 * sqrt(N * p[d] * (1 - p[d])) + 1);
    }
}

static void permute_is_a_bijection(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000, 4096, 4097};
    unsigned char seen[4097];
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (uint32_t epoch = 0; epoch < 3; epoch++) {
            uint64_t n = sizes[s];
            for (uint64_t k = 0; k < n; k++)
                seen[k] = 0;
            for (uint64_t k = 0; k < n; k++) {
                uint64_t p = poise_random_permute(3, 4, epoch, n, k);
                assert_true(p < n);
                assert_int_equal(seen[p]++, 0);
            }
        }
    uint64_t large = UINT64_MAX - 5;
    assert_true(poise_random_permute(3, 4, 0, large, large - 1) < large);
}

/* Where element 0 of 7 lands, over many epochs: a chi-square with 6 degrees of freedom is below
 * 27.9 with probability 0.9999.  And element i seldom stays where it is. */
static void permute_goes_everywhere(void **state)
{
    (void)state;
    double count[7] = {0}, chi = 0;
    for (uint32_t epoch = 0; epoch < 7000; epoch++)
        count[poise_random_permute(1, 2, epoch, 7, 0)]++;
    for (int k = 0; k < 7; k++)
        chi += (count[k] - 1000) * (count[k] - 1000) / 1000;
    assert_true(chi < 27.9);
    int stays = 0, follows = 0;
    for (uint64_t k = 0; k + 1 < 10000; k++) {
        uint64_t p = poise_random_permute(1, 2, 0, 10000, k);
        stays += p == k;
        follows += p + 1 == poise_random_permute(1, 2, 0, 10000, k + 1);
    }
    assert_true(stays < 10 && follows < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_matches_the_published_vectors),
        cmocka_unit_test(a_stream_is_the_fnv_hash_of_its_name),
        cmocka_unit_test(every_part_of_the_position_matters),
        cmocka_unit_test(fill_is_bits_one_by_one),
        cmocka_unit_test(uniform_and_normal_have_their_moments),
        cmocka_unit_test(long_runs_are_the_same_in_any_pieces),
        cmocka_unit_test(long_runs_have_their_distribution),
        cmocka_unit_test(permute_is_a_bijection),
        cmocka_unit_test(permute_goes_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
