/* What tables say of keys beside each other (keys.h), as a JSON Schema:
 *
 *     needs, without    "dependencies": {"smooth": ["select"], "top": {"not": {"required": ["select"]}}}
 *     one_of, some_of   "oneOf", "anyOf" of {"required": [...]}
 *     unless            if data has generate, else {"required": ["features", "tasks"]}
 *     beside            if extends is there, then the one form of network, else the other
 *     agrees            if the loss is huber, then the type is regression
 */
#include <string.h>
#include "json_parts.h"
#include "reading.h"

static json_t *required(const char *key)
{
    return json_pack("{s:[s]}", "required", key);
}

/* The key is there and says something else than its default. */
static json_t *said(const poise_key *k)
{
    json_t *o = required(k->name);
    if (!k->initial || !o)
        return o;
    json_t *other = json_pack("{s:{s:{s:[o]}}}", k->name, "not", "enum", poise__json_initial(k));
    if (json_object_set_new(o, "properties", other) == 0)
        return o;
    json_decref(o);
    return NULL;
}

/* The key has that value, said or as its default. */
static json_t *is(const poise__json *w, const poise_key *k, const char *value)
{
    json_t *enumerated = poise__json_or_parameter(w, json_pack("{s:[s]}", "enum", value));
    json_t *o = enumerated ? json_pack("{s:{s:o}}", "properties", k->name, enumerated) : NULL;
    if (!o || (k->initial && strcmp(k->initial, value) == 0))
        return o;
    if (json_object_set_new(o, "required", json_pack("[s]", k->name)) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *condition(const poise__json *w, const char *text, int n,
                         const poise_section *const *s)
{
    char name[80];
    const char *value = poise__key_condition(text, name, sizeof(name));
    const poise_key *k = poise__key_find(n, s, name, NULL);
    if (!k) {
        poise_fail(w->err, POISE_E_SPEC, POISE_NOWHERE, "there is no key '%s' beside '%s' of '%s'",
                   name, w->key, w->section);
        return NULL;
    }
    return value ? is(w, k, value) : said(k);
}

/* ---- needs, without ---- */

static int add_dependency(poise__json *w, json_t *to, const poise_key *k, int n,
                          const poise_section *const *s)
{
    json_t *all = json_array();
    int bad = 0;
    w->key = k->name;
    if (k->needs)
        bad = json_array_append_new(all, condition(w, k->needs, n, s)) < 0;
    if (k->without && !bad) {
        json_t *there = condition(w, k->without, n, s);
        bad = json_array_append_new(all, there ? json_pack("{s:o}", "not", there) : NULL) < 0;
    }
    if (!bad && json_array_size(all) == 1)
        bad = json_object_set(to, k->name, json_array_get(all, 0)) < 0;
    else if (!bad && json_array_size(all) > 1)
        bad = json_object_set_new(to, k->name, json_pack("{s:O}", "allOf", all)) < 0;
    json_decref(all);
    return bad ? -1 : 0;
}

static int add_dependencies(poise__json *w, json_t *o, int n, const poise_section *const *s)
{
    json_t *to = json_object();
    int bad = 0;
    for (int i = 0; i < n; i++)
        for (int k = 0; k < s[i]->nkey; k++)
            bad |= add_dependency(w, to, &s[i]->key[k], n, s) < 0;
    if (!bad && json_object_size(to) > 0)
        bad = json_object_set(o, "dependencies", to) < 0;
    json_decref(to);
    return bad ? -1 : 0;
}

/* ---- what must be there ---- */

static int add_needed(json_t *o, const char *rule, const char *words)
{
    json_t *any = json_array();
    char name[80];
    int bad = 0;
    for (const char *next = words; (next = poise__word_next(next, name, sizeof(name))) != NULL;)
        bad |= json_array_append_new(any, required(name)) < 0;
    bad |= words && json_object_set(o, rule, any) < 0;
    json_decref(any);
    return bad ? -1 : 0;
}

static int add_unless(json_t *all, const poise_key *k)
{
    char map[80];
    const char *key = k->unless ? poise__key_condition(k->unless, map, sizeof(map)) : NULL;
    return key ? json_array_append_new(all, json_pack("{s:{s:{s:{s:[s]}}}, s:{s:[s]}}", "if",
                                                      "properties", map, "required", key, "else",
                                                      "required", k->name))
               : 0;
}

/* ---- other keys decide the form ---- */

static int add_beside(poise__json *w, json_t *all, const poise_key *k)
{
    if (!k->beside)
        return 0;
    w->key = k->name;
    json_t *with = poise__json_form(w, k->beside_schema);
    json_t *alone = with ? poise__json_form(w, k->schema) : NULL;
    if (!alone) {
        json_decref(with);
        return -1;
    }
    return json_array_append_new(
        all, json_pack("{s:{s:[s]}, s:{s:{s:o}}, s:{s:{s:o}}}", "if", "required", k->beside, "then",
                       "properties", k->name, with, "else", "properties", k->name, alone));
}

static int add_agreement(json_t *all, const poise_key *k)
{
    int bad = 0;
    for (int i = 0; k->agrees && k->pick[i] && !bad; i++) {
        const char *word = k->pick[i]->name;
        json_t *picked = json_pack("{s:[{s:[s]}, {s:s, s:[s]}]}", "anyOf", "enum", word, "type",
                                   "object", "required", word);
        json_t *rule = json_pack("{s:{s:{s:o}, s:[s]}, s:{s:{s:{s:[s]}}}}", "if", "properties",
                                 k->name, picked, "required", k->name, "then", "properties",
                                 k->agrees, "enum", k->agreed(word));
        bad = json_array_append_new(all, rule) < 0;
    }
    return bad ? -1 : 0;
}

int poise__json_rules(poise__json *w, json_t *o, int n, const poise_section *const *s)
{
    json_t *all = json_array();
    int bad = add_dependencies(w, o, n, s) < 0;
    for (int i = 0; i < n && !bad; i++) {
        w->section = s[i]->name;
        bad = add_needed(o, "oneOf", s[i]->one_of) < 0 || add_needed(o, "anyOf", s[i]->some_of) < 0;
        for (int k = 0; k < s[i]->nkey && !bad; k++)
            bad = add_unless(all, &s[i]->key[k]) < 0 || add_beside(w, all, &s[i]->key[k]) < 0 ||
                  add_agreement(all, &s[i]->key[k]) < 0;
    }
    if (!bad && json_array_size(all) > 0)
        bad = json_object_set(o, "allOf", all) < 0;
    json_decref(all);
    return bad ? -1 : 0;
}
