/* json_schema.h -- run and model files as a JSON Schema (draft 7), for editors and other checkers.
 *
 *     char *text = poise_json_schema(POISE_RUN_FILE, &err);
 *
 * It is written from the tables of keys.h: names, types, ranges, choices, defaults, which key is
 * required, which goes with which, and the help as description.  What a table cannot say (a column that is not in the
 * data, a layer that nobody calls by that name) stays with `poise check`.
 *
 * A key of kind POISE_KEY_OWN says in `schema` what may stand there, in these words:
 *
 *   text              a word, a number or a quoted text: any scalar but null
 *   like RULE         a text that follows that rule of names.h
 *   integer 1 4096    a whole number in that range; without a range, any
 *   number 0 0.5      a number in that range; without a range, any; "number above 0 1" without the 0
 *   boolean           true or false               true    true alone
 *   'mean'            that word
 *   <task>            a mapping of the keys of that section (poise_section_find)
 *   <task - loss>     the same without that key
 *   some of <task>    the same where the others may stand elsewhere: no key is needed
 *   {mean: FORM}      a mapping of that key alone
 *   list of FORM      at least one, each of that form; "list of 2 FORM": two
 *   set of FORM       the same, none of them twice
 *   map of FORM       a mapping with any keys, at least one, their values of that form; "map by RULE
 *                     of FORM": the keys follow that rule of names.h
 *   empty             a mapping without keys
 *   layer             a layer of a network
 *   part of layer     some keys of one; null in a key's place
 *   changed layer     the same without the key that says the kind
 *   null              nothing                       any     anything
 *   FORM | FORM       one of them; "list of (text | <task>)" binds several
 *
 *     {.name = "label", .kind = POISE_KEY_OWN, .schema = "text | <label>", ...}
 *
 * Inside a layer "$name", an expression with it included, may stand for every value, and a schema
 * does not say so.
 */
#ifndef POISE_JSON_SCHEMA_H
#define POISE_JSON_SCHEMA_H

#include "../core/error.h"

typedef enum poise_file_kind { POISE_RUN_FILE, POISE_MODEL_FILE } poise_file_kind;

/* The schema as JSON text, indented; malloc'd.  NULL and *err when memory is out, or where a row's
 * `schema` is missing or not in the words above (code SPEC, and the row is named). */
POISE_API char *poise_json_schema(poise_file_kind kind, poise_error *err);

#endif
