/* The funnel generator: the same rows from the same seed, nested labels, known probabilities. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

static poise_data_spec funnel_spec(int64_t rows, uint64_t seed)
{
    poise_data_spec d = spec_of(NULL);
    d.generate = "funnel";
    d.rows = rows;
    d.seed = seed;
    return d;
}

static poise_schema *funnel(int64_t rows, uint64_t seed, poise_data *data)
{
    poise_error err;
    poise_data_spec d = funnel_spec(rows, seed);
    poise_schema *s = poise_schema_new(&err);
    assert_non_null(s);
    assert_int_equal(poise_generator_schema("funnel", d.place, s, &err), 0);
    if (poise_data_open(&d, s, data, &err) < 0)
        fail_msg("%s", err.message);
    return s;
}

static void done(poise_schema *s, poise_data *data)
{
    poise_data_done(data);
    poise_schema_free(s);
}

typedef struct scored {
    float score;
    int label;
} scored;

static int by_score(const void *a, const void *b)
{
    float x = ((const scored *)a)->score, y = ((const scored *)b)->score;
    return (x > y) - (x < y);
}

/* Mann and Whitney's statistic over ranks; ties count a half. */
static double auc(int64_t n, const float *score, const float *label)
{
    scored *s = malloc((size_t)n * sizeof *s);
    assert_non_null(s);
    for (int64_t i = 0; i < n; i++)
        s[i] = (scored){score[i], label[i] == 1};
    qsort(s, (size_t)n, sizeof *s, by_score);
    double ranks = 0, positives = 0;
    for (int64_t i = 0, k; i < n; i = k) {
        for (k = i; k < n && !(s[k].score > s[i].score); k++)
            continue;
        for (int64_t j = i; j < k; j++)
            if (s[j].label) {
                ranks += 0.5 * (double)(i + k - 1) + 1;
                positives++;
            }
    }
    free(s);
    return (ranks - positives * (positives + 1) / 2) / (positives * ((double)n - positives));
}

static void declares_its_features_and_tasks(void **state)
{
    (void)state;
    poise_error err;
    poise_data_spec d = funnel_spec(100, 1);
    poise_schema *s = poise_schema_new(&err);
    assert_int_equal(poise_generator_schema("funnel", d.place, s, &err), 0);
    assert_int_equal(poise_schema_numeric(s), 6);
    assert_int_equal(poise_schema_categorical(s), 8);
    assert_int_equal(s->ntask, 3);
    assert_string_equal(s->task[0].name, "click");
    assert_string_equal(s->task[2].label, "favourite");
    int n;
    char **name = poise_data_columns(&d, &n, &err);
    assert_int_equal(n, 17);
    for (int f = 0; f < s->nfeature; f++)
        assert_string_equal(name[f], s->feature[f].name);
    poise_data_columns_free(name, n);
    assert_string_equal(poise_generators()[0], "funnel");
    assert_null(poise_generators()[1]);
    assert_int_equal(poise_generator_schema("funel", d.place, s, &err), -1);
    assert_error(&err, "",
                 "run.yaml:1:1: error: there is no generator \"funel\"; did you mean \"funnel\"");
    poise_schema_free(s);
}

static void same_seed_same_rows(void **state)
{
    (void)state;
    poise_data a, b, c;
    poise_schema *s = funnel(5000, 7, &a), *t = funnel(5000, 7, &b), *u = funnel(5000, 8, &c);
    size_t size = 5000 * sizeof(float);
    assert_memory_equal(a.train->numeric, b.train->numeric, 6 * size);
    assert_memory_equal(a.train->ids, b.train->ids, 8 * size);
    assert_memory_not_equal(a.train->numeric, c.train->numeric, 6 * size);
    assert_memory_not_equal(a.test->numeric, a.valid->numeric, 6 * size / 10);
    assert_memory_not_equal(a.test->numeric, a.train->numeric, 6 * size / 10);
    for (int k = 0; k < 3; k++)
        assert_memory_equal(a.test->label[k], b.test->label[k], size / 10);
    done(s, &a);
    done(t, &b);
    done(u, &c);
}

/* Validation rows are rows [n, n + n / 10) of the stream, whatever was made before. */
static void parts_are_ranges_of_one_stream(void **state)
{
    (void)state;
    poise_data a, b;
    poise_schema *s = funnel(1000, 7, &a), *t = funnel(1100, 7, &b);
    assert_int_equal(poise_dataset_rows(a.valid), 100);
    assert_int_equal(poise_dataset_rows(a.test), 100);
    for (int k = 0; k < 3; k++) {
        const float *valid = poise_dataset_truth(a.valid, k),
                    *train = poise_dataset_truth(b.train, k);
        assert_memory_equal(valid, train + 1000, 100 * sizeof(float));
        assert_memory_equal(a.valid->label[k], b.train->label[k] + 1000, 100 * sizeof(float));
    }
    done(s, &a);
    done(t, &b);
}

static void labels_nest_and_probabilities_are_true(void **state)
{
    (void)state;
    enum { N = 400000 };
    const double rate[] = {0.10, 0.03, 0.01};
    poise_data data;
    poise_schema *s = funnel(N, 3, &data);
    const poise_dataset *d = data.train;
    for (int64_t i = 0; i < N; i++) {
        assert_true(d->label[0][i] >= d->label[1][i] && d->label[1][i] >= d->label[2][i]);
        assert_true(d->truth[0][i] > d->truth[1][i] && d->truth[1][i] > d->truth[2][i]);
        assert_true(d->truth[2][i] > 0 && d->truth[0][i] < 1);
    }
    for (int t = 0; t < 3; t++) {
        double p = 0, variance = 0, positives = 0;
        for (int64_t i = 0; i < N; i++) {
            double q = (double)d->truth[t][i];
            p += q;
            variance += q * (1 - q);
            positives += (double)d->label[t][i];
        }
        double best = auc(N, d->truth[t], d->label[t]);
        print_message("%s: base rate %.4f, best possible AUC %.4f\n", s->task[t].name,
                      positives / N, best);
        assert_true(fabs(positives - p) < 4 * sqrt(variance)); /* calibrated */
        assert_true(fabs(positives / N - rate[t]) < 0.15 * rate[t]);
        assert_true(best > 0.78 && best < 0.87);
        assert_true(fabs(s->task[t].base_rate - positives / N) < 1e-12);
    }
    done(s, &data);
}

/* Where a task counts only after a click, its probability is that after a click. */
static void truth_follows_the_mask(void **state)
{
    (void)state;
    poise_error err;
    poise_data plain, data;
    poise_schema *p = funnel(20000, 3, &plain), *s = poise_schema_new(&err);
    poise_data_spec d = funnel_spec(20000, 3);
    poise_feature feature[2] = {numeric("relevance"), categorical("item")};
    poise_task task[3] = {binary("c", "click", NULL), binary("d", "detail", NULL),
                          binary("f", "favourite", "1")};
    task[1].when = "c";     /* a task */
    task[2].when = "click"; /* a column */
    s->nfeature = 2;
    s->feature = feature;
    s->ntask = 3;
    s->task = task;
    if (poise_data_open(&d, s, &data, &err) < 0)
        fail_msg("%s", err.message);
    for (int i = 0; i < 20000; i++) {
        double click = (double)plain.train->truth[0][i];
        for (int t = 0; t < 3; t++) {
            double want = (double)plain.train->truth[t][i] / (t ? click : 1);
            assert_true(fabs((double)data.train->truth[t][i] - want) < 1e-6);
            assert_true(data.train->label[t][i] == plain.train->label[t][i]);
            assert_true(data.train->weight[t][i] == (t ? plain.train->label[0][i] : 1));
        }
    }
    done(p, &plain);
    done(s, &data);
}

static void wrong_use_is_refused(void **state)
{
    (void)state;
    static const struct {
        poise_feature_kind kind;
        const char *feature, *label, *positive, *want;
    } table[] = {
        {POISE_NUMERIC, "relevanse", "click", NULL,
         "run.yaml:7:3: error: the feature relevanse needs a column \"relevanse\", which funnel "
         "does not have; the nearest is \"relevance\""},
        {POISE_CATEGORICAL, "price", "click", NULL,
         "run.yaml:7:3: error: the column price of the generator funnel holds real numbers; "
         "declare the feature as numeric"},
        {POISE_NUMERIC, "price", "clicks", NULL,
         "run.yaml:9:3: error: the label of task t needs a column \"clicks\", which funnel does "
         "not have; the nearest is \"click\""},
        {POISE_NUMERIC, "price", "item", NULL,
         "run.yaml:9:3: error: task 't': the labels of the generator funnel are 0 or 1 in the "
         "columns from \"click\" on"},
        {POISE_NUMERIC, "price", "click", "yes",
         "run.yaml:9:3: error: task 't': the labels of the generator funnel are 0 or 1; remove "
         "`positive`"},
    };
    poise_error err;
    poise_data data;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        poise_data_spec d = funnel_spec(10, 1);
        poise_feature feature[1] = {numeric(table[i].feature)};
        feature[0].kind = table[i].kind;
        poise_task task[1] = {binary("t", table[i].label, table[i].positive)};
        poise_schema *s = poise_schema_new(&err);
        s->nfeature = s->ntask = 1;
        s->feature = feature;
        s->task = task;
        assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
        assert_error(&err, "", table[i].want);
        poise_schema_free(s);
    }
    poise_schema *s = poise_schema_new(&err);
    poise_data_spec d = funnel_spec(0, 1);
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, "",
                 "run.yaml:1:1: error: `rows` is 0; a generator makes 1 to 4000000000 "
                 "rows");
    d = funnel_spec(10, 1);
    d.test = "x.csv";
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_non_null(strstr(err.message, "a generator makes its own"));
    poise_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(declares_its_features_and_tasks),
        cmocka_unit_test(same_seed_same_rows),
        cmocka_unit_test(parts_are_ranges_of_one_stream),
        cmocka_unit_test(labels_nest_and_probabilities_are_true),
        cmocka_unit_test(truth_follows_the_mask),
        cmocka_unit_test(wrong_use_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
