/* The matrix product, by every backend that this processor can run, against double precision. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/memory.h"
#include "ops/gemm.h"

enum { GAP = 3 /* elements between the rows of a matrix, which stay untouched */ };

/* m, n, k: one tile, tails of every size, more than one block of each; one row, one column */
static const int64_t shape[][3] = {
    {1, 1, 1},     {1, 1, 300},    {1, 8, 256},  {1, 64, 7},    {2, 1, 2},      {3, 2, 5},
    {5, 7, 3},     {6, 16, 8},     {7, 17, 9},   {8, 8, 513},   {8, 31, 257},   {11, 9, 40},
    {12, 8, 16},   {13, 33, 24},   {16, 16, 64}, {23, 5, 19},   {24, 15, 600},  {33, 64, 33},
    {64, 1, 65},   {65, 63, 64},   {95, 13, 8},  {96, 256, 4},  {97, 257, 5},   {100, 100, 100},
    {101, 3, 17},  {199, 70, 1},   {200, 8, 31}, {211, 40, 9},  {30, 300, 300}, {32, 40, 500},
    {5, 481, 390}, {97, 130, 770}, {77, 1, 803}, {1, 203, 803}, {64, 1, 800},   {50, 139, 1}};

typedef struct matrices {
    float *a, *b, *bias, *sum, *c; /* sum, c: [m, n + GAP] */
    double *want;                  /* [m, n] before the activation */
    double *size; /* [m, n] the sum of absolute values: what errors are relative to */
} matrices;

static float number(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (float)((double)(*state >> 40) / (double)(1 << 23) - 1.0);
}

static float *filled(int64_t n, uint64_t seed)
{
    float *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = number(&seed);
    return x;
}

/* The product of a case with nothing added; b and a are laid out as it says. */
static void make(matrices *x, poise__gemm *g, int ta, int tb, const int64_t *mnk)
{
    const int64_t m = mnk[0], n = mnk[1], k = mnk[2];
    const int64_t lda = (ta ? m : k) + GAP, ldb = (tb ? k : n) + GAP, ldc = n + GAP;
    x->a = filled((ta ? k : m) * lda, 1);
    x->b = filled((tb ? n : k) * ldb, 2);
    x->bias = filled(n, 3);
    x->sum = filled(m * ldc, 4);
    x->c = filled(m * ldc, 5);
    x->want = malloc((size_t)(m * n) * sizeof(double));
    x->size = malloc((size_t)(m * n) * sizeof(double));
    assert_true(x->want != NULL && x->size != NULL);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < n; j++) {
            double sum = 0, size = 0;
            for (int64_t p = 0; p < k; p++) {
                const double term = (double)(ta ? x->a[p * lda + i] : x->a[i * lda + p]) *
                                    (double)(tb ? x->b[j * ldb + p] : x->b[p * ldb + j]);
                sum += term;
                size += fabs(term);
            }
            x->want[i * n + j] = sum;
            x->size[i * n + j] = size;
        }
    *g = (poise__gemm){.ta = ta,
                       .tb = tb,
                       .m = m,
                       .n = n,
                       .k = k,
                       .a = x->a,
                       .lda = lda,
                       .b = x->b,
                       .ldb = ldb,
                       .c = x->c,
                       .ldc = ldc};
}

static void done(matrices *x)
{
    free(x->a);
    free(x->b);
    free(x->bias);
    free(x->sum);
    free(x->c);
    free(x->want);
    free(x->size);
}

static void run(const poise__gemm_backend *by, const poise__gemm *g)
{
    poise_error err;
    const size_t bytes = by->scratch(g);
    unsigned char *scratch = poise__alloc_aligned(bytes + 64, &err);
    assert_non_null(scratch);
    memset(scratch, 0xff, bytes); /* NaN: it may not be read before it is written */
    memset(scratch + bytes, 0x5a, 64);
    poise__gemm own = *g;
    if (by->open)
        assert_int_equal(by->open(&own, &own.state, &err), 0);
    assert_int_equal(by->run(&own, scratch, &err), 0);
    if (by->close)
        by->close(own.state);
    for (int k = 0; k < 64; k++)
        if (scratch[bytes + (size_t)k] != 0x5a)
            fail_msg("%s writes past its scratch of %zu bytes", by->name, bytes);
    free(scratch);
}

static double act(const poise__gemm *g, double x)
{
    if (g->map != NULL)
        return tanh(x);
    return x > 0 || g->act == POISE__ACT_NONE ? x
           : g->act == POISE__ACT_RELU        ? 0
                                              : (double)g->slope * x;
}

/* What g added before it ran is read from `add`. */
static void check(const poise__gemm_backend *by, const poise__gemm *g, const matrices *x,
                  const float *add, int64_t add_row)
{
    for (int64_t i = 0; i < g->m; i++) {
        const float *row = g->c + i * g->ldc;
        for (int64_t j = 0; j < g->n; j++) {
            const double more = add != NULL ? (double)add[i * add_row + j] : 0;
            const double want = act(g, x->want[i * g->n + j] + more);
            const double bound =
                6e-8 * (x->size[i * g->n + j] + fabs(more)) * (2 + 0.5 * sqrt((double)g->k)) +
                (g->map != NULL ? 2e-7 : 0);
            if (!(fabs((double)row[j] - want) <= bound))
                fail_msg("%s, ta %d, tb %d, %lld x %lld x %lld, act %d: c[%lld, %lld] is %.9g, not "
                         "%.9g",
                         by->name, g->ta, g->tb, (long long)g->m, (long long)g->n, (long long)g->k,
                         (int)g->act, (long long)i, (long long)j, (double)row[j], want);
        }
    }
}

static void every_backend_agrees_with_double_precision(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int layout = 0; layout < 4; layout++) {
            matrices x;
            poise__gemm g;
            make(&x, &g, layout & 1, layout >> 1, shape[s]);
            const int64_t size = g.m * g.ldc;
            for (int b = 0; b < nlist; b++)
                for (int how = 0; how < 12; how++) {
                    /* nothing added, a bias, c itself; each with every activation */
                    float *gap = filled(size, 6);
                    memcpy(x.c, how / 4 == 2 ? x.sum : gap, (size_t)size * sizeof *x.c);
                    memcpy(gap, x.c, (size_t)size * sizeof *x.c);
                    g.act = how % 4 < 3 ? (poise__act)(how % 4) : POISE__ACT_NONE;
                    g.map = how % 4 == 3 ? poise__vector_best()->tanh : NULL;
                    g.slope = 0.25f;
                    g.add = how / 4 == 0 ? NULL : how / 4 == 1 ? x.bias : x.c;
                    g.add_row = how / 4 == 2 ? g.ldc : 0;
                    run(list[b], &g);
                    check(list[b], &g, &x,
                          how / 4 == 0   ? NULL
                          : how / 4 == 1 ? x.bias
                                         : x.sum,
                          g.add_row);
                    for (int64_t i = 0; i < g.m; i++)
                        assert_memory_equal(x.c + i * g.ldc + g.n, gap + i * g.ldc + g.n,
                                            GAP * sizeof(float));
                    free(gap);
                }
            done(&x);
        }
}

/* A matrix to add that is not c is left as it was. */
static void what_is_added_may_be_another_matrix(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    for (int b = 0; b < nlist; b++) {
        matrices x;
        poise__gemm g;
        make(&x, &g, 0, 1, (int64_t[]){37, 21, 300});
        g.add = x.sum;
        g.add_row = g.ldc;
        run(list[b], &g);
        check(list[b], &g, &x, x.sum, g.ldc);
        done(&x);
    }
}

/* Rows that are a multiple of a large power of two apart are packed; the bits stay. */
static void the_distance_of_rows_does_not_change_the_bits(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    enum { FAR = 1024 };
    for (int b = 0; b < nlist; b++) {
        matrices x;
        poise__gemm g;
        make(&x, &g, 0, 1, (int64_t[]){103, 80, 400});
        if (!list[b]->cuttable) {
            done(&x);
            continue;
        }
        run(list[b], &g);
        float *a = filled(g.m * FAR, 8), *c = filled(g.m * g.ldc, 9);
        for (int64_t i = 0; i < g.m; i++)
            memcpy(a + i * FAR, g.a + i * g.lda, (size_t)g.k * sizeof *a);
        poise__gemm far = g;
        far.a = a;
        far.lda = FAR;
        far.c = c;
        run(list[b], &far);
        for (int64_t i = 0; i < g.m; i++)
            assert_memory_equal(c + i * g.ldc, g.c + i * g.ldc, (size_t)g.n * sizeof *c);
        free(a);
        free(c);
        done(&x);
    }
}

/* The bits of an element are those of its row and column alone: any part gives them again. */
static void a_backend_that_says_so_can_be_cut_anywhere(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    int cut = 0;
    for (int b = 0; b < nlist; b++)
        for (int layout = 0; layout < 4 && list[b]->cuttable; layout++) {
            matrices x;
            poise__gemm g;
            make(&x, &g, layout & 1, layout >> 1, (int64_t[]){130, 301, 777});
            g.map = poise__vector_best()->sigmoid;
            run(list[b], &g);
            uint64_t seed = 7;
            for (int k = 0; k < 40; k++) {
                const int64_t i = (int64_t)((number(&seed) + 1) * 60),
                              j = (int64_t)((number(&seed) + 1) * 140);
                poise__gemm part = g;
                part.m = 1 + (int64_t)((number(&seed) + 1) / 2.1f * (float)(g.m - i));
                part.n = 1 + (int64_t)((number(&seed) + 1) / 2.1f * (float)(g.n - j));
                if (k % 4 == 1) /* a column, which may have a kernel of its own, as may a row */
                    part.n = 1;
                if (k % 4 == 2)
                    part.m = 1;
                part.a += g.ta ? i : i * g.lda;
                part.b += g.tb ? j * g.ldb : j;
                part.c = malloc((size_t)(part.m * part.n) * sizeof(float));
                part.ldc = part.n;
                assert_non_null(part.c);
                run(list[b], &part);
                for (int64_t r = 0; r < part.m; r++)
                    assert_memory_equal(part.c + r * part.n, g.c + (i + r) * g.ldc + j,
                                        (size_t)part.n * sizeof(float));
                free(part.c);
                cut++;
            }
            done(&x);
        }
    assert_true(cut > 0);
}

static void a_nan_is_not_hidden_by_an_activation(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    for (int b = 0; b < nlist; b++)
        for (int act = 0; act < 3; act++) {
            matrices x;
            poise__gemm g;
            make(&x, &g, 0, 1, (int64_t[]){9, 19, 5});
            x.a[4 * g.lda + 2] = NAN;
            g.act = (poise__act)act;
            run(list[b], &g);
            for (int64_t i = 0; i < g.m; i++)
                for (int64_t j = 0; j < g.n; j++)
                    assert_true(isnan(g.c[i * g.ldc + j]) == (i == 4));
            done(&x);
        }
}

static void the_choice_never_allocates_and_is_of_this_processor(void **state)
{
    (void)state;
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    for (size_t s = 0; s < sizeof shape / sizeof *shape; s++)
        for (int layout = 0; layout < 4; layout++) {
            const poise__gemm g = {.ta = layout & 1,
                                   .tb = layout >> 1,
                                   .m = shape[s][0],
                                   .n = shape[s][1],
                                   .k = shape[s][2]};
            const poise__gemm_backend *by = poise__gemm_choose(&g);
            int known = 0;
            for (int b = 0; b < nlist; b++)
                known |= list[b] == by;
            assert_true(known);
            assert_false(by->allocates(&g));
        }
}

static void a_product_that_cannot_be_is_an_error_of_onednn(void **state)
{
    (void)state;
    float a[16] = {0}, c[16];
    poise_error err;
    const poise__gemm g = {
        .m = 2, .n = 2, .k = 4, .a = a, .lda = 1, .b = a, .ldb = 2, .c = c, .ldc = 2};
    assert_int_equal(poise__gemm_dnnl.run(&g, NULL, &err), -1);
    assert_non_null(strstr(err.message, "refused a product of 2 x 2 x 4"));
    char text[64];
    assert_non_null(strstr(poise__gemm_library(text, sizeof text), "oneDNN "));
    assert_int_equal(poise__gemm_check(&err), 0);
}

/* Held, so that every open() after it finds the library loaded; where it is not installed the tests
 * are of the other backends. */
static int hold_openblas(void **state)
{
    poise_error err;
    const poise__gemm one = {.m = 1, .n = 1, .k = 1, .lda = 1, .ldb = 1, .ldc = 1};
    *state = NULL;
    if (poise__gemm_openblas.open(&one, state, &err) < 0) {
        assert_non_null(strstr(err.message, "OpenBLAS (libopenblas.so.0) is not there"));
        print_message("without OpenBLAS: %s\n", err.message);
    }
    return 0;
}

static int let_openblas_go(void **state)
{
    poise__gemm_openblas.close(*state);
    return 0;
}

/* A matmul is made for one shape and serves any matrices of it. */
static void a_primitive_made_once_serves_every_run(void **state)
{
    (void)state;
    poise_error err;
    matrices x;
    poise__gemm g;
    make(&x, &g, 0, 1, (int64_t[]){37, 21, 300});
    assert_int_equal(poise__gemm_matmul.open(&g, &g.state, &err), 0);
    for (int round = 0; round < 3; round++) {
        float *c = filled(g.m * g.ldc, 11);
        g.c = c;
        assert_int_equal(poise__gemm_matmul.run(&g, NULL, &err), 0);
        check(&poise__gemm_matmul, &g, &x, NULL, 0);
        free(c);
    }
    poise__gemm_matmul.close(g.state);
    g.k = -1;
    assert_int_equal(poise__gemm_matmul.open(&g, &g.state, &err), -1);
    assert_non_null(strstr(err.message, "oneDNN refused a product of 37 x 21 x -1"));
    done(&x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_backend_agrees_with_double_precision),
        cmocka_unit_test(what_is_added_may_be_another_matrix),
        cmocka_unit_test(the_distance_of_rows_does_not_change_the_bits),
        cmocka_unit_test(a_backend_that_says_so_can_be_cut_anywhere),
        cmocka_unit_test(a_nan_is_not_hidden_by_an_activation),
        cmocka_unit_test(the_choice_never_allocates_and_is_of_this_processor),
        cmocka_unit_test(a_product_that_cannot_be_is_an_error_of_onednn),
        cmocka_unit_test(a_primitive_made_once_serves_every_run),
    };
    return cmocka_run_group_tests(tests, hold_openblas, let_openblas_go);
}
