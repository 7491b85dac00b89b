/* Gradients are those of central differences, and stop, add up and fail where graph.h says. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "toy_ops.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N = 6 };

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_value *x0, *x1; /* inputs f32[N] */
    poise_error err;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){0};
    f.store = poise_store_new(&f.err);
    f.g = poise_graph_new(f.store, &f.err);
    poise_graph_sum_with(f.g, &toy_add);
    poise_graph_ones_with(f.g, &toy_fill);
    f.x0 = poise_input(f.g, "x0", POISE_F32, 1, (int64_t[]){N}, &f.err);
    f.x1 = poise_input(f.g, "x1", POISE_F32, 1, (int64_t[]){N}, &f.err);
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

static poise_value *out(fixture *f, const poise_op *op, poise_value *x, int slot)
{
    poise_node *n = poise_apply(f->g, op, 1, &x, NULL, &f->err);
    return n ? n->out[slot] : NULL;
}

/* The graphs to differentiate: each returns its y. */
static poise_value *g_square(fixture *f)
{
    return toy1(f->g, &toy_square, f->x0, &f->err);
}
static poise_value *g_mul(fixture *f)
{
    return toy2(f->g, &toy_mul, f->x0, f->x1, &f->err);
}
static poise_value *g_same_twice(fixture *f)
{
    return toy2(f->g, &toy_mul, f->x0, f->x0, &f->err);
}
static poise_value *g_add_self(fixture *f)
{
    return toy2(f->g, &toy_add, f->x0, f->x0, &f->err);
}
/* Every use of x0 adds to its gradient: x0^2 x1 + x0 + x0 x0. */
static poise_value *g_diamond(fixture *f)
{
    poise_value *s = toy1(f->g, &toy_square, f->x0, &f->err);
    poise_value *a = toy2(f->g, &toy_mul, s, f->x1, &f->err);
    poise_value *b = toy2(f->g, &toy_add, a, f->x0, &f->err);
    return toy2(f->g, &toy_add, b, g_same_twice(f), &f->err);
}
static poise_value *g_sum(fixture *f)
{
    return toy1(f->g, &toy_square, toy1(f->g, &toy_sum, g_mul(f), &f->err), &f->err);
}
static poise_value *g_split_both(fixture *f)
{
    poise_node *n = poise_apply(f->g, &toy_split, 1, &f->x0, NULL, &f->err);
    return toy2(f->g, &toy_mul, n->out[0], n->out[1], &f->err);
}
static poise_value *g_split_second(fixture *f)
{
    return toy1(f->g, &toy_square, out(f, &toy_split, f->x0, 1), &f->err);
}
static poise_value *g_view(fixture *f)
{
    poise_value *v = toy_shaped(f->g, &toy_reshape, g_mul(f), 0, 2, (int64_t[]){2, 3}, &f->err);
    return toy1(f->g, &toy_square, v, &f->err);
}

static float at(int which, int k)
{
    return (float)(which ? 0.3 * k - 0.7 : 0.5 - 0.4 * k + 0.05 * k * k);
}

/* d (sum of y) / d x against central differences, for x0 and x1. */
static void check(fixture *f, poise_value *(*build)(fixture *))
{
    poise_value *y = build(f);
    assert_non_null(y);
    poise_value *x[2] = {f->x0, f->x1};
    poise_gradient dx[2];
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 2, x, dx, &f->err), 0);
    poise_graph_output(f->g, y, NULL);
    for (int k = 0; k < 2; k++)
        if (dx[k].value)
            poise_graph_output(f->g, dx[k].value, NULL);
    assert_int_equal(poise_store_seal(f->store, 1, &f->err), 0);
    poise_session *s = poise_session_new(f->g, NULL, &f->err);
    assert_non_null(s);
    float *data[2] = {poise_session_data(s, f->x0), poise_session_data(s, f->x1)};
    const float *py = poise_session_data(s, y);
    poise_run run = {.threads = 1};
    for (int which = 0; which < 2; which++)
        for (int k = 0; k < N; k++) {
            double side[2];
            const double h = 1.0 / 64;
            for (int dir = 0; dir < 2; dir++) {
                for (int i = 0; i < N; i++) {
                    data[0][i] = at(0, i);
                    data[1][i] = at(1, i);
                }
                data[which][k] += (float)(dir ? h : -h);
                assert_int_equal(poise_session_run(s, &run, &f->err), 0);
                side[dir] = 0;
                for (int64_t i = 0; i < poise_value_count(y); i++)
                    side[dir] += py[i];
            }
            double numeric = (side[1] - side[0]) / (2 * h);
            data[which][k] = at(which, k);
            assert_int_equal(poise_session_run(s, &run, &f->err), 0);
            double analytic =
                dx[which].value ? ((float *)poise_session_data(s, dx[which].value))[k] : 0;
            if (fabs(numeric - analytic) > 2e-3 * (1 + fabs(numeric)))
                fail_msg("x%d[%d]: numeric %g, analytic %g", which, k, numeric, analytic);
        }
    poise_session_free(s);
}

static void gradients_are_those_of_central_differences(void **state)
{
    static poise_value *(*const graphs[])(fixture *) = {g_square,     g_mul,          g_same_twice,
                                                        g_add_self,   g_diamond,      g_sum,
                                                        g_split_both, g_split_second, g_view};
    for (size_t k = 0; k < sizeof graphs / sizeof *graphs; k++) {
        check(*state, graphs[k]);
        teardown(state);
        setup(state);
    }
}

/* Run the graph with x0 = at(0), x1 = at(1) and read a value of N elements. */
static void read_value(fixture *f, poise_value *v, float *to)
{
    poise_graph_output(f->g, v, NULL);
    if (!poise_store_sealed(f->store))
        poise_store_seal(f->store, 1, NULL);
    poise_session *s = poise_session_new(f->g, NULL, &f->err);
    assert_non_null(s);
    for (int k = 0; k < N; k++) {
        ((float *)poise_session_data(s, f->x0))[k] = at(0, k);
        ((float *)poise_session_data(s, f->x1))[k] = at(1, k);
    }
    assert_int_equal(poise_session_run(s, &(poise_run){.threads = 1}, &f->err), 0);
    memcpy(to, poise_session_data(s, v), N * sizeof *to);
    poise_session_free(s);
}

static void close_to(double a, double b)
{
    if (!(fabs(a - b) <= 1e-5 * (1 + fabs(b))))
        fail_msg("%g is not %g", a, b);
}

/* dx = dy0 d y0 / dx + d y1 / dx with y0 = x0^2, dy0 = x1, y1 = x0 x1, dy1 = ones. */
static void several_outputs_add_up_with_their_seeds(void **state)
{
    fixture *f = *state;
    poise_value *y[2] = {g_square(f), g_mul(f)}, *dy[2] = {f->x1, NULL};
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 2, y, dy, 1, &f->x0, &dx, &f->err), 0);
    float got[N];
    read_value(f, dx.value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], 2.0 * at(0, k) * at(1, k) + at(1, k));
}

/* y = (h, x0), h = x0^2: x0 is among the y's and receives its dy on top of what comes through h. */
static void an_x_among_the_ys_receives_its_dy(void **state)
{
    fixture *f = *state;
    poise_value *y[2] = {g_square(f), f->x0}, *dy[2] = {NULL, f->x1};
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 2, y, dy, 1, &f->x0, &dx, &f->err), 0);
    float got[N];
    read_value(f, dx.value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], 2.0 * at(0, k) + at(1, k));
}

/* y = h x0 with h = x0^2: with x = (h, x0), x0 gets h alone, not 3 x0^2. */
static void the_walk_stops_at_every_x(void **state)
{
    fixture *f = *state;
    poise_value *h = g_square(f), *y = toy2(f->g, &toy_mul, h, f->x0, &f->err);
    poise_value *x[2] = {h, f->x0};
    poise_gradient dx[2];
    int before = poise_graph_nodes(f->g);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 2, x, dx, &f->err), 0);
    assert_int_equal(poise_graph_nodes(f->g) - before, 3); /* ones, and the two products */
    float got[N];
    read_value(f, dx[1].value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], (double)at(0, k) * at(0, k));
    read_value(f, dx[0].value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], at(0, k));
}

static void what_y_does_not_depend_on_has_no_gradient_and_costs_nothing(void **state)
{
    fixture *f = *state;
    poise_value *y = g_square(f);
    poise_gradient dx[2] = {{f->x0, f->x0}, {f->x0, f->x0}};
    int before = poise_graph_nodes(f->g);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x1, dx, &f->err), 0);
    assert_null(dx[0].value);
    assert_null(dx[0].rows);
    assert_int_equal(poise_graph_nodes(f->g), before);
    assert_int_equal(poise_backward(f->g, 0, NULL, NULL, 1, &f->x0, dx, &f->err), 0);
    assert_null(dx[0].value);
}

/* An operator without a gradient beside the path is not visited. */
static void only_nodes_between_x_and_y_are_visited(void **state)
{
    fixture *f = *state;
    poise_value *side = toy1(f->g, &toy_nograd, f->x1, &f->err);
    poise_value *y = toy2(f->g, &toy_mul, f->x0, side, &f->err);
    poise_value *after = toy1(f->g, &toy_nograd, y, &f->err);
    assert_non_null(after);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), 0);
    assert_non_null(dx.value);
}

static void a_missing_gradient_names_the_node(void **state)
{
    fixture *f = *state;
    poise_graph_at(f->g, "tower/click", (poise_place){"m.yaml", 12, 3}, NULL);
    poise_value *a = toy1(f->g, &toy_nograd, f->x0, &f->err);
    poise_graph_at(f->g, "loss", (poise_place){"m.yaml", 20, 1}, NULL);
    poise_value *y = toy1(f->g, &toy_square, a, &f->err);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_GRADIENT);
    assert_non_null(strstr(f->err.message, "tower/click, nograd: "));
    assert_string_equal(f->err.file, "m.yaml");
    assert_int_equal(f->err.line, 12);
}

static void no_gradient_flows_through_a_stop(void **state)
{
    fixture *f = *state;
    poise_value *s = toy1(f->g, &toy_stop, f->x0, &f->err);
    poise_value *y = toy2(f->g, &toy_mul, s, f->x0, &f->err);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), 0);
    float got[N];
    read_value(f, dx.value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], at(0, k)); /* not twice that */
    poise_value *z = toy1(f->g, &toy_square, s, &f->err);
    assert_int_equal(poise_backward(f->g, 1, &z, NULL, 1, &f->x0, &dx, &f->err), 0);
    assert_null(dx.value);
}

/* Backward nodes carry the layer and the place of the node they are the gradient of. */
static void backward_nodes_belong_to_the_forward_layer(void **state)
{
    fixture *f = *state;
    poise_graph_at(f->g, "expert", (poise_place){"m.yaml", 4, 3}, NULL);
    poise_value *y = g_mul(f);
    poise_graph_at(f->g, "elsewhere", POISE_NOWHERE, NULL);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), 0);
    assert_string_equal(dx.value->producer->layer, "expert");
    assert_int_equal(dx.value->producer->place.line, 4);
    assert_string_equal(toy1(f->g, &toy_square, y, NULL)->producer->layer, "elsewhere");
}

/* Second derivatives: the gradient's graph has gradients. d^2 (x^3) / dx^2 = 6 x. */
static void gradients_have_gradients(void **state)
{
    fixture *f = *state;
    poise_value *y = toy2(f->g, &toy_mul, g_square(f), f->x0, &f->err);
    poise_gradient d1, d2;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &d1, &f->err), 0);
    assert_int_equal(poise_backward(f->g, 1, &d1.value, NULL, 1, &f->x0, &d2, &f->err), 0);
    float got[N];
    read_value(f, d2.value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], 6.0 * at(0, k));
}

static poise_value *embed(fixture *f, poise_value *ids, poise_value *table)
{
    return toy2(f->g, &toy_embed, ids, table, &f->err);
}

static void a_table_has_a_gradient_by_rows(void **state)
{
    fixture *f = *state;
    poise_value *ids = poise_input(f->g, "ids", POISE_I32, 1, (int64_t[]){4}, NULL);
    poise_value *table = poise_weight(f->g, "table", POISE_TABLE, 2, (int64_t[]){5, 2},
                                      (poise_init){.kind = POISE_INIT_ZERO}, NULL);
    poise_value *y = embed(f, ids, table);
    poise_value *dy = poise_input(f->g, "dy", POISE_F32, 2, (int64_t[]){4, 2}, NULL);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, &dy, 1, &table, &dx, &f->err), 0);
    assert_non_null(dx.rows);
    poise_graph_output(f->g, dx.value, NULL);
    poise_graph_output(f->g, dx.rows, NULL);
    poise_store_seal(f->store, 1, NULL);
    poise_session *s = poise_session_new(f->g, NULL, &f->err);
    memcpy(poise_session_data(s, ids), (int32_t[]){3, 1, 3, 0}, 16);
    memcpy(poise_session_data(s, dy), (float[]){1, 2, 3, 4, 5, 6, 7, 8}, 32);
    assert_int_equal(poise_session_run(s, &(poise_run){.threads = 1}, &f->err), 0);
    assert_memory_equal(poise_session_data(s, dx.rows), ((int32_t[]){3, 1, 0, -1}), 16);
    assert_memory_equal(poise_session_data(s, dx.value), ((float[]){6, 8, 3, 4, 7, 8, 0, 0}), 32);
    poise_session_free(s);
}

static void a_table_in_two_embeddings_is_an_error_that_names_it(void **state)
{
    fixture *f = *state;
    poise_value *ids = poise_input(f->g, "ids", POISE_I32, 1, (int64_t[]){4}, NULL);
    poise_value *table = poise_weight(f->g, "city/table", POISE_TABLE, 2, (int64_t[]){5, 2},
                                      (poise_init){.kind = POISE_INIT_ZERO}, NULL);
    poise_value *y = toy2(f->g, &toy_add, embed(f, ids, table), embed(f, ids, table), NULL);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &table, &dx, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_GRADIENT);
    assert_non_null(strstr(f->err.message, "\"city/table\""));
    /* Something that is computed has no rows to give gradients to. */
    poise_value *moved = toy1(f->g, &toy_square, table, NULL), *z = embed(f, ids, moved);
    assert_int_equal(poise_backward(f->g, 1, &z, NULL, 1, &table, &dx, &f->err), -1);
    assert_non_null(strstr(f->err.message, "square"));
}

static void a_graph_that_was_not_told_how_to_add_says_so(void **state)
{
    fixture *f = *state;
    poise_gradient dx;
    poise_value *y = g_same_twice(f);
    poise_graph_sum_with(f->g, NULL);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_non_null(strstr(f->err.message, "poise_graph_sum_with"));
    poise_graph_ones_with(f->g, NULL);
    y = g_square(f);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_GRADIENT);
    assert_non_null(strstr(f->err.message, "poise_graph_ones_with"));
    assert_int_equal(poise_backward(f->g, 1, &y, &f->x1, 1, &f->x0, &dx, &f->err), 0);
}

static int wrong_rule(poise_graph *g, const poise_node *n, poise_value *const *dout,
                      const int *want, poise_gradient *din, poise_error *err)
{
    (void)n, (void)want;
    return (din[0].value = toy1(g, &toy_sum, dout[0], err)) ? 0 : -1;
}

static void bad_arguments_and_bad_rules_are_errors(void **state)
{
    fixture *f = *state;
    poise_value *y = g_square(f), *none = NULL;
    poise_value *ids = poise_input(f->g, "ids", POISE_I32, 1, (int64_t[]){N}, NULL);
    poise_value *small = poise_input(f->g, "small", POISE_F32, 1, (int64_t[]){2}, NULL);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &none, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &none, &dx, &f->err), -1);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &ids, &dx, &f->err), -1);
    assert_int_equal(poise_backward(f->g, 1, &ids, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_non_null(strstr(f->err.message, "\"ids\""));
    assert_int_equal(poise_backward(f->g, 1, &y, &small, 1, &f->x0, &dx, &f->err), -1);
    assert_non_null(strstr(f->err.message, "f32[2]"));
    poise_op wrong = toy_square;
    wrong.name = "wrong";
    wrong.backward = wrong_rule;
    poise_value *z = toy1(f->g, &wrong, f->x0, NULL);
    assert_int_equal(poise_backward(f->g, 1, &z, NULL, 1, &f->x0, &dx, &f->err), -1);
    assert_non_null(strstr(f->err.message, "wrong: "));
}

/* x given twice gets the same gradient twice; x and y the same value without a dy is ones. */
static void repeated_and_trivial_targets(void **state)
{
    fixture *f = *state;
    poise_value *y = g_square(f), *x[2] = {f->x0, f->x0};
    poise_gradient dx[2];
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 2, x, dx, &f->err), 0);
    assert_ptr_equal(dx[0].value, dx[1].value);
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &y, dx, &f->err), 0);
    float got[N];
    read_value(f, dx[0].value, got);
    for (int k = 0; k < N; k++)
        close_to(got[k], 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gradients_are_those_of_central_differences),
        TEST(several_outputs_add_up_with_their_seeds),
        TEST(an_x_among_the_ys_receives_its_dy),
        TEST(the_walk_stops_at_every_x),
        TEST(what_y_does_not_depend_on_has_no_gradient_and_costs_nothing),
        TEST(only_nodes_between_x_and_y_are_visited),
        TEST(a_missing_gradient_names_the_node),
        TEST(no_gradient_flows_through_a_stop),
        TEST(backward_nodes_belong_to_the_forward_layer),
        TEST(gradients_have_gradients),
        TEST(a_table_has_a_gradient_by_rows),
        TEST(a_table_in_two_embeddings_is_an_error_that_names_it),
        TEST(a_graph_that_was_not_told_how_to_add_says_so),
        TEST(bad_arguments_and_bad_rules_are_errors),
        TEST(repeated_and_trivial_targets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
