/* Texts of a spec become doubles, or an error at their place. */
#include "objects.h"

#include <math.h>

#include "plugins/settings.h"

enum { ALPHA, DEPTH, FAST, MODE, GAIN };
static const char *const modes[] = {"adam", "sgd", "none", NULL};
static const poise_param params[] = {
    [ALPHA] = {"alpha", "h", POISE_REAL, 0, 1.5, 0, 10, NULL},
    [DEPTH] = {"depth", "h", POISE_INT, 0, 3, 1, INFINITY, NULL},
    [FAST] = {"fast", "h", POISE_BOOL, 0, 1, 0, 0, NULL},
    [MODE] = {"mode", "h", POISE_CHOICE, 0, 1, 0, 0, modes},
    [GAIN] = {"gain", "h", POISE_REAL, POISE_PER_TASK, 1, -5, 5, NULL},
};
static const poise_balancer table = {POISE_SIZES, .id = "mine", .param = params,
                                     .nparam = POISE_COUNT(params)};
static const poise_balancer bare = {POISE_SIZES, .id = "bare"};
static const char *const tasks[] = {"click", "detail", "favourite"};
enum { T = 3 };

typedef struct fixture {
    poise__arena *arena;
    const double *const *param;
    poise_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->arena = poise__arena_new(NULL);
    *state = f;
    return f->arena ? 0 : -1;
}

static int teardown(void **state)
{
    fixture *f = *state;
    poise__arena_free(f->arena);
    free(f);
    return 0;
}

static int read_one(fixture *f, const poise_setting *s)
{
    memset(&f->err, 0, sizeof f->err);
    return poise__settings_read(&table, T, tasks, 1, s, &f->param, f->arena, &f->err);
}

static void defaults_without_settings(void **state)
{
    fixture *f = *state;
    assert_int_equal(poise__settings_read(&table, T, tasks, 0, NULL, &f->param, f->arena, &f->err),
                     0);
    assert_true(f->param[ALPHA][0] == 1.5 && f->param[DEPTH][0] == 3 && f->param[FAST][0] == 1 &&
                f->param[MODE][0] == 1);
    for (int t = 0; t < T; t++)
        assert_true(f->param[GAIN][t] == 1);
}

static void texts_become_numbers(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name, *text;
        int k;
        double want;
    } cases[] = {
        {"alpha", "1e-3", ALPHA, 1e-3}, {"alpha", "0", ALPHA, 0},    {"alpha", "10", ALPHA, 10},
        {"alpha", "+2.5", ALPHA, 2.5},  {"alpha", ".5", ALPHA, 0.5}, {"depth", "7", DEPTH, 7},
        {"depth", "1e3", DEPTH, 1000},  {"fast", "false", FAST, 0},  {"fast", "true", FAST, 1},
        {"mode", "adam", MODE, 0},      {"mode", "none", MODE, 2},   {"gain", "-5", GAIN, -5},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        poise_setting s = {.name = cases[k].name, .n = 1, .text = &cases[k].text};
        assert_int_equal(read_one(f, &s), 0);
        assert_true(f->param[cases[k].k][0] == cases[k].want);
    }
    assert_true(f->param[GAIN][0] == -5 && f->param[GAIN][2] == -5); /* one text sets all tasks */
}

/* A number may have words for 0, 1, ... */
static void a_number_takes_its_words(void **state)
{
    static const char *const words[] = {"epoch", NULL};
    static const poise_param row[] = {{"window", "h", POISE_INT, 0, 3, 0, 9, words}};
    static const poise_balancer worded = {POISE_SIZES, .id = "mine", .param = row, .nparam = 1};
    fixture *f = *state;
    const char *const text[] = {"epoch", "4", "epochs"};

    for (int k = 0; k < 3; k++) {
        poise_setting s = {"window", {"run.yaml", 1, 1}, 1, NULL, &text[k], NULL};
        memset(&f->err, 0, sizeof f->err);
        int rc = poise__settings_read(&worded, T, tasks, 1, &s, &f->param, f->arena, &f->err);
        assert_int_equal(rc, k < 2 ? 0 : -1);
        if (k < 2)
            assert_true(f->param[0][0] == (k ? 4 : 0));
    }
    assert_string_equal(f->err.message, "balancer \"mine\": window is \"epochs\"; it must be epoch "
                                        "or a whole number in [0, 9]");
}

static void a_task_that_is_not_named_keeps_the_default(void **state)
{
    fixture *f = *state;
    const char *task[] = {"favourite", "click"}, *text[] = {"2", "-1.5"};
    poise_setting s = {.name = "gain", .n = 2, .task = task, .text = text};
    assert_int_equal(read_one(f, &s), 0);
    assert_true(f->param[GAIN][0] == -1.5 && f->param[GAIN][1] == 1 && f->param[GAIN][2] == 2);
}

static void bad_texts_are_refused_at_their_place(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"alpha", "fast", "alpha is \"fast\"; it must be a number in [0, 10]"},
        {"alpha", "", "alpha is \"\"; it must be a number in [0, 10]"},
        {"alpha", "1.5x", "alpha is \"1.5x\"; it must be a number in [0, 10]"},
        {"alpha", "1e", "alpha is \"1e\"; it must be a number in [0, 10]"},
        {"alpha", " 1", "alpha is \" 1\"; it must be a number in [0, 10]"},
        {"alpha", "0x1", "alpha is \"0x1\"; it must be a number in [0, 10]"},
        {"alpha", "nan", "alpha is \"nan\"; it must be a number in [0, 10]"},
        {"alpha", "10.01", "alpha is \"10.01\"; it must be a number in [0, 10]"},
        {"alpha", "-1e-9", "alpha is \"-1e-9\"; it must be a number in [0, 10]"},
        {"depth", "1.5", "depth is \"1.5\"; it must be a whole number of at least 1"},
        {"depth", "0", "depth is \"0\"; it must be a whole number of at least 1"},
        {"depth", "1e999", "depth is \"1e999\"; it must be a whole number of at least 1"},
        {"fast", "yes", "fast is \"yes\"; it must be true or false"},
        {"fast", "1", "fast is \"1\"; it must be true or false"},
        {"mode", "Adam", "mode is \"Adam\"; it must be adam, sgd or none"},
        {"mode", "1", "mode is \"1\"; it must be adam, sgd or none"},
        {"gain", "6", "gain is \"6\"; it must be a number in [-5, 5]"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        poise_place at = {"run.yaml", 7, 21};
        poise_setting s = {.name = cases[k].name, .n = 1, .text = &cases[k].text, .at = &at};
        assert_int_equal(read_one(f, &s), -1);
        expect_error(&f->err, POISE_E_SPEC, "balancer \"mine\": %s", cases[k].message);
        assert_string_equal(f->err.file, "run.yaml");
        assert_int_equal(f->err.line, 7);
        assert_int_equal(f->err.column, 21);
    }
}

static void bad_names_are_refused(void **state)
{
    fixture *f = *state;
    const char *one[] = {"1", "1"};
    const char *twice[] = {"click", "click"}, *unknown[] = {"click", "favorite"};
    poise_place place = {"run.yaml", 3, 5};
    const struct {
        poise_setting s;
        const char *message;
    } cases[] = {
        {{"alhpa", place, 1, NULL, one, NULL},
         "balancer \"mine\" has no parameter \"alhpa\"; did you mean \"alpha\"?"},
        {{"temperature", place, 1, NULL, one, NULL},
         "balancer \"mine\" has no parameter \"temperature\"; it has alpha, depth, fast, mode, "
         "gain"},
        {{"alpha", place, 2, unknown, one, NULL},
         "balancer \"mine\": alpha is one value for all tasks; it cannot be given per task"},
        {{"gain", place, 2, NULL, one, NULL},
         "balancer \"mine\": gain has 2 values without task names; write one value, or {TASK: "
         "value, "
         "...}"},
        {{"gain", place, 2, twice, one, NULL},
         "balancer \"mine\": gain is given twice for the task \"click\""},
        {{"gain", place, 2, unknown, one, NULL},
         "balancer \"mine\": gain is given for the task \"favorite\", which does not exist; did "
         "you "
         "mean \"favourite\"?"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        assert_int_equal(read_one(f, &cases[k].s), -1);
        expect_error(&f->err, POISE_E_SPEC, "%s", cases[k].message);
        assert_int_equal(f->err.line, 3);
    }
}

static void a_setting_given_twice_is_refused(void **state)
{
    fixture *f = *state;
    const char *one[] = {"1"};
    const poise_setting s[] = {{.name = "alpha", .n = 1, .text = one},
                               {.name = "alpha", .place = {"cli", 1, 1}, .n = 1, .text = one}};
    assert_int_equal(poise__settings_read(&table, T, tasks, 2, s, &f->param, f->arena, &f->err),
                     -1);
    expect_error(&f->err, POISE_E_SPEC, "balancer \"mine\": alpha is given twice");
    assert_string_equal(f->err.file, "cli");
}

static void a_balancer_without_parameters_says_so(void **state)
{
    fixture *f = *state;
    const char *one[] = {"1"};
    const poise_setting s = {.name = "alpha", .n = 1, .text = one};
    assert_int_equal(poise__settings_read(&bare, T, tasks, 0, NULL, &f->param, f->arena, &f->err),
                     0);
    assert_int_equal(poise__settings_read(&bare, T, tasks, 1, &s, &f->param, f->arena, &f->err),
                     -1);
    expect_error(&f->err, POISE_E_SPEC,
                 "balancer \"bare\" has no parameter \"alpha\"; it has no parameters");
}

int main(void)
{
#define WITH_ARENA(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_ARENA(defaults_without_settings),
        WITH_ARENA(texts_become_numbers),
        WITH_ARENA(a_number_takes_its_words),
        WITH_ARENA(a_task_that_is_not_named_keeps_the_default),
        WITH_ARENA(bad_texts_are_refused_at_their_place),
        WITH_ARENA(bad_names_are_refused),
        WITH_ARENA(a_setting_given_twice_is_refused),
        WITH_ARENA(a_balancer_without_parameters_says_so),
    };
    return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
