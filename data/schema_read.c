/* The schema out of its JSON, whose form stands in schema_json.c.  Nothing in the text is trusted. */
#include "schema.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

static const char *const kinds[] = {POISE_FEATURE_KINDS, NULL};
static const char *const pools[] = {POISE_POOLINGS, NULL};
static const char *const transforms[] = {POISE_TRANSFORMS, NULL};
static const char *const task_kinds[] = {POISE_TASK_KINDS, NULL};

/* `at` names the object in messages: "features[3]". */
typedef struct scan {
    poise_schema *schema;
    poise_error *err;
    char at[32];
} scan;

static int refuse(const scan *r, const char *key, const char *wanted)
{
    return poise_fail(r->err, POISE_E_FORMAT, POISE_NOWHERE,
                      "the schema in this file is damaged, or of another version: %s%s%s %s", r->at,
                      *r->at ? "." : "", key, wanted);
}

static int nibble(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The arena's copy of a text value; 0, or -1.  nullable: null is NULL. */
static int take_text(const scan *r, const json_t *v, const char *key, int nullable,
                     const char **out)
{
    *out = NULL;
    if (nullable && json_is_null(v))
        return 0;
    const char *text = json_string_value(v);
    if (text)
        return (*out = poise__arena_text(r->schema->arena, text, r->err)) ? 0 : -1;
    const json_t *hex =
        json_is_object(v) && json_object_size(v) == 1 ? json_object_get(v, "hex") : NULL;
    size_t n = json_string_length(hex);
    if (!json_is_string(hex) || n % 2)
        return refuse(r, key, "is not a text");
    char *copy = poise__arena_alloc(r->schema->arena, n / 2 + 1, 1, r->err);
    if (!copy)
        return -1;
    for (size_t i = 0; i < n / 2; i++) {
        int high = nibble(json_string_value(hex)[2 * i]);
        int low = nibble(json_string_value(hex)[2 * i + 1]);
        if (high < 0 || low < 0 || high + low == 0)
            return refuse(r, key, "is not a text");
        copy[i] = (char)(unsigned char)(high << 4 | low);
    }
    *out = copy;
    return 0;
}

static int get_text(const scan *r, const json_t *o, const char *key, int nullable, const char **out)
{
    return take_text(r, json_object_get(o, key), key, nullable, out);
}

static int get_real(const scan *r, const json_t *o, const char *key, int nullable, double *out)
{
    const json_t *v = json_object_get(o, key);
    *out = NAN;
    if (nullable && json_is_null(v))
        return 0;
    if (!json_is_number(v) || !isfinite(json_number_value(v)))
        return refuse(r, key, "is not a number");
    *out = json_number_value(v);
    return 0;
}

static int get_whole(const scan *r, const json_t *o, const char *key, int64_t least, int64_t most,
                     int64_t *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_integer(v) || json_integer_value(v) < least || json_integer_value(v) > most)
        return refuse(r, key, "is not a whole number in its range");
    *out = json_integer_value(v);
    return 0;
}

static int get_flag(const scan *r, const json_t *o, const char *key, int *out)
{
    const json_t *v = json_object_get(o, key);
    if (!json_is_boolean(v))
        return refuse(r, key, "is neither true nor false");
    *out = json_is_true(v);
    return 0;
}

static int get_word(const scan *r, const json_t *o, const char *key, const char *const *words,
                    int *out)
{
    const char *text = json_string_value(json_object_get(o, key));
    for (*out = 0; text && words[*out]; ++*out)
        if (strcmp(words[*out], text) == 0)
            return 0;
    return refuse(r, key, "is not one of the words it may be");
}

static int get_texts(const scan *r, const json_t *o, const char *key, int64_t *n, const char ***out)
{
    const json_t *list = json_object_get(o, key);
    size_t count = json_array_size(list);
    if (!json_is_array(list) || count >= INT32_MAX)
        return refuse(r, key, "is not a list");
    *out = poise__arena_alloc(r->schema->arena, count ? count : 1, sizeof **out, r->err);
    for (size_t k = 0; *out && k < count; k++)
        if (take_text(r, json_array_get(list, k), key, 0, &(*out)[k]) < 0)
            return -1;
    *n = (int64_t)count;
    return *out ? 0 : -1;
}

static int get_values(const scan *r, const json_t *o, poise_feature *f)
{
    if (get_texts(r, o, "values", &f->nvalue, &f->value) < 0)
        return -1;
    for (int64_t k = 1; k < f->nvalue; k++)
        if (strcmp(f->value[k - 1], f->value[k]) >= 0)
            return refuse(r, "values", "are not in ascending order");
    return 0;
}

/* Its own table, or the feature whose it uses: which one that is will be seen when all are read. */
static int get_table(const scan *r, const json_t *o, poise_feature *f)
{
    if (json_object_get(o, "table"))
        return get_text(r, o, "table", 0, &f->table);
    return get_whole(r, o, "dim", 0, INT32_MAX, &f->dim) < 0 ||
                   get_whole(r, o, "min_count", 0, INT64_MAX, &f->min_count) < 0 ||
                   get_values(r, o, f) < 0
               ? -1
               : 0;
}

static int get_clip(const scan *r, const json_t *o, poise_feature *f)
{
    const json_t *v = json_object_get(o, "clip");
    if (json_is_null(v))
        return 0;
    f->clip = 1;
    f->low = json_number_value(json_array_get(v, 0));
    f->high = json_number_value(json_array_get(v, 1));
    if (json_array_size(v) != 2 || !json_is_number(json_array_get(v, 0)) ||
        !json_is_number(json_array_get(v, 1)) || !(f->low <= f->high))
        return refuse(r, "clip", "is not a pair of a lower and an upper bound");
    return 0;
}

static int get_edges(const scan *r, const json_t *o, poise_feature *f)
{
    const json_t *list = json_object_get(o, "edges");
    size_t n = json_array_size(list);
    if (!json_is_array(list) || (n > 0 && (int64_t)n >= f->bins))
        return refuse(r, "edges", "are not those of the bins");
    f->edge = poise__arena_alloc(r->schema->arena, n + 1, sizeof *f->edge, r->err);
    for (size_t k = 0; f->edge && k < n; k++) {
        const json_t *v = json_array_get(list, k);
        f->edge[k] = json_number_value(v);
        if (!json_is_number(v) || !isfinite(f->edge[k]) || (k && f->edge[k] <= f->edge[k - 1]))
            return refuse(r, "edges", "are not ascending numbers");
    }
    f->nedge = (int64_t)n;
    return f->edge ? 0 : -1;
}

static int get_number(const scan *r, const json_t *o, poise_feature *f)
{
    int transform;
    if (get_clip(r, o, f) < 0 || get_word(r, o, "transform", transforms, &transform) < 0 ||
        get_flag(r, o, "standardise", &f->standardise) < 0 ||
        get_real(r, o, "missing", 1, &f->missing) < 0 ||
        get_flag(r, o, "indicator", &f->indicator) < 0 ||
        get_whole(r, o, "bins", 0, 65536, &f->bins) < 0 ||
        get_flag(r, o, "bin_only", &f->bin_only) < 0 ||
        get_whole(r, o, "dim", 0, INT32_MAX, &f->dim) < 0 ||
        get_real(r, o, "mean", 0, &f->mean) < 0 ||
        get_real(r, o, "deviation", 0, &f->deviation) < 0 || get_edges(r, o, f) < 0)
        return -1;
    f->transform = (poise_transform)transform;
    return f->deviation >= 0 && (f->deviation > 0 || !r->schema->learnt)
               ? 0
               : refuse(r, "deviation", "is not above 0");
}

static int get_list(const scan *r, const json_t *o, poise_feature *f)
{
    int pool;
    if (get_text(r, o, "separator", 0, &f->separator) < 0 ||
        get_whole(r, o, "length", 1, 65536, &f->length) < 0 ||
        get_flag(r, o, "keep_last", &f->keep_last) < 0 ||
        get_word(r, o, "pool", pools, &pool) < 0 || get_table(r, o, f) < 0)
        return -1;
    f->pool = (poise_pooling)pool;
    return *f->separator ? 0 : refuse(r, "separator", "is empty");
}

static int get_feature(const scan *r, const json_t *o, poise_feature *f)
{
    static const size_t keys[] = {14, 6, 15, 10};
    int kind;
    if (get_text(r, o, "name", 0, &f->name) < 0 || get_text(r, o, "column", 1, &f->column) < 0 ||
        get_word(r, o, "kind", kinds, &kind) < 0)
        return -1;
    f->kind = (poise_feature_kind)kind;
    f->missing = NAN;
    f->deviation = 1;
    int of_another = json_object_get(o, "table") && kind != POISE_NUMERIC;
    if (json_object_size(o) != keys[kind] - (of_another ? 2 : 0))
        return refuse(r, "", "has other keys than a feature");
    if (f->kind == POISE_CATEGORICAL)
        return get_table(r, o, f);
    if (f->kind == POISE_LIST)
        return get_list(r, o, f);
    int64_t ncounted = 0;
    if (f->kind == POISE_MISSING_COUNT && get_texts(r, o, "counted", &ncounted, &f->counted) < 0)
        return -1;
    f->ncounted = (int)ncounted;
    return get_number(r, o, f);
}

static int get_loss(const scan *r, const json_t *o, poise_loss *l)
{
    static const char *const names[] = {
#define X(loss, name, kind) name,
        POISE_LOSSES(X)
#undef X
            NULL};
    int kind;
    if (json_object_size(o) != 6)
        return refuse(r, "loss", "has other keys than a loss");
    if (get_word(r, o, "kind", names, &kind) < 0 ||
        get_real(r, o, "smoothing", 0, &l->smoothing) < 0 ||
        get_real(r, o, "positive_weight", 0, &l->positive_weight) < 0 ||
        get_real(r, o, "gamma", 0, &l->gamma) < 0 || get_real(r, o, "alpha", 0, &l->alpha) < 0 ||
        get_real(r, o, "delta", 0, &l->delta) < 0)
        return -1;
    l->kind = (poise_loss_kind)(kind + 1);
    return 0;
}

static int get_task(const scan *r, const json_t *o, poise_task *t)
{
    int kind;
    if (json_object_size(o) != 12)
        return refuse(r, "", "has other keys than a task");
    if (get_text(r, o, "name", 0, &t->name) < 0 || get_word(r, o, "kind", task_kinds, &kind) < 0 ||
        get_text(r, o, "label", 0, &t->label) < 0 ||
        get_flag(r, o, "label_tests", &t->label_tests) < 0 ||
        get_text(r, o, "positive", 1, &t->positive) < 0 ||
        get_text(r, o, "when", 1, &t->when) < 0 ||
        get_flag(r, o, "when_tests", &t->when_tests) < 0 ||
        get_text(r, o, "weight", 1, &t->weight) < 0 ||
        get_loss(r, json_object_get(o, "loss"), &t->loss) < 0 ||
        get_real(r, o, "loss_weight", 0, &t->loss_weight) < 0 ||
        get_real(r, o, "base_rate", 0, &t->base_rate) < 0 ||
        get_whole(r, o, "nclass", 0, 65536, &t->nclass) < 0)
        return -1;
    t->kind = (poise_task_kind)kind;
    if (t->loss_weight < 0)
        return refuse(r, "loss_weight", "is negative");
    if (poise_loss_task(t->loss.kind) != t->kind)
        return refuse(r, "loss", "is not for a task of this kind");
    if (t->kind == POISE_BINARY && !(t->base_rate >= 0 && t->base_rate <= 1))
        return refuse(r, "base_rate", "is not between 0 and 1");
    if (poise_task_classed(t) && r->schema->learnt && t->nclass < 1 + (t->kind == POISE_ORDINAL))
        return refuse(r, "nclass",
                      t->kind == POISE_ORDINAL ? "is not 2 or more" : "is not 1 or more");
    return 0;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two of one name would share parameters of the network.  Sorts the names. */
static int distinct(const scan *r, const char **name, int n, const char *what)
{
    qsort((void *)name, (size_t)n, sizeof *name, by_text);
    for (int i = 1; i < n; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            return refuse(r, what, "hold the same name twice");
    return 0;
}

/* Every table named is that of a feature that has one. */
static int get_owners(scan *r)
{
    poise_schema *s = r->schema;
    for (int k = 0; k < s->nfeature; k++) {
        const poise_feature *f = &s->feature[k];
        const int owner = poise_feature_owner(s, k);
        const poise_feature *of = &s->feature[owner];
        snprintf(r->at, sizeof r->at, "features[%d]", k);
        if (f->table &&
            (owner == k || of->table || (of->kind != POISE_CATEGORICAL && of->kind != POISE_LIST)))
            return refuse(r, "table", "is that of no feature with a vocabulary");
    }
    *r->at = 0;
    poise__schema_tables(s);
    return 0;
}

static int get_features(scan *r, const json_t *list, const char **name)
{
    poise_schema *s = r->schema;
    for (size_t k = 0; k < json_array_size(list); k++, s->nfeature++) {
        snprintf(r->at, sizeof r->at, "features[%zu]", k);
        if (get_feature(r, json_array_get(list, k), &s->feature[k]) < 0)
            return -1;
        name[k] = s->feature[k].name;
    }
    *r->at = 0;
    return distinct(r, name, s->nfeature, "features") < 0 ? -1 : get_owners(r);
}

static int get_tasks(scan *r, const json_t *list, const char **name)
{
    poise_schema *s = r->schema;
    for (size_t k = 0; k < json_array_size(list); k++, s->ntask++) {
        snprintf(r->at, sizeof r->at, "tasks[%zu]", k);
        if (get_task(r, json_array_get(list, k), &s->task[k]) < 0)
            return -1;
        name[k] = s->task[k].name;
    }
    *r->at = 0;
    return distinct(r, name, s->ntask, "tasks");
}

static int get_schema(scan *r, const json_t *root)
{
    poise_schema *s = r->schema;
    int64_t version;
    if (!json_is_object(root))
        return refuse(r, "", "is not an object");
    if (get_whole(r, root, "version", POISE__SCHEMA_VERSION, POISE__SCHEMA_VERSION, &version) < 0 ||
        get_flag(r, root, "learnt", &s->learnt) < 0 ||
        get_text(r, root, "weight", 1, &s->weight) < 0)
        return -1;
    const json_t *features = json_object_get(root, "features");
    const json_t *tasks = json_object_get(root, "tasks");
    size_t nfeature = json_array_size(features), ntask = json_array_size(tasks);
    if (!json_is_array(features) || !json_is_array(tasks) || nfeature > 65536 || ntask > 4096 ||
        json_object_size(root) != 5)
        return refuse(r, "", "does not hold what a schema holds");
    s->feature = poise__arena_alloc(s->arena, nfeature + 1, sizeof *s->feature, r->err);
    s->task = s->feature ? poise__arena_alloc(s->arena, ntask + 1, sizeof *s->task, r->err) : NULL;
    if (!s->task)
        return -1;
    const char **name = poise__arena_alloc(s->arena, nfeature + ntask + 1, sizeof *name, r->err);
    if (!name || get_features(r, features, name) < 0)
        return -1;
    return get_tasks(r, tasks, name);
}

poise_schema *poise_schema_from_json(const char *text, poise_error *err)
{
    json_error_t wrong;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &wrong);
    if (!root) {
        poise_fail(err, POISE_E_FORMAT, POISE_NOWHERE,
                   "the schema in this file is damaged: line %d, column %d: %s", wrong.line,
                   wrong.column, wrong.text);
        return NULL;
    }
    scan r = {.schema = poise_schema_new(err), .err = err};
    if (r.schema && get_schema(&r, root) < 0) {
        poise_schema_free(r.schema);
        r.schema = NULL;
    }
    json_decref(root);
    return r.schema;
}
