/* An operator given values that do not fit says which, what it is and what it must be, with the
 * layer and the place in the spec; and builders that have nothing to do return their input. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "ops/ops.h"

typedef struct values {
    poise_store *store;
    poise_graph *g;
    poise_error err;
    poise_value *x34, *x35, *w75, *b7, *b8, *x345, *w345, *id2, *ids, *one, *v3, *i3, *table, *run;
} values;

static poise_value *input(values *v, const char *name, poise_dtype type, int64_t a, int64_t b,
                          int64_t c)
{
    const int64_t dim[3] = {a, b, c};
    return poise_input(v->g, name, type, 1 + (b != 0) + (c != 0), dim, &v->err);
}

static int setup(void **state)
{
    static values v;
    v = (values){0};
    v.store = poise_store_new(&v.err);
    v.g = poise_network_graph(v.store, &v.err);
    poise_graph_train(v.g, 1);
    poise_graph_at(v.g, "expert", (poise_place){"mmoe.yaml", 7, 3}, &v.err);
    v.x34 = input(&v, "x34", POISE_F32, 3, 4, 0);
    v.x35 = input(&v, "x35", POISE_F32, 3, 5, 0);
    v.w75 = input(&v, "w75", POISE_F32, 7, 5, 0);
    v.b7 = input(&v, "b7", POISE_F32, 7, 0, 0);
    v.b8 = input(&v, "b8", POISE_F32, 8, 0, 0);
    v.x345 = input(&v, "x345", POISE_F32, 3, 4, 5);
    v.w345 = input(&v, "w345", POISE_F32, 3, 4, 5);
    v.ids = input(&v, "ids", POISE_I32, 3, 1, 0);
    v.id2 = input(&v, "id2", POISE_I32, 3, 2, 0);
    v.one = input(&v, "one", POISE_F32, 1, 0, 0);
    v.v3 = input(&v, "v3", POISE_F32, 3, 0, 0);
    v.i3 = input(&v, "i3", POISE_I32, 3, 0, 0);
    v.table = poise_weight(v.g, "table", POISE_TABLE, 2, (int64_t[]){9, 2},
                           (poise_init){.kind = POISE_INIT_ZERO}, &v.err);
    v.run = poise_weight(v.g, "run", POISE_STATE, 1, (int64_t[]){4},
                         (poise_init){.kind = POISE_INIT_ZERO}, &v.err);
    assert_non_null(v.run);
    *state = &v;
    return 0;
}

static int teardown(void **state)
{
    values *v = *state;
    poise_graph_free(v->g);
    poise_store_free(v->store);
    return 0;
}

#define LIST(...) ((poise_value *[]){__VA_ARGS__})

static void what_does_not_fit_is_refused_with_a_reason(void **state)
{
    values *v = *state;
    poise_graph *g = v->g;
    poise_error *e = &v->err;
    char text[POISE_ERROR_TEXT];
    const int64_t bad[2] = {3, -1}, many[2] = {3, 5};
#define REFUSES(expression, ...)                                  \
    do {                                                          \
        *e = (poise_error){0};                                    \
        assert_null(expression);                                  \
        poise_error_text(e, text, sizeof text);                   \
        const char *const parts[] = {__VA_ARGS__};                \
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) \
            if (strstr(text, parts[k]) == NULL)                   \
                fail_msg("\"%s\" is not in: %s", parts[k], text); \
    } while (0)

    REFUSES(poise_linear(g, v->x34, v->w75, NULL, e), "mmoe.yaml:7:3",
            "expert, linear: ", "w is f32[7, 5]; its dimension 1 must be 4, the width of x");
    REFUSES(poise_linear(g, v->x35, v->w75, v->b8, e), "b is f32[8]; its dimension 0 must be 7");
    REFUSES(poise_linear(g, v->ids, v->w75, NULL, e), "x is i32[3, 1]; its type must be f32");
    REFUSES(poise_linear(g, v->x345, v->w75, NULL, e), "x is f32[3, 4, 5]; it must have 2 dim");
    REFUSES(poise_batched_linear(g, v->x34, v->w345, NULL, e), "must be 4, the width of x");
    REFUSES(poise_batched_linear(g, v->x345, v->w345, NULL, e),
            "its dimension 1 must be 3, the number of experts");
    REFUSES(poise_batched_linear(g, v->x35, v->w345, v->w75, e), "the number of experts");
    REFUSES(poise_embedding(g, v->id2, 1, &v->table, e), "must be 1, the number of tables");
    REFUSES(poise_embedding(g, v->id2, 2, LIST(v->table, v->table), e),
            "table table is used for two features");
    REFUSES(poise_embedding(g, v->id2, 0, NULL, e), "0 tables");
    REFUSES(poise_concat(g, 1, 2, LIST(v->x34, v->w75), e), "input 1 is f32[7, 5]");
    REFUSES(poise_concat(g, 2, 2, LIST(v->x34, v->x35), e), "has no dimension 2");
    REFUSES(poise_concat(g, 0, 0, NULL, e), "1 or more");
    REFUSES(poise_slice(g, v->x34, 1, 2, 5, e), "2 to 5 is no part of its dimension 1");
    REFUSES(poise_slice(g, v->x34, 1, 2, 2, e), "2 to 2 is no part");
    REFUSES(poise_slice(g, v->x34, -1, 0, 1, e), "has no dimension -1");
    REFUSES(poise_reshape(g, v->x34, 2, many, e), "f32[3, 4]; it cannot become 15 elements");
    REFUSES(poise_fill(g, 1.0, 2, bad, e), "dimension 1 of the shape is -1");
    REFUSES(poise_fill(g, 1.0, 5, bad, e), "a shape of 5 dimensions");
    REFUSES(poise_fill(g, 1.0, 2, (int64_t[]){INT64_MAX / 2, 3}, e), "must fit memory");
    REFUSES(poise_add(g, v->x34, v->x35, e), "input 1 is f32[3, 5] but input 0 is f32[3, 4]");
    REFUSES(poise_multiply(g, v->x34, v->ids, e), "i32[3, 1]; its type must be f32");
    REFUSES(poise_scale_by(g, v->x34, v->v3, e), "s is f32[3]; it must have 1 element, a factor");
    REFUSES(poise_weighted_sum(g, 2, LIST(v->one, v->one), LIST(v->x34, v->x35), e),
            "x is f32[3, 5] but the first x is f32[3, 4]");
    REFUSES(poise_weighted_sum(g, 0, NULL, NULL, e), "1 or more");
    REFUSES(poise_relu(g, v->ids, e), "its type must be f32");
    REFUSES(poise_leaky_relu(g, v->x34, -0.5, e), "slope is -0.5");
    REFUSES(poise_leaky_relu(g, v->x34, NAN, e), "slope is nan");
    REFUSES(poise_dropout(g, v->x34, 1.0, 1, e), "the rate is 1; it must be");
    REFUSES(poise_dropout(g, v->x34, -0.1, 1, e), "the rate is -0.1");
    REFUSES(poise_mixture(g, v->x35, 1, &v->x345, e), "must be 4, the number of experts");
    REFUSES(poise_mixture(g, v->x34, 2, LIST(v->x345, v->x34), e), "x1 is f32[3, 4]; it must have");
    REFUSES(poise_mixture(g, v->x34, 0, NULL, e), "0 inputs of experts");
    REFUSES(poise_sparse_softmax(g, v->x34, NULL, 5, e), "the 5 largest of 4; 1 to all");
    REFUSES(poise_sparse_softmax(g, v->x34, NULL, 0, e), "the 0 largest of 4");
    REFUSES(poise_sparse_softmax(g, v->x34, v->x35, 2, e), "keep is f32[3, 5] but x is f32[3, 4]");
    REFUSES(poise_smooth_step(g, v->x34, 0.0, e), "gamma is 0; it must be above 0");
    REFUSES(poise_select(g, v->x34, 4, e), "s is f32[3, 4]; it must have 3 dim");
    REFUSES(poise_select(g, v->x345, 33, e), "33 experts by 5 bits");
    REFUSES(poise_blend(g, v->v3, 1, &v->x34, e), "w is f32[3]; its dimension 0 must be 1");
    REFUSES(poise_blend(g, v->b7, 0, NULL, e), "0 values; 1 or more");
    REFUSES(poise_segment_dot(g, v->x34, NULL, 2, (int64_t[]){2, 3}, 0, e),
            "a is f32[3, 4]; its dimension 1 must be 5, the segments' width");
    REFUSES(poise_segment_dot(g, v->x34, v->x35, 1, (int64_t[]){4}, 0, e), "b is f32[3, 5]");
    REFUSES(poise_segment_dot(g, v->x34, NULL, 2, (int64_t[]){4, 0}, 0, e), "segment 1 is 0 wide");
    REFUSES(poise_segment_dot(g, v->x34, NULL, 0, NULL, 0, e), "0 segments; 1 or more");
    REFUSES(poise_segment_scale(g, v->x34, v->x35, 2, (int64_t[]){2, 2}, 0, e),
            "by is f32[3, 5]; its dimension 1 must be 2, the number of segments");
    REFUSES(poise_repeat(g, v->x34, 0, e), "0 times; 1 or more");
    REFUSES(poise_factorise(g, v->x34, e), "x is f32[3, 4]; it must have 3 dim");
    REFUSES(poise_pairs(g, v->x345, v->x34, e), "b is f32[3, 4]; it must have 3 dim");
    REFUSES(poise_logit(g, v->x34, 0.0, e), "eps is 0; it must be 1e-7 or more");
    REFUSES(poise_reciprocal(g, v->x34, 0.0, e), "eps is 0; it must be within 1e-12 and 1e12");
    REFUSES(poise_layer_norm(g, v->x34, v->v3, v->v3, 1e-5, e), "gamma is f32[3]", "must be 4");
    REFUSES(poise_layer_norm(g, v->x345, v->x34, v->v3, 1e-5, e), "gamma is f32[3, 4]");
    REFUSES(poise_batch_norm(g, v->x34, v->b7, v->run, v->run, v->run, v->run, 0.1, 1e-5, e),
            "weight is f32[7]; it must have 3 elements, the batch");
    REFUSES(poise_batch_norm(g, v->x34, NULL, v->run, v->run, v->run, v->run, 0.1, 0.0, e),
            "eps is 0");
    REFUSES(poise_batch_norm(g, v->x34, NULL, v->run, v->run, v->run, v->run, 1.5, 1e-5, e),
            "momentum is 1.5");
    REFUSES(poise_loss_bce(g, v->x34, v->v3, v->v3, NULL, e), "z is f32[3, 4]; it must have 3");
    REFUSES(poise_loss_bce(g, v->v3, v->b7, v->v3, NULL, e), "label is f32[7]");
    REFUSES(poise_loss_bce(g, v->v3, v->i3, v->v3, NULL, e), "label is i32[3]; its type");
    REFUSES(poise_loss_softmax(g, v->x34, v->v3, v->v3, NULL, e), "label is f32[3]; its type");
    REFUSES(poise_loss_huber(g, v->v3, v->v3, v->v3, 0.0, NULL, e), "delta is 0");
    REFUSES(poise_gram(g, 2, 1, LIST(v->x34, v->x35), e), "two gradients of one parameter");
    REFUSES(poise_gram(g, 0, 1, LIST(v->x34), e), "0 tasks");
    REFUSES(poise_balance_node(g, NULL, 1, &v->x34, e), "no function to call");
#undef REFUSES
}

static void a_missing_value_gives_none_and_leaves_the_error_alone(void **state)
{
    values *v = *state;
    poise_graph *g = v->g;
    poise_error *e = &v->err;
    poise_fail(e, POISE_E_DATA, POISE_NOWHERE, "an earlier error");
    assert_null(poise_relu(g, poise_linear(g, NULL, v->w75, NULL, e), e));
    assert_null(poise_batched_linear(g, v->x35, NULL, NULL, e));
    assert_null(poise_embedding(g, NULL, 1, &v->table, e));
    assert_null(poise_embedding(g, v->ids, 1, LIST(NULL), e));
    assert_null(poise_concat(g, 0, 2, LIST(v->x34, NULL), e));
    assert_null(poise_mixture(g, v->x34, 1, LIST(NULL), e));
    assert_null(poise_blend(g, NULL, 1, &v->x34, e));
    assert_null(poise_blend(g, v->b7, 1, LIST(NULL), e));
    assert_null(poise_segment_dot(g, NULL, NULL, 1, (int64_t[]){4}, 0, e));
    assert_null(poise_segment_scale(g, v->x34, NULL, 1, (int64_t[]){4}, 0, e));
    assert_null(poise_log_odds(g, poise_log_sigmoid(g, NULL, e), e));
    assert_null(poise_reciprocal(g, NULL, 1e-3, e));
    assert_null(poise_dropout(g, NULL, 0.5, 1, e));
    assert_null(poise_scale(g, NULL, 2.0, e));
    assert_null(poise_weighted_sum(g, 1, LIST(NULL), LIST(v->x34), e));
    assert_null(poise_batch_norm(g, v->x34, NULL, NULL, v->run, v->run, v->run, 0.1, 1e-5, e));
    poise_value *sum = v->x34;
    assert_null(poise_loss_bce(g, NULL, v->v3, v->v3, &sum, e));
    assert_null(sum);
    assert_string_equal(e->message, "an earlier error");
    assert_int_equal(e->code, POISE_E_DATA);
}

static void nothing_to_do_is_the_value_itself(void **state)
{
    values *v = *state;
    assert_ptr_equal(poise_scale(v->g, v->x34, 1.0, &v->err), v->x34);
    assert_ptr_equal(poise_dropout(v->g, v->x34, 0.0, 1, &v->err), v->x34);
    poise_graph_train(v->g, 0);
    assert_ptr_equal(poise_dropout(v->g, v->x34, 0.5, 1, &v->err), v->x34);
}

static void a_running_mean_must_be_a_parameter(void **state)
{
    values *v = *state;
    poise_value *mean = poise_input(v->g, "mean", POISE_F32, 1, (int64_t[]){4}, &v->err);
    assert_null(
        poise_batch_norm(v->g, v->x34, NULL, v->run, v->run, mean, v->run, 0.1, 1e-5, &v->err));
    assert_non_null(strstr(v->err.message, "must be parameters"));
}

static void a_table_belongs_to_one_embedding(void **state)
{
    values *v = *state;
    assert_non_null(poise_embedding(v->g, v->ids, 1, &v->table, &v->err));
    assert_null(poise_embedding(v->g, v->ids, 1, &v->table, &v->err));
    assert_non_null(strstr(v->err.message, "table table is used here already"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_does_not_fit_is_refused_with_a_reason, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_missing_value_gives_none_and_leaves_the_error_alone,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_to_do_is_the_value_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(a_running_mean_must_be_a_parameter, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_belongs_to_one_embedding, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
