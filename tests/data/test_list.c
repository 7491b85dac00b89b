/* Lists of values in a cell: cut, learnt, encoded, and laid out in batches. */
#include "../count_alloc.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

static poise_feature list_of(const char *name, const char *separator, int64_t length)
{
    return (poise_feature){.name = name,
                           .kind = POISE_LIST,
                           .place = {"run.yaml", 7, 3},
                           .missing = NAN,
                           .separator = separator,
                           .length = length,
                           .dim = 4,
                           .min_count = 1};
}

typedef struct opened {
    poise_schema *schema;
    poise_data data;
} opened;

static opened open_rows(const char *text, int nfeature, poise_feature *feature)
{
    static poise_task task[1];
    static const char *const missing[] = {"none"};
    poise_error err = {0};
    task[0] = binary("y", "y", NULL);
    opened o = {.schema = schema_of(nfeature, feature, 1, task)};
    poise_data_spec d = spec_of(file_text("list.csv", text));
    d.nmissing = 1;
    d.missing = missing;
    if (poise_data_open(&d, o.schema, &o.data, &err) < 0)
        fail_msg("%s", err.message);
    return o;
}

static void close_rows(opened *o)
{
    poise_data_done(&o->data);
    poise_schema_free(o->schema);
}

/* Row `row` of list k is these texts, in this order. */
static void holds(const opened *o, int k, int64_t row, int n, const char *const *text)
{
    const poise__list *list = &o->data.train->list[k];
    const poise_feature *f = &o->schema->feature[k];
    assert_int_equal(list->start[row + 1] - list->start[row], n);
    for (int i = 0; i < n; i++)
        assert_int_equal(list->item[list->start[row] + i], poise_feature_id(f, text[i]));
}

static void a_cell_is_cut_at_separators(void **state)
{
    (void)state;
    poise_feature f[] = {list_of("tags", "|", 9), list_of("path", "->", 9)};
    opened o = open_rows("tags,path,y\n"
                         "b|a|b,x->y->->z,0\n" /* twice is twice; nothing between is no value */
                         "|a||,->,1\n"
                         ",none,0\n"
                         "none,x-y>z,0\n",
                         2, f);
    holds(&o, 0, 0, 3, (const char *const[]){"b", "a", "b"});
    holds(&o, 0, 1, 1, (const char *const[]){"a"});
    holds(&o, 0, 2, 0, NULL);
    holds(&o, 0, 3, 0, NULL);
    holds(&o, 1, 0, 3, (const char *const[]){"x", "y", "z"});
    holds(&o, 1, 1, 0, NULL);
    holds(&o, 1, 2, 0, NULL);
    holds(&o, 1, 3, 1, (const char *const[]){"x-y>z"});
    assert_int_equal(f[0].nvalue, 2);
    assert_int_equal(poise_feature_rows(&f[0]), 3);
    assert_int_equal(poise_feature_width(&f[0]), 4);
    assert_int_equal(poise_feature_numbers(&f[0]) + poise_feature_ids(&f[0]), 0);
    close_rows(&o);
}

/* Another feature of the column sees the cell whole, whichever of the two is read first. */
static void a_cell_is_whole_again_after_it_was_cut(void **state)
{
    (void)state;
    poise_feature f[] = {list_of("tags", "|", 9), categorical("word")};
    f[1].column = "tags";
    opened o = open_rows("tags,y\na|b,0\na|b|c,1\n", 2, f);
    assert_int_equal(f[1].nvalue, 2);
    assert_string_equal(f[1].value[1], "a|b|c");
    close_rows(&o);
}

static void what_is_too_long_keeps_its_first_or_its_last(void **state)
{
    (void)state;
    poise_feature f[] = {list_of("first", "|", 2), list_of("last", "|", 2)};
    f[0].column = f[1].column = "tags";
    f[1].keep_last = 1;
    opened o = open_rows("tags,y\na|b|c|d,0\ne|f,1\n", 2, f);
    holds(&o, 0, 0, 2, (const char *const[]){"a", "b"});
    holds(&o, 1, 0, 2, (const char *const[]){"c", "d"});
    holds(&o, 0, 1, 2, (const char *const[]){"e", "f"});
    holds(&o, 1, 1, 2, (const char *const[]){"e", "f"});
    assert_int_equal(f[0].nvalue, 4); /* what was left out was not learnt */
    assert_int_equal(poise_feature_id(&f[0], "c"), 0);
    close_rows(&o);
}

static void rare_and_unseen_values_are_row_0(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_feature f[] = {list_of("tags", "|", 4)};
    f[0].min_count = 2;
    f[0].pool = POISE_POOLED_MAX;
    f[0].keep_last = 1;
    opened o = open_rows("tags,y\na|b,0\na|c|c,1\n", 1, f);
    assert_int_equal(f[0].nvalue, 2); /* a, c */
    const poise__list *train = &o.data.train->list[0];
    assert_int_equal(train->item[1], 0);
    char *text = poise_schema_to_json(o.schema, &err);
    poise_schema *s = poise_schema_from_json(text, &err);
    assert_non_null(s);
    assert_string_equal(s->feature[0].separator, "|");
    assert_true(s->feature[0].pool == POISE_POOLED_MAX && s->feature[0].keep_last == 1);
    assert_true(s->feature[0].length == 4 && s->feature[0].dim == 4);
    poise_data_spec d = spec_of(NULL);
    poise_dataset *r =
        poise_dataset_read(&d, file_text("other.csv", "tags\nz|c\n\n\"a|b|c|c|a\"\n"), s, 0, &err);
    assert_non_null(r);
    const int32_t item[] = {0, 2, 0, 2, 2, 1};
    assert_int_equal(r->list[0].start[3], 6);
    assert_int_equal(r->list[0].start[1], r->list[0].start[2]);
    assert_memory_equal(r->list[0].item, item, sizeof item);
    poise_dataset_free(r);
    poise_schema_free(s);
    free(text);
    close_rows(&o);
}

enum { ROWS = 23, BATCH = 5, LENGTH = 4 };

/* Row i has i % 6 values, of which 4 are kept: v<i>_0, v<i>_1, ... */
static opened many(poise_feature *f)
{
    char text[4096] = "tags,n,y\n";
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < i % 6; k++)
            snprintf(text + strlen(text), sizeof text - strlen(text), "%sv%d_%d", k ? "|" : "", i,
                     k);
        snprintf(text + strlen(text), sizeof text - strlen(text), ",%d,%d\n", i, i % 2);
    }
    f[0] = list_of("tags", "|", LENGTH);
    f[1] = numeric("n");
    return open_rows(text, 2, f);
}

static void a_batch_has_its_rows_lists_padded(void **state)
{
    (void)state;
    poise_error err;
    poise_batch b;
    poise_feature f[2];
    opened o = many(f);
    poise_stream *s = poise_stream_new(o.data.train, BATCH, 1, 7, &err);
    assert_non_null(s);
    int seen = 0;
    int64_t n;
    while ((n = poise_stream_next(s, &b, &err)) > 0)
        for (int64_t i = 0; i < BATCH; i++)
            for (int64_t k = 0; k < LENGTH; k++) {
                int32_t id = b.list[0][i * LENGTH + k];
                if (i >= n || k >= b.row[i] % 6) {
                    assert_int_equal(id, -1);
                    continue;
                }
                char text[32];
                snprintf(text, sizeof text, "v%d_%d", (int)b.row[i], (int)k);
                assert_int_equal(id, poise_feature_id(&f[0], text));
                assert_true(id > 0);
                seen++;
            }
    assert_int_equal(seen, 3 * (1 + 2 + 3 + 4 + 4) + 1 + 2 + 3 + 4);
    poise_stream_free(s);
    close_rows(&o);
}

static void a_batch_of_lists_allocates_nothing(void **state)
{
    (void)state;
    poise_error err;
    poise_batch b;
    poise_feature f[2];
    if (!COUNT_ALLOC)
        skip();
    opened o = many(f);
    poise_stream *s = poise_stream_new(o.data.train, BATCH, 1, 7, &err);
    long before = count_alloc();
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        poise_stream_seek(s, epoch, 0);
        while (poise_stream_next(s, &b, &err) > 0)
            ;
    }
    assert_int_equal(count_alloc() - before, 0);
    poise_stream_free(s);
    close_rows(&o);
}

/* Every request for memory of opening, streaming and freeing refused in turn: an error each time, and
 * nothing is lost. */
static void every_refusal_of_memory_is_an_error(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    const char *path = file_text("refused.csv", "tags,y\na|b,0\nb|c|d,1\n,0\n");
    for (long k = 0;; k++) {
        poise_error err = {0};
        poise_feature f[] = {list_of("tags", "|", 3)};
        poise_task task[] = {binary("y", "y", NULL)};
        poise_data data = {NULL, NULL, NULL};
        poise_data_spec d = spec_of(path);
        long live = count_alloc_live();
        poise_schema *s = schema_of(1, f, 1, task);
        count_alloc_fail(k);
        poise_stream *stream = NULL;
        if (poise_data_open(&d, s, &data, &err) == 0)
            stream = poise_stream_new(data.train, 2, 1, 1, &err);
        count_alloc_fail(-1);
        int done = stream != NULL;
        if (!done)
            assert_int_equal(err.code, POISE_E_MEMORY);
        poise_stream_free(stream);
        poise_data_done(&data);
        poise_schema_free(s);
        assert_int_equal(count_alloc_live(), live);
        if (done)
            break;
        assert_true(k < 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cell_is_cut_at_separators),
        cmocka_unit_test(a_cell_is_whole_again_after_it_was_cut),
        cmocka_unit_test(what_is_too_long_keeps_its_first_or_its_last),
        cmocka_unit_test(rare_and_unseen_values_are_row_0),
        cmocka_unit_test(a_batch_has_its_rows_lists_padded),
        cmocka_unit_test(a_batch_of_lists_allocates_nothing),
        cmocka_unit_test(every_refusal_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
