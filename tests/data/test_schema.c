/* A schema becomes JSON and comes back the same; damaged JSON is refused with a reason. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "files.h"

static poise_schema *example(poise_error *err)
{
    static poise_feature feature[4];
    static double edge[] = {-0.5, 5e-324, 7};
    static const char *counted[] = {"age", "sex"};
    static poise_task task[5];
    /* Ascending: strcmp takes bytes as unsigned.  The last one is not UTF-8. */
    static const char *value[] = {"", "Female", "Male", "\xc3\xa9", "\xff\x01 bytes"};
    poise_schema *s = poise_schema_new(err);
    assert_non_null(s);
    feature[0] = numeric("age");
    feature[0].mean = 0.1 + 0.2; /* not a short decimal */
    feature[0].deviation = 0x1.fffffffffffffp-3;
    feature[0].missing = -0.0;
    feature[0].transform = POISE_LOG1P;
    feature[1] = categorical("sex");
    feature[1].nvalue = 5;
    feature[1].value = value;
    feature[2] = numeric("h\xe9ight"); /* Latin-1 */
    feature[2].mean = 5e-324;
    feature[2].deviation = 1.7976931348623157e308;
    feature[2].standardise = 0;
    feature[3] = numeric("gaps");
    feature[3].kind = POISE_MISSING_COUNT;
    feature[3].column = "no column's";
    feature[3].clip = 1;
    feature[3].low = -0.1;
    feature[3].high = 1e300;
    feature[3].transform = POISE_SQRT;
    feature[3].indicator = 1;
    feature[3].bins = 9;
    feature[3].bin_only = 1;
    feature[3].dim = 6;
    feature[3].deviation = 1;
    feature[3].nedge = 3;
    feature[3].edge = edge;
    feature[3].ncounted = 2;
    feature[3].counted = counted;
    task[0] = binary("income", "income", "50000+");
    task[0].base_rate = 1.0 / 3;
    task[1] = binary("buy", "buy", NULL);
    task[1].when = "click > 3";
    task[1].when_tests = 1;
    task[1].weight = "w1";
    task[1].loss_weight = 0.25;
    task[2] = binary("kind", "kind", NULL);
    task[2].kind = POISE_MULTICLASS;
    task[2].nclass = 7;
    task[2].loss = (poise_loss){.kind = POISE_LOSS_SOFTMAX, .smoothing = 0.1};
    task[3] = binary("stars", "stars", NULL);
    task[3].kind = POISE_ORDINAL;
    task[3].nclass = 5;
    task[4] = binary("visits", "visits", NULL);
    task[4].kind = POISE_COUNT;
    s->nfeature = 4;
    s->feature = feature;
    s->ntask = 5;
    s->task = task;
    s->weight = "w";
    s->learnt = 1;
    return s;
}

static int same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void same_feature(const poise_feature *a, const poise_feature *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->transform, b->transform);
    assert_int_equal(a->standardise, a->kind == POISE_NUMERIC ? b->standardise : 1);
    assert_true(same_double(a->missing, b->missing));
    assert_int_equal(a->nvalue, b->nvalue);
    assert_int_equal(a->dim, b->dim);
    assert_int_equal(a->min_count, b->min_count);
    if (a->kind == POISE_NUMERIC) {
        assert_true(same_double(a->mean, b->mean));
        assert_true(same_double(a->deviation, b->deviation));
    }
    for (int64_t k = 0; k < a->nvalue; k++) {
        assert_string_equal(a->value[k], b->value[k]);
        assert_int_equal(poise_feature_id(b, a->value[k]), k + 1);
    }
}

static void same_task(const poise_task *a, const poise_task *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->label, b->label);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->positive != NULL, b->positive != NULL);
    assert_int_equal(a->when != NULL, b->when != NULL);
    assert_true(same_double(a->base_rate, b->base_rate));
    assert_true(same_double(a->loss_weight, b->loss_weight));
    assert_int_equal(a->nclass, b->nclass);
}

static void json_round_trips_exactly(void **state)
{
    (void)state;
    poise_error err;
    poise_schema *s = example(&err);
    s->feature[1].standardise = 1;
    char *text = poise_schema_to_json(s, &err);
    assert_non_null(text);
    poise_schema *r = poise_schema_from_json(text, &err);
    assert_non_null(r);
    assert_int_equal(r->learnt, 1);
    assert_string_equal(r->weight, "w");
    assert_int_equal(r->nfeature, 4);
    assert_int_equal(r->ntask, 5);
    for (int f = 0; f < 2; f++)
        same_feature(&s->feature[f], &r->feature[f]);
    assert_int_equal(r->feature[2].standardise, 0);
    assert_true(same_double(r->feature[2].mean, 5e-324));
    assert_true(same_double(r->feature[2].deviation, 1.7976931348623157e308));
    assert_string_equal(r->feature[2].name, "h\xe9ight");
    const poise_feature *g = &r->feature[3];
    assert_string_equal(g->column, "no column's");
    assert_true(g->clip && same_double(g->low, -0.1) && same_double(g->high, 1e300));
    assert_true(g->kind == POISE_MISSING_COUNT && g->transform == POISE_SQRT);
    assert_true(g->indicator == 1 && g->bins == 9 && g->bin_only == 1 && g->dim == 6);
    assert_int_equal(g->nedge, 3);
    assert_memory_equal(g->edge, s->feature[3].edge, 3 * sizeof(double));
    assert_int_equal(g->ncounted, 2);
    assert_string_equal(g->counted[1], "sex");
    assert_null(r->feature[0].column);
    for (int t = 0; t < 5; t++)
        same_task(&s->task[t], &r->task[t]);
    assert_string_equal(r->task[0].positive, "50000+");
    assert_string_equal(r->task[1].when, "click > 3");
    assert_true(r->task[1].when_tests == 1 && r->task[1].label_tests == 0);
    assert_string_equal(r->task[1].weight, "w1");
    assert_null(r->task[0].weight);
    char *again = poise_schema_to_json(r, &err);
    assert_string_equal(text, again);
    free(again);
    free(text);
    poise_schema_free(r);
    poise_schema_free(s);
}

static void an_id_is_the_place_in_the_vocabulary(void **state)
{
    (void)state;
    const char *value[] = {"", "a", "ab", "b"};
    poise_feature f = categorical("x");
    f.nvalue = 4;
    f.value = value;
    assert_int_equal(poise_feature_id(&f, ""), 1);
    assert_int_equal(poise_feature_id(&f, "ab"), 3);
    assert_int_equal(poise_feature_id(&f, "b"), 4);
    assert_int_equal(poise_feature_id(&f, "aa"), 0);
    assert_int_equal(poise_feature_id(&f, "c"), 0);
    assert_int_equal(poise_feature_rows(&f), 5);
    f.nvalue = 0;
    assert_int_equal(poise_feature_id(&f, ""), 0);
}

#define HEAD     "{\"version\":2,\"learnt\":true,\"weight\":null,"
#define NO_TASKS ",\"tasks\":[]}"
#define NUMBER(clip, bins, edges)                                                        \
    "{\"name\":\"n\",\"column\":null,\"kind\":\"numeric\",\"clip\":" clip                \
    ",\"transform\":\"none\",\"standardise\":true,\"missing\":null,\"indicator\":false," \
    "\"bins\":" bins ",\"bin_only\":false,\"dim\":8,\"mean\":0,\"deviation\":1,"         \
    "\"edges\":" edges "}"
#define AGE(tail)                                                                 \
    "{\"name\":\"age\",\"column\":null,\"kind\":\"numeric\",\"clip\":null,"       \
    "\"transform\":\"none\",\"standardise\":true,\"indicator\":false,\"bins\":0," \
    "\"bin_only\":false,\"dim\":8,\"edges\":[]," tail
#define SEX(v)                                                                              \
    "{\"name\":\"sex\",\"column\":null,\"kind\":\"categorical\",\"dim\":4,\"min_count\":1," \
    "\"values\":" v "}"
#define LOSS(kind)                                                                       \
    "\"loss\":{\"kind\":\"" kind "\",\"smoothing\":0,\"positive_weight\":1,\"gamma\":2," \
    "\"alpha\":0.25,\"delta\":1},"
#define TASK(k, tail)                                                                       \
    HEAD "\"features\":[],\"tasks\":[{\"name\":\"t\",\"kind\":\"" k                         \
         "\",\"label\":\"l\",\"label_tests\":false,\"positive\":null,\"when\":null,\"when_" \
         "tests\":false,\"weight\":null," tail "}]}"

static const struct {
    const char *json, *message;
} damaged[] = {
    {"", "damaged: line 1"},
    {"{", "damaged: line 1"},
    {"[]", "is not an object"},
    {"{}", "version is not a whole number"},
    {"{\"version\":1,\"learnt\":true,\"weight\":null,\"features\":[],\"tasks\":[]}", "version"},
    {"{\"version\":2,\"learnt\":1,\"weight\":null,\"features\":[],\"tasks\":[]}",
     "learnt is neither true nor false"},
    {"{\"version\":2,\"learnt\":true,\"weight\":7,\"features\":[],\"tasks\":[]}",
     "weight is not a text"},
    {HEAD "\"features\":{}" NO_TASKS, "does not hold what a schema holds"},
    {HEAD "\"more\":1,\"features\":[]" NO_TASKS, "does not hold what a schema holds"},
    {HEAD "\"features\":[],\"features\":[]" NO_TASKS, "duplicate"},
    {HEAD "\"features\":[3]" NO_TASKS, "features[0].name is not a text"},
    {HEAD "\"features\":[{\"name\":\"x\",\"column\":null,\"kind\":\"big\"}]" NO_TASKS,
     "features[0].kind"},
    {HEAD "\"features\":[" AGE("\"missing\":null,\"mean\":0}") "]" NO_TASKS, "other keys"},
    {HEAD "\"features\":[" AGE("\"missing\":\"a\",\"mean\":0,\"deviation\":1}") "]" NO_TASKS,
     "features[0].missing is not a number"},
    {HEAD "\"features\":[" AGE("\"missing\":null,\"mean\":null,\"deviation\":1}") "]" NO_TASKS,
     "features[0].mean is not a number"},
    {HEAD "\"features\":[" AGE("\"missing\":null,\"mean\":0,\"deviation\":0}") "]" NO_TASKS,
     "features[0].deviation is not above 0"},
    {HEAD "\"features\":[" AGE("\"missing\":null,\"mean\":0,\"deviation\":1},")
         AGE("\"missing\":null,\"mean\":0,\"deviation\":1}") "]" NO_TASKS,
     "features hold the same name twice"},
    {HEAD "\"features\":[" NUMBER("[1]", "4", "[]") "]" NO_TASKS, "clip is not a pair"},
    {HEAD "\"features\":[" NUMBER("[2, 1]", "4", "[]") "]" NO_TASKS, "clip is not a pair"},
    {HEAD "\"features\":[" NUMBER("[1, \"a\"]", "4", "[]") "]" NO_TASKS, "clip is not a pair"},
    {HEAD "\"features\":[" NUMBER("null", "-1", "[]") "]" NO_TASKS, "bins is not a whole number"},
    {HEAD "\"features\":[" NUMBER("null", "2", "[1, 2]") "]" NO_TASKS, "not those of the bins"},
    {HEAD "\"features\":[" NUMBER("null", "4", "[1, 1]") "]" NO_TASKS, "not ascending numbers"},
    {HEAD "\"features\":[" NUMBER("null", "4", "[1, null]") "]" NO_TASKS, "not ascending numbers"},
    {HEAD "\"features\":[" SEX("7") "]" NO_TASKS, "values is not a list"},
    {HEAD "\"features\":[" SEX("[\"b\",\"a\"]") "]" NO_TASKS, "not in ascending order"},
    {HEAD "\"features\":[" SEX("[\"a\",\"a\"]") "]" NO_TASKS, "not in ascending order"},
    {HEAD "\"features\":[" SEX("[\"a\",null]") "]" NO_TASKS, "values is not a text"},
    {HEAD "\"features\":[" SEX("[{\"hex\":\"0\"}]") "]" NO_TASKS, "values is not a text"},
    {HEAD "\"features\":[" SEX("[{\"hex\":\"00\"}]") "]" NO_TASKS, "values is not a text"},
    {HEAD "\"features\":[" SEX("[{\"hex\":\"zz\"}]") "]" NO_TASKS, "values is not a text"},
    {HEAD "\"features\":[" SEX("[\"a\\u0000\"]") "]" NO_TASKS, "damaged: line 1"},
    {TASK("binary", LOSS("bce") "\"loss_weight\":1,\"base_rate\":1.5,\"nclass\":0"),
     "tasks[0].base_rate is not between 0 and 1"},
    {TASK("binary", LOSS("bce") "\"loss_weight\":-1,\"base_rate\":0.5,\"nclass\":0"),
     "tasks[0].loss_weight is negative"},
    {TASK("multiclass", LOSS("softmax") "\"loss_weight\":1,\"base_rate\":0,\"nclass\":0"),
     "tasks[0].nclass is not 1 or more"},
    {TASK("multiclass", LOSS("softmax") "\"loss_weight\":1,\"base_rate\":0,\"nclass\":1e9"),
     "tasks[0].nclass"},
    {TASK("binary", LOSS("bce") "\"huber\":0"), "tasks[0]. has other keys"},
    {TASK("ordinal", LOSS("ordinal") "\"loss_weight\":1,\"base_rate\":0,\"nclass\":1"),
     "tasks[0].nclass is not 2 or more"},
    {TASK("binary", LOSS("huber") "\"loss_weight\":1,\"base_rate\":0,\"nclass\":0"),
     "tasks[0].loss is not for a task of this kind"},
    {TASK("binary", LOSS("hinge") "\"loss_weight\":1,\"base_rate\":0,\"nclass\":0"),
     "tasks[0].kind"},
    {TASK("binary", "\"loss\":{},\"loss_weight\":1,\"base_rate\":0,\"nclass\":0"),
     "tasks[0].loss has other keys than a loss"},
};

static void damaged_json_is_refused_with_its_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        poise_error err = {0};
        poise_schema *s = poise_schema_from_json(damaged[i].json, &err);
        if (s || err.code != POISE_E_FORMAT || !strstr(err.message, damaged[i].message))
            fail_msg("%s\ngave \"%s\", not \"%s\"", damaged[i].json, s ? "a schema" : err.message,
                     damaged[i].message);
    }
}

/* Cut or changed anywhere, the text gives an error or another schema, never a crash. */
static void every_cut_and_change_is_survived(void **state)
{
    (void)state;
    poise_error err;
    poise_schema *s = example(&err);
    char *text = poise_schema_to_json(s, &err);
    size_t n = strlen(text);
    char *copy = malloc(n + 1);
    assert_non_null(copy);
    for (size_t i = 0; i < n; i++) {
        memcpy(copy, text, n + 1);
        copy[i] = 0;
        assert_null(poise_schema_from_json(copy, &err));
        copy[i] = text[i] == '"' ? '9' : '"';
        poise_schema_free(poise_schema_from_json(copy, &err));
        copy[i] = text[i] == '7' ? '-' : '7';
        poise_schema_free(poise_schema_from_json(copy, &err));
    }
    free(copy);
    free(text);
    poise_schema_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_round_trips_exactly),
        cmocka_unit_test(an_id_is_the_place_in_the_vocabulary),
        cmocka_unit_test(damaged_json_is_refused_with_its_place),
        cmocka_unit_test(every_cut_and_change_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
