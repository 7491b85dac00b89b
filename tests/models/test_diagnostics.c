/* What is wrong is shown in the order of the text, once, and in bounded number. */
#include "read.h"

static const char *text(const poise_diagnostics *d, int k)
{
    static char buf[1400];
    return poise_diagnostics_text(d, k, buf, sizeof(buf));
}

static void they_come_in_order_of_file_and_place(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    poise_place b1 = {"b.yaml", 2, 1}, a1 = {"a.yaml", 9, 9}, b2 = {"b.yaml", 1, 7},
                b3 = {"b.yaml", 1, 2}, set = {"--set a=b", 1, 1}, whole = {"c.yaml", 0, 0},
                line = {"d.csv", 1, 0};
    assert_int_equal(poise_diagnose(d, b1, "one %d", 1), -1);
    poise_diagnose(d, a1, "two");
    poise_warn(d, b2, "three");
    poise_diagnose(d, b3, "four");
    poise_diagnose(d, set, "five");
    poise_diagnose(d, POISE_NOWHERE, "six");
    poise_diagnose(d, whole, "seven");
    poise_diagnose(d, line, "eight");
    poise_diagnose(d, b3, "four"); /* again: counts once */
    assert_int_equal(poise_diagnostics_count(d), 8);
    assert_int_equal(poise_diagnostics_errors(d), 7);
    assert_string_equal(text(d, 0), "b.yaml:1:2: error: four");
    assert_string_equal(text(d, 1), "b.yaml:1:7: warning: three");
    assert_string_equal(text(d, 2), "b.yaml:2:1: error: one 1");
    assert_string_equal(text(d, 3), "a.yaml:9:9: error: two");
    assert_string_equal(text(d, 4), "--set a=b: error: five");
    assert_string_equal(text(d, 5), "error: six");
    assert_string_equal(text(d, 6), "c.yaml: error: seven");
    assert_string_equal(text(d, 7), "d.csv:1: error: eight");
    assert_string_equal(text(d, 8), "");
    assert_string_equal(text(d, -1), "");
    assert_string_equal(poise_diagnostics_first(d)->message, "four");
    poise_diagnostics_free(d);
}

static void past_the_bound_they_are_only_counted(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    assert_null(poise_diagnostics_first(d));
    for (int k = 0; k < 250; k++)
        poise_diagnose(d, (poise_place){"f", (uint32_t)(300 - k), 1}, "wrong");
    assert_int_equal(poise_diagnostics_count(d), 100);
    assert_int_equal(poise_diagnostics_errors(d), 250);
    for (int k = 1; k < 100; k++)
        assert_true(strcmp(text(d, k), "") != 0);
    poise_diagnostics_free(d);
    poise_diagnostics_free(NULL);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    poise_error err;
    char word[3000];
    memset(word, 'x', sizeof(word) - 1);
    word[sizeof(word) - 1] = 0;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    poise_diagnose(d, (poise_place){word, 1, 1}, "%s", word);
    assert_true(strlen(text(d, 0)) < 1400);
    char tiny[8];
    poise_diagnostics_text(d, 0, tiny, sizeof(tiny));
    assert_string_equal(tiny, "xxxxxxx");
    poise_diagnostics_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_in_order_of_file_and_place),
        cmocka_unit_test(past_the_bound_they_are_only_counted),
        cmocka_unit_test(a_long_message_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
