/* The matrix products that leave out zeros: the bits are those of the products that do not. */
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

/* Products g[count], which differ in a, add and c, against each of them alone. */
static void compare(const poise__skip *skip, const poise__gemm_backend *by, const poise__gemm *g,
                    int count)
{
    const size_t size = (size_t)(g->m * g->ldc) * sizeof(float), bytes = skip->scratch(g, count);
    unsigned char *scratch = guarded(bytes), *other = guarded(by->scratch(g));
    poise__gemm got[POISE__SKIP_MOST];
    poise_error err;
    for (int t = 0; t < count; t++) {
        got[t] = g[t];
        got[t].c = malloc(size);
        assert_non_null(got[t].c);
        memcpy(got[t].c, g[t].c, size);
        if (g[t].add == g[t].c)
            got[t].add = got[t].c;
        assert_int_equal(by->run(&g[t], other, &err), 0);
    }
    skip->run(got, count, scratch);
    for (int t = 0; t < count; t++)
        for (int64_t i = 0; i < g->m * g->ldc; i++)
            if (memcmp(g[t].c + i, got[t].c + i, sizeof *g->c) != 0)
                fail_msg("%s, %d of %d, ta %d, tb %d, %lld x %lld x %lld: element %lld is %.9g, "
                         "not %.9g",
                         skip->name, t, count, g->ta, g->tb, (long long)g->m, (long long)g->n,
                         (long long)g->k, (long long)i, (double)got[t].c[i], (double)g[t].c[i]);
    for (int k = 0; k < 64; k++)
        if (scratch[bytes + (size_t)k] != 0x5a)
            fail_msg("%s writes past its scratch of %zu bytes", skip->name, bytes);
    for (int t = 0; t < count; t++)
        free(got[t].c);
    free(scratch);
    free(other);
}

/* Sets up one product of a layout, with a matrix A, a bias and C of its own. */
static poise__gemm product(const int64_t *of, int how, int t, int zeros, const float *b)
{
    const int64_t m = of[0], n = of[1], k = of[2], ldc = n + GAP;
    const uint64_t seed = 1 + 4 * (uint64_t)t;
    poise__gemm g = {.ta = how & 1, .tb = how >> 1 & 1, .m = m, .n = n, .k = k, .ldc = ldc, .b = b};
    g.lda = (g.ta ? m : k) + GAP;
    g.ldb = (g.tb ? k : n) + GAP;
    g.a = filled((g.ta ? k : m) * g.lda, seed, zeros);
    g.c = filled(m * ldc, seed + 3, 0);
    switch (how >> 2) { /* what is added, and what becomes of the sum */
    case 1:
        g.add = filled(n, seed + 2, 0);
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
    return g;
}

/* With zeros at places of their own; an A of no zeros among them changes nothing but the time. */
static void each_layout(const poise__skip *skip, const poise__gemm_backend *by, int zeros,
                        int count)
{
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int how = 0; how < 16; how++) {
            poise__gemm g[POISE__SKIP_MOST];
            float *b = filled((shape[s][1] + GAP) * (shape[s][2] + GAP), 2, 0);
            for (int t = 0; t < count; t++)
                g[t] = product(shape[s], how, t, t == 3 ? 0 : zeros, b);
            compare(skip, by, g, count);
            for (int t = 0; t < count; t++) {
                free((void *)(uintptr_t)g[t].a);
                if (g[t].add != g[t].c)
                    free((void *)(uintptr_t)g[t].add);
                free(g[t].c);
            }
            free(b);
        }
}

/* The product of an instruction set, if there is one and this processor can run it. */
static const poise__skip *of(const poise__gemm_backend *by)
{
    return poise__skip_choose(&(poise__gemm){.m = 512, .n = 512, .k = 512}, by);
}

static void the_bits_are_those_of_the_whole_products(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int n = poise__gemm_backends(list);
    for (int b = 0; b < n; b++)
        for (int count = 1; of(list[b]) != NULL && count <= POISE__SKIP_MOST; count++)
            for (int zeros = 0; zeros <= 10; zeros += 5)
                each_layout(of(list[b]), list[b], zeros, count);
}

/* Scratch that was made for a product is enough for every part of its rows or columns. */
static void a_part_needs_no_more_scratch(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int n = poise__gemm_backends(list);
    for (int b = 0; b < n; b++) {
        const poise__skip *skip = of(list[b]);
        for (int count = 1; skip && count <= POISE__SKIP_MOST; count++) {
            poise__gemm g = {.m = 300, .n = 500, .k = 390};
            const size_t whole = skip->scratch(&g, count);
            for (; g.n > 0; g.n--)
                assert_true(skip->scratch(&g, count) <= whole);
        }
    }
}

static int pays(int zeros, int ta)
{
    poise__gemm g = {.ta = ta, .m = 100, .n = 100, .k = 100, .lda = 100};
    float *a = filled(100 * 100, 5, zeros);
    g.a = a;
    const int yes = poise__skip_pays(&g, 1);
    free(a);
    return yes;
}

/* What counts is what is zero in both. */
static int both_pay(uint64_t other)
{
    poise__gemm g[2] = {{.m = 100, .n = 100, .k = 100, .lda = 100}};
    float *a = filled(100 * 100, 5, 5), *b = filled(100 * 100, other, 5);
    g[1] = g[0];
    g[0].a = a;
    g[1].a = b;
    const int yes = poise__skip_pays(g, 2);
    free(a);
    free(b);
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
    assert_true(both_pay(5));
    assert_false(both_pay(6));
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
        cmocka_unit_test(the_bits_are_those_of_the_whole_products),
        cmocka_unit_test(a_part_needs_no_more_scratch),
        cmocka_unit_test(it_pays_where_enough_is_zero),
        cmocka_unit_test(shapes_that_gain_nothing_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
