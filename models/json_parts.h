/* json_parts.h -- what the files that write a JSON Schema share.  Internal.
 *
 * json_schema.c writes tables, json_form.c the words of a row's `schema`, json_rules.c what a table says of
 * keys beside each other, json_param.c the parameters of a model.  Every function returns a
 * new reference, or NULL: memory is out, or *err of the writing says what is wrong.
 */
#ifndef POISE_JSON_PARTS_H
#define POISE_JSON_PARTS_H

#include <jansson.h>
#include "keys.h"
#include "names.h"
#include "params.h"

/* One writing of a schema. */
typedef struct poise__json {
    json_t *definition;        /* by name */
    int in_network;            /* "$name" may stand for every value */
    const char *section, *key; /* whose form is read, for messages */
    poise_error *err;
} poise__json;

/* json_schema.c: a reference to the definition of a section, of layers; some keys of a layer. */
json_t *poise__json_section(poise__json *w, const poise_section *s);
json_t *poise__json_layer(poise__json *w);
json_t *poise__json_layer_part(poise__json *w, int changed);
/* Keys of a section, none needed. */
json_t *poise__json_some(poise__json *w, const poise_section *s);
/* A key's default. */
json_t *poise__json_initial(const poise_key *k);

/* json_rules.c: which keys of n sections go with which, into the object `o`.  0 or -1. */
int poise__json_rules(poise__json *w, json_t *o, int n, const poise_section *const *s);

/* json_form.c: a row's `schema`, whole. */
json_t *poise__json_form(poise__json *w, const char *schema);
/* Whether a row's `schema` is in the words of json_schema.h: 0, or -1 and what is wrong. */
int poise__json_form_check(const char *schema, poise_error *err);
/* A list of `item` (taken over; NULL gives NULL). */
json_t *poise__json_list(json_t *item, int least);
/* A text that follows a rule of names.h. */
json_t *poise__json_like(const poise__json *w, const poise__name_rule *rule);
/* The definitions that a schema begins with: "_text", "_parameter", "_references". */
json_t *poise__json_words(void);
/* Any scalar but null: what a reader takes as text. */
json_t *poise__json_text(void);
/* "integer" or "number"; a bound that is infinite is left out, and a maximum past 9e15.  `open` is 1
 * where min is not among the values, 2 where max is not, 3 where neither is. */
json_t *poise__json_number(const char *type, double min, double max, int open);
/* The schema (taken over), and inside a network a parameter in its place. */
json_t *poise__json_or_parameter(const poise__json *w, json_t *schema);

/* json_param.c: a node as JSON; a value of a model's parameter as a schema with its help and default. */
json_t *poise__json_value(const poise__yaml *v);
json_t *poise__json_param(const poise__param *p);

#endif
