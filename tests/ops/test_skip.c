/* The matrix product that leaves out zeros: the bits are those of the product that does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "core/memory.h"
#include "ops/skip.h"

enum { GAP = 3 /* elements between the rows of a matrix, which stay untouched */ };

/* m, n, k: tails of every kind, several blocks of each, several panels and stretches */
static const int64_t shape[][3] = {{1, 1, 1},      {3, 5, 7},       {8, 8, 8},      {13, 33, 24},
                                   {64, 136, 65},  {129, 96, 70},   {130, 97, 131}, {17, 429, 300},
                                   {40, 200, 390}, {150, 500, 257}, {9, 64, 1000},  {256, 16, 33}};

static float number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)((double)(*state >> 40) / (double)(1 << 23) - 1.0);
}

/* Numbers, of which `zeros` in ten are 0. */
static float *filled(int64_t n, uint64_t seed, int zeros)
{
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        x[i] = number(&seed);
        if ((number(&seed) + 1.0f) * 5.0f < (float)zeros)
            x[i] = 0.0f;
    }
    return x;
}

static void *guarded(size_t bytes)
{
    poise_error err;
    unsigned char *p = poise__alloc_aligned(bytes + 64, &err);
    assert_non_null(p);
    memset(p, 0xff, bytes); /* NaN: it may not be read before it is written */
    memset(p + bytes, 0x5a, 64);
    return p;
}

static void compare(const poise__skip *skip, const poise__gemm_backend *by, poise__gemm g)
{
    const size_t size = (size_t)(g.m * g.ldc) * sizeof(float), bytes = skip->scratch(&g);
    const int onto = g.add != NULL && g.add == g.c;
    float *want = g.c, *got = malloc(size);
    unsigned char *scratch = guarded(bytes), *other = guarded(by->scratch(&g));
    poise_error err;
    assert_non_null(got);
    memcpy(got, want, size);
    assert_int_equal(by->run(&g, other, &err), 0);
    g.c = got;
    g.add = onto ? got : g.add;
    skip->run(&g, scratch);
    for (int64_t i = 0; i < g.m * g.ldc; i++)
        if (memcmp(want + i, got + i, sizeof *got) != 0)
            fail_msg("%s, ta %d, tb %d, %lld x %lld x %lld: element %lld is %.9g, not %.9g",
                     skip->name, g.ta, g.tb, (long long)g.m, (long long)g.n, (long long)g.k,
                     (long long)i, (double)got[i], (double)want[i]);
    for (int k = 0; k < 64; k++)
        if (scratch[bytes + (size_t)k] != 0x5a)
            fail_msg("%s writes past its scratch of %zu bytes", skip->name, bytes);
    free(scratch);
    free(other);
    free(got);
}

static void each_layout(const poise__skip *skip, const poise__gemm_backend *by, int zeros)
{
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int how = 0; how < 16; how++) {
            const int64_t m = shape[s][0], n = shape[s][1], k = shape[s][2], ldc = n + GAP;
            poise__gemm g = {.ta = how & 1, .tb = how >> 1 & 1, .m = m, .n = n, .k = k, .ldc = ldc};
            g.lda = (g.ta ? m : k) + GAP;
            g.ldb = (g.tb ? k : n) + GAP;
            float *a = filled((g.ta ? k : m) * g.lda, 1, zeros);
            float *b = filled((g.tb ? n : k) * g.ldb, 2, 0), *bias = filled(n, 3, 0);
            g.a = a;
            g.b = b;
            g.c = filled(m * ldc, 4, 0);
            switch (how >> 2) { /* what is added, and what becomes of the sum */
            case 1:
                g.add = bias;
                g.act = POISE__ACT_RELU;
                break;
            case 2:
                g.add = g.c;
                g.add_row = ldc;
                break;
            case 3:
                g.act = POISE__ACT_LEAKY;
                g.slope = 0.25f;
                g.map = poise__vector_best()->tanh;
                break;
            default:
                break;
            }
            float *c = g.c;
            compare(skip, by, g);
            free(a);
            free(b);
            free(bias);
            free(c);
        }
}

/* The product of an instruction set, if there is one and this processor can run it. */
static const poise__skip *of(const poise__gemm_backend *by)
{
    return poise__skip_choose(&(poise__gemm){.m = 512, .n = 512, .k = 512}, by);
}

static void the_bits_are_those_of_the_whole_product(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int n = poise__gemm_backends(list);
    for (int b = 0; b < n; b++)
        for (int zeros = 0; of(list[b]) != NULL && zeros <= 10; zeros += 5)
            each_layout(of(list[b]), list[b], zeros);
}

/* Scratch that was made for a product is enough for every part of its rows or columns. */
static void a_part_needs_no_more_scratch(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int n = poise__gemm_backends(list);
    for (int b = 0; b < n; b++) {
        poise__gemm g = {.m = 300, .n = 500, .k = 390};
        const poise__skip *skip = of(list[b]);
        const size_t whole = skip ? skip->scratch(&g) : 0;
        for (; skip && g.n > 0; g.n--)
            assert_true(skip->scratch(&g) <= whole);
    }
}

static int pays(int zeros, int ta)
{
    poise__gemm g = {.ta = ta, .m = 100, .n = 100, .k = 100, .lda = 100};
    float *a = filled(100 * 100, 5, zeros);
    g.a = a;
    const int yes = poise__skip_pays(&g);
    free(a);
    return yes;
}

/* Half of the numbers being zero is enough, a quarter is not, however A lies. */
static void it_pays_where_enough_is_zero(void **state)
{
    (void)state;
    for (int ta = 0; ta < 2; ta++) {
        assert_true(pays(10, ta));
        assert_true(pays(5, ta));
        assert_false(pays(2, ta));
        assert_false(pays(0, ta));
    }
}

/* Small and narrow products, and those of other backends, are left alone. */
static void shapes_that_gain_nothing_are_left_alone(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const poise__gemm_backend *best = list[poise__gemm_backends(list) - 1];
    assert_null(poise__skip_choose(&(poise__gemm){.m = 8, .n = 64, .k = 64}, best));
    assert_null(poise__skip_choose(&(poise__gemm){.m = 4096, .n = 8, .k = 512}, best));
    assert_null(
        poise__skip_choose(&(poise__gemm){.m = 512, .n = 512, .k = 512}, &poise__gemm_dnnl));
    assert_null(
        poise__skip_choose(&(poise__gemm){.m = 512, .n = 512, .k = 512}, &poise__gemm_plain));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bits_are_those_of_the_whole_product),
        cmocka_unit_test(a_part_needs_no_more_scratch),
        cmocka_unit_test(it_pays_where_enough_is_zero),
        cmocka_unit_test(shapes_that_gain_nothing_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
