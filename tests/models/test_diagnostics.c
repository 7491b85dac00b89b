/* What is wrong is shown in the order of the text, once, and in bounded number. */
#include "read.h"
#include <jansson.h>

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

static void the_line_is_shown_with_a_caret(void **state)
{
    (void)state;
    static const char text[] = "one: 1\n  two: {three: four five, \"six seven\": [8]} # nine\n"
                               "\tt\xc3\xa4t: gr\xc3\xb6\xc3\x9f"
                               "er\r\nlast";
    static const struct {
        uint32_t line, column;
        const char *shown;
    } row[] = {
        {1, 1, "    1 | one: 1\n      | ^~~\n"},
        {1, 6, "    1 | one: 1\n      |      ^\n"},
        {2, 8,
         "    2 |   two: {three: four five, \"six seven\": [8]} # nine\n"
         "      |        ^\n"},
        {2, 16,
         "    2 |   two: {three: four five, \"six seven\": [8]} # nine\n"
         "      |                ^~~~~~~~~\n"},
        {2, 27,
         "    2 |   two: {three: four five, \"six seven\": [8]} # nine\n"
         "      |                           ^~~~~~~~~~~\n"},
        {3, 2,
         "    3 |  t\xc3\xa4t: gr\xc3\xb6\xc3\x9f"
         "er\n      |  ^~~\n"},
        {3, 7,
         "    3 |  t\xc3\xa4t: gr\xc3\xb6\xc3\x9f"
         "er\n      |       ^~~~~~\n"},
        {4, 5, "    4 | last\n      |     ^\n"},
        {4, 1, "    4 | last\n      | ^~~~\n"},
    };
    poise_error err;
    for (int k = 0; k < (int)(sizeof(row) / sizeof(row[0])); k++) {
        poise_diagnostics *d = poise_diagnostics_new(&err);
        char buf[POISE_DIAGNOSTIC_TEXT], want[1000];
        assert_int_equal(poise_diagnostics_source(d, "a.yaml", text, sizeof(text) - 1), 0);
        poise_diagnose(d, (poise_place){"a.yaml", row[k].line, row[k].column}, "no");
        snprintf(want, sizeof(want), "a.yaml:%u:%u: error: no\n%s", row[k].line, row[k].column,
                 row[k].shown);
        assert_string_equal(poise_diagnostics_show(d, 0, buf, sizeof(buf)), want);
        poise_diagnostics_free(d);
    }
}

static void what_has_no_line_has_no_caret(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    char buf[POISE_DIAGNOSTIC_TEXT];
    static const poise_place place[] = {{"a.yaml", 9, 1}, {"a.yaml", 0, 0}, {"a.yaml", 1, 0},
                                        {"b.yaml", 1, 1}, {NULL, 0, 0},     {"--set a=b", 1, 1}};
    poise_diagnostics_source(d, "a.yaml", "one\n", 4);
    poise_diagnostics_source(d, "--set a=b", "b", 1);
    for (int k = 0; k < 6; k++)
        poise_diagnose(d, place[k], "no");
    for (int k = 0; k < 6; k++)
        assert_null(strchr(poise_diagnostics_show(d, k, buf, sizeof(buf)), '^'));
    assert_string_equal(poise_diagnostics_show(d, 6, buf, sizeof(buf)), "");
    poise_diagnostics_free(d);
}

/* Of a long line a window is shown; control characters do not reach the terminal. */
static void long_lines_are_cut(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    char line[3000], buf[POISE_DIAGNOSTIC_TEXT];
    memset(line, 'x', sizeof(line));
    line[1499] = ' ', line[1500] = 'y', line[1501] = ' ', line[1502] = '\033';
    poise_diagnostics_source(d, "a.yaml", line, sizeof(line));
    poise_diagnose(d, (poise_place){"a.yaml", 1, 1501}, "no");
    poise_diagnostics_show(d, 0, buf, sizeof(buf));
    assert_true(strlen(buf) < 400);
    const char *text = strstr(buf, " y "), *caret = strchr(buf, '^');
    assert_non_null(text);
    assert_non_null(caret);
    assert_int_equal(text + 1 - strchr(buf, '|'), caret - strrchr(buf, '|'));
    assert_null(strchr(buf, '\033'));
    poise_diagnostics_free(d);
}

static void a_note_explains_the_last_one(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    char buf[POISE_DIAGNOSTIC_TEXT];
    poise_diagnose_note(d, POISE_NOWHERE, "of nothing");
    poise_diagnostics_source(d, "b.yaml", "x: $y\n", 6);
    poise_diagnose(d, (poise_place){"a.yaml", 2, 1}, "second");
    poise_diagnose(d, (poise_place){"a.yaml", 1, 1}, "first");
    poise_diagnose_note(d, (poise_place){"b.yaml", 1, 4}, "used here");
    poise_diagnose_note(d, (poise_place){"b.yaml", 1, 4}, "twice");
    poise_diagnose(d, (poise_place){"a.yaml", 1, 1}, "first"); /* known: its note stays */
    poise_diagnose_note(d, (poise_place){"b.yaml", 1, 1}, "another");
    assert_string_equal(poise_diagnostics_show(d, 0, buf, sizeof(buf)),
                        "a.yaml:1:1: error: first\nb.yaml:1:4: note: used here\n"
                        "    1 | x: $y\n      |    ^~\n");
    assert_string_equal(poise_diagnostics_show(d, 1, buf, sizeof(buf)),
                        "a.yaml:2:1: error: second\n");
    poise_diagnostics_free(d);
}

static void editors_get_json(void **state)
{
    (void)state;
    poise_error err;
    poise_diagnostics *d = poise_diagnostics_new(&err);
    poise_diagnostics_source(d, "a.yaml", "batch: many\n", 12);
    poise_diagnose(d, (poise_place){"a.yaml", 1, 8}, "no \"number\"");
    poise_diagnose_note(d, (poise_place){"b.yaml", 2, 3}, "here");
    poise_warn(d, POISE_NOWHERE, "odd");
    char *text = poise_diagnostics_json(d, &err);
    json_t *root = json_loads(text, 0, NULL);
    json_t *want = json_pack(
        "{s:i, s:i, s:[{s:s, s:s, s:i, s:i, s:i, s:s, s:{s:s, s:i, s:i, s:s}}, {s:s, s:s}]}",
        "errors", 1, "warnings", 1, "diagnostics", "severity", "error", "file", "a.yaml", "line", 1,
        "column", 8, "end_column", 12, "message", "no \"number\"", "note", "file", "b.yaml", "line",
        2, "column", 3, "message", "here", "severity", "warning", "message", "odd");
    assert_non_null(want);
    assert_true(json_equal(root, want));
    json_decref(want);
    json_decref(root);
    free(text);
    poise_diagnostics_free(d);
}

/* The value is wrong in one file for what another does with it: both are named. */
static void a_parameter_names_both_files(void **state)
{
    (void)state;
    poise_diagnostics *d;
    char buf[POISE_DIAGNOSTIC_TEXT];
    poise_spec *s = read_spec("bad/model_range.yaml", NULL, 0, NULL, &d);
    assert_null(s);
    const poise_diagnostic *g = poise_diagnostics_get(d, 0);
    assert_non_null(strstr(g->error.file, "model_range.yaml"));
    assert_non_null(strstr(g->note.file, "mmoe.yaml"));
    poise_diagnostics_show(d, 0, buf, sizeof(buf));
    assert_non_null(strstr(buf, "\n    3 | model: {use: mmoe, experts: 0, units: [16, 70000]}\n"));
    assert_non_null(strstr(buf, "note: parameter 'experts' is declared here\n"));
    assert_non_null(strstr(buf, " |   experts: {default: 8"));
    poise_diagnostics_show(d, 1, buf, sizeof(buf));
    assert_non_null(strstr(buf, "note: $units is used here\n"));
    assert_non_null(strstr(buf, " | "
                                "  expert: {copies: $experts"));
    poise_diagnostics_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_come_in_order_of_file_and_place),
        cmocka_unit_test(past_the_bound_they_are_only_counted),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(the_line_is_shown_with_a_caret),
        cmocka_unit_test(what_has_no_line_has_no_caret),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(a_note_explains_the_last_one),
        cmocka_unit_test(editors_get_json),
        cmocka_unit_test(a_parameter_names_both_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
