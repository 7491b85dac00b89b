/* The logit of a product of probabilities keeps its accuracy where the product itself would round to
 * 0 or 1, and its gradient stays finite there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include "core/session.h"
#include "ops/ops.h"

/* logit(sigmoid(a) sigmoid(b)) of each pair, and its gradient to a and b. */
enum { N = 9 };
static const float a_at[N] = {0.0f, 1.5f, -3.0f, -40.0f, -80.0f, 10.0f, 16.0f, 30.0f, 200.0f};
static const float b_at[N] = {0.0f, -0.5f, 2.0f, -40.0f, -90.0f, 11.0f, 17.0f, 30.0f, 200.0f};

/* log(e^-a + e^-b + e^-(a + b)), the exact -logit of the product, in double. */
static double exact(double a, double b)
{
    const double top = fmax(fmax(-a, -b), -a - b);
    return -(top + log(exp(-a - top) + exp(-b - top) + exp(-a - b - top)));
}

typedef struct product {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_value *a, *b, *z;
    poise_gradient d[2];
} product;

static void make(product *p)
{
    poise_error err;
    const int64_t dim = N;
    p->store = poise_store_new(&err);
    p->g = poise_network_graph(p->store, &err);
    p->a = poise_input(p->g, "a", POISE_F32, 1, &dim, &err);
    p->b = poise_input(p->g, "b", POISE_F32, 1, &dim, &err);
    p->z = poise_log_odds(p->g,
                          poise_add(p->g, poise_log_sigmoid(p->g, p->a, &err),
                                    poise_log_sigmoid(p->g, p->b, &err), &err),
                          &err);
    assert_non_null(p->z);
    assert_int_equal(
        poise_backward(p->g, 1, &p->z, NULL, 2, (poise_value *[]){p->a, p->b}, p->d, &err), 0);
    assert_int_equal(poise_graph_output(p->g, p->z, &err), 0);
    assert_int_equal(poise_graph_output(p->g, p->d[0].value, &err), 0);
    assert_int_equal(poise_graph_output(p->g, p->d[1].value, &err), 0);
    assert_int_equal(poise_store_seal(p->store, 1, &err), 0);
    p->s = poise_session_new(p->g, NULL, &err);
    assert_non_null(p->s);
    float *a = poise_session_data(p->s, p->a), *b = poise_session_data(p->s, p->b);
    for (int i = 0; i < N; i++) {
        a[i] = a_at[i];
        b[i] = b_at[i];
    }
    const poise_run run = {.seed = 1, .threads = 1};
    assert_int_equal(poise_session_run(p->s, &run, &err), 0);
}

static void done(product *p)
{
    poise_session_free(p->s);
    poise_graph_free(p->g);
    poise_store_free(p->store);
}

static void the_logit_of_a_product_is_accurate_at_both_ends(void **state)
{
    (void)state;
    product p;
    make(&p);
    const float *z = poise_session_data(p.s, p.z);
    for (int i = 0; i < N - 1; i++) {
        const double want = exact((double)a_at[i], (double)b_at[i]);
        if (fabs((double)z[i] - want) > 2e-6 * (1.0 + fabs(want)))
            fail_msg("%g, %g: the logit is %.9g, not %.9g", (double)a_at[i], (double)b_at[i],
                     (double)z[i], want);
    }
    /* 1 - p = 2 e^-200 is below the bound of 1e-30. */
    assert_true(fabs((double)z[N - 1] - log(1e30)) < 1e-4);
    done(&p);
}

static void its_gradient_is_accurate_and_finite(void **state)
{
    (void)state;
    product p;
    make(&p);
    const float *da = poise_session_data(p.s, p.d[0].value);
    for (int i = 0; i < N - 1; i++) {
        const double a = (double)a_at[i], b = (double)b_at[i], h = 1e-4;
        const double want = (exact(a + h, b) - exact(a - h, b)) / (2.0 * h);
        if (fabs((double)da[i] - want) > 1e-4 * (1e-3 + fabs(want)))
            fail_msg("%g, %g: the slope is %.9g, not %.9g", a, b, (double)da[i], want);
    }
    assert_true(isfinite(da[N - 1]));
    done(&p);
}

/* A probability of 0 or 1 has the logit of eps and 1 - eps, and the slope there. */
static void logit_is_held_within_its_bounds(void **state)
{
    (void)state;
    poise_error err;
    const int64_t dim = 4;
    poise_store *store = poise_store_new(&err);
    poise_graph *g = poise_network_graph(store, &err);
    poise_value *p = poise_input(g, "p", POISE_F32, 1, &dim, &err);
    poise_value *z = poise_logit(g, p, 1e-6, &err);
    poise_gradient d;
    assert_int_equal(poise_backward(g, 1, &z, NULL, 1, &p, &d, &err), 0);
    assert_int_equal(poise_graph_output(g, z, &err), 0);
    assert_int_equal(poise_graph_output(g, d.value, &err), 0);
    assert_int_equal(poise_store_seal(store, 1, &err), 0);
    poise_session *s = poise_session_new(g, NULL, &err);
    assert_non_null(s);
    float *x = poise_session_data(s, p);
    x[0] = 0.0f;
    x[1] = 1.0f;
    x[2] = 0.25f;
    x[3] = -3.0f;
    const poise_run run = {.seed = 1, .threads = 1};
    assert_int_equal(poise_session_run(s, &run, &err), 0);
    const float *y = poise_session_data(s, z), *dy = poise_session_data(s, d.value);
    assert_true(fabs((double)y[0] - log(1e-6)) < 1e-4);
    assert_true(fabs((double)y[1] + log(1e-6)) < 0.1); /* 1 - 1e-6 is a multiple of 2^-24 */
    assert_true(fabs((double)y[2] - log(1.0 / 3.0)) < 1e-6);
    assert_true(y[3] == y[0] && dy[3] == dy[0]);
    assert_true(fabs((double)dy[0] - 1e6) < 10.0 && fabs((double)dy[2] - 16.0 / 3.0) < 1e-5);
    poise_session_free(s);
    poise_graph_free(g);
    poise_store_free(store);
}

/* Below eps it is 1 / eps, with the slope there. */
static void reciprocal_is_held_at_its_bound(void **state)
{
    (void)state;
    poise_error err;
    const int64_t dim = 3;
    poise_store *store = poise_store_new(&err);
    poise_graph *g = poise_network_graph(store, &err);
    poise_value *p = poise_input(g, "p", POISE_F32, 1, &dim, &err);
    poise_value *y = poise_reciprocal(g, p, 0.125, &err);
    poise_gradient d;
    assert_int_equal(poise_backward(g, 1, &y, NULL, 1, &p, &d, &err), 0);
    assert_int_equal(poise_graph_output(g, y, &err), 0);
    assert_int_equal(poise_graph_output(g, d.value, &err), 0);
    assert_int_equal(poise_store_seal(store, 1, &err), 0);
    poise_session *s = poise_session_new(g, NULL, &err);
    assert_non_null(s);
    memcpy(poise_session_data(s, p), (float[]){0.25f, 0.0f, -2.0f}, sizeof(float[3]));
    const poise_run run = {.seed = 1, .threads = 1};
    assert_int_equal(poise_session_run(s, &run, &err), 0);
    const float *at = poise_session_data(s, y), *slope = poise_session_data(s, d.value);
    assert_true(at[0] == 4.0f && at[1] == 8.0f && at[2] == 8.0f);
    assert_true(slope[0] == -16.0f && slope[1] == -64.0f && slope[2] == -64.0f);
    poise_session_free(s);
    poise_graph_free(g);
    poise_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_logit_of_a_product_is_accurate_at_both_ends),
        cmocka_unit_test(its_gradient_is_accurate_and_finite),
        cmocka_unit_test(logit_is_held_within_its_bounds),
        cmocka_unit_test(reciprocal_is_held_at_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
