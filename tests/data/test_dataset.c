/* Files become data sets: what is learnt, what is encoded, and every message about a bad cell. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "data/table.h"
#include "files.h"

static double number_at(const poise_dataset *d, int feature, int row)
{
    return (double)d->numeric[row * d->nnumeric + feature];
}

static int32_t id_at(const poise_dataset *d, int feature, int row)
{
    return d->ids[row * d->ncategorical + feature];
}

/* age: 10, 20, missing, 30; mean 20, deviation sqrt(200 / 3).  word: b, a, missing, b. */
#define SMALL "age,word,y,more\n10,b,1,u\n20,a,0,v\n?,?,1,w\n30,b,,x\n"
static const char *const question[] = {"?"};

static void small_file(const char *path, poise_feature *feature, poise_task *task, poise_schema **s,
                       poise_data *data)
{
    poise_data_spec d = spec_of(path);
    d.nmissing = 1;
    d.missing = question;
    feature[0] = numeric("age");
    feature[1] = categorical("word");
    task[0] = binary("t", "y", NULL);
    *s = schema_of(2, feature, 1, task);
    open_or_fail(&d, *s, data);
}

static void check_small(const poise_schema *s, const poise_dataset *d)
{
    double deviation = sqrt(200.0 / 3);
    near(s->feature[0].mean, 20);
    near(s->feature[0].deviation, deviation);
    assert_int_equal(s->feature[1].nvalue, 3);
    assert_string_equal(s->feature[1].value[0], "");
    assert_string_equal(s->feature[1].value[1], "a");
    assert_string_equal(s->feature[1].value[2], "b");
    near(s->task[0].base_rate, 2.0 / 3);
    assert_int_equal(s->learnt, 1);
    assert_int_equal(poise_dataset_rows(d), 4);
    const double age[] = {-10 / deviation, 0, 0, 10 / deviation};
    const uint32_t word[] = {3, 2, 1, 3};
    const double label[] = {1, 0, 1, NAN}, weight[] = {1, 1, 1, 0};
    for (int i = 0; i < 4; i++) {
        near(number_at(d, 0, i), age[i]);
        assert_int_equal(id_at(d, 0, i), word[i]);
        assert_true(isnan(label[i]) ? isnan(d->label[0][i]) : (double)d->label[0][i] == label[i]);
        near((double)d->weight[0][i], weight[i]);
    }
    assert_null(poise_dataset_truth(d, 0));
}

static void a_file_is_learnt_and_encoded(void **state)
{
    (void)state;
    const char *path = file_text("small.csv", SMALL);
    poise_feature feature[2];
    poise_task task[1];
    poise_schema *s;
    poise_data data;
    small_file(path, feature, task, &s, &data);
    check_small(s, data.train);
    assert_null(data.valid);
    assert_null(data.test);
    poise_data_done(&data);
    poise_schema_free(s);
    unlink(path);
}

static void gzip_reads_like_plain(void **state)
{
    (void)state;
    const char *path = file_gzip("small.csv.gz", SMALL);
    poise_feature feature[2];
    poise_task task[1];
    poise_schema *s;
    poise_data data;
    small_file(path, feature, task, &s, &data);
    check_small(s, data.train);
    poise_data_done(&data);
    poise_schema_free(s);
    unlink(path);
}

/* transform, `missing`, standardise off, min_count, a constant. */
static void options_of_features(void **state)
{
    (void)state;
    const char *train = file_text("o.csv", "x,z,c,k,y\n0,5,a,7,0\n3,,b,7,1\n-3,1,a,7,0\n");
    const char *test = file_text("o2.csv", "y,k,c,z,x\n1,7,q,,\n0,9,b,2,8\n");
    poise_data_spec d = spec_of(train);
    d.test = test;
    poise_feature feature[4] = {numeric("x"), numeric("z"), numeric("k"), categorical("c")};
    poise_task task[1] = {binary("t", "y", NULL)};
    feature[0].transform = POISE_LOG1P;
    feature[1].standardise = 0;
    feature[1].missing = -2;
    feature[3].min_count = 2;
    poise_schema *s = schema_of(4, feature, 1, task);
    poise_data data;
    open_or_fail(&d, s, &data);
    double l = log(4.0), deviation = sqrt(2 * l * l / 3);
    near(s->feature[0].mean, 0);
    near(s->feature[0].deviation, deviation);
    near(s->feature[1].mean, 4.0 / 3); /* 5, -2, 1 */
    near(s->feature[2].mean, 7);
    assert_true(s->feature[2].deviation == 1);
    assert_int_equal(s->feature[3].nvalue, 1);
    near(number_at(data.train, 0, 2), -l / deviation);
    near(number_at(data.train, 1, 1), -2);
    assert_int_equal(id_at(data.train, 0, 0), 1);
    assert_int_equal(id_at(data.train, 0, 1), 0); /* rare */
    near(number_at(data.test, 0, 0), 0);          /* the mean */
    near(number_at(data.test, 0, 1), log(9.0) / deviation);
    near(number_at(data.test, 1, 0), -2);
    near(number_at(data.test, 2, 1), 2);
    assert_int_equal(id_at(data.test, 0, 0), 0); /* unseen */
    poise_data_done(&data);
    poise_schema_free(s);
    unlink(train);
    unlink(test);
}

static void labels_weights_and_masks(void **state)
{
    (void)state;
    const char *path = file_text("l.csv", "x,click,buy,price,kind,w,gate,word\n"
                                          "1,1,1,2.5,2,1,1,yes\n"
                                          "2,0,1,,0,2,0,no\n"
                                          "3,1,0,-4,1,0.5,,yes\n"
                                          "4,,1,1,,1,1,\n");
    poise_data_spec d = spec_of(path);
    poise_feature feature[1] = {numeric("x")};
    poise_task task[5] = {binary("click", "click", NULL), binary("buy", "buy", NULL),
                          binary("price", "price", NULL), binary("kind", "kind", NULL),
                          binary("word", "word", "yes")};
    task[1].when = "click"; /* a task */
    task[2].kind = POISE_REGRESSION;
    task[2].when = "gate"; /* a column */
    task[3].kind = POISE_MULTICLASS;
    poise_schema *s = schema_of(1, feature, 5, task);
    s->weight = "w";
    poise_data data;
    open_or_fail(&d, s, &data);
    const double label[5][4] = {
        {1, 0, 1, NAN}, {1, 1, 0, 1}, {2.5, NAN, -4, 1}, {2, 0, 1, NAN}, {1, 0, 1, NAN}};
    const double weight[5][4] = {
        {1, 2, 0.5, 0}, {1, 0, 0.5, 0}, {1, 0, 0, 1}, {1, 2, 0.5, 0}, {1, 2, 0.5, 0}};
    const double base[] = {2.0 / 3, 0.5, 1.75, 0, 2.0 / 3};
    for (int t = 0; t < 5; t++) {
        near(s->task[t].base_rate, base[t]);
        for (int i = 0; i < 4; i++) {
            double y = (double)data.train->label[t][i];
            if (isnan(label[t][i]) ? !isnan(y) : y != label[t][i])
                fail_msg("task %d, row %d: label %g", t, i, y);
            near((double)data.train->weight[t][i], weight[t][i]);
        }
    }
    assert_int_equal(s->task[3].nclass, 3);
    poise_data_done(&data);
    poise_schema_free(s);
    unlink(path);
}

/* One line per message.  Features: x numeric, c categorical; tasks: t binary label y, r regression
 * label z, m multiclass label k, p positive "yes" in q, masked by g; weight w. */
#define HEADER "x,c,y,z,k,q,g,w\n"
static const struct {
    const char *text, *want;
} bad_cells[] = {
    {HEADER "1,a,1,1,1,yes,1,1\nold,a,1,1,1,yes,1,1\n",
     "NAME:3:1: error: column \"x\": \"old\" is not a number; if it means \"missing\", list it in "
     "`missing:`"},
    {HEADER "\"1\n\",a,1,1,1,yes,1,1\n",
     "NAME:2:1: error: column \"x\": \"1?\" is not a number; if it means \"missing\", list it in "
     "`missing:`"},
    {HEADER "1,\"a\nb\",2,1,1,yes,1,1\n",
     "NAME:3:4: error: column \"y\": \"2\" is neither 0 nor 1; a label of other values needs "
     "`positive:`"},
    {HEADER "1e39,a,1,1,1,yes,1,1\n",
     "NAME:2:1: error: column \"x\": \"1e39\" is too large; numbers are at most 3.4e38"},
    {HEADER "1,a,yes,1,1,yes,1,1\n",
     "NAME:2:5: error: column \"y\": \"yes\" is not a number; if it means \"missing\", list it in "
     "`missing:`"},
    {HEADER "1,a,0.5,1,1,yes,1,1\n",
     "NAME:2:5: error: column \"y\": \"0.5\" is neither 0 nor 1; a label of other values needs "
     "`positive:`"},
    {HEADER "1,a,1,1e39,1,yes,1,1\n",
     "NAME:2:7: error: column \"z\": \"1e39\" is too large; labels are at most 3.4e38"},
    {HEADER "1,a,1,1,1.5,yes,1,1\n",
     "NAME:2:9: error: column \"k\": \"1.5\" is not a class; classes are whole numbers from 0 to "
     "65535"},
    {HEADER "1,a,1,1,-1,yes,1,1\n",
     "NAME:2:9: error: column \"k\": \"-1\" is not a class; classes are whole numbers from 0 to "
     "65535"},
    {HEADER "1,a,1,1,65536,yes,1,1\n",
     "NAME:2:9: error: column \"k\": \"65536\" is not a class; classes are whole numbers from 0 to "
     "65535"},
    {HEADER "1,a,1,1,1,yes,3,1\n",
     "NAME:2:15: error: column \"g\": \"3\" is neither 0 nor 1; `when:` names a column of these"},
    {HEADER "1,a,1,1,1,yes,1,-1\n",
     "NAME:2:17: error: column \"w\": \"-1\" is not a sample weight; weights are numbers from 0"},
    {HEADER "1,a,1,1,1,yes,1,\n",
     "NAME:2:17: error: column \"w\": \"\" is not a sample weight; weights are numbers from 0"},
    {HEADER "1,a,1\n", "NAME:2: error: 3 fields for 8 columns (separator \",\")"},
    {HEADER "1,a,1,1,1,no,1,1\n1,a,1,1,1,\"may be\",1,1\n",
     "run.yaml:9:3: error: task 'p': no training row has \"yes\" in the column \"q\", which holds "
     "\"no\", \"may be\""},
    {HEADER "1,a,1,1,1,yes,0,1\n",
     "run.yaml:9:3: error: task 'p' has no labelled training row where its `when` holds"},
    {HEADER "1,a,,1,1,yes,1,1\n", "run.yaml:9:3: error: task 't' has no labelled training row"},
    {HEADER, "NAME:1: error: there are no rows below the header"},
    {"", "NAME:1: error: the file is empty; its first line must name the columns"},
    {"x,C,y,z,k,q,g,w\n1,a,1,1,1,yes,1,1\n", "run.yaml:7:3: error: the feature c needs a column "
                                             "\"c\", which NAME does not have; "
                                             "the nearest is \"C\""},
    {"x,c,why,z,k,q,g,w\n1,a,1,1,1,yes,1,1\n", "run.yaml:9:3: error: the label of task t needs a "
                                               "column \"y\", which is not one of the 8 columns of "
                                               "NAME"},
    {"x,c,y,z,k,q,gate,w\n1,a,1,1,1,yes,1,1\n",
     "run.yaml:9:3: error: `when` of task p needs a column \"g\", which is not one of the 8 "
     "columns of "
     "NAME"},
};

static poise_feature bad_feature[2];
static poise_task bad_task[4];

static poise_schema *bad_schema(void)
{
    bad_feature[0] = numeric("x");
    bad_feature[1] = categorical("c");
    bad_task[0] = binary("t", "y", NULL);
    bad_task[1] = binary("r", "z", NULL);
    bad_task[1].kind = POISE_REGRESSION;
    bad_task[2] = binary("m", "k", NULL);
    bad_task[2].kind = POISE_MULTICLASS;
    bad_task[3] = binary("p", "q", "yes");
    bad_task[3].when = "g";
    poise_schema *s = schema_of(2, bad_feature, 4, bad_task);
    s->weight = "w";
    return s;
}

static void every_bad_cell_has_its_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cells / sizeof *bad_cells; i++) {
        const char *path = file_text("bad.csv", bad_cells[i].text);
        poise_data_spec d = spec_of(path);
        poise_schema *s = bad_schema();
        poise_data data;
        poise_error err = {0};
        if (poise_data_open(&d, s, &data, &err) == 0)
            fail_msg("case %zu was read", i);
        assert_error(&err, path, bad_cells[i].want);
        assert_int_equal(err.code, POISE_E_DATA);
        assert_null(data.train);
        poise_schema_free(s);
        unlink(path);
    }
}

static void a_long_text_is_cut_in_the_message(void **state)
{
    (void)state;
    char text[2000] = HEADER, want[1000];
    memset(text + strlen(HEADER), 'n', 1000);
    strcpy(text + strlen(HEADER) + 1000, ",a,1,1,1,yes,1,1\n");
    snprintf(want, sizeof want,
             "NAME:2:1: error: column \"x\": \"%.60s\"... is not a number; if it means "
             "\"missing\", list it in `missing:`",
             text + strlen(HEADER));
    const char *path = file_text("long.csv", text);
    poise_data_spec d = spec_of(path);
    poise_schema *s = bad_schema();
    poise_data data;
    poise_error err;
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, path, want);
    poise_schema_free(s);
    unlink(path);
}

static void files_that_cannot_be_read(void **state)
{
    (void)state;
    poise_error err;
    poise_data data;
    poise_schema *s = bad_schema();
    poise_data_spec d = spec_of("/nowhere/at/all.csv");
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, "",
                 "run.yaml:2:10: error: cannot open \"/nowhere/at/all.csv\": No such file or "
                 "directory");
    assert_int_equal(err.code, POISE_E_SYSTEM);
    d.train = "/";
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, "", "/:1: error: cannot read: Is a directory");
    d.train = NULL;
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, "",
                 "run.yaml:1:1: error: there are no training rows; name a file in "
                 "`train:`, or a generator in `generate:`");
    poise_schema_free(s);
}

static char *many_rows(int n)
{
    char *text = malloc((size_t)n * 64 + 64);
    assert_non_null(text);
    size_t used = (size_t)sprintf(text, "x,y\n");
    for (int i = 0; i < n; i++)
        used += (size_t)sprintf(text + used, "%d.%d,%d\n", i * 7919 % 10007, i % 13, i % 2);
    return text;
}

/* Cut anywhere, a gzip file is an error, never a shorter table; a flipped byte is one, too. */
static void damaged_gzip_is_refused(void **state)
{
    (void)state;
    char *text = many_rows(20000);
    const char *path = file_gzip("cut.csv.gz", text);
    char bytes[1 << 18];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    assert_true(n > 1000 && n < sizeof bytes);
    poise_feature feature[1] = {numeric("x")};
    poise_task task[1] = {binary("t", "y", NULL)};
    poise_schema *s = schema_of(1, feature, 1, task);
    poise_data data;
    poise_error err;
    const size_t cuts[] = {3, 12, 100, n / 2, n - 9, n - 5, n - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        path = file_write("cut.csv.gz", bytes, cuts[i]);
        poise_data_spec d = spec_of(path);
        assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
        if (!strstr(err.message, "the gzip file is cut off here"))
            fail_msg("cut after %zu of %zu bytes: %s", cuts[i], n, err.message);
        assert_int_equal(err.code, POISE_E_DATA);
        assert_true(err.line > 0);
    }
    bytes[n / 2] ^= 0x10;
    path = file_write("cut.csv.gz", bytes, n);
    poise_data_spec d = spec_of(path);
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_int_equal(err.code, POISE_E_DATA);
    poise_schema_free(s);
    unlink(path);
    free(text);
}

static void limit_and_columns(void **state)
{
    (void)state;
    poise_error err;
    const char *path = file_text("small.csv", SMALL);
    poise_data_spec d = spec_of(path);
    int n;
    char **name = poise_data_columns(&d, &n, &err);
    assert_non_null(name);
    assert_int_equal(n, 4);
    assert_string_equal(name[0], "age");
    assert_string_equal(name[3], "more");
    poise_data_columns_free(name, n);
    d.limit = 2;
    poise_feature feature[1] = {numeric("age")};
    poise_task task[1] = {binary("t", "y", NULL)};
    poise_schema *s = schema_of(1, feature, 1, task);
    poise_data data;
    open_or_fail(&d, s, &data); /* the third row, whose age is "?", is not looked at */
    assert_int_equal(poise_dataset_rows(data.train), 2);
    poise_data_done(&data);
    poise_schema_free(s);
    d.train = NULL;
    assert_null(poise_data_columns(&d, &n, &err));
    assert_int_equal(err.code, POISE_E_SPEC);
    unlink(path);
}

/* The first rows of a file need not hold every label: `poise check` looks at no more. */
static void a_limit_forgives_rare_labels(void **state)
{
    (void)state;
    poise_error err;
    const char *train = file_text("r.csv", "x,y,k,g\n1,no,0,0\n2,no,1,0\n3,yes,2,1\n");
    const char *test = file_text("r2.csv", "x,y,k,g\n1,yes,2,1\n");
    poise_data_spec d = spec_of(train);
    d.test = test;
    poise_feature feature[1] = {numeric("x")};
    poise_task task[2] = {binary("y", "y", "yes"), binary("k", "k", NULL)};
    task[0].when = "g";
    task[1].kind = POISE_MULTICLASS;
    poise_schema *s = schema_of(1, feature, 2, task);
    poise_data data;
    d.limit = 2;
    if (poise_data_open(&d, s, &data, &err) < 0)
        fail_msg("%s", err.message);
    assert_true(s->task[0].base_rate == 0);
    assert_int_equal(s->task[1].nclass, 2);
    assert_true(isnan(data.test->label[1][0]) && data.test->weight[1][0] == 0);
    poise_data_done(&data);
    poise_schema_free(s);
    unlink(train);
    unlink(test);
}

/* Scoring a file: columns in another order, no labels; what training saw decides the ids. */
static void a_file_is_read_under_a_learnt_schema(void **state)
{
    (void)state;
    poise_error err;
    const char *path = file_text("small.csv", SMALL);
    poise_feature feature[2];
    poise_task task[1];
    poise_schema *s;
    poise_data data;
    small_file(path, feature, task, &s, &data);
    const char *score = file_text("score.csv", "word,other,age\na,1,20\nzzz,2,\n");
    poise_data_spec d = spec_of(NULL);
    d.limit = 1; /* of the training data: scoring is of every row */
    poise_dataset *r = poise_dataset_read(&d, score, s, 0, &err);
    assert_non_null(r);
    assert_int_equal(poise_dataset_rows(r), 2);
    assert_int_equal(id_at(r, 0, 0), 2);
    assert_int_equal(id_at(r, 0, 1), 0);
    near(number_at(r, 0, 0), 0);
    assert_true(isnan(r->label[0][0]));
    assert_true(r->weight[0][0] == 0);
    poise_dataset_free(r);
    assert_null(poise_dataset_read(&d, score, s, 1, &err));
    assert_error(&err, score,
                 "run.yaml:9:3: error: the label of task t needs a column \"y\", "
                 "which is not one of the 3 columns of NAME");
    unlink(score);
    score = file_text("score.csv", "words,age\na,20\n");
    assert_null(poise_dataset_read(&d, score, s, 0, &err));
    assert_error(&err, score,
                 "run.yaml:7:3: error: the feature word needs a column \"word\", "
                 "which NAME does not have; the nearest is \"words\"");
    unlink(score);
    score = file_text("score.csv", "word,age\n"); /* no rows is no error here */
    r = poise_dataset_read(&d, score, s, 0, &err);
    assert_non_null(r);
    assert_int_equal(poise_dataset_rows(r), 0);
    poise_dataset_free(r);
    unlink(score);
    poise_data_done(&data);
    s->learnt = 0;
    assert_null(poise_dataset_read(&d, path, s, 0, &err));
    poise_schema_free(s);
    unlink(path);
}

static void a_class_that_training_did_not_have_is_refused(void **state)
{
    (void)state;
    const char *train = file_text("k.csv", "x,k\n1,0\n2,2\n");
    const char *test = file_text("k2.csv", "x,k\n1,1\n2,3\n");
    poise_data_spec d = spec_of(train);
    d.test = test;
    poise_feature feature[1] = {numeric("x")};
    poise_task task[1] = {binary("t", "k", NULL)};
    task[0].kind = POISE_MULTICLASS;
    poise_schema *s = schema_of(1, feature, 1, task);
    poise_data data;
    poise_error err;
    assert_int_equal(poise_data_open(&d, s, &data, &err), -1);
    assert_error(&err, test,
                 "NAME:3:3: error: column \"k\": \"3\" is a class that the training "
                 "rows do not have");
    poise_schema_free(s);
    unlink(train);
    unlink(test);
}

/* The dictionary gives every text its own code, however many there are. */
static void codes_are_distinct_and_stable(void **state)
{
    (void)state;
    poise_error err;
    char text[32];
    uint32_t code;
    poise__dictionary *d = poise__dictionary_new(&err);
    assert_non_null(d);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < 50000; i++) {
            int n = sprintf(text, "%x", (unsigned)i * 2654435u);
            assert_int_equal(poise__dictionary_code(d, text, (size_t)n, &code, &err), 0);
            assert_int_equal(code, i);
        }
    assert_int_equal(poise__dictionary_code(d, "", 0, &code, &err), 0);
    assert_int_equal(code, 50000);
    assert_int_equal(poise__dictionary_count(d), 50001);
    poise__dictionary_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_learnt_and_encoded),
        cmocka_unit_test(gzip_reads_like_plain),
        cmocka_unit_test(options_of_features),
        cmocka_unit_test(labels_weights_and_masks),
        cmocka_unit_test(every_bad_cell_has_its_message),
        cmocka_unit_test(a_long_text_is_cut_in_the_message),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(damaged_gzip_is_refused),
        cmocka_unit_test(limit_and_columns),
        cmocka_unit_test(a_limit_forgives_rare_labels),
        cmocka_unit_test(a_file_is_read_under_a_learnt_schema),
        cmocka_unit_test(a_class_that_training_did_not_have_is_refused),
        cmocka_unit_test(codes_are_distinct_and_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
