/* The schema as JSON:
 *
 *     {"version": 2, "learnt": true, "weight": null,
 *      "features": [{"name": "age", "column": null, "kind": "numeric", "clip": [0.0, 90.0],
 *                    "transform": "none", "standardise": true, "missing": null,
 *                    "indicator": false, "bins": 3, "bin_only": false, "dim": 8, "mean": 34.5,
 *                    "deviation": 22.3, "edges": [24.5, 43.5]},
 *                   {"name": "sex", "column": null, "kind": "categorical", "dim": 8,
 *                    "min_count": 1, "values": ["Female", "Male"]},
 *                   {"name": "gaps", ..., "kind": "missing_count", ... as numeric ...,
 *                    "counted": ["age", "sex"]},
 *                   {"name": "tags", "column": null, "kind": "list", "separator": "|",
 *                    "length": 32, "keep_last": false, "pool": "mean", "dim": 16, "min_count": 1,
 *                    "values": ["a", "b"]},
 *                   {"name": "last_sex", "column": null, "kind": "categorical", "table": "sex"}],
 *      "tasks": [{"name": "income", "kind": "binary", "label": "income",
 *                 "label_tests": false, "positive": "50000+", "when": null, "when_tests": false,
 *                 "weight": null, "loss": {...}, "loss_weight": 1.0, "base_rate": 0.06,
 *                 "nclass": 0}]}
 *
 * "table" stands in place of "dim", "min_count" and "values", of a list too, which are then those of
 * the feature that it names.  A text that is not UTF-8 is written {"hex": "ff41"}.  Reals have 17 digits, which read back to
 * the same double.  Every key is there; a key too many or too few is an error.
 */
#include "schema.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

static const char *const kinds[] = {POISE_FEATURE_KINDS};
static const char *const pools[] = {POISE_POOLINGS};
static const char *const transforms[] = {POISE_TRANSFORMS};
static const char *const task_kinds[] = {POISE_TASK_KINDS};

/* A value that could not be made is NULL, which json_*_new refuses to take in. */

static json_t *put_text(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    if (!text)
        return json_null();
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    size_t n = strlen(text);
    char *hex = malloc(2 * n + 1);
    if (!hex)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        hex[2 * i] = digits[(unsigned char)text[i] >> 4];
        hex[2 * i + 1] = digits[(unsigned char)text[i] & 15];
    }
    hex[2 * n] = 0;
    json_t *out = json_pack("{s:s}", "hex", hex);
    free(hex);
    return out;
}

static json_t *put_real(double x)
{
    return isnan(x) ? json_null() : json_real(x);
}

static json_t *put_texts(int64_t n, const char *const *text)
{
    json_t *list = json_array();
    for (int64_t k = 0; list && k < n; k++)
        if (json_array_append_new(list, put_text(text[k])) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

static json_t *put_edges(const poise_feature *f)
{
    json_t *list = json_array();
    for (int64_t k = 0; list && k < f->nedge; k++)
        if (json_array_append_new(list, json_real(f->edge[k])) < 0) {
            json_decref(list);
            list = NULL;
        }
    return list;
}

/* Of a categorical and a list: what their table is. */
static json_t *put_table(const poise_feature *f)
{
    return f->table ? json_pack("{s:o}", "table", put_text(f->table))
                    : json_pack("{s:I, s:I, s:o}", "dim", (json_int_t)f->dim, "min_count",
                                (json_int_t)f->min_count, "values", put_texts(f->nvalue, f->value));
}

/* The members of `more` as well, which is taken in; NULL where either is. */
static json_t *put_more(json_t *o, json_t *more)
{
    if (o && (!more || json_object_update(o, more) < 0)) {
        json_decref(o);
        o = NULL;
    }
    json_decref(more);
    return o;
}

static json_t *put_feature(const poise_feature *f)
{
    if (f->kind == POISE_CATEGORICAL)
        return put_more(json_pack("{s:o, s:o, s:s}", "name", put_text(f->name), "column",
                                  put_text(f->column), "kind", kinds[f->kind]),
                        put_table(f));
    if (f->kind == POISE_LIST)
        return put_more(json_pack("{s:o, s:o, s:s, s:o, s:I, s:b, s:s}", "name", put_text(f->name),
                                  "column", put_text(f->column), "kind", kinds[f->kind],
                                  "separator", put_text(f->separator), "length",
                                  (json_int_t)f->length, "keep_last", f->keep_last, "pool",
                                  pools[f->pool]),
                        put_table(f));
    json_t *o =
        json_pack("{s:o, s:o, s:s, s:o, s:s, s:b, s:o, s:b, s:I, s:b, s:I, s:o, s:o, s:o}", "name",
                  put_text(f->name), "column", put_text(f->column), "kind", kinds[f->kind], "clip",
                  f->clip ? json_pack("[f, f]", f->low, f->high) : json_null(), "transform",
                  transforms[f->transform], "standardise", f->standardise, "missing",
                  put_real(f->missing), "indicator", f->indicator, "bins", (json_int_t)f->bins,
                  "bin_only", f->bin_only, "dim", (json_int_t)f->dim, "mean", put_real(f->mean),
                  "deviation", put_real(f->deviation), "edges", put_edges(f));
    if (o && f->kind == POISE_MISSING_COUNT &&
        json_object_set_new(o, "counted", put_texts(f->ncounted, f->counted)) < 0) {
        json_decref(o);
        o = NULL;
    }
    return o;
}

/* With its kind filled in: what is read back compares equal. */
static json_t *put_loss(const poise_task *t)
{
    poise_loss l = poise_task_loss(t);
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "kind", poise_loss_name(l.kind), "smoothing",
                     put_real(l.smoothing), "positive_weight", put_real(l.positive_weight), "gamma",
                     put_real(l.gamma), "alpha", put_real(l.alpha), "delta", put_real(l.delta));
}

static json_t *put_task(const poise_task *t)
{
    return json_pack("{s:o, s:s, s:o, s:b, s:o, s:o, s:b, s:o, s:o, s:o, s:o, s:I}", "name",
                     put_text(t->name), "kind", task_kinds[t->kind], "label", put_text(t->label),
                     "label_tests", t->label_tests, "positive", put_text(t->positive), "when",
                     put_text(t->when), "when_tests", t->when_tests, "weight", put_text(t->weight),
                     "loss", put_loss(t), "loss_weight", put_real(t->loss_weight), "base_rate",
                     put_real(t->base_rate), "nclass", (json_int_t)t->nclass);
}

char *poise_schema_to_json(const poise_schema *s, poise_error *err)
{
    json_t *features = json_array(), *tasks = json_array();
    int ok = features && tasks;
    for (int f = 0; ok && f < s->nfeature; f++)
        ok = json_array_append_new(features, put_feature(&s->feature[f])) == 0;
    for (int t = 0; ok && t < s->ntask; t++)
        ok = json_array_append_new(tasks, put_task(&s->task[t])) == 0;
    json_t *root = ok ? json_pack("{s:i, s:b, s:o, s:O, s:O}", "version", POISE__SCHEMA_VERSION,
                                  "learnt", s->learnt, "weight", put_text(s->weight), "features",
                                  features, "tasks", tasks)
                      : NULL;
    char *text = root ? json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(root);
    json_decref(features);
    json_decref(tasks);
    if (!text)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory for the schema's JSON");
    return text;
}
