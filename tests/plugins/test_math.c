/* The mathematics for authors: against numpy (math_golden.h), and by what defines each answer. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <poise/balancer_math.h>

#include "core/random.h"
#include "math_golden.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
enum { LARGEST = 20, WORK = 4 * LARGEST * LARGEST + 8 * LARGEST };

static void near(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s is %.17g, not %.17g", what, got, want);
}

static double largest(const double *x, size_t n)
{
    double top = 0;
    for (size_t k = 0; k < n; k++)
        top = fmax(top, fabs(x[k]));
    return top;
}

static void all_near(const double *got, const double *want, size_t n, double relative,
                     const char *what)
{
    for (size_t k = 0; k < n; k++)
        near(got[k], want[k], relative * largest(want, n) + 1e-300, what);
}

/* The tables are padded to WIDEST columns. */
static void unpad(const double *padded, size_t n, double *a)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            a[i * n + j] = padded[i * WIDEST + j];
}

/* Gradients of `rank` numbers in (-1, 1) times `scale`, and their Gram matrix. */
static void random_gram(uint64_t seed, size_t n, size_t rank, double scale, double *g)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            g[i * n + j] = 0;
            for (size_t k = 0; k < rank; k++)
                g[i * n + j] += (2 * poise_math_uniform(seed, i, k) - 1) *
                                (2 * poise_math_uniform(seed, j, k) - 1) * scale * scale;
        }
}

static void eigenvalues_are_numpys_and_vectors_make_the_matrix(void **state)
{
    (void)state;
    double a[WIDEST * WIDEST], before[WIDEST * WIDEST], v[WIDEST * WIDEST], value[WIDEST];
    for (size_t c = 0; c < COUNT(golden_eigen); c++) {
        size_t n = golden_eigen[c].n;
        unpad(golden_eigen[c].a, n, a);
        unpad(golden_eigen[c].a, n, before);
        double size = largest(before, n * n);
        poise_math_eigen(a, n, value, v);
        for (size_t k = 0; k < n; k++)
            near(value[k], golden_eigen[c].value[k], 1e-14 * (double)n * size, "eigenvalue");
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = 0;
                for (size_t k = 0; k < n; k++)
                    sum += value[k] * v[k * n + i] * v[k * n + j];
                near(sum, before[i * n + j], 1e-14 * (double)n * size, "V L V'");
                near(poise_math_dot(v + i * n, v + j * n, n), i == j, 1e-14, "V V'");
            }
    }
}

static void cholesky_solves(void **state)
{
    (void)state;
    double a[WIDEST * WIDEST], x[WIDEST];
    for (size_t c = 0; c < COUNT(golden_solve); c++) {
        size_t n = golden_solve[c].n;
        unpad(golden_solve[c].a, n, a);
        for (size_t k = 0; k < n; k++)
            x[k] = golden_solve[c].b[k];
        assert_int_equal(poise_math_cholesky(a, n), 0);
        poise_math_cholesky_solve(a, n, x);
        all_near(x, golden_solve[c].x, n, 1e-9, "solution");
    }
}

/* Two equal gradients and one of zero: the pivots that are lifted are counted. */
static void cholesky_of_a_singular_matrix_stays_finite(void **state)
{
    (void)state;
    double a[16] = {4, 4, 2, 0, 4, 4, 2, 0, 2, 2, 5, 0, 0, 0, 0, 0}, x[4] = {4, 4, 2, 0};
    assert_int_equal(poise_math_cholesky(a, 4), 2);
    poise_math_cholesky_solve(a, 4, x);
    near(4 * x[0] + 4 * x[1] + 2 * x[2], 4, 1e-9, "row 0");
    near(2 * x[0] + 2 * x[1] + 5 * x[2], 2, 1e-9, "row 2");
    near(x[3], 0, 0, "row 3");
}

static void pseudo_inverse_is_numpys(void **state)
{
    (void)state;
    double a[WIDEST * WIDEST], x[WIDEST], work[WORK];
    for (size_t c = 0; c < COUNT(golden_pinv); c++) {
        size_t n = golden_pinv[c].n;
        unpad(golden_pinv[c].a, n, a);
        assert_int_equal(poise_math_pinv(a, golden_pinv[c].b, n, 1e-6, x, work),
                         golden_pinv[c].rank);
        all_near(x, golden_pinv[c].x, n, 1e-9, "pinv(A) b");
    }
}

static void quadratic_programs_are_the_best_active_set(void **state)
{
    (void)state;
    double a[WIDEST * WIDEST], x[WIDEST], work[WORK];
    for (size_t c = 0; c < COUNT(golden_qp); c++)
        for (int warm = 0; warm < 2; warm++) {
            size_t n = golden_qp[c].n;
            unpad(golden_qp[c].a, n, a);
            for (size_t k = 0; k < n; k++)
                x[k] = golden_qp[c].low[k] + (warm ? (double)(k % 3) : 0);
            poise_math_qp(a, golden_qp[c].b, golden_qp[c].low, n, x, work);
            all_near(x, golden_qp[c].x, n, 1e-9, "x");
        }
}

static void minimum_norm_points_are_the_best_support(void **state)
{
    (void)state;
    double a[WIDEST * WIDEST], w[WIDEST], work[WORK];
    for (size_t c = 0; c < COUNT(golden_min_norm); c++) {
        size_t n = golden_min_norm[c].n;
        unpad(golden_min_norm[c].a, n, a);
        poise_math_fill(w, n, 0);
        poise_math_min_norm(a, n, w, work);
        all_near(w, golden_min_norm[c].w, n, 1e-9, "w");
    }
}

/* What defines it, for any rank and scale: no vector has a smaller product with the point than the
 * point itself. */
static void minimum_norm_points_are_optimal(void **state)
{
    (void)state;
    static const double scales[] = {1e-15, 1, 1e15};
    double g[LARGEST * LARGEST], w[LARGEST], along[LARGEST], work[WORK];
    for (uint64_t seed = 0; seed < 200; seed++) {
        size_t n = 1 + seed % LARGEST, rank = 1 + (seed / 3) % 25;
        random_gram(seed, n, rank, scales[seed % 3], g);
        poise_math_fill(w, n, 0);
        poise_math_min_norm(g, n, w, work);
        poise_math_multiply(g, w, n, along);
        double square = poise_math_square(g, w, n), top = largest(g, n * n);
        near(poise_math_sum(w, n), 1, 1e-14, "sum");
        for (size_t k = 0; k < n; k++) {
            assert_true(w[k] >= 0);
            assert_true(along[k] >= square - 1e-12 * top);
        }
    }
}

static void vectors_of_zero_are_the_minimum_norm_point(void **state)
{
    (void)state;
    const double g[9] = {1, 0, 0, 0, 0, 0, 0, 0, 0};
    double w[3] = {0}, work[WORK];
    poise_math_min_norm(g, 3, w, work);
    near(w[0], 0, 0, "w[0]");
    near(w[1], 0.5, 0, "w[1]");
    near(w[2], 0.5, 0, "w[2]");
}

static void simplex_projections_are_those_by_sorting(void **state)
{
    (void)state;
    for (size_t c = 0; c < COUNT(golden_simplex); c++) {
        size_t n = golden_simplex[c].n;
        double w[WIDEST], size = largest(golden_simplex[c].x, n);
        for (size_t k = 0; k < n; k++)
            w[k] = golden_simplex[c].x[k];
        poise_math_simplex(w, n, golden_simplex[c].mass);
        for (size_t k = 0; k < n; k++)
            near(w[k], golden_simplex[c].w[k], 1e-14 * fmax(size, 1), "w");
    }
}

/* G w = w^(-1/alpha), where there is such a w; of a matrix of any rank it is finite. */
static void fair_weights_solve_their_equation(void **state)
{
    (void)state;
    static const double alphas[] = {1, 2, 0.5, 5, 20};
    double g[LARGEST * LARGEST], w[LARGEST], work[WORK];
    for (uint64_t seed = 0; seed < 300; seed++) {
        size_t n = 1 + seed % LARGEST;
        double alpha = alphas[seed % 5];
        random_gram(seed, n, n + 5, seed % 2 ? 1 : 1e-3, g);
        poise_math_fair(g, n, alpha, w, work);
        for (size_t k = 0; k < n; k++) {
            double want = pow(w[k], -1 / alpha);
            assert_true(w[k] > 0);
            near(poise_math_dot(g + k * n, w, n) / want, 1, 1e-5, "G w / w^(-1/alpha)");
        }
        random_gram(seed, n, 1 + n / 2, seed % 2 ? 1e15 : 1e-15, g);
        poise_math_fair(g, n, alpha, w, work);
        for (size_t k = 0; k < n; k++)
            assert_true(isfinite(w[k]) && w[k] > 0);
    }
}

static double cubic(double x, void *calls)
{
    ++*(int *)calls;
    return x * x * x - 2;
}

static void roots_are_found_in_few_calls(void **state)
{
    (void)state;
    int calls = 0;
    near(poise_math_root(cubic, &calls, 0, 100), cbrt(2), 1e-15, "root");
    assert_true(calls < 30);
    near(poise_math_root(cubic, &calls, 2, 3), 2, 0, "above 0 everywhere");
    near(poise_math_root(cubic, &calls, 0, 1), 1, 0, "below 0 everywhere");
}

static void softmax_does_not_overflow(void **state)
{
    (void)state;
    const double x[3] = {1000, 1001, -1000};
    double w[3];
    poise_math_softmax(x, 3, 2, w);
    near(w[0], 1 / (1 + exp(0.5)), 1e-15, "w[0]");
    near(w[1], 1 / (1 + exp(-0.5)), 1e-15, "w[1]");
    near(w[2], 0, 0, "w[2]");
}

/* By hand: the first step is g / |g|; the second has m = 0.9 * 0.1 * 2 + 0.1 * (-1) = 0.08 over
 * 0.19 and v = 0.999 * 0.001 * 4 + 0.001 * 1 = 0.004996 over 0.001999. */
static void adam_by_hand(void **state)
{
    (void)state;
    poise_math_adam adam = {0};
    near(poise_math_adam_step(&adam, 2, 0.9, 0.999), 1, 1e-8, "first");
    near(poise_math_adam_step(&adam, -1, 0.9, 0.999),
         0.08 / 0.19 / (sqrt(0.004996 / 0.001999) + 1e-8), 1e-12, "second");
    assert_true(adam.steps == 2);
}

/* core/random.c is held to Random123's vectors; here: the same bijection, and the mapping. */
static void philox_is_the_librarys(void **state)
{
    (void)state;
    const uint64_t seed = 12345, step = UINT64_C(0x123456789abcdef0),
                   index = UINT64_C(0x1122334455);
    uint32_t got[4], want[4] = {0x22334455, 0x11, 0x9abcdef0, 0x12345678};
    uint64_t k = seed + UINT64_C(0x9e3779b97f4a7c15);
    k = (k ^ (k >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    k = (k ^ (k >> 27)) * UINT64_C(0x94d049bb133111eb);
    k ^= k >> 31;
    poise_philox(want, (const uint32_t[2]){(uint32_t)k, (uint32_t)(k >> 32)});
    poise_math_philox(seed, step, index, got);
    assert_memory_equal(got, want, sizeof got);
}

static void random_numbers_have_their_moments(void **state)
{
    (void)state;
    enum { N = 20000 };
    double mean = 0, square = 0, level = 0;
    for (uint64_t k = 0; k < N; k++) {
        double u = poise_math_uniform(1, k / 100, k % 100),
               z = poise_math_normal(2, k / 100, k % 100);
        assert_true(u >= 0 && u < 1);
        level += u / N;
        mean += z / N;
        square += z * z / N;
    }
    near(level, 0.5, 0.01, "mean of the uniforms");
    near(mean, 0, 0.03, "mean of the normals");
    near(square, 1, 0.04, "their variance");
}

static void every_order_is_drawn_alike(void **state)
{
    (void)state;
    int seen[6] = {0};
    for (uint64_t k = 0; k < 6000; k++) {
        uint32_t order[3];
        poise_math_shuffle(3, k, 7, 3, order);
        assert_int_equal(order[0] + order[1] + order[2], 3);
        assert_int_equal(order[0] * order[1] * order[2], 0);
        seen[2 * order[0] + (order[1] > order[2])]++;
    }
    for (int k = 0; k < 6; k++)
        assert_true(abs(seen[k] - 1000) < 150);
}

static void labelled_tasks_keep_their_order(void **state)
{
    (void)state;
    const double g[9] = {1, 2, 3, 2, 5, 6, 3, 6, 9}, labelled[3] = {1, 0, 2}, none[3] = {0};
    double sub[9];
    uint32_t task[3];
    assert_int_equal(poise_math_labelled(g, labelled, 3, task, sub), 2);
    assert_int_equal(task[0], 0);
    assert_int_equal(task[1], 2);
    const double want[4] = {1, 3, 3, 9};
    all_near(sub, want, 4, 0, "sub");
    assert_int_equal(poise_math_labelled(g, none, 3, task, sub), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eigenvalues_are_numpys_and_vectors_make_the_matrix),
        cmocka_unit_test(cholesky_solves),
        cmocka_unit_test(cholesky_of_a_singular_matrix_stays_finite),
        cmocka_unit_test(pseudo_inverse_is_numpys),
        cmocka_unit_test(quadratic_programs_are_the_best_active_set),
        cmocka_unit_test(minimum_norm_points_are_the_best_support),
        cmocka_unit_test(minimum_norm_points_are_optimal),
        cmocka_unit_test(vectors_of_zero_are_the_minimum_norm_point),
        cmocka_unit_test(simplex_projections_are_those_by_sorting),
        cmocka_unit_test(fair_weights_solve_their_equation),
        cmocka_unit_test(roots_are_found_in_few_calls),
        cmocka_unit_test(softmax_does_not_overflow),
        cmocka_unit_test(adam_by_hand),
        cmocka_unit_test(philox_is_the_librarys),
        cmocka_unit_test(random_numbers_have_their_moments),
        cmocka_unit_test(every_order_is_drawn_alike),
        cmocka_unit_test(labelled_tasks_keep_their_order),
    };
    return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
