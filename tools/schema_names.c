#include "schema_names.h"

#include <math.h>
#include <string.h>
#include "../models/about.h"
#include "../models/model.h"
#include "../plugins/plugin.h"

/* A definition of which `use` decides further keys, while its cases are collected. */
typedef struct cases {
    json_t *definition; /* borrowed: "balancer", "model" */
    json_t *names;      /* all */
    json_t *alone;      /* those that are enough by themselves */
    json_t *short_of;   /* and those that are not */
    json_t *conditions;
    poise_error *err;
} cases;

static int no_memory(poise_error *err)
{
    return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the schema");
}

static int begin(cases *c, json_t *root, const char *name, poise_error *err)
{
    *c = (cases){json_object_get(json_object_get(root, "definitions"), name),
                 json_array(),
                 json_array(),
                 json_array(),
                 json_array(),
                 err};
    return c->names && c->alone && c->short_of && c->conditions ? 0 : no_memory(err);
}

/* if use is `name` then these keys (taken over) and those of the definition, these of them needed
 * (taken over). */
static int add_case(cases *c, const char *name, json_t *keys, json_t *needed)
{
    json_t *own = json_object_get(c->definition, "properties"), *all = json_array(), *condition;
    const char *key;
    json_t *value;
    int bad = 0;

    json_object_foreach(own, key, value) bad |= json_array_append_new(all, json_string(key)) < 0;
    json_object_foreach(keys, key, value) bad |= json_array_append_new(all, json_string(key)) < 0;
    bad |= json_array_append_new(json_array_size(needed) ? c->short_of : c->alone,
                                 json_string(name)) < 0;
    condition = json_pack("{s:{s:{s:{s:[s]}}, s:[s]}, s:{s:o, s:{s:o}, s:o}}", "if", "properties",
                          "use", "enum", name, "required", "use", "then", "properties", keys,
                          "propertyNames", "enum", all, "required", needed);
    bad |= json_array_append_new(c->conditions, condition) < 0;
    bad |= json_array_append_new(c->names, json_string(name)) < 0;
    return bad ? no_memory(c->err) : 0;
}

/* Offer the names, where a text may stand: beside the forms that there are. */
static int offer(json_t *key, json_t *names)
{
    json_t *any = json_object_get(key, "anyOf"), *words = json_pack("{s:O}", "enum", names);

    if (any)
        return json_array_append_new(any, words);
    any = json_object_get(key, "allOf");
    any = any ? json_pack("[o, O]", words, json_array_get(any, 0)) : NULL;
    json_object_del(key, "allOf");
    return json_object_set_new(key, "anyOf", any);
}

/* Into the definition and into the key of the run that is short for it. */
static int end(cases *c, json_t *root, const char *short_form, int done)
{
    json_t *properties = json_object_get(c->definition, "properties");
    json_t *run = json_object_get(json_object_get(root, "definitions"), "run");
    json_t *key = json_object_get(json_object_get(run, "properties"), short_form);

    if (done == 0 && json_array_size(c->names) > 0 &&
        (json_object_set(c->definition, "allOf", c->conditions) < 0 ||
         offer(json_object_get(properties, "use"), c->names) < 0 || offer(key, c->alone) < 0))
        done = no_memory(c->err);
    if (done == 0 && json_array_size(c->short_of) > 0 &&
        json_object_set_new(key, "not", json_pack("{s:O}", "enum", c->short_of)) < 0)
        done = no_memory(c->err);
    json_decref(c->names);
    json_decref(c->alone);
    json_decref(c->short_of);
    json_decref(c->conditions);
    return done;
}

/* ---- strategies ---- */

static json_t *words(const char *const *choice)
{
    json_t *list = json_array();
    int bad = 0;

    for (; *choice; choice++)
        bad |= json_array_append_new(list, json_string(*choice)) < 0;
    if (bad) {
        json_decref(list);
        return NULL;
    }
    return json_pack("{s:o}", "enum", list);
}

static json_t *value(const poise_param *p)
{
    json_t *number;
    int bad = 0;

    if (p->kind == POISE_BOOL)
        return json_pack("{s:s}", "type", "boolean");
    if (p->kind == POISE_CHOICE)
        return words(p->choice);
    number = json_pack("{s:s, s:f}", "type", p->kind == POISE_INT ? "integer" : "number", "minimum",
                       p->min);
    if (isfinite(p->max))
        bad = json_object_set_new(number, "maximum", json_real(p->max)) < 0;
    if (bad) {
        json_decref(number);
        return NULL;
    }
    return p->choice ? json_pack("{s:[o, o]}", "anyOf", number, words(p->choice)) : number;
}

/* One value, or one for each task: whether a strategy takes those is its own check's part. */
static json_t *setting(const poise_param *p)
{
    json_t *s = json_pack("{s:[o, {s:s, s:o}]}", "anyOf", value(p), "type", "object",
                          "additionalProperties", value(p));

    if (s && p->help && json_object_set_new(s, "description", json_string(p->help)) < 0) {
        json_decref(s);
        return NULL;
    }
    return s;
}

static int add_strategy(void *user, const char *name, const char *path)
{
    cases *c = user;
    poise_error unused;
    poise_plugin *p = poise_plugin_load(path, &unused);
    json_t *keys;
    int done = 0;

    if (!p)
        return 0;
    keys = json_object();
    for (uint32_t k = 0; k < poise_plugin_get(p)->nparam; k++) {
        const poise_param *row = poise_plugin_param(p, k);

        if (json_object_set_new(keys, row->name, setting(row)) < 0)
            done = no_memory(c->err);
    }
    if (add_case(c, name, keys, json_array()) < 0)
        done = -1;
    poise_plugin_free(p);
    return done;
}

/* ---- models ---- */

/* Its parameters, and those without a default. */
static int parameters(const poise_model_about *m, json_t *keys, json_t *needed)
{
    int bad = 0;

    for (int k = 0; k < m->nparameter; k++) {
        const poise_parameter_about *p = &m->parameter[k];

        bad |= json_object_set_new(keys, p->name, json_loads(p->schema, 0, NULL)) < 0;
        if (!p->initial)
            bad |= json_array_append_new(needed, json_string(p->name)) < 0;
    }
    return bad;
}

static int add_model(cases *c, const char *name)
{
    poise_diagnostics *diag = poise_diagnostics_new(c->err);
    poise_model_about *m = diag ? poise_model_about_read(name, diag) : NULL;
    json_t *keys = json_object(), *needed = json_array();
    int done = diag ? 0 : -1;

    if (m && parameters(m, keys, needed) == 0)
        done = add_case(c, name, json_incref(keys), json_incref(needed));
    else if (m)
        done = no_memory(c->err);
    json_decref(keys);
    json_decref(needed);
    poise_model_about_free(m);
    poise_diagnostics_free(diag);
    return done;
}

static int add_models(cases *c)
{
    char **names = poise_model_names(c->err);
    int done = names ? 0 : -1;

    for (char **n = names; done == 0 && *n; n++)
        done = add_model(c, *n);
    poise_names_free(names);
    return done;
}

int tool_schema_names(json_t *root, poise_error *err)
{
    cases strategies, models;
    int done = begin(&strategies, root, "balancer", err);

    if (done == 0)
        done = poise_plugin_list(add_strategy, &strategies, err) ? -1 : 0;
    if (end(&strategies, root, "balancer", done) < 0)
        return -1;
    done = begin(&models, root, "model", err);
    if (done == 0)
        done = add_models(&models);
    return end(&models, root, "model", done);
}
