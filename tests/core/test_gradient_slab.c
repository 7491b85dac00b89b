/* Gradients are computed into the store's slab, however they come about. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session_fixture.h"

#include <string.h>

static void expect(fixture *f, int param, float a, float b)
{
    const float *d = poise_store_gradient(f->store, param);
    for (int k = 0; k < N; k++) {
        float x = (float)k - 1.0f, want = a * x + b;
        if (d[k] != want)
            fail_msg("parameter %d, element %d: %g is not %g", param, k, (double)d[k],
                     (double)want);
    }
}

/* Each row gives the gradients of w and v as values that are hard to pin. */
typedef struct pins {
    poise_value *w, *v;
} pins;

static pins two_computed(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_mul, f->x, f->w, NULL); /* 1.5 x */
    return (pins){toy2(f->g, &toy_add, t, f->x, NULL), t};
}
static pins the_same_value(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){t, t};
}
static pins an_input_and_a_parameter(fixture *f)
{
    return (pins){f->x, f->v};
}
static pins in_place_of_each_other(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){toy2(f->g, &toy_add, t, f->x, NULL), t};
}
static poise_value *view(fixture *f, poise_value *x, int64_t a, int64_t b)
{
    return toy_shaped(f->g, &toy_reshape, x, 0, 2, (int64_t[]){a, b}, NULL);
}
static pins views_of_one(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){view(f, t, 1, N), view(f, view(f, t, 1, N), N, 1)};
}
static pins a_view_of_an_input(fixture *f)
{
    return (pins){view(f, f->x, N, 1), view(f, f->w, N, 1)};
}

static void gradients_are_computed_into_the_slab(void **state)
{
    static const struct {
        pins (*make)(fixture *);
        float wa, wb, va, vb; /* want: a x + b */
        int copies;
    } rows[] = {
        {two_computed, 2.5f, 0, 1.5f, 0, 0},
        {the_same_value, 2, 0, 2, 0, 1},
        {an_input_and_a_parameter, 1, 0, 0, 1.5f, 2},
        {in_place_of_each_other, 3, 0, 2, 0, 0},
        {views_of_one, 2, 0, 2, 0, 1},
        {a_view_of_an_input, 1, 0, 0, 1.5f, 2},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        teardown(state);
        setup(state);
        fixture *f = *state;
        pins p = rows[r].make(f);
        poise_value *gradient[] = {p.w, p.v};
        poise_graph_output(f->g, p.w, NULL);
        poise_graph_output(f->g, p.v, NULL);
        assert_true(poise_rewrite_dead(f->g, &f->err) >= 0);
        poise_session *s = make(
            f,
            &(poise_session_options){.ngradient = 2, .gradient = gradient, .param = (int[]){0, 1}});
        int copies = 0;
        for (int k = 0; k < poise_session_steps(s); k++)
            copies += strcmp(poise_session_step(s, k)->node->op->name, "copy") == 0;
        assert_int_equal(copies, rows[r].copies);
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
        expect(f, 0, rows[r].wa, rows[r].wb);
        expect(f, 1, rows[r].va, rows[r].vb);
        if (rows[r].copies == 0)
            assert_ptr_equal(poise_session_data(s, p.w), poise_store_gradient(f->store, 0));
        poise_session_free(s);
    }
}

static void wrong_gradients_are_refused(void **state)
{
    fixture *f = *state;
    int64_t n = N, small = 2;
    poise_init zero = {.kind = POISE_INIT_ZERO};
    poise_weight(f->g, "mean", POISE_STATE, 1, &n, zero, NULL); /* parameter 2 */
    poise_value *t = toy1(f->g, &toy_square, f->x, NULL);
    poise_value *dead = toy1(f->g, &toy_sum, t, NULL);
    poise_value *few = poise_input(f->g, "few", POISE_F32, 1, &small, NULL);
    poise_value *ids = poise_input(f->g, "ids", POISE_I32, 1, &n, NULL);
    poise_graph_output(f->g, t, NULL);
    poise_rewrite_dead(f->g, NULL);
    poise_value *both[] = {t, f->x};
    poise_value *gone = toy_shaped(f->g, &toy_spread, dead, 0, 1, &n, NULL);
    gone->producer->dead = 1;
    const struct {
        int n;
        poise_value *gradient[2];
        int param[2];
        const char *want;
    } rows[] = {
        {1, {NULL}, {0}, "not a value"},
        {1, {t}, {-1}, "parameter -1"},
        {1, {t}, {3}, "parameter 3"},
        {1, {t}, {2}, "parameter 2, which is not a dense"},
        {1, {few}, {0}, "\"w\" is f32[2]; 5 elements"},
        {1, {ids}, {0}, "i32[5]"},
        {2, {both[0], both[1]}, {1, 1}, "two gradients are given for \"v\""},
        {1, {gone}, {0}, "removed"},
    };
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_non_null(strstr(f->err.message, "sealed"));
    poise_store_seal(f->store, 1, NULL);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        poise_session_options o = {
            .ngradient = rows[r].n, .gradient = rows[r].gradient, .param = rows[r].param};
        assert_null(poise_session_new(f->g, &o, &f->err));
        assert_int_equal(f->err.code, POISE_E_GRADIENT);
        if (!strstr(f->err.message, rows[r].want))
            fail_msg("row %zu: \"%s\" has no \"%s\"", r, f->err.message, rows[r].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gradients_are_computed_into_the_slab),
        TEST(wrong_gradients_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
