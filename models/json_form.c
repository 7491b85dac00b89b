/* The words of a row's `schema` as JSON; json_schema.h explains them. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "json_parts.h"
#include "json_schema.h"

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

json_t *poise__json_number(const char *type, double min, double max)
{
    json_t *o = json_pack("{s:s}", "type", type);
    int bad = min > -HUGE_VAL && json_object_set_new(o, "minimum", bound(min)) < 0;
    if (max < 9e15)
        bad |= json_object_set_new(o, "maximum", bound(max)) < 0;
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

static json_t *section_form(poise__json *w, const char **s, char *buf, size_t size)
{
    const char *at = *s;
    if (name(w, s, '>', buf, size) < 0)
        return NULL;
    const poise_section *found = poise_section_find(buf);
    return found ? poise__json_section(w, found) : failed(w, "a section that is not there", at);
}

static json_t *number_form(poise__json *w, const char *type, const char **s)
{
    double range[2] = {-HUGE_VAL, HUGE_VAL};
    for (int k = 0; k < 2 && strchr("-.0123456789", **s) && **s; k++) {
        char *end;
        range[k] = strtod(*s, &end);
        if (end == *s)
            return failed(w, "no number", *s);
        *s = end + strspn(end, " ");
    }
    return poise__json_number(type, range[0], range[1]);
}

/* "pick <adam> 'x'": the words, or a mapping of one of them. */
static json_t *pick_form(poise__json *w, const char **s)
{
    json_t *words = json_array(), *keys = json_object();
    char buf[100];
    while (words && keys) {
        json_t *inner;
        if (mark(s, '<'))
            inner = section_form(w, s, buf, sizeof(buf));
        else if (mark(s, '\'') && name(w, s, '\'', buf, sizeof(buf)) == 0)
            inner = json_pack("{s:s, s:i}", "type", "object", "maxProperties", 0);
        else if (json_array_size(words) > 0)
            return json_pack("{s:[{s:o}, {s:s, s:o, s:b, s:i, s:i}]}", "anyOf", "enum", words,
                             "type", "object", "properties", keys, "additionalProperties", 0,
                             "minProperties", 1, "maxProperties", 1);
        else
            inner = failed(w, "nothing to pick from", *s);
        if (json_array_append_new(words, inner ? json_string(buf) : NULL) < 0 ||
            json_object_set_new(keys, buf, inner) < 0)
            break;
    }
    json_decref(words);
    json_decref(keys);
    return NULL;
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

/* What "list of" and "map of" bind: one form, or several in parentheses. */
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

static json_t *map_schema(json_t *item)
{
    return item ? json_pack("{s:s, s:o}", "type", "object", "additionalProperties", item) : NULL;
}

static json_t *one(poise__json *w, const char **s)
{
    char buf[100];
    if (mark(s, '\''))
        return name(w, s, '\'', buf, sizeof(buf)) < 0 ? NULL : json_pack("{s:[s]}", "enum", buf);
    if (mark(s, '<'))
        return section_form(w, s, buf, sizeof(buf));
    if (mark(s, '{'))
        return key_form(w, s);
    if (word(s, "list of"))
        return poise__json_list(bound_form(w, s), 1);
    if (word(s, "map of"))
        return map_schema(bound_form(w, s));
    if (word(s, "part of layer"))
        return poise__json_layer_part(w, 0);
    if (word(s, "changed layer"))
        return poise__json_layer_part(w, 1);
    if (word(s, "layer"))
        return poise__json_layer(w);
    if (word(s, "pick"))
        return pick_form(w, s);
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
