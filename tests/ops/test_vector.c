/* Both copies of the vector kernels agree with libm to a few ulp over the whole range, pass NaN
 * on, and give the same in place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/random.h"
#include "ops/vector.h"

enum { N = 4099 }; /* not a multiple of any vector's width */

/* How far apart, in units of the last place of what was wanted. */
static double ulps(float got, double wanted)
{
    if (isinf((float)wanted) || isnan(wanted))
        return got == (float)wanted || (isnan(got) && isnan(wanted)) ? 0.0 : 1e9;
    int e;
    frexp(wanted, &e);
    const double unit = ldexp(1.0, (e < -125 ? -125 : e) - 24);
    return fabs((double)got - wanted) / unit;
}

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double log_sigmoid(double x)
{
    return x < -40.0 ? x : -log1p(exp(-x));
}

static double log_odds(double x)
{
    return x - log(-expm1(x));
}

typedef struct function {
    const char *name;
    size_t map; /* where it is in the table */
    double (*exact)(double);
    double from, to;
    double ulp;
} function;

static const function functions[] = {
    {"exp", offsetof(poise__vector, exp), exp, -110.0, 90.0, 2.0},
    {"exp near 0", offsetof(poise__vector, exp), exp, -1.0, 1.0, 2.0},
    {"erf", offsetof(poise__vector, erf), erf, -5.0, 5.0, 2.0},
    {"erf near 0", offsetof(poise__vector, erf), erf, -1e-3, 1e-3, 2.0},
    {"log1p", offsetof(poise__vector, log1p), log1p, 0.0, 1.0, 2.0},
    {"log1p near 0", offsetof(poise__vector, log1p), log1p, 0.0, 1e-6, 2.0},
    {"tanh", offsetof(poise__vector, tanh), tanh, -12.0, 12.0, 2.0},
    {"tanh near 0", offsetof(poise__vector, tanh), tanh, -0.7, 0.7, 2.0},
    {"sigmoid", offsetof(poise__vector, sigmoid), sigmoid, -86.0, 86.0, 3.0},
    {"sigmoid near 0", offsetof(poise__vector, sigmoid), sigmoid, -4.0, 4.0, 3.0},
    {"log_sigmoid", offsetof(poise__vector, log_sigmoid), log_sigmoid, -90.0, 80.0, 3.0},
    {"log_odds of what is near 1", offsetof(poise__vector, log_odds), log_odds, -1e-3, -1e-9, 4.0},
    {"log_odds of what is near 0", offsetof(poise__vector, log_odds), log_odds, -100.0, -2.0, 4.0},
};

static poise__map *map_at(const poise__vector *v, size_t offset)
{
    poise__map *map;
    memcpy(&map, (const char *)v + offset, sizeof map);
    return map;
}

static void functions_agree_with_libm(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    static float x[N], y[N];
    const int n = poise__vector_tables(tables);
    for (int t = 0; t < n; t++)
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
            const function *f = &functions[k];
            double worst = 0.0;
            for (int i = 0; i < N; i++)
                x[i] = (float)(f->from + (f->to - f->from) * i / (N - 1));
            map_at(tables[t], f->map)(N, x, NULL, 0.0f, y);
            for (int i = 0; i < N; i++) {
                const double off = ulps(y[i], f->exact((double)x[i]));
                if (off > f->ulp)
                    fail_msg("%s of %.9g by %s is %.9g, %.2f ulp from %.9g", f->name, (double)x[i],
                             tables[t]->name, (double)y[i], off, f->exact((double)x[i]));
                worst = fmax(worst, off);
            }
            print_message("%s %s: %.2f ulp\n", tables[t]->name, f->name, worst);
        }
}

static void the_ends_are_exact(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    const float x[8] = {INFINITY, -INFINITY, 1000.0f, -1000.0f, 0.0f, -0.0f, 100.0f, -100.0f};
    float y[8];
    for (int t = 0; t < n; t++) {
        tables[t]->exp(8, x, NULL, 0.0f, y);
        assert_true(isinf(y[0]) && y[1] == 0.0f && isinf(y[2]) && y[3] == 0.0f && y[4] == 1.0f);
        assert_true(y[7] > 0.0f); /* a denormal */
        tables[t]->tanh(8, x, NULL, 0.0f, y);
        assert_true(y[0] == 1.0f && y[1] == -1.0f && y[4] == 0.0f && y[5] == 0.0f);
        tables[t]->sigmoid(8, x, NULL, 0.0f, y);
        assert_true(y[0] == 1.0f && y[1] == 0.0f && y[4] == 0.5f && y[6] == 1.0f);
        tables[t]->erf(8, x, NULL, 0.0f, y);
        assert_true(y[0] == 1.0f && y[1] == -1.0f && y[4] == 0.0f && y[3] == -1.0f);
    }
}

/* Every map of the table, and what it gives where its inputs are a NaN. */
static void nan_passes_through(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    float a[19], b[19], y[19];
    for (int i = 0; i < 19; i++)
        a[i] = b[i] = i == 7 || i == 18 ? NAN : 0.5f;
    for (int t = 0; t < n; t++) {
#define X(f)                                                              \
    tables[t]->f(19, a, b, 0.5f, y);                                      \
    for (int i = 0; i < 19; i++)                                          \
        if ((strcmp(#f, "relu_back") != 0) && isnan(y[i]) != isnan(a[i])) \
            fail_msg("%s by %s: element %d is %g", #f, tables[t]->name, i, (double)y[i]);
        POISE__MAPS(X)
#undef X
    }
}

static void in_place_is_the_same(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    static float a[N], b[N], y[N], z[N];
    for (int i = 0; i < N; i++) {
        a[i] = (float)poise_random_uniform(1, 1, 0, (uint64_t)i);
        b[i] = (float)poise_random_uniform(1, 2, 0, (uint64_t)i);
    }
    for (int t = 0; t < n; t++) {
#define X(f)                             \
    tables[t]->f(N, a, b, 0.3f, y);      \
    memcpy(z, a, sizeof z);              \
    tables[t]->f(N, z, b, 0.3f, z);      \
    assert_memory_equal(y, z, sizeof y); \
    memcpy(z, b, sizeof z);              \
    tables[t]->f(N, a, z, 0.3f, z);      \
    assert_memory_equal(y, z, sizeof y);
        POISE__MAPS(X)
#undef X
    }
}

/* An element's value does not depend on where in the array it stands: bodies and tails agree. */
static void tails_are_like_bodies(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    static float a[N], b[N], y[N], z[N];
    for (int i = 0; i < N; i++) {
        a[i] = (float)(8.0 * poise_random_uniform(2, 1, 0, (uint64_t)i) - 4.0);
        b[i] = (float)(8.0 * poise_random_uniform(2, 2, 0, (uint64_t)i) - 4.0);
    }
    for (int t = 0; t < n; t++) {
#define X(f)                                                                 \
    if (strcmp(#f, "log1p") != 0) {                                          \
        tables[t]->f(N, a, b, 0.3f, y);                                      \
        for (int i = 0; i < N; i += 3)                                       \
            tables[t]->f(i + 3 <= N ? 3 : N - i, a + i, b + i, 0.3f, z + i); \
        assert_memory_equal(y, z, sizeof y);                                 \
    }
        POISE__MAPS(X)
#undef X
    }
}

static void reductions_agree_with_double(void **state)
{
    (void)state;
    static const int64_t sizes[] = {1, 2, 7, 15, 16, 17, 33, 64, 65, 1000};
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    static float a[N], b[N], y[N];
    for (int i = 0; i < N; i++) {
        a[i] = (float)(2.0 * poise_random_uniform(3, 1, 0, (uint64_t)i) - 1.0);
        b[i] = (float)(2.0 * poise_random_uniform(3, 2, 0, (uint64_t)i) - 1.0);
    }
    for (int t = 0; t < n; t++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            double dot = 0.0, top = 0.0, sum = 0.0;
            for (int64_t i = 0; i < sizes[k]; i++) {
                dot += (double)a[i] * (double)b[i];
                sum += exp((double)a[i]);
                top = fmax(top, fabs(dot));
            }
            assert_true(fabs(tables[t]->dot(sizes[k], a, b) - dot) <= 1e-13 * (1.0 + top));
            tables[t]->log_sum_exp(1, sizes[k], a, y);
            assert_true(ulps(y[0], log(sum)) <= 8.0 || fabs((double)y[0] - log(sum)) < 1e-6);
            tables[t]->mixture_gate(1, 1, sizes[k], a, b, y, 1);
            assert_true(fabs((double)y[0] - dot) <= 1e-5 * (1.0 + top));
        }
}

/* The order of a sum depends on its length alone, not on where the array lies. */
static void sums_do_not_depend_on_alignment(void **state)
{
    (void)state;
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    static float a[N + 32];
    float first[3] = {0}, y[2], row[64];
    for (int t = 0; t < n; t++)
        for (int64_t length = 1; length <= 64; length++)
            for (int at = 0; at < 16; at++) {
                for (int64_t i = 0; i < length; i++)
                    a[at + i] = (float)poise_random_uniform(4, 1, 0, (uint64_t)i);
                const double dot = tables[t]->dot(length, a + at, a + at);
                tables[t]->mixture_gate(1, 1, length, a + at, a + at, y, 1);
                tables[t]->softmax(1, length, a + at, row);
                if (at == 0) {
                    first[0] = (float)dot;
                    first[1] = y[0];
                    first[2] = row[0];
                }
                assert_true((float)dot == first[0] && y[0] == first[1] && row[0] == first[2]);
            }
}

/* 64 elements' masks by the bijection itself, from several positions. */
static void dropout_is_philox(void **state)
{
    (void)state;
    static const int64_t froms[] = {0, 4, 64, INT64_C(0x3fffffffc)};
    const poise__mask mask = {.seed = UINT64_C(0xfeedface12345678),
                              .stream = UINT64_C(0x1122334455667788),
                              .step = 77,
                              .threshold = 0x60000000u};
    const poise__vector *tables[4];
    const int n = poise__vector_tables(tables);
    float x[67], y[67];
    for (int i = 0; i < 67; i++)
        x[i] = (float)(i + 1);
    for (int t = 0; t < n; t++)
        for (size_t k = 0; k < sizeof froms / sizeof *froms; k++) {
            tables[t]->dropout(67, froms[k], &mask, 2.0f, x, y);
            for (int i = 0; i < 67; i++) {
                uint32_t w[4] = {(uint32_t)((uint64_t)(froms[k] + i) / 4), 77, 0x55667788u,
                                 0x11223344u};
                poise_philox(w, (uint32_t[]){0x12345678u, 0xfeedfaceu});
                const int kept = w[i % 4] >= mask.threshold;
                assert_true(y[i] == (kept ? 2.0f * x[i] : 0.0f));
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_agree_with_libm),
        cmocka_unit_test(the_ends_are_exact),
        cmocka_unit_test(nan_passes_through),
        cmocka_unit_test(in_place_is_the_same),
        cmocka_unit_test(tails_are_like_bodies),
        cmocka_unit_test(reductions_agree_with_double),
        cmocka_unit_test(sums_do_not_depend_on_alignment),
        cmocka_unit_test(dropout_is_philox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
