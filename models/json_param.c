/* A model's parameters as a JSON Schema: their types, ranges, choices, help and defaults. */
#include <math.h>
#include "json_parts.h"
#include "params.h"

static json_t *scalar_value(const poise__yaml *v)
{
    int64_t whole;
    double number;
    int yes;
    if (poise__yaml_null(v))
        return json_null();
    if (poise__yaml_int(v, &whole) == 0)
        return json_integer(whole);
    if (poise__yaml_number(v, &number) == 0)
        return json_real(number);
    return poise__yaml_bool(v, &yes) == 0 ? json_boolean(yes) : json_string(v->text);
}

json_t *poise__json_value(const poise__yaml *v)
{
    if (v->kind == POISE__SCALAR)
        return scalar_value(v);
    json_t *o = v->kind == POISE__LIST ? json_array() : json_object();
    int bad = 0;
    for (size_t i = 0; i < v->n && !bad; i++) {
        json_t *item = poise__json_value(v->item[i]);
        bad = v->kind == POISE__LIST ? json_array_append_new(o, item)
                                     : json_object_set_new(o, v->key[i]->text, item);
    }
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

/* Texts as a file may write them: 3 and "3" both mean the choice "3". */
static json_t *choices(const poise__texts *t)
{
    json_t *words = json_array();
    int bad = 0;
    for (int k = 0; k < t->n; k++) {
        poise__yaml plain = {.kind = POISE__SCALAR, .text = t->text[k], .plain = 1};
        json_t *value = scalar_value(&plain);
        bad |= json_array_append_new(words, json_string(t->text[k])) < 0;
        bad |= json_is_string(value) ? 0 : json_array_append(words, value) < 0;
        json_decref(value);
    }
    if (!bad)
        return json_pack("{s:o}", "enum", words);
    json_decref(words);
    return NULL;
}

static json_t *one_value(const poise__param *p)
{
    switch (p->type) {
    case POISE__PARAM_INTEGER:
        return poise__json_number("integer", p->min, p->max, 0);
    case POISE__PARAM_NUMBER:
        return poise__json_number("number", p->min, p->max, 0);
    case POISE__PARAM_BOOLEAN:
        return json_pack("{s:s}", "type", "boolean");
    case POISE__PARAM_TEXT:
    case POISE__PARAM_TASK:
    case POISE__PARAM_INPUT:
        return p->choices.n > 0 ? choices(&p->choices)
                                : json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
    }
    return NULL;
}

static int describe(json_t *o, const poise__param *p)
{
    char type[300];
    json_t *text;
    poise__param_type_text(p, type, sizeof(type));
    text = p->help ? json_sprintf("%s (%s)", p->help, type) : json_string(type);
    if (json_object_set_new(o, "description", text) < 0)
        return -1;
    return p->initial ? json_object_set_new(o, "default", poise__json_value(p->initial)) : 0;
}

json_t *poise__json_param(const poise__param *p)
{
    json_t *o = one_value(p);
    int bad = !o;
    for (int k = 0; k < p->lists && o; k++)
        o = poise__json_list(o, 1);
    if (o && p->lists > 0 && p->length > 0)
        bad = json_object_set_new(o, "minItems", json_integer(p->length)) < 0 ||
              json_object_set_new(o, "maxItems", json_integer(p->length)) < 0;
    if (o && !bad && describe(o, p) == 0)
        return o;
    json_decref(o);
    return NULL;
}
