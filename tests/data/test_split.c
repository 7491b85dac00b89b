/* Validation rows taken from another part: how many, which, and that nothing is learnt from them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

static void split_is_exact_disjoint_and_seeded(void **state)
{
    (void)state;
    poise_error err;
    const struct {
        int64_t n;
        double fraction;
        int64_t valid;
    } table[] = {{2, 0.5, 1}, {10, 0.25, 3}, {1000, 0.1, 100}, {99762, 0.5, 49881}, {7, 0.9, 6}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        poise__rows rest, valid, again, other;
        int64_t n = table[i].n, a = 0, b = 0;
        assert_int_equal(poise__split(n, table[i].fraction, 5, POISE_NOWHERE, &rest, &valid, &err),
                         0);
        assert_int_equal(valid.n, table[i].valid);
        assert_int_equal(rest.n, n - table[i].valid);
        /* Merging the two ascending lists gives every row once. */
        for (int64_t row = 0; row < n; row++) {
            int in_valid = a < valid.n && valid.row[a] == row;
            int in_rest = b < rest.n && rest.row[b] == row;
            assert_int_equal(in_valid + in_rest, 1);
            a += in_valid;
            b += in_rest;
        }
        assert_int_equal(poise__split(n, table[i].fraction, 5, POISE_NOWHERE, &other, &again, &err),
                         0);
        assert_memory_equal(valid.row, again.row, (size_t)valid.n * sizeof(int64_t));
        free(other.row);
        free(again.row);
        assert_int_equal(poise__split(n, table[i].fraction, 6, POISE_NOWHERE, &other, &again, &err),
                         0);
        if (n >= 1000)
            assert_memory_not_equal(valid.row, again.row, (size_t)valid.n * sizeof(int64_t));
        free(other.row);
        free(again.row);
        free(rest.row);
        free(valid.row);
    }
    poise__rows rest, valid;
    const double wrong[] = {0, 1, -0.5, 2, NAN, 0.01};
    for (int i = 0; i < 6; i++)
        assert_int_equal(poise__split(10, wrong[i], 5, POISE_NOWHERE, &rest, &valid, &err), -1);
}

/* Validation rows that are taken from the training file are not learnt from. */
static void validation_rows_are_not_learnt_from(void **state)
{
    (void)state;
    enum { N = 200 };
    char text[N * 32];
    size_t used = (size_t)sprintf(text, "x,c,y\n");
    for (int i = 0; i < N; i++)
        used += (size_t)sprintf(text + used, "%d,v%03d,%d\n", i, i, i % 2);
    const char *path = file_text("split.csv", text);
    poise_data_spec d = spec_of(path);
    d.valid_from = 1;
    d.valid_fraction = 0.3;
    d.valid_seed = 9;
    poise_feature feature[2] = {numeric("x"), categorical("c")};
    poise_task task[1] = {binary("t", "y", NULL)};
    poise_schema *s = schema_of(2, feature, 1, task);
    poise_data data;
    open_or_fail(&d, s, &data);
    assert_int_equal(poise_dataset_rows(data.train), 140);
    assert_int_equal(poise_dataset_rows(data.valid), 60);
    assert_int_equal(s->feature[1].nvalue, 140);
    double sum = 0;
    for (int i = 0; i < 140; i++) {
        assert_int_equal(data.train->ids[i], i + 1); /* the rows' order is kept */
        sum += (double)data.train->numeric[i];
    }
    near(sum, 0);
    for (int i = 0; i < 60; i++)
        assert_int_equal(data.valid->ids[i], 0);
    poise_data_done(&data);
    d.valid_from = 2;
    poise_error err;
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_non_null(strstr(err.message, "there is no `test:` file"));
    d.valid_from = 1;
    d.valid = path;
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_non_null(strstr(err.message, "not from both"));
    poise_schema_free(s);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_is_exact_disjoint_and_seeded),
        cmocka_unit_test(validation_rows_are_not_learnt_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
