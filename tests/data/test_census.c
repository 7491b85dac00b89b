/* Census-Income (KDD), if it is there: the figures that are published with it, and those that
 * `zcat census-income.data.gz | awk -F', '` counts.  The project does not hold the data. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>

#include "files.h"

#define TRAIN TEST_SHARED "/data/census-income.data.gz"
#define TEST  TEST_SHARED "/data/census-income.test.gz"

/* Name, kind (n: numeric, c: categorical, -: not an input), distinct values in the training rows. */
static const struct {
    const char *name;
    char kind;
    int values;
} columns[] = {
    {"age", 'n', 0},
    {"class of worker", 'c', 9},
    {"industry code", 'c', 52},
    {"occupation code", 'c', 47},
    {"education", '-', 17},
    {"wage per hour", 'n', 0},
    {"enrolled", 'c', 3},
    {"marital status", '-', 7},
    {"major industry", 'c', 24},
    {"major occupation", 'c', 15},
    {"race", 'c', 5},
    {"hispanic origin", 'c', 10},
    {"sex", 'c', 2},
    {"union", 'c', 3},
    {"unemployment", 'c', 6},
    {"employment", 'c', 8},
    {"capital gains", 'n', 0},
    {"capital losses", 'n', 0},
    {"dividends", 'n', 0},
    {"filer status", 'c', 6},
    {"previous region", 'c', 6},
    {"previous state", 'c', 51},
    {"household", 'c', 38},
    {"household summary", 'c', 8},
    {"instance weight", '-', 0},
    {"migration msa", 'c', 10},
    {"migration region", 'c', 9},
    {"migration within", 'c', 10},
    {"same house", 'c', 3},
    {"sunbelt", 'c', 4},
    {"employer size", 'n', 0},
    {"under 18", 'c', 5},
    {"father", 'c', 43},
    {"mother", 'c', 43},
    {"self", 'c', 43},
    {"citizenship", 'c', 5},
    {"own business", 'c', 3},
    {"questionnaire", 'c', 3},
    {"veterans benefits", 'c', 3},
    {"weeks worked", 'n', 0},
    {"year", 'c', 2},
    {"income", '-', 2},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const char *header[COLUMNS];
static const char *const missing[] = {"?"};

static poise_data_spec census_spec(void)
{
    poise_data_spec d = spec_of(TRAIN);
    for (int k = 0; k < COLUMNS; k++)
        header[k] = columns[k].name;
    d.test = TEST;
    d.valid_from = 2;
    d.valid_fraction = 0.5;
    d.separator = ", ";
    d.header_in_file = 0;
    d.ncolumn = COLUMNS;
    d.column = header;
    d.strip = ".";
    d.nmissing = 1;
    d.missing = missing;
    return d;
}

static void declare(poise_schema *s, poise_feature feature[COLUMNS], poise_task task[2])
{
    for (int k = 0; k < COLUMNS; k++)
        if (columns[k].kind != '-')
            feature[s->nfeature++] =
                columns[k].kind == 'n' ? numeric(columns[k].name) : categorical(columns[k].name);
    task[0] = binary("income", "income", "50000+");
    task[1] = binary("married", "marital status", "Never married");
    s->feature = feature;
    s->task = task;
    s->ntask = 2;
}

/* Positives of both tasks, over all rows in order. */
static void count(const poise_dataset *d, int64_t positives[2])
{
    poise_error err;
    poise_batch b;
    poise_stream *s = poise_stream_new(d, 4096, 0, 0, &err);
    assert_non_null(s);
    while (poise_stream_next(s, &b, &err) > 0)
        for (int t = 0; t < 2; t++)
            for (int64_t i = 0; i < b.rows; i++)
                positives[t] += b.label[t][i] == 1;
    poise_stream_free(s);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void census_has_its_published_figures(void **state)
{
    (void)state;
    if (access(TRAIN, R_OK) || access(TEST, R_OK)) {
        print_message("no census data in %s: skipped\n", TEST_SHARED "/data");
        skip();
    }
    poise_error err;
    poise_data data;
    poise_feature feature[COLUMNS];
    poise_task task[2];
    poise_data_spec d = census_spec();
    poise_schema *s = poise_schema_new(&err);
    assert_non_null(s);
    declare(s, feature, task);
    double start = now();
    if (poise_data_open(&d, s, &data, &err) < 0)
        fail_msg("%s:%u: %s", err.file, err.line, err.message);
    print_message("census: both files loaded in %.2f s\n", now() - start);
    assert_int_equal(poise_dataset_rows(data.train), 199523);
    assert_int_equal(poise_dataset_rows(data.valid), 49881);
    assert_int_equal(poise_dataset_rows(data.test), 49881);
    int64_t train[2] = {0}, rest[2] = {0};
    count(data.train, train);
    count(data.valid, rest);
    count(data.test, rest);
    assert_int_equal(train[0], 12382);
    assert_int_equal(train[1], 86485);
    assert_int_equal(rest[0], 6186);
    assert_int_equal(rest[1], 43143);
    assert_true(fabs(s->task[0].base_rate - 12382.0 / 199523) < 1e-15);
    for (int f = 0, k = 0; k < COLUMNS; k++) {
        if (columns[k].kind == '-')
            continue;
        if (s->feature[f].nvalue != columns[k].values)
            fail_msg("%s has %lld values, not %d", columns[k].name, (long long)s->feature[f].nvalue,
                     columns[k].values);
        f++;
    }
    poise_data_done(&data);
    poise_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(census_has_its_published_figures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
