/* Building a graph: shapes are checked, errors have a place, rewrites keep what is computed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "toy_ops.h"

#include <string.h>

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_value *x; /* f32[4] */
    poise_error err;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){0};
    f.store = poise_store_new(&f.err);
    f.g = poise_graph_new(f.store, &f.err);
    f.x = poise_input(f.g, "x", POISE_F32, 1, (int64_t[]){4}, &f.err);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    poise_graph_free(f->g);
    poise_store_free(f->store);
    return 0;
}

static const poise_init zero = {.kind = POISE_INIT_ZERO};

static void nodes_keep_their_layer_place_and_order(void **state)
{
    fixture *f = *state;
    char layer[] = "expert", file[] = "mmoe.yaml";
    poise_graph_at(f->g, layer, (poise_place){file, 7, 3}, NULL);
    poise_value *a = toy1(f->g, &toy_square, f->x, NULL);
    layer[0] = file[0] = '?'; /* both were copied */
    poise_value *b = toy1(f->g, &toy_square, a, NULL);
    assert_int_equal(poise_graph_nodes(f->g), 2);
    assert_int_equal(poise_graph_values(f->g), 3);
    assert_ptr_equal(poise_graph_node(f->g, 1), b->producer);
    assert_ptr_equal(poise_graph_value(f->g, (int)b->id), b);
    assert_string_equal(b->producer->layer, "expert");
    assert_string_equal(b->producer->place.file, "mmoe.yaml");
    assert_string_equal(b->name, "expert");
    assert_ptr_equal(b->producer->in[0], a);
}

static void a_failed_node_is_not_in_the_graph_and_says_where(void **state)
{
    fixture *f = *state;
    poise_graph_at(f->g, "mix", (poise_place){"mmoe.yaml", 9, 5}, NULL);
    poise_value *y = poise_input(f->g, "y", POISE_F32, 1, (int64_t[]){5}, NULL);
    int values = poise_graph_values(f->g);
    assert_null(toy2(f->g, &toy_add, f->x, y, &f->err));
    assert_int_equal(f->err.code, POISE_E_SHAPE);
    assert_string_equal(f->err.message, "mix, add: input 1 has another shape");
    assert_int_equal(f->err.line, 9);
    assert_null(poise_apply(f->g, &toy_add, 1, &f->x, NULL, &f->err));
    assert_string_equal(f->err.message, "mix, add: 1 inputs were given; 2 are wanted");
    assert_null(toy_shaped(f->g, &toy_fill, NULL, 1, 2, (int64_t[]){3, 0}, &f->err));
    assert_non_null(strstr(f->err.message, "dimension 1 of 0"));
    assert_null(
        toy_shaped(f->g, &toy_fill, NULL, 1, 2, (int64_t[]){1 << 30, INT64_C(1) << 40}, &f->err));
    assert_non_null(strstr(f->err.message, "larger than this machine"));
    assert_null(toy_shaped(f->g, &toy_reshape, f->x, 0, 2, (int64_t[]){2, 3}, &f->err));
    assert_non_null(strstr(f->err.message, "f32[4] cannot be seen as f32[2, 3]"));
    assert_int_equal(poise_graph_nodes(f->g), 0);
    assert_int_equal(poise_graph_values(f->g), values);
}

static void a_value_of_another_graph_is_refused(void **state)
{
    fixture *f = *state;
    poise_graph *other = poise_graph_new(f->store, NULL);
    poise_value *y = poise_input(other, "y", POISE_F32, 1, (int64_t[]){4}, NULL);
    assert_null(toy2(f->g, &toy_add, f->x, y, &f->err));
    assert_non_null(strstr(f->err.message, "another graph"));
    assert_int_equal(poise_graph_output(f->g, y, &f->err), -1);
    poise_graph_free(other);
}

static void bad_inputs_are_refused(void **state)
{
    fixture *f = *state;
    int64_t dim[] = {1, 2, 3, 4, 5}, none = 0;
    assert_null(poise_input(f->g, "a", POISE_F32, 0, dim, &f->err));
    assert_null(poise_input(f->g, "a", POISE_F32, 5, dim, &f->err));
    assert_null(poise_input(f->g, "a", (poise_dtype)7, 1, dim, &f->err));
    assert_null(poise_input(f->g, "batch", POISE_F32, 1, &none, &f->err));
    assert_non_null(strstr(f->err.message, "\"batch\""));
}

static void a_weight_is_one_value_per_graph_and_one_parameter_per_store(void **state)
{
    fixture *f = *state;
    int64_t dim[] = {3, 2};
    poise_value *w = poise_weight(f->g, "w", POISE_DENSE, 2, dim, zero, &f->err);
    assert_ptr_equal(poise_weight(f->g, "w", POISE_DENSE, 2, dim, zero, &f->err), w);
    assert_int_equal(w->role, POISE_PARAM);
    assert_int_equal(w->param, 0);
    assert_null(poise_weight(f->g, "w", POISE_DENSE, 1, dim, zero, &f->err));
    poise_store_seal(f->store, 1, NULL);
    poise_graph *second = poise_graph_new(f->store, NULL);
    poise_value *v = poise_weight(second, "w", POISE_DENSE, 2, dim, zero, &f->err);
    assert_non_null(v);
    assert_ptr_not_equal(v, w);
    assert_int_equal(v->param, 0);
    assert_null(poise_weight(second, "unknown", POISE_DENSE, 2, dim, zero, &f->err));
    assert_int_equal(poise_store_count(f->store), 1);
    poise_graph_free(second);
}

static void shapes_are_shown_as_people_write_them(void **state)
{
    fixture *f = *state;
    char text[64];
    poise_value *v = poise_input(f->g, "v", POISE_I32, 3, (int64_t[]){512, 8, 16}, NULL);
    assert_string_equal(poise_value_text(v, text, sizeof text), "i32[512, 8, 16]");
    assert_string_equal(poise_value_text(v, text, 8), "i32[512");
    assert_int_equal(poise_value_count(v), 512 * 8 * 16);
    assert_int_equal(poise_dtype_size(POISE_F64), 8);
    assert_string_equal(poise_graph_text(f->g, NULL, "%s/%d", "expert", 3), "expert/3");
}

/* ---- rewrites ---- */

static void common_nodes_are_merged_and_outputs_follow(void **state)
{
    fixture *f = *state;
    poise_value *a = toy1(f->g, &toy_square, f->x, NULL);
    poise_value *b = toy1(f->g, &toy_square, f->x, NULL);
    poise_value *c = toy2(f->g, &toy_add, a, f->x, NULL);
    poise_value *d = toy2(f->g, &toy_add, b, f->x, NULL); /* equal once b is a */
    poise_value *e = toy2(f->g, &toy_add, f->x, b, NULL); /* other order of inputs: kept */
    poise_graph_output(f->g, d, NULL);
    assert_int_equal(poise_rewrite_common(f->g, &f->err), 2);
    assert_ptr_equal(poise_resolve(b), a);
    assert_ptr_equal(poise_resolve(d), c);
    assert_ptr_equal(poise_resolve(e), e);
    assert_ptr_equal(e->producer->in[1], a);
    assert_true(b->producer->dead && d->producer->dead && !a->producer->dead);
    assert_true(poise_graph_is_output(f->g, d) && poise_graph_is_output(f->g, c));
    assert_int_equal(poise_rewrite_common(f->g, &f->err), 0);
    /* A builder may go on with a value that was merged away. */
    assert_ptr_equal(toy1(f->g, &toy_square, d, NULL)->producer->in[0], c);
}

static void other_attributes_are_other_nodes(void **state)
{
    fixture *f = *state;
    static const double fill[] = {0.0, -0.0, 1.0, 1.0};
    for (int k = 0; k < 4; k++)
        toy_shaped(f->g, &toy_fill, NULL, fill[k], 1, (int64_t[]){4}, NULL);
    toy_shaped(f->g, &toy_fill, NULL, 1, 1, (int64_t[]){5}, NULL);
    assert_int_equal(poise_rewrite_common(f->g, &f->err), 1);
}

static void effects_are_neither_merged_nor_removed(void **state)
{
    fixture *f = *state;
    int count = 0;
    poise_attr a = {.p = &count};
    poise_value *s = toy1(f->g, &toy_square, f->x, NULL); /* an effect reads it */
    poise_apply(f->g, &toy_effect, 1, &s, &a, NULL);
    poise_apply(f->g, &toy_effect, 1, &s, &a, NULL);
    toy1(f->g, &toy_square, s, NULL); /* nobody reads it */
    assert_int_equal(poise_rewrite_common(f->g, &f->err), 0);
    assert_int_equal(poise_rewrite_dead(f->g, &f->err), 1);
    poise_store_seal(f->store, 1, NULL);
    poise_session *session = poise_session_new(f->g, NULL, &f->err);
    assert_int_equal(poise_session_run(session, &(poise_run){.threads = 1}, NULL), 0);
    assert_int_equal(count, 2);
    poise_session_free(session);
}

static void dead_chains_go_and_what_outputs_need_stays(void **state)
{
    fixture *f = *state;
    poise_value *a = toy1(f->g, &toy_square, f->x, NULL);
    poise_value *b = toy1(f->g, &toy_square, a, NULL);
    poise_value *c = toy1(f->g, &toy_square, b, NULL), *d = toy1(f->g, &toy_square, c, NULL);
    poise_node *split = poise_apply(f->g, &toy_split, 1, &a, NULL, NULL);
    poise_graph_output(f->g, b, NULL);
    poise_graph_output(f->g, split->out[1], NULL); /* one output of two is enough */
    assert_int_equal(poise_rewrite_dead(f->g, &f->err), 2);
    assert_true(c->producer->dead && d->producer->dead);
    assert_false(split->dead || a->producer->dead || b->producer->dead);
    assert_int_equal(poise_rewrite_dead(f->g, &f->err), 0);
}

/* A parameter or an input may be an output. */
static void leaves_may_be_outputs(void **state)
{
    fixture *f = *state;
    assert_int_equal(poise_graph_output(f->g, f->x, &f->err), 0);
    assert_true(poise_graph_is_output(f->g, f->x));
    assert_int_equal(poise_graph_output(f->g, NULL, &f->err), -1);
    assert_null(poise_resolve(NULL));
    assert_int_equal(poise_rewrite_dead(f->g, &f->err), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nodes_keep_their_layer_place_and_order),
        TEST(a_failed_node_is_not_in_the_graph_and_says_where),
        TEST(a_value_of_another_graph_is_refused),
        TEST(bad_inputs_are_refused),
        TEST(a_weight_is_one_value_per_graph_and_one_parameter_per_store),
        TEST(shapes_are_shown_as_people_write_them),
        TEST(common_nodes_are_merged_and_outputs_follow),
        TEST(other_attributes_are_other_nodes),
        TEST(effects_are_neither_merged_nor_removed),
        TEST(dead_chains_go_and_what_outputs_need_stays),
        TEST(leaves_may_be_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
