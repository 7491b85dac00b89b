/* The tables of keys.h as a JSON Schema.
 *
 *     section  ->  definition "task": an object of its keys, no others
 *     layer    ->  definition "layer": any of "layer_mlp", "layer_dense", ...
 *
 * Sections that stand inside a network are written a second time, as "network_NAME": there "$name"
 * may stand for every value. */
#include <stdio.h>
#include <string.h>
#include "json_parts.h"
#include "json_schema.h"
#include "layer.h"
#include "names.h"
#include "sections.h"

/* ---- keys ---- */

static json_t *reference(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/definitions/", name);
}

json_t *poise__json_initial(const poise_key *k)
{
    poise__yaml v = {.kind = POISE__SCALAR, .text = k->initial, .plain = 1};
    int64_t whole;
    double number;
    int yes;
    if (k->kind == POISE_KEY_TEXT || k->kind == POISE_KEY_CHOICE || k->kind == POISE_KEY_CHOICES)
        return json_string(k->initial);
    if (poise__yaml_int(&v, &whole) == 0)
        return json_integer(whole);
    if (poise__yaml_number(&v, &number) == 0)
        return json_real(number);
    return poise__yaml_bool(&v, &yes) == 0 ? json_boolean(yes) : json_string(k->initial);
}

/* Help, type and default as an editor shows them. */
static json_t *description(const poise_key *k)
{
    char type[400], help[500];
    poise_key_type(k, type, sizeof(type));
    poise_key_help(k, help, sizeof(help));
    return k->initial ? json_sprintf("%s (%s; default %s)", help, type, k->initial)
                      : json_sprintf("%s (%s)", help, type);
}

/* Beside "$ref" draft 7 reads nothing, so a reference is wrapped. */
static json_t *described(json_t *schema, const poise_key *k)
{
    if (schema && json_object_get(schema, "$ref"))
        schema = json_pack("{s:[o]}", "allOf", schema);
    int bad = json_object_set_new(schema, "description", description(k)) < 0;
    if (k->initial)
        bad |= json_object_set_new(schema, "default", poise__json_initial(k)) < 0;
    if (!bad)
        return schema;
    json_decref(schema);
    return NULL;
}

static json_t *choice_schema(const poise_key *k)
{
    json_t *words = json_array();
    int bad = 0;
    for (int i = 0; k->choice[i]; i++)
        bad |= json_array_append_new(words, json_string(k->choice[i])) < 0;
    json_t *o = bad ? NULL : json_pack("{s:O}", "enum", words);
    json_decref(words);
    return o;
}

/* One, or a list of them; `one` makes another of the same each time. */
static json_t *several(const poise__json *w, const poise_key *k, json_t *(*one)(const poise_key *k))
{
    return json_pack("{s:[o, o]}", "anyOf", one(k),
                     poise__json_list(poise__json_or_parameter(w, one(k)), 1));
}

static json_t *number_schema(const poise_key *k)
{
    return poise__json_number("number", k->min, k->max, k->open ? 3 : 0);
}

static json_t *plain_schema(poise__json *w, const poise_key *k)
{
    switch (k->kind) {
    case POISE_KEY_TEXT:
        return k->like ? poise__json_like(w, poise__name_find(k->like)) : poise__json_text();
    case POISE_KEY_INT:
        return poise__json_number("integer", k->min, k->max, 0);
    case POISE_KEY_NUMBER:
        return number_schema(k);
    case POISE_KEY_BOOL:
        return json_pack("{s:s}", "type", "boolean");
    case POISE_KEY_CHOICE:
        return choice_schema(k);
    case POISE_KEY_TEXTS:
        return poise__json_list(poise__json_or_parameter(w, poise__json_text()), 0);
    case POISE_KEY_INTS:
        return poise__json_list(
            poise__json_or_parameter(w, poise__json_number("integer", k->min, k->max, 0)), 1);
    case POISE_KEY_CHOICES:
        return several(w, k, choice_schema);
    case POISE_KEY_NUMBERS:
        return several(w, k, number_schema);
    case POISE_KEY_SECTION:
        return json_pack("{s:[o, o]}", "anyOf", plain_schema(w, &k->section->key[0]),
                         poise__json_section(w, k->section));
    case POISE_KEY_REFERENCES:
        return reference("_references");
    case POISE_KEY_OWN:
        break;
    }
    return NULL;
}

/* `adam` or {adam: {...}} */
static json_t *pick_schema(poise__json *w, const poise_section *const *of)
{
    json_t *words = json_array(), *keys = json_object();
    int bad = 0;
    for (; *of && !bad; of++)
        bad = json_array_append_new(words, json_string((*of)->name)) < 0 ||
              json_object_set_new(keys, (*of)->name, poise__json_section(w, *of)) < 0;
    if (!bad)
        return json_pack("{s:[{s:o}, {s:s, s:o, s:b, s:i, s:i}]}", "anyOf", "enum", words, "type",
                         "object", "properties", keys, "additionalProperties", 0, "minProperties",
                         1, "maxProperties", 1);
    json_decref(words);
    json_decref(keys);
    return NULL;
}

static json_t *key_schema(poise__json *w, const poise_section *s, const poise_key *k)
{
    w->section = s->name;
    w->key = k->name;
    if (k->beside) /* either form: json_rules.c says which */
        return json_object();
    if (k->pick)
        return pick_schema(w, k->pick);
    if (k->kind == POISE_KEY_OWN)
        return poise__json_form(w, k->schema);
    if (k->kind == POISE_KEY_TEXT || k->kind == POISE_KEY_REFERENCES)
        return plain_schema(w, k); /* "$name" is text itself */
    return poise__json_or_parameter(w, plain_schema(w, k));
}

/* ---- sections ---- */

static int add_keys(poise__json *w, const poise_section *s, json_t *properties, json_t *required)
{
    for (int k = 0; k < s->nkey; k++) {
        json_t *value = key_schema(w, s, &s->key[k]);
        value = value ? described(value, &s->key[k]) : NULL;
        if (json_object_set_new(properties, s->key[k].name, value) < 0)
            return -1;
        if (s->key[k].required && json_array_append_new(required, json_string(s->key[k].name)) < 0)
            return -1;
    }
    return 0;
}

/* What keys in no row are: nothing, or of the form that the section says. */
static json_t *other_schema(poise__json *w, const poise_section *s)
{
    if (!s->other)
        return json_false();
    w->section = s->name;
    w->key = "any other";
    return poise__json_form(w, s->other_schema);
}

/* An object of the keys of n sections; the first says what other keys are. */
static json_t *sections_schema(poise__json *w, int n, const poise_section *const *s)
{
    json_t *properties = json_object(), *required = json_array();
    int bad = 0;
    for (int k = 0; k < n && !bad; k++)
        bad = add_keys(w, s[k], properties, required);
    json_t *other = bad ? NULL : other_schema(w, s[0]);
    if (!other) {
        json_decref(properties);
        json_decref(required);
        return NULL;
    }
    json_t *o = json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description",
                          s[0]->about ? s[0]->about : "", "properties", properties,
                          "additionalProperties", other);
    bad = poise__json_rules(w, o, n, s) < 0;
    if (json_array_size(required) == 0)
        json_decref(required);
    else
        bad |= json_object_set_new(o, "required", required) < 0;
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

/* A definition's name: no blank, for it stands in a URI. */
static const char *definition_name(const char *before, const poise_section *s, char *buf,
                                   size_t size)
{
    snprintf(buf, size, "%s%s", before, s->name);
    for (char *c = buf; *c; c++)
        if (*c == ' ' || *c == ':')
            *c = '_';
    return buf;
}

/* A reference to the definition `name`, which `n` sections make; it is written the first time. */
static json_t *define(poise__json *w, const char *name, int n, const poise_section *const *s)
{
    if (json_object_get(w->definition, name))
        return reference(name);
    const char *section = w->section, *key = w->key;
    /* First a mark, so that a section may hold itself. */
    json_t *o =
        json_object_set_new(w->definition, name, json_true()) < 0 ? NULL : sections_schema(w, n, s);
    w->section = section;
    w->key = key;
    return json_object_set_new(w->definition, name, o) < 0 ? NULL : reference(name);
}

json_t *poise__json_section(poise__json *w, const poise_section *s)
{
    char name[200];
    return define(w, definition_name(w->in_network ? "network_" : "", s, name, sizeof(name)), 1,
                  &s);
}

/* ---- layers ---- */

/* Not every kind may have copies. */
static void leave_out(json_t *o, const poise__layer_kind *kind)
{
    if (!kind->copies)
        json_object_del(json_object_get(o, "properties"), "copies");
}

static json_t *layer_kind(poise__json *w, const poise__layer_kind *kind)
{
    const poise_section *s[] = {&kind->section, &poise__layer_section};
    char name[200];
    definition_name("layer_", &kind->section, name, sizeof(name));
    json_t *of = define(w, name, 2, s);
    leave_out(json_object_get(w->definition, name), kind);
    return of;
}

json_t *poise__json_layer(poise__json *w)
{
    if (json_object_get(w->definition, "layer"))
        return reference("layer");
    int before = w->in_network, bad = json_object_set_new(w->definition, "layer", json_true()) < 0;
    json_t *any = json_array();
    w->in_network = 1;
    for (int k = 0; k < POISE__KINDS && !bad; k++)
        bad = json_array_append_new(any, layer_kind(w, poise__layer_kinds[k])) < 0;
    w->in_network = before;
    if (bad) {
        json_decref(any);
        return NULL;
    }
    return json_object_set_new(w->definition, "layer", json_pack("{s:o}", "anyOf", any)) < 0
               ? NULL
               : reference("layer");
}

/* Nothing in a key's place takes the key away. */
static int allow_nothing(json_t *properties)
{
    const char *key;
    json_t *value;
    void *next;
    json_object_foreach_safe(properties, next, key, value)
    {
        json_t *either = json_pack("{s:[O, {s:s}]}", "anyOf", value, "type", "null");
        if (json_object_set_new(properties, key, either) < 0)
            return -1;
    }
    return 0;
}

/* The keys of sections without what they say of each other: the others may stand elsewhere. */
static json_t *loose(poise__json *w, int n, const poise_section *const *s)
{
    static const char *const rule[] = {"required", "dependencies", "oneOf", "anyOf", "allOf"};
    json_t *o = sections_schema(w, n, s);
    for (int k = 0; o && k < POISE__COUNT(rule); k++)
        json_object_del(o, rule[k]);
    return o;
}

json_t *poise__json_some(poise__json *w, const poise_section *s)
{
    char name[200];
    definition_name("some_", s, name, sizeof(name));
    if (json_object_get(w->definition, name))
        return reference(name);
    return json_object_set_new(w->definition, name, loose(w, 1, &s)) < 0 ? NULL : reference(name);
}

static json_t *some_keys(poise__json *w, const poise__layer_kind *kind, int changed)
{
    const poise_section *s[] = {&kind->section, &poise__layer_section};
    json_t *o = loose(w, 2, s), *properties = json_object_get(o, "properties");
    if (!o)
        return NULL;
    leave_out(o, kind);
    if (changed)
        json_object_del(properties, kind->section.name);
    if (allow_nothing(properties) == 0)
        return o;
    json_decref(o);
    return NULL;
}

/* Some keys of a layer: those of one kind and of every layer, none needed; of a changed one without
 * the key that says the kind. */
json_t *poise__json_layer_part(poise__json *w, int changed)
{
    const char *name = changed ? "changed_layer" : "part_of_layer";
    if (json_object_get(w->definition, name))
        return reference(name);
    json_t *any = json_array();
    int before = w->in_network, bad = json_object_set_new(w->definition, name, json_true()) < 0;
    w->in_network = 1;
    for (int k = 0; k < POISE__KINDS && !bad; k++)
        bad = json_array_append_new(any, some_keys(w, poise__layer_kinds[k], changed)) < 0;
    w->in_network = before;
    if (bad) {
        json_decref(any);
        return NULL;
    }
    return json_object_set_new(w->definition, name, json_pack("{s:o}", "anyOf", any)) < 0
               ? NULL
               : reference(name);
}

char *poise_json_schema(poise_file_kind kind, poise_error *err)
{
    const poise_section *s =
        kind == POISE_RUN_FILE ? &poise__run_section : &poise__model_file_section;
    poise__json w = {.definition = poise__json_words(), .err = err};
    poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    json_t *top = poise__json_section(&w, s);
    json_t *root = top ? json_pack("{s:s, s:s+, s:[o], s:O}", "$schema",
                                   "http://json-schema.org/draft-07/schema#", "title",
                                   "Poise: ", s->name, "allOf", top, "definitions", w.definition)
                       : NULL;
    char *text = root ? json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    json_decref(w.definition);
    return text;
}
