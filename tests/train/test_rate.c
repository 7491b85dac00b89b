/* The rates of schedules are those of PyTorch's schedulers, and a function of the step alone; patterns
 * name parameters as they say. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include "models/sections.h"
#include "train/optimizer.h"
#include "train/rate.h"
#include "../golden/rates.h"

static void factors_are_pytorchs(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++)
        for (uint64_t t = 0; t < RATES; t++) {
            double got = poise_rate_factor(&golden[k].schedule, t, RATES);
            if (!(fabs(got - golden[k].factor[t]) < 1e-12))
                fail_msg("%s, step %d: %.15g, PyTorch's %.15g", golden[k].name, (int)t, got,
                         golden[k].factor[t]);
        }
}

/* A cosine without steps of its own ends with the run, and stays there. */
static void a_cosine_ends_with_the_run(void **state)
{
    poise_rate_schedule s = {.warmup = 10, .decay = POISE_COSINE, .to = 0.25};

    (void)state;
    assert_true(poise_rate_factor(&s, 9, 110) == 1 && poise_rate_factor(&s, 10, 110) == 1);
    assert_true(fabs(poise_rate_factor(&s, 60, 110) - 0.625) < 1e-15);
    assert_true(poise_rate_factor(&s, 110, 110) == 0.25);
    assert_true(poise_rate_factor(&s, 100000, 110) == 0.25);
    s.warmup = 200; /* longer than the run */
    assert_true(poise_rate_factor(&s, 109, 110) == 0.55);
    assert_true(poise_rate_factor(&s, 200, 110) == 0.25);
}

static void patterns_name_parameters(void **state)
{
    static const struct {
        const char *pattern, *name;
        int names, may;
    } cases[] = {
        {"expert", "expert/0/weight", 1, 1},
        {"expert/0", "expert/0/weight", 1, 1},
        {"*/bias", "expert/0/bias", 1, 1},
        {"*/bias", "expert/0/weight", 0, 1},
        {"exp", "expert/0/weight", 0, 0},
        {"exp*", "expert/0/weight", 1, 1},
        {"tower/*/0", "tower/buy/0/bias", 1, 1},
        {"tower/?uy", "tower/buy", 1, 1},
        {"expert/1/weight", "expert", 0, 1},
        {"experts/1", "expert", 0, 0},
        {"*", "a", 1, 1},
        {"", "a", 0, 0},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        if (poise__glob_names(cases[k].pattern, cases[k].name) != cases[k].names)
            fail_msg("'%s' and %s", cases[k].pattern, cases[k].name);
        if (poise__glob_may_name(cases[k].pattern, cases[k].name) != cases[k].may)
            fail_msg("'%s' in %s", cases[k].pattern, cases[k].name);
    }
}

static poise_store *store(void)
{
    poise_error err;
    poise_store *s = poise_store_new(&err);
    poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1};
    static const char *const names[] = {"a/weight", "a/bias", "b/weight", "b/bias"};

    for (int k = 0; k < 4; k++)
        assert_true(poise_store_add(s, names[k], POISE_DENSE, 1, (int64_t[]){3 + k}, one,
                                    POISE_NOWHERE, &err) == k);
    assert_int_equal(poise_store_add(s, "embedding/x", POISE_TABLE, 2, (int64_t[]){4, 3}, one,
                                     POISE_NOWHERE, &err),
                     4);
    assert_int_equal(poise_store_seal(s, 1, &err), 0);
    return s;
}

/* The first pattern that names a parameter counts; rate 0 leaves it as it is. */
static void the_first_pattern_counts(void **state)
{
    static const poise_tuning tuning[] = {{.pattern = "*/bias", .rate = 0, .l2 = -1},
                                          {.pattern = "b", .rate = 0.5, .l2 = 1},
                                          {.pattern = "embedding/*", .rate = 2, .l2 = -1}};
    static const float want[4] = {0.9F, 1, 0.9F, 1}; /* b/weight: 1 - 0.05 (1 + 1) */
    poise_error err;
    poise_store *s = store();
    poise_optimizer *o = poise_optimizer_of(
        &(poise_train_spec){.optimizer = {POISE_SGD, .rate = 0.1}, .ntuning = 3, .tuning = tuning},
        s, &err);

    (void)state;
    assert_non_null(o);
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < poise_store_at(s, k)->count; i++)
            poise_store_gradient(s, k)[i] = 1;
    poise_optimizer_begin(o, 1);
    poise_optimizer_dense(o, 2);
    poise_optimizer_rows(o, 4, 1, (int32_t[]){2}, (float[]){1, 1, 1});
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < poise_store_at(s, k)->count; i++)
            assert_true(fabsf(poise_store_weight(s, k)[i] - want[k]) < 1e-6F);
    assert_true(fabsf(poise_store_weight(s, 4)[6] - 0.8F) < 1e-6F);
    assert_true(poise_store_weight(s, 4)[3] == 1);
    poise_optimizer_free(o);
    poise_store_free(s);
}

static void a_pattern_without_parameters_is_refused(void **state)
{
    static const poise_tuning tuning[] = {
        {.pattern = "a", .rate = 1, .l2 = -1},
        {.pattern = "*/wieght", .place = {"x.yaml", 3, 9}, .rate = 1}};
    poise_error err;
    poise_store *s = store();

    (void)state;
    assert_null(poise_optimizer_of(
        &(poise_train_spec){.optimizer = {POISE_SGD, .rate = 0.1}, .ntuning = 2, .tuning = tuning},
        s, &err));
    assert_int_equal(err.code, POISE_E_SPEC);
    assert_int_equal(err.line, 3);
    assert_string_equal(err.message, "tuning: no parameter's name matches '*/wieght'");
    poise_store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(factors_are_pytorchs),
        cmocka_unit_test(a_cosine_ends_with_the_run),
        cmocka_unit_test(patterns_name_parameters),
        cmocka_unit_test(the_first_pattern_counts),
        cmocka_unit_test(a_pattern_without_parameters_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
