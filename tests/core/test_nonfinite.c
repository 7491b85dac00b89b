/* A NaN or an infinity is traced to the node, input or parameter that it came from. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session_fixture.h"

#include <math.h>
#include <string.h>

static void the_first_node_that_is_not_finite_is_found(void **state)
{
    fixture *f = *state;
    int effects = 0;
    poise_graph_at(f->g, "tower", (poise_place){"m.yaml", 5, 1}, NULL);
    poise_value *a = toy2(f->g, &toy_mul, f->x, f->w, NULL);
    poise_value *b = toy1(f->g, &toy_square, a, NULL);
    poise_node *e = poise_apply(f->g, &toy_effect, 1, &b, &(poise_attr){.p = &effects}, NULL);
    poise_value *c = toy1(f->g, &toy_sum, e->out[0], NULL);
    poise_graph_output(f->g, c, NULL);
    poise_session *s = make(f, NULL);
    float *x = poise_session_data(s, f->x);
    const poise_value *v;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    assert_int_equal(f->err.code, POISE_OK);
    assert_null(v);
    assert_int_equal(effects, 0); /* the run was dry */

    x[3] = 1e30f; /* a is finite, b = a a is not */
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), b->producer);
    assert_ptr_equal(v, b);
    x[3] = NAN;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), a->producer);
    assert_ptr_equal(v, f->x);
    x[3] = 1;
    poise_store_weight(f->store, 0)[1] = INFINITY;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), a->producer);
    assert_ptr_equal(v, f->w);
    assert_int_equal(effects, 0);
    poise_session_free(s);
}

static int zeros(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                 const poise_run *r, poise_error *err)
{
    (void)k, (void)in, (void)scratch, (void)r, (void)err;
    memset(out[0], 0, N * sizeof(float));
    return 0;
}

static int compile_zeros(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = zeros;
    return 0;
}

/* A node may hide a NaN.  In an input that is how a label is missing; in a parameter it is not. */
static void a_hidden_parameter_is_found_and_a_missing_label_is_not(void **state)
{
    fixture *f = *state;
    poise_op op = toy_nograd;
    op.compile = compile_zeros;
    poise_value *a = toy1(f->g, &op, f->x, NULL);
    poise_value *seen = toy_shaped(f->g, &toy_reshape, f->w, 0, 2, (int64_t[]){N, 1}, NULL);
    poise_value *b = toy1(f->g, &op, seen, NULL);
    poise_graph_output(f->g, a, NULL);
    poise_session *s = make(f, NULL);
    const poise_value *v;
    ((float *)poise_session_data(s, f->x))[0] = NAN;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    poise_store_weight(f->store, 0)[0] = NAN;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), b->producer);
    assert_ptr_equal(v, f->w);
    poise_session_free(s);
}

static void a_failing_search_says_so(void **state)
{
    fixture *f = *state;
    toy1(f->g, &toy_broken, f->x, NULL);
    poise_session *s = make(f, NULL);
    const poise_value *v;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    assert_int_equal(f->err.code, POISE_E_DATA);
    poise_session_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_node_that_is_not_finite_is_found),
        TEST(a_hidden_parameter_is_found_and_a_missing_label_is_not),
        TEST(a_failing_search_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
