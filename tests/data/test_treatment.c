/* What a number is made into: clipped, transformed, binned, marked where missing, counted; and the
 * same by a schema that was learnt before. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

typedef struct opened {
    poise_schema *schema;
    poise_data data;
} opened;

static opened open_rows(const char *text, int nfeature, poise_feature *feature)
{
    static poise_task task[1];
    poise_error err = {0};
    task[0] = binary("y", "y", NULL);
    opened o = {.schema = schema_of(nfeature, feature, 1, task)};
    poise_data_spec d = spec_of(file_text("treatment.csv", text));
    if (poise_data_open(&d, o.schema, &o.data, &err) < 0)
        fail_msg("%s", err.message);
    return o;
}

static void close_rows(opened *o)
{
    poise_data_done(&o->data);
    poise_schema_free(o->schema);
}

static float number_at(const poise_dataset *d, int64_t row, int k)
{
    return d->numeric[row * d->nnumeric + k];
}

static int32_t id_at(const poise_dataset *d, int64_t row, int k)
{
    return d->ids[row * d->ncategorical + k];
}

static void a_number_is_clipped_then_transformed(void **state)
{
    (void)state;
    poise_feature f = {.name = "x", .clip = 1, .low = -8, .high = 15};
    const poise_transform kind[] = {POISE_AS_IS, POISE_LOG1P, POISE_SQRT};
    const double want[3][4] = {
        {-8, -3, 8, 15},
        {-2.1972245773362196, -1.3862943611198906, 2.1972245773362196, 2.772588722239781},
        {-2.8284271247461903, -1.7320508075688772, 2.8284271247461903, 3.872983346207417}};
    const double x[] = {-1e9, -3, 8, 400}; /* log 9, log 4, log 9, log 16; square roots */
    for (int k = 0; k < 3; k++) {
        f.transform = kind[k];
        for (int i = 0; i < 4; i++)
            near(poise_feature_number(&f, x[i]), want[k][i]);
        assert_true(isnan(poise_feature_number(&f, NAN)));
    }
}

static void a_missing_number_is_marked_and_has_a_bin_of_its_own(void **state)
{
    (void)state;
    poise_feature f[] = {numeric("x")};
    f[0].indicator = 1;
    f[0].bins = 4;
    f[0].dim = 3;
    opened o = open_rows("x,y\n1,0\n,1\n3,0\n", 1, f);
    const poise_dataset *d = o.data.train;
    assert_int_equal(d->nnumeric, 2);
    assert_int_equal(d->ncategorical, 1);
    for (int i = 0; i < 3; i++)
        assert_true(number_at(d, i, 1) == (i == 1 ? 1.0F : 0.0F));
    assert_true(number_at(d, 0, 0) == -1.0F && number_at(d, 1, 0) == 0.0F);
    assert_int_equal(id_at(d, 0, 0), 1);
    assert_int_equal(id_at(d, 1, 0), 0);
    assert_int_equal(id_at(d, 2, 0), 2);
    assert_int_equal(poise_feature_rows(&f[0]), 3); /* 2 values, missing */
    assert_int_equal(poise_feature_width(&f[0]), 5);
    close_rows(&o);
}

/* Bins alone: no column of the numeric input. */
static void bin_only_leaves_the_number_out(void **state)
{
    (void)state;
    poise_feature f[] = {numeric("x"), numeric("z")};
    f[0].bins = 2;
    f[0].bin_only = 1;
    f[0].dim = 3;
    opened o = open_rows("x,z,y\n1,5,0\n2,6,1\n3,7,0\n4,8,0\n", 2, f);
    const poise_dataset *d = o.data.train;
    assert_int_equal(d->nnumeric, 1);
    assert_true(number_at(d, 0, 0) < 0 && number_at(d, 3, 0) > 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(id_at(d, i, 0), i < 2 ? 1 : 2);
    assert_int_equal(poise_feature_width(&f[0]), 3);
    close_rows(&o);
}

enum { MANY = 1000 };

static void learn(const double *x, int64_t n, int64_t bins, poise_feature *f, poise_schema *s)
{
    poise_error err = {0};
    poise__rows all = {n, NULL};
    *f = numeric("x");
    f->bins = bins;
    assert_int_equal(poise__learn_bins(x, &all, f, s->arena, &err), 0);
}

static void bins_hold_equal_shares_of_distinct_numbers(void **state)
{
    (void)state;
    poise_feature f;
    poise_schema *s = schema_of(0, NULL, 0, NULL);
    double x[MANY];
    for (int i = 0; i < MANY; i++)
        x[i] = (double)((i * 37) % MANY) * (double)((i * 37) % MANY); /* squares, in disorder */
    learn(x, MANY, 10, &f, s);
    assert_int_equal(f.nedge, 9);
    int count[11] = {0};
    for (int i = 0; i < MANY; i++)
        count[poise_feature_bin(&f, x[i])]++;
    assert_int_equal(count[0], 0);
    for (int b = 1; b <= 10; b++)
        assert_int_equal(count[b], MANY / 10);
    poise_schema_free(s);
}

/* 900 zeros would take nine of ten plain quantiles; they take one bin. */
static void a_value_of_many_rows_has_a_bin_of_its_own(void **state)
{
    (void)state;
    poise_feature f;
    poise_schema *s = schema_of(0, NULL, 0, NULL);
    double x[MANY];
    for (int i = 0; i < MANY; i++)
        x[i] = i < 900 ? 0 : i - 949.5; /* 50 below, 50 above */
    learn(x, MANY, 11, &f, s);
    int count[12] = {0};
    for (int i = 0; i < MANY; i++)
        count[poise_feature_bin(&f, x[i])]++;
    assert_int_equal(f.nedge, 10);
    assert_int_equal(count[poise_feature_bin(&f, 0)], 900);
    for (int b = 1; b <= 11; b++)
        if (count[b] != 900)
            assert_int_equal(count[b], 10);
    poise_schema_free(s);
}

static void few_values_have_a_bin_each(void **state)
{
    (void)state;
    poise_feature f;
    poise_schema *s = schema_of(0, NULL, 0, NULL);
    double x[MANY];
    for (int i = 0; i < MANY; i++)
        x[i] = i < 3 ? i : 7; /* 0, 1 and 2 once, 7 in all other rows */
    learn(x, MANY, 4, &f, s);
    assert_int_equal(f.nedge, 3);
    for (uint32_t b = 0; b < 3; b++)
        assert_int_equal(poise_feature_bin(&f, b), b + 1);
    assert_int_equal(poise_feature_bin(&f, 7), 4);
    assert_int_equal(poise_feature_bin(&f, -1e300), 1);
    assert_int_equal(poise_feature_bin(&f, 1e300), 4);
    assert_int_equal(poise_feature_bin(&f, NAN), 0);
    /* Never more bins than were asked for, whatever the numbers are. */
    for (int64_t bins = 1; bins < 40; bins++)
        for (int spread = 1; spread < MANY; spread += 7) {
            for (int i = 0; i < MANY; i++)
                x[i] = i % 3 ? (double)((i * i) % spread) : 0;
            learn(x, MANY, bins, &f, s);
            assert_in_range(f.nedge + 1, 1, bins);
            for (int64_t k = 1; k < f.nedge; k++)
                assert_true(f.edge[k - 1] < f.edge[k]);
        }
    poise_schema_free(s);
}

static void nothing_there_is_one_bin(void **state)
{
    (void)state;
    poise_feature f;
    poise_schema *s = schema_of(0, NULL, 0, NULL);
    const double none[] = {NAN, NAN}, next[] = {1, nextafter(1, 2)};
    learn(none, 2, 5, &f, s);
    assert_int_equal(f.nedge, 0);
    learn(next, 2, 5, &f, s); /* no double lies between them */
    assert_int_equal(f.nedge, 1);
    assert_int_equal(poise_feature_bin(&f, next[0]), 1);
    assert_int_equal(poise_feature_bin(&f, next[1]), 2);
    poise_schema_free(s);
}

static void missing_columns_are_counted_row_by_row(void **state)
{
    (void)state;
    const char *counted[] = {"a", "b", "c"};
    poise_feature f[] = {numeric("gaps"), categorical("b")};
    f[0].kind = POISE_MISSING_COUNT;
    f[0].counted = counted;
    f[0].ncounted = 3;
    f[0].standardise = 0;
    f[0].bins = 8;
    f[0].dim = 2;
    opened o = open_rows("a,b,c,y\n1,2,3,0\n,2,,1\n,,,0\n1,,3,0\n", 2, f);
    const float want[] = {0, 2, 3, 1};
    for (int i = 0; i < 4; i++) {
        assert_true(number_at(o.data.train, i, 0) == want[i]);
        assert_int_equal(id_at(o.data.train, i, 0), (int)want[i] + 1);
    }
    close_rows(&o);
}

/* Two features of one column; the second file has values, and bins, that training had not. */
static void a_learnt_schema_treats_other_rows_as_it_did_its_own(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_feature f[] = {numeric("x"), numeric("x_bin"), categorical("x_word")};
    f[0].transform = POISE_LOG1P;
    f[1].column = f[2].column = "x";
    f[1].bins = 2;
    f[1].bin_only = 1;
    f[1].dim = f[2].dim = 2;
    opened o = open_rows("x,y\n0,0\n10,1\n20,0\n30,0\n", 3, f);
    char *text = poise_schema_to_json(o.schema, &err);
    poise_schema *s = poise_schema_from_json(text, &err);
    assert_non_null(s);
    poise_data_spec d = spec_of(NULL);
    poise_dataset *r =
        poise_dataset_read(&d, file_text("other.csv", "x\n14\n16\n10\n-5\n"), s, 0, &err);
    assert_non_null(r);
    const int32_t bin[] = {1, 2, 1, 1}, word[] = {0, 0, 2, 0};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(id_at(r, i, 0), bin[i]);
        assert_int_equal(id_at(r, i, 1), word[i]);
    }
    assert_true(number_at(r, 2, 0) == number_at(o.data.train, 1, 0));
    assert_int_equal(r->nnumeric, 1);
    poise_dataset_free(r);
    poise_schema_free(s);
    free(text);
    close_rows(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_clipped_then_transformed),
        cmocka_unit_test(a_missing_number_is_marked_and_has_a_bin_of_its_own),
        cmocka_unit_test(bin_only_leaves_the_number_out),
        cmocka_unit_test(bins_hold_equal_shares_of_distinct_numbers),
        cmocka_unit_test(a_value_of_many_rows_has_a_bin_of_its_own),
        cmocka_unit_test(few_values_have_a_bin_each),
        cmocka_unit_test(nothing_there_is_one_bin),
        cmocka_unit_test(missing_columns_are_counted_row_by_row),
        cmocka_unit_test(a_learnt_schema_treats_other_rows_as_it_did_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
