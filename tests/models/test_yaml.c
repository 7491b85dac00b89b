/* The tree: what scalars mean, places, anchors, bounds, and what no reader needs to see. */
#include <math.h>
#include "read.h"
#include "models/yaml.h"

typedef struct fixture {
    poise__arena *arena;
    poise_diagnostics *diag;
} fixture;

static int set_up(void **state)
{
    poise_error err;
    fixture *f = calloc(1, sizeof(*f));
    f->arena = poise__arena_new(&err);
    f->diag = poise_diagnostics_new(&err);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    poise__arena_free(f->arena);
    poise_diagnostics_free(f->diag);
    free(f);
    return 0;
}

static poise__yaml *parse(fixture *f, const char *text)
{
    return poise__yaml_parse(text, strlen(text), "t.yaml", f->arena, f->diag);
}

static void plain_scalars_are_numbers(void **state)
{
    static const struct {
        const char *text;
        int is_int, is_number;
        int64_t i;
        double d;
    } cases[] = {
        {"0", 1, 1, 0, 0},
        {"-12", 1, 1, -12, -12},
        {"+7", 1, 1, 7, 7},
        {"007", 1, 1, 7, 7},
        {"0x1F", 1, 1, 31, 31},
        {"1e6", 1, 1, 1000000, 1e6},
        {"2.50e1", 1, 1, 25, 25},
        {"3.0", 1, 1, 3, 3},
        {"9223372036854775807", 1, 1, INT64_MAX, 9223372036854775807.0},
        {"1e-3", 0, 1, 0, 1e-3},
        {".5", 0, 1, 0, .5},
        {"5.", 1, 1, 5, 5},
        {"-.5E+1", 1, 1, -5, -5},
        {"1e300", 0, 1, 0, 1e300},
        {"9223372036854775808", 0, 1, 0, 9223372036854775808.0},
        {"1e999", 0, 0, 0, 0},
        {".", 0, 0, 0, 0},
        {"e5", 0, 0, 0, 0},
        {"1e", 0, 0, 0, 0},
        {"0x", 0, 0, 0, 0},
        {"1_000", 0, 0, 0, 0},
        {"1 000", 0, 0, 0, 0},
        {".nan", 0, 0, 0, 0},
        {".inf", 0, 0, 0, 0},
        {"nan", 0, 0, 0, 0},
        {"0x1p3", 0, 0, 0, 0},
        {"\"1\"", 0, 0, 0, 0},
        {"[1]", 0, 0, 0, 0},
    };
    for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
        poise__yaml *n = parse(*state, cases[k].text);
        int64_t i = 0;
        double d = 0;
        assert_non_null(n);
        int is_int = poise__yaml_int(n, &i) == 0, is_number = poise__yaml_number(n, &d) == 0;
        if (is_int != cases[k].is_int || is_number != cases[k].is_number || i != cases[k].i ||
            fabs(d - cases[k].d) > 0)
            fail_msg("%s: int %d %lld, number %d %g", cases[k].text, is_int, (long long)i,
                     is_number, d);
    }
}

static void places_count_from_one_in_characters(void **state)
{
    poise__yaml *n = parse(*state, "a: 1\n\xC3\xA9: {b: [x, y]}\n");
    const poise__yaml *y = poise__yaml_get(poise__yaml_get(n, "\xC3\xA9"), "b");
    assert_int_equal(n->place.line, 1);
    assert_int_equal(n->place.column, 1);
    assert_int_equal(y->item[1]->place.line, 2);
    assert_int_equal(y->item[1]->place.column, 12);
    assert_string_equal(y->item[1]->place.file, "t.yaml");
}

static void an_alias_is_a_copy(void **state)
{
    fixture *f = *state;
    poise_error err;
    poise__yaml *n = parse(f, "a: &x {k: [1, 2]}\nb: *x\n*w : 1\nc: &w word\n");
    assert_null(n); /* *w stands before its anchor */
    n = parse(f, "a: &x {k: [1, 2]}\nb: *x\nc: &w word\n*w : 1\n");
    assert_non_null(n);
    poise__yaml *a = poise__yaml_get(n, "a"), *b = poise__yaml_get(n, "b");
    assert_int_equal(poise__yaml_get(b, "k")->n, 2);
    assert_non_null(poise__yaml_get(n, "word"));
    poise__yaml *v = poise__yaml_scalar(f->arena, "3", 1, a->place, &err);
    assert_int_equal(poise__yaml_set(f->arena, b, "k", v, &err), 0);
    assert_int_equal(poise__yaml_get(a, "k")->kind, POISE__LIST);
}

/* Depth, size and number of values are bounded, whatever the text. */
static void bounds_hold(void **state)
{
    fixture *f = *state;
    char deep[POISE__YAML_DEPTH * 2 + 3] = "";
    memset(deep, '[', POISE__YAML_DEPTH);
    memset(deep + POISE__YAML_DEPTH, ']', POISE__YAML_DEPTH);
    assert_non_null(parse(f, deep));
    memset(deep, '[', POISE__YAML_DEPTH + 1);
    memset(deep + POISE__YAML_DEPTH + 1, ']', POISE__YAML_DEPTH + 1);
    assert_null(parse(f, deep));
    /* An alias inside a deep place adds its own depth. */
    assert_null(
        parse(f, "a: &a [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
                 "]]]]]]]]]]]]\nb: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]]]]]]"
                 "]]]]]\n"));
    size_t size = POISE__YAML_BYTES + 1;
    char *large = malloc(size);
    memset(large, ' ', size);
    assert_null(poise__yaml_parse(large, size, "t.yaml", f->arena, f->diag));
    memset(large, '\n', size - 1);
    memcpy(large, "a: 1", 4);
    assert_non_null(poise__yaml_parse(large, size - 1, "t.yaml", f->arena, f->diag));
    free(large);
    size_t many = (size_t)POISE__YAML_NODES * 2 + 10;
    char *flat = malloc(many + 1);
    for (size_t k = 0; k < many; k += 2)
        memcpy(flat + k, k ? "1," : "[ ", 2);
    memcpy(flat + many - 2, "1]", 2);
    assert_null(poise__yaml_parse(flat, many, "t.yaml", f->arena, f->diag));
    free(flat);
    assert_int_equal(poise_diagnostics_errors(f->diag), 4);
    char anchors[POISE__YAML_ANCHORS * 8 + 20] = "[";
    for (int k = 0; k <= POISE__YAML_ANCHORS; k++)
        strcat(anchors, k ? ",&a x" : "&a x");
    assert_null(parse(f, strcat(anchors, "]")));
    assert_int_equal(poise_diagnostics_errors(f->diag), 5);
}

static void an_unreadable_file_is_reported_where_it_is_named(void **state)
{
    fixture *f = *state;
    poise_place at = {"run.yaml", 3, 4};
    char text[1400];
    assert_null(poise__yaml_read(FOLDER "nowhere.yaml", at, f->arena, f->diag));
    assert_null(poise__yaml_read(FOLDER, at, f->arena, f->diag));
    assert_string_equal(poise_diagnostics_text(f->diag, 0, text, sizeof(text)),
                        "run.yaml:3:4: error: cannot open \"" FOLDER
                        "nowhere.yaml\": No such file or directory");
    assert_int_equal(poise_diagnostics_errors(f->diag), 2);
}

/* write, parse, write gives the same text, with quoting where it changes the meaning. */
static void a_written_tree_reads_back(void **state)
{
    fixture *f = *state;
    poise_error err;
    poise__yaml *n = parse(f, "a: \"1\"\nb: 1\nc: {d: [x, \"true\", 'it''s', \"a\\nb\"], e: {}}\n"
                              "\"f g\": \"\"\nh: []\n");
    assert_non_null(n);
    char *once = poise__yaml_write(n, 2, &err);
    assert_non_null(once);
    poise__yaml *again = parse(f, once);
    assert_non_null(again);
    char *twice = poise__yaml_write(again, 2, &err);
    assert_string_equal(once, twice);
    assert_int_equal(poise__yaml_get(again, "a")->plain, 0);
    assert_int_equal(poise__yaml_get(again, "b")->plain, 1);
    assert_string_equal(poise__yaml_get(poise__yaml_get(again, "c"), "d")->item[3]->text, "a\nb");
    free(once);
    free(twice);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(plain_scalars_are_numbers),
        TEST(places_count_from_one_in_characters),
        TEST(an_alias_is_a_copy),
        TEST(bounds_hold),
        TEST(an_unreadable_file_is_reported_where_it_is_named),
        TEST(a_written_tree_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
