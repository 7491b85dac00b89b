/* Parameters keep their handles, lie where store.h says and start from independent numbers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/random.h"
#include "core/store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHAPE(...)                                                         \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) \
    {                                                                      \
        __VA_ARGS__                                                        \
    }

static const poise_init zero = {.kind = POISE_INIT_ZERO};

static int setup(void **state)
{
    *state = poise_store_new(NULL);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    poise_store_free(*state);
    return 0;
}

static int add(poise_store *s, const char *name, poise_param_kind kind, int rank,
               const int64_t *dim, poise_init init, poise_error *err)
{
    return poise_store_add(s, name, kind, rank, dim, init, (poise_place){"m.yaml", 3, 1}, err);
}

static void kinds_lie_one_after_the_other_at_multiples_of_64_bytes(void **state)
{
    poise_store *s = *state;
    poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1};
    assert_int_equal(add(s, "table", POISE_TABLE, SHAPE(5, 3), one, NULL), 0);
    assert_int_equal(add(s, "a", POISE_DENSE, SHAPE(17), one, NULL), 1);
    assert_int_equal(add(s, "mean", POISE_STATE, SHAPE(2), one, NULL), 2);
    assert_int_equal(add(s, "b", POISE_DENSE, SHAPE(2, 3), one, NULL), 3);
    assert_null(poise_store_weight(s, 0));
    assert_null(poise_store_gradient(s, 1));
    assert_int_equal(poise_store_seal(s, 1, NULL), 0);
    static const size_t offset[] = {64, 0, 48, 32};
    size_t inside = 0;
    for (int k = 0; k < 4; k++) {
        const poise_parameter *p = poise_store_at(s, k);
        assert_int_equal(p->offset, offset[k]);
        assert_ptr_equal(poise_store_weight(s, k), poise_store_weights(s) + offset[k]);
        assert_int_equal((uintptr_t)poise_store_weight(s, k) % 64, 0);
        inside += (size_t)p->count;
    }
    assert_int_equal(poise_store_size(s), 80);
    assert_int_equal(poise_store_dense_size(s), 48);
    double sum = 0; /* all elements are 1, so the padding is 0 */
    for (size_t k = 0; k < poise_store_size(s); k++)
        sum += poise_store_weights(s)[k];
    assert_true(sum == (double)inside);
    for (size_t k = 0; k < poise_store_dense_size(s); k++)
        assert_true(poise_store_gradients(s)[k] == 0);
    assert_null(poise_store_gradient(s, 0));
    assert_null(poise_store_gradient(s, 2));
    assert_ptr_equal(poise_store_gradient(s, 3), poise_store_gradients(s) + 32);
    assert_string_equal(poise_store_at(s, 1)->place.file, "m.yaml");
}

static void the_same_parameter_again_is_the_same_handle(void **state)
{
    poise_store *s = *state;
    poise_error err = {0};
    for (int sealed = 0; sealed < 2; sealed++) {
        assert_int_equal(add(s, "w", POISE_DENSE, SHAPE(2, 3), zero, NULL), 0);
        assert_int_equal(add(s, "v", POISE_DENSE, SHAPE(2, 3), zero, NULL), 1);
        assert_int_equal(add(s, "w", POISE_DENSE, SHAPE(2, 3), zero, NULL), 0);
        assert_int_equal(add(s, "w", POISE_DENSE, SHAPE(3, 2), zero, &err), -1);
        assert_int_equal(err.code, POISE_E_SHAPE);
        assert_non_null(strstr(err.message, "\"w\" exists as dense [2, 3]"));
        assert_non_null(strstr(err.message, "dense [3, 2]"));
        assert_int_equal(add(s, "w", POISE_DENSE, SHAPE(2, 3, 1), zero, &err), -1);
        assert_int_equal(add(s, "w", POISE_STATE, SHAPE(2, 3), zero, &err), -1);
        assert_int_equal(poise_store_count(s), 2);
        if (!sealed)
            assert_int_equal(poise_store_seal(s, 1, NULL), 0);
    }
    assert_int_equal(add(s, "new", POISE_DENSE, SHAPE(1), zero, &err), -1);
    assert_non_null(strstr(err.message, "\"new\""));
    assert_int_equal(err.line, 3);
    assert_int_equal(poise_store_seal(s, 1, &err), -1);
}

static void names_are_found_among_thousands(void **state)
{
    poise_store *s = *state;
    char name[32];
    assert_int_equal(poise_store_find(s, "p0"), -1);
    for (int k = 0; k < 3000; k++) {
        snprintf(name, sizeof name, "p%d", k);
        assert_int_equal(add(s, name, POISE_DENSE, SHAPE(1), zero, NULL), k);
    }
    for (int k = 0; k < 3000; k++) {
        snprintf(name, sizeof name, "p%d", k);
        assert_int_equal(poise_store_find(s, name), k);
        assert_string_equal(poise_store_at(s, k)->name, name);
    }
    assert_int_equal(poise_store_find(s, "p3000"), -1);
}

static void bad_shapes_and_initialisations_are_refused(void **state)
{
    poise_store *s = *state;
    static const struct {
        int rank;
        int64_t dim[5];
        poise_param_kind kind;
        poise_init init;
        const char *want;
    } rows[] = {
        {0, {1}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "0 dimensions"},
        {5, {1, 1, 1, 1, 1}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "5 dimensions"},
        {2, {3, 0}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "dimension 1"},
        {2, {-3, 2}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "is -3"},
        {3, {1 << 30, 1 << 30, 1 << 30}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "larger"},
        {1, {INT64_MAX}, POISE_DENSE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "larger"},
        {1, {3}, POISE_TABLE, {POISE_INIT_ZERO, 0, 0, 0, 0}, "2, rows and width"},
        {1, {3}, POISE_DENSE, {POISE_INIT_HE, 0, 0, 2, 0}, "fan-in 0"},
        {1, {3}, POISE_DENSE, {POISE_INIT_GLOROT, 0, 2, 0, 0}, "fan-out 0"},
        {1, {3}, POISE_DENSE, {POISE_INIT_UNIFORM, -1, 0, 0, 0}, "-1"},
        {1, {3}, POISE_DENSE, {POISE_INIT_NORMAL, NAN, 0, 0, 0}, "nan"},
        {1, {3}, POISE_DENSE, {POISE_INIT_CONSTANT, INFINITY, 0, 0, 0}, "inf"},
        {1, {3}, POISE_DENSE, {(poise_init_kind)9, 0, 0, 0, 0}, "unknown initialisation"},
        {1, {3}, (poise_param_kind)9, {POISE_INIT_ZERO, 0, 0, 0, 0}, "unknown kind"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        poise_error err = {0};
        assert_int_equal(add(s, "w", rows[k].kind, rows[k].rank, rows[k].dim, rows[k].init, &err),
                         -1);
        if (!strstr(err.message, rows[k].want))
            fail_msg("row %zu: \"%s\" has no \"%s\"", k, err.message, rows[k].want);
        assert_int_equal(err.line, 3);
    }
    assert_int_equal(poise_store_count(s), 0);
}

static void the_sum_of_all_sizes_is_checked_too(void **state)
{
    poise_store *s = *state;
    poise_error err = {0};
    int64_t huge = INT64_MAX / 8;
    for (int k = 0; k < 6; k++) {
        char name[8];
        snprintf(name, sizeof name, "w%d", k);
        assert_int_equal(add(s, name, POISE_DENSE, 1, &huge, zero, NULL), k);
    }
    assert_int_equal(poise_store_seal(s, 1, &err), -1);
    assert_int_equal(err.code, POISE_E_MEMORY);
    assert_non_null(strstr(err.message, "\"w"));
    assert_false(poise_store_sealed(s));
}

/* A weight for all experts, [E, O, I]: no two experts, and no two units of one, start alike. */
static void every_expert_and_every_unit_starts_different(void **state)
{
    poise_store *s = *state;
    poise_init he = {.kind = POISE_INIT_HE, .fan_in = 5};
    add(s, "expert/weight", POISE_DENSE, SHAPE(4, 3, 5), he, NULL);
    add(s, "other/weight", POISE_DENSE, SHAPE(4, 3, 5), he, NULL);
    poise_store_seal(s, 1, NULL);
    const float *w = poise_store_weight(s, 0);
    for (int a = 0; a < 12; a++)
        for (int b = 0; b < a; b++)
            assert_memory_not_equal(w + 5 * a, w + 5 * b, 5 * sizeof *w);
    assert_memory_not_equal(w, poise_store_weight(s, 1), 60 * sizeof *w);
}

/* Position k of stream "init/NAME": other parameters and other orders do not matter. */
static void initial_weights_depend_on_name_and_seed_alone(void **state)
{
    poise_store *s = *state, *t = poise_store_new(NULL);
    poise_init u = {.kind = POISE_INIT_UNIFORM, .value = 0.5};
    poise_init n = {.kind = POISE_INIT_NORMAL, .value = 2};
    add(s, "a", POISE_DENSE, SHAPE(40), u, NULL);
    add(s, "b", POISE_TABLE, SHAPE(4, 10), n, NULL);
    add(t, "b", POISE_TABLE, SHAPE(4, 10), n, NULL);
    add(t, "c", POISE_DENSE, SHAPE(7), u, NULL);
    add(t, "a", POISE_DENSE, SHAPE(40), u, NULL);
    poise_store_seal(s, 7, NULL);
    poise_store_seal(t, 7, NULL);
    assert_memory_equal(poise_store_weight(s, 0), poise_store_weight(t, 2), 40 * sizeof(float));
    assert_memory_equal(poise_store_weight(s, 1), poise_store_weight(t, 0), 40 * sizeof(float));
    float want[40];
    poise_random_uniforms(7, poise_random_stream("init/a"), 0, 0, 40, -0.5F, 0.5F, want);
    assert_memory_equal(poise_store_weight(s, 0), want, sizeof want);
    poise_random_normals(7, poise_random_stream("init/b"), 0, 0, 40, 2, want);
    assert_memory_equal(poise_store_weight(s, 1), want, sizeof want);
    poise_store_free(t);
}

/* Whatever rows are drawn first, and in whatever order: the table is the same in the end. */
static void a_table_is_drawn_row_by_row_or_at_once_to_the_same_bits(void **state)
{
    poise_store *s = *state, *t = poise_store_new(NULL);
    poise_init n = {.kind = POISE_INIT_NORMAL, .value = 2};
    const int32_t some[] = {7, 0, 7, -1, 12, 13, 6, 99};
    add(s, "b", POISE_TABLE, SHAPE(13, 5), n, NULL);
    add(t, "b", POISE_TABLE, SHAPE(13, 5), n, NULL);
    poise_store_seal(s, 7, NULL);
    poise_store_seal(t, 7, NULL);
    assert_int_equal(poise_store_undrawn(s, 0), 13);
    poise__store_rows(s, 0, 4, some, 2); /* 7, 7, 12, 6 */
    assert_int_equal(poise_store_undrawn(s, 0), 10);
    const float *raw = poise__store_place(s, 0), none[5] = {0};
    assert_memory_equal(raw + 3 * 5, none, sizeof none);
    assert_memory_not_equal(raw + 7 * 5, none, sizeof none);
    poise__store_rows(s, 0, 8, some, 1);
    assert_int_equal(poise_store_undrawn(s, 0), 9);
    assert_ptr_equal(poise_store_weight(s, 0), raw);
    assert_int_equal(poise_store_undrawn(s, 0), 0);
    poise_store_draw(t);
    assert_memory_equal(raw, poise_store_weight(t, 0), 65 * sizeof *raw);
    poise_store_free(t);
}

static void bounds_are_those_of_the_papers(void **state)
{
    poise_store *s = *state;
    add(s, "he", POISE_DENSE, SHAPE(20000), (poise_init){POISE_INIT_HE, 0, 24, 0, 0}, NULL);
    add(s, "gl", POISE_DENSE, SHAPE(20000), (poise_init){POISE_INIT_GLOROT, 0, 20, 4, 0}, NULL);
    poise_store_seal(s, 1, NULL);
    for (int p = 0; p < 2; p++) {
        double low = 0, high = 0;
        for (int k = 0; k < 20000; k++) {
            low = fmin(low, poise_store_weight(s, p)[k]);
            high = fmax(high, poise_store_weight(s, p)[k]);
        }
        assert_true(high <= 0.5 && high > 0.499); /* sqrt(6 / 24) */
        assert_true(low >= -0.5 && low < -0.499);
    }
}

static void a_spike_and_what_is_left_sum_to_one(void **state)
{
    poise_store *s = *state;
    poise_init init = {.kind = POISE_INIT_SPIKE, .value = 0.7, .at = 2};
    add(s, "w", POISE_DENSE, SHAPE(4), init, NULL);
    poise_store_seal(s, 1, NULL);
    for (int k = 0; k < 4; k++)
        assert_true(poise_store_weight(s, 0)[k] == (float)(k == 2 ? 0.7 : (1 - 0.7) / 3));
}

static void an_empty_store_can_be_sealed(void **state)
{
    assert_int_equal(poise_store_seal(*state, 1, NULL), 0);
    assert_int_equal(poise_store_size(*state), 0);
    assert_true(poise_store_sealed(*state));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kinds_lie_one_after_the_other_at_multiples_of_64_bytes),
        TEST(the_same_parameter_again_is_the_same_handle),
        TEST(names_are_found_among_thousands),
        TEST(bad_shapes_and_initialisations_are_refused),
        TEST(the_sum_of_all_sizes_is_checked_too),
        TEST(every_expert_and_every_unit_starts_different),
        TEST(initial_weights_depend_on_name_and_seed_alone),
        TEST(a_table_is_drawn_row_by_row_or_at_once_to_the_same_bits),
        TEST(bounds_are_those_of_the_papers),
        TEST(a_spike_and_what_is_left_sum_to_one),
        TEST(an_empty_store_can_be_sealed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
