/* The words of a row's `schema` as JSON; json_schema.h explains them. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "json_parts.h"
#include "json_schema.h"
#include "names.h"

static json_t *failed(poise__json *w, const char *what, const char *at)
{
    poise_fail(w->err, POISE_E_SPEC, POISE_NOWHERE,
               "key '%s' of '%s' has no good schema: %s at '%s'", w->key, w->section, what, at);
    return NULL;
}

/* "$units[0]", "$experts * 2" */
static json_t *parameter(void)
{
    return json_pack("{s:s}", "$ref", "#/definitions/_parameter");
}

json_t *poise__json_or_parameter(const poise__json *w, json_t *schema)
{
    return schema && w->in_network ? json_pack("{s:[o, o]}", "anyOf", schema, parameter()) : schema;
}

json_t *poise__json_text(void)
{
    return json_pack("{s:s}", "$ref", "#/definitions/_text");
}

json_t *poise__json_words(void)
{
    return json_pack("{s:{s:[s,s,s]}, s:{s:s, s:s, s:s}, s:{s:[{s:s}, {s:s, s:i, s:{s:s}}]}}",
                     "_text", "type", "string", "number", "boolean", "_parameter", "type", "string",
                     "pattern", "\\$", "description", "a parameter of the model", "_references",
                     "anyOf", "$ref", "#/definitions/_text", "type", "array", "minItems", 1,
                     "items", "$ref", "#/definitions/_text");
}

static json_t *bound(double x)
{
    return floor(x) >= x && fabs(x) < 9e15 ? json_integer((json_int_t)x) : json_real(x);
}

json_t *poise__json_number(const char *type, double min, double max, int open)
{
    const char *low = open & 1 ? "exclusiveMinimum" : "minimum";
    const char *high = open & 2 ? "exclusiveMaximum" : "maximum";
    json_t *o = json_pack("{s:s}", "type", type);
    int bad = min > -HUGE_VAL && json_object_set_new(o, low, bound(min)) < 0;
    if (max < 9e15)
        bad |= json_object_set_new(o, high, bound(max)) < 0;
    if (bad) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* ---- words ---- */

static json_t *form(poise__json *w, const char **s);

static int word(const char **s, const char *w)
{
    size_t n = strlen(w);
    if (strncmp(*s, w, n) != 0 || isalnum((unsigned char)(*s)[n]))
        return 0;
    *s += n;
    *s += strspn(*s, " ");
    return 1;
}

static int mark(const char **s, char c)
{
    if (**s != c)
        return 0;
    ++*s;
    *s += strspn(*s, " ");
    return 1;
}

/* The text up to `close`, which is passed: 0, or -1. */
static int name(poise__json *w, const char **s, char close, char *buf, size_t size)
{
    const char *end = strchr(*s, close);
    size_t n = end ? (size_t)(end - *s) : 0;
    if (n == 0 || n >= size) {
        failed(w, "a name that does not end", *s);
        return -1;
    }
    memcpy(buf, *s, n);
    buf[n] = 0;
    *s = end;
    return mark(s, close) ? 0 : -1;
}

/* "<task>", "<balancer - epochs>" after its first sign; `some`: "some of <task>" */
static json_t *section_form(poise__json *w, const char **s, int some)
{
    const char *at = *s;
    char buf[100];
    if (name(w, s, '>', buf, sizeof(buf)) < 0)
        return NULL;
    char *less = strstr(buf, " - ");
    if (less)
        *less = 0;
    const poise_section *found = poise_section_find(buf);
    if (!found)
        return failed(w, "a section that is not there", at);
    json_t *o = some ? poise__json_some(w, found) : poise__json_section(w, found);
    return less && o ? json_pack("{s:[o, {s:{s:[s]}}]}", "allOf", o, "not", "required", less + 3)
                     : o;
}

static json_t *number_form(poise__json *w, const char *type, const char **s)
{
    double range[2] = {-HUGE_VAL, HUGE_VAL};
    int open = word(s, "above");
    for (int k = 0; k < 2 && strchr("-.0123456789", **s) && **s; k++) {
        char *end;
        range[k] = strtod(*s, &end);
        if (end == *s)
            return failed(w, "no number", *s);
        *s = end + strspn(end, " ");
    }
    return poise__json_number(type, range[0], range[1], open);
}

/* "{mean: FORM}" */
static json_t *key_form(poise__json *w, const char **s)
{
    char buf[100];
    if (name(w, s, ':', buf, sizeof(buf)) < 0)
        return NULL;
    json_t *inner = form(w, s);
    if (!inner)
        return NULL;
    json_t *o = json_pack("{s:s, s:{s:o}, s:[s], s:b}", "type", "object", "properties", buf, inner,
                          "required", buf, "additionalProperties", 0);
    if (mark(s, '}'))
        return o;
    json_decref(o);
    return failed(w, "a } is missing", *s);
}

static json_t *one(poise__json *w, const char **s);

/* What "list of" and "of" bind: one form, or several in parentheses. */
static json_t *bound_form(poise__json *w, const char **s)
{
    if (!mark(s, '('))
        return poise__json_or_parameter(w, one(w, s));
    json_t *o = form(w, s);
    if (!o || mark(s, ')'))
        return o;
    json_decref(o);
    return failed(w, "a ) is missing", *s);
}

json_t *poise__json_list(json_t *item, int least)
{
    return item ? json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", least, "items", item)
                : NULL;
}

/* "list of FORM", "list of 2 FORM"; `set`: none of them twice. */
static json_t *list_form(poise__json *w, const char **s, int set)
{
    char *end;
    long n = strtol(*s, &end, 10);
    *s = end + strspn(end, " ");
    json_t *o = poise__json_list(bound_form(w, s), n ? (int)n : 1);
    int bad = 0;
    if (n)
        bad = json_object_set_new(o, "maxItems", json_integer(n)) < 0;
    if (set)
        bad |= json_object_set_new(o, "uniqueItems", json_true()) < 0;
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

/* ---- names ---- */

static json_t *one_of_words(const poise__name_rule *rule)
{
    json_t *words = json_array();
    const char *word;
    int bad = 0;
    for (int k = 0; (word = rule->word(k)) != NULL; k++)
        bad |= json_array_append_new(words, json_string(word)) < 0;
    if (!bad)
        return json_pack("{s:o}", "enum", words);
    json_decref(words);
    return NULL;
}

/* {"type": "string", "pattern": ..., "not": ...} */
static json_t *pattern(const poise__name_rule *rule)
{
    if (rule->word && strcmp(rule->around, "%s") == 0)
        return one_of_words(rule);
    char *like = poise__name_like(rule), *unlike = poise__name_unlike(rule);
    json_t *o = like && unlike ? json_pack("{s:s}", "type", "string") : NULL;
    int bad = !o;
    if (o && *like)
        bad = json_object_set_new(o, "pattern", json_string(like)) < 0;
    if (o && *unlike)
        bad |= json_object_set_new(o, "not", json_pack("{s:s}", "pattern", unlike)) < 0;
    free(like);
    free(unlike);
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

json_t *poise__json_like(const poise__json *w, const poise__name_rule *rule)
{
    json_t *o = pattern(rule);
    if (o && rule->scalar)
        o = json_pack("{s:[o, {s:[s, s]}]}", "anyOf", o, "type", "number", "boolean");
    return w->in_network && rule->made ? poise__json_or_parameter(w, o) : o;
}

static const poise__name_rule *rule_named(poise__json *w, const char *name)
{
    const poise__name_rule *rule = poise__name_find(name);
    if (!rule)
        failed(w, "a rule that is not there", name);
    return rule;
}

/* "like RULE" */
static json_t *like_form(poise__json *w, const char **s)
{
    char buf[100];
    size_t n = strcspn(*s, "|)}"), length = n;
    while (length > 0 && (*s)[length - 1] == ' ')
        length--;
    snprintf(buf, sizeof(buf), "%.*s", (int)length, *s);
    *s += n;
    const poise__name_rule *rule = rule_named(w, buf);
    return rule ? poise__json_like(w, rule) : NULL;
}

/* "map of FORM", "map by RULE of FORM": the rest after "map" */
static json_t *map_form(poise__json *w, const char **s)
{
    const poise__name_rule *rule = NULL;
    char buf[100];
    if (word(s, "by")) {
        const char *of = strstr(*s, " of ");
        if (!of)
            return failed(w, "no 'of'", *s);
        snprintf(buf, sizeof(buf), "%.*s", (int)(of - *s), *s);
        *s = of + 1;
        if (!(rule = rule_named(w, buf)))
            return NULL;
    }
    if (!word(s, "of"))
        return failed(w, "no 'of'", *s);
    json_t *item = bound_form(w, s);
    json_t *o = item ? json_pack("{s:s, s:o, s:i}", "type", "object", "additionalProperties", item,
                                 "minProperties", 1)
                     : NULL;
    if (!o || !rule)
        return o;
    json_t *names = pattern(rule);
    if (names && rule->made)
        names = json_pack("{s:[o, o]}", "anyOf", names, parameter());
    if (json_object_set_new(o, "propertyNames", names) == 0)
        return o;
    json_decref(o);
    return NULL;
}

static json_t *one(poise__json *w, const char **s)
{
    char buf[100];
    if (mark(s, '\''))
        return name(w, s, '\'', buf, sizeof(buf)) < 0 ? NULL : json_pack("{s:[s]}", "enum", buf);
    if (mark(s, '<'))
        return section_form(w, s, 0);
    if (word(s, "some of"))
        return mark(s, '<') ? section_form(w, s, 1) : failed(w, "no section", *s);
    if (mark(s, '{'))
        return key_form(w, s);
    if (word(s, "list of"))
        return list_form(w, s, 0);
    if (word(s, "set of"))
        return list_form(w, s, 1);
    if (word(s, "map"))
        return map_form(w, s);
    if (word(s, "like"))
        return like_form(w, s);
    if (word(s, "part of layer"))
        return poise__json_layer_part(w, 0);
    if (word(s, "changed layer"))
        return poise__json_layer_part(w, 1);
    if (word(s, "layer"))
        return poise__json_layer(w);
    if (word(s, "text"))
        return poise__json_text();
    if (word(s, "integer"))
        return number_form(w, "integer", s);
    if (word(s, "number"))
        return number_form(w, "number", s);
    if (word(s, "boolean"))
        return json_pack("{s:s}", "type", "boolean");
    if (word(s, "true"))
        return json_pack("{s:[b]}", "enum", 1);
    if (word(s, "null"))
        return json_pack("{s:s}", "type", "null");
    if (word(s, "empty"))
        return json_pack("{s:s, s:i}", "type", "object", "maxProperties", 0);
    if (word(s, "any"))
        return json_object();
    return failed(w, "no known form", *s);
}

/* FORM | FORM: inside a network a parameter too. */
static json_t *form(poise__json *w, const char **s)
{
    json_t *any = json_array();
    int bad = 0;
    *s += strspn(*s, " ");
    do
        bad = json_array_append_new(any, one(w, s)) < 0;
    while (!bad && mark(s, '|'));
    if (!bad && w->in_network)
        bad = json_array_append_new(any, parameter()) < 0;
    json_t *o = NULL;
    if (!bad)
        o = json_array_size(any) == 1 ? json_incref(json_array_get(any, 0))
                                      : json_pack("{s:O}", "anyOf", any);
    json_decref(any);
    return o;
}

json_t *poise__json_form(poise__json *w, const char *schema)
{
    const char *from = schema;
    if (!from)
        return failed(w, "there is none", "");
    json_t *o = form(w, &from);
    if (!o || *from == 0)
        return o;
    json_decref(o);
    return failed(w, "a word too many", from);
}

int poise__json_form_check(const char *schema, poise_error *err)
{
    poise__json w = {.definition = json_object(), .section = "?", .key = "?", .err = err};
    poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    json_t *o = w.definition ? poise__json_form(&w, schema) : NULL;
    int done = o ? 0 : -1;
    json_decref(o);
    json_decref(w.definition);
    return done;
}
