/* A vocabulary that several columns have in common. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

static const char ROWS[] = "item,seen,last,y\n"
                           "b,a|c,c,0\n"
                           "c,,b,1\n"
                           "b,c|d|c,,0\n"
                           "d,b,e,1\n";

/* seen and last use the table of item, which is declared between them. */
static poise_schema *example(int64_t min_count)
{
    static poise_task task[1];
    poise_feature f[3] = {[1] = categorical("item"), [2] = categorical("last")};
    f[0] = (poise_feature){.name = "seen",
                           .kind = POISE_LIST,
                           .place = {"run.yaml", 7, 3},
                           .missing = NAN,
                           .separator = "|",
                           .length = 3,
                           .table = "item"};
    f[1].dim = 6;
    f[1].min_count = min_count;
    f[2].table = "item";
    task[0] = binary("y", "y", NULL);
    poise_feature *kept = calloc(3, sizeof *kept);
    assert_non_null(kept);
    memcpy(kept, f, sizeof f);
    return schema_of(3, kept, 1, task);
}

static void done(poise_schema *s)
{
    poise_feature *f = s->feature;
    poise_schema_free(s);
    free(f);
}

static void learn(poise_schema *s, poise_data *data)
{
    poise_error err = {0};
    poise_data_spec d = spec_of(file_text("common.csv", ROWS));
    if (poise_data_open(&d, s, data, &err) < 0)
        fail_msg("%s", err.message);
}

static void it_is_learnt_from_all_columns(void **state)
{
    static const char *const wanted[] = {"", "a", "b", "c", "d", "e"};
    poise_schema *s = example(1);
    poise_data data;
    (void)state;
    learn(s, &data);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(s->feature[k].nvalue, 6);
        assert_int_equal(s->feature[k].dim, 6);
        assert_ptr_equal(s->feature[k].value, s->feature[1].value);
    }
    for (int i = 0; i < 6; i++)
        assert_string_equal(s->feature[1].value[i], wanted[i]);
    assert_int_equal(s->feature[1].users, 2);
    poise_data_done(&data);
    done(s);
}

/* The same text is the same id, wherever it stands. */
static void a_text_has_one_id(void **state)
{
    static const int32_t ids[4][2] = {{3, 4}, {4, 3}, {3, 1}, {5, 6}}; /* item, last */
    static const int32_t seen[] = {2, 4, 4, 5, 4, 3};
    poise_schema *s = example(1);
    poise_data data;
    (void)state;
    learn(s, &data);
    assert_memory_equal(data.train->ids, ids, sizeof ids);
    assert_int_equal(data.train->list[0].start[4], 6);
    assert_memory_equal(data.train->list[0].item, seen, sizeof seen);
    poise_data_done(&data);
    done(s);
}

/* a and e are there once, "" once; d twice, but in two columns. */
static void min_count_counts_all_columns(void **state)
{
    poise_schema *s = example(2);
    poise_data data;
    (void)state;
    learn(s, &data);
    assert_int_equal(s->feature[0].nvalue, 3);
    assert_int_equal(poise_feature_id(&s->feature[2], "d"), 3);
    assert_int_equal(poise_feature_id(&s->feature[0], "a"), 0);
    poise_data_done(&data);
    done(s);
}

static void it_is_written_once_and_read_back_by_all(void **state)
{
    poise_error err = {0};
    poise_schema *s = example(1);
    poise_data data;
    (void)state;
    learn(s, &data);
    char *text = poise_schema_to_json(s, &err);
    assert_non_null(text);
    const char *values = strstr(text, "\"values\"");
    assert_non_null(values);
    assert_null(strstr(values + 1, "\"values\""));
    poise_schema *again = poise_schema_from_json(text, &err);
    if (!again)
        fail_msg("%s", err.message);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(again->feature[k].nvalue, 6);
        assert_int_equal(again->feature[k].dim, 6);
        assert_ptr_equal(again->feature[k].value, again->feature[1].value);
    }
    assert_string_equal(again->feature[2].table, "item");
    char *twice = poise_schema_to_json(again, &err);
    assert_string_equal(text, twice);
    free(text);
    free(twice);
    poise_schema_free(again);
    poise_data_done(&data);
    done(s);
}

/* `from` in the text becomes `to`, and what is read then is refused. */
static void refused(const char *text, const char *from, const char *to)
{
    poise_error err = {0};
    char changed[4096];
    const char *at = strstr(text, from);
    assert_non_null(at);
    assert_true(strlen(text) + strlen(to) < sizeof changed);
    (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to,
                   at + strlen(from));
    poise_schema *s = poise_schema_from_json(changed, &err);
    if (s)
        fail_msg("%s in place of %s was taken", to, from);
    assert_int_equal(err.code, POISE_E_FORMAT);
}

static void a_damaged_name_of_a_table_is_refused(void **state)
{
    poise_error err = {0};
    poise_schema *s = example(1);
    poise_data data;
    (void)state;
    learn(s, &data);
    char *text = poise_schema_to_json(s, &err);
    assert_non_null(text);
    refused(text, "\"table\":\"item\"", "\"table\":\"itm\"");
    refused(text, "\"table\":\"item\"", "\"table\":\"seen\""); /* itself */
    refused(text, "\"table\":\"item\"", "\"table\":\"last\""); /* which has none */
    refused(text, "\"table\":\"item\"", "\"table\":null");
    refused(text, "\"table\":\"item\"", "\"table\":\"item\",\"dim\":6");
    free(text);
    poise_data_done(&data);
    done(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_learnt_from_all_columns),
        cmocka_unit_test(a_text_has_one_id),
        cmocka_unit_test(min_count_counts_all_columns),
        cmocka_unit_test(it_is_written_once_and_read_back_by_all),
        cmocka_unit_test(a_damaged_name_of_a_table_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
