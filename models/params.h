/* params.h -- the parameters of a model file.  Internal.
 *
 *     params:                                      a default, which also says the type
 *       units: [256, 128]
 *       experts: {default: 8, type: integer, min: 1, help: how many experts}
 *       first: {type: task, help: the task that comes first}    no default: a run must say it
 *     model: {use: mmoe, experts: 16}              in the run file
 *
 * Types are integer, number, boolean, text, task (the name of one) and input (features, a feature, a
 * group); of lists: integers, or "list of integers", "list of lists of integers".  min, max and
 * choices hold for every number and text in them, length for the outermost list.
 *
 * A short form has the type of its value: an integer stays an integer, a number may be whole, a list
 * is a list of what it lists (of any length from 1).
 */
#ifndef POISE_PARAMS_H
#define POISE_PARAMS_H

#include "reading.h"

typedef enum poise__param_type {
    POISE__PARAM_INTEGER,
    POISE__PARAM_NUMBER,
    POISE__PARAM_BOOLEAN,
    POISE__PARAM_TEXT,
    POISE__PARAM_TASK,
    POISE__PARAM_INPUT
} poise__param_type;

/* One parameter as declared. */
typedef struct poise__param {
    const char *name, *help;    /* help: may be NULL */
    poise_place place;          /* where it was introduced */
    const poise__yaml *initial; /* NULL: a run must say it */
    poise__param_type type;
    int lists; /* 0: one value, 1: a list of them, 2: a list of lists, ... */
    double min, max;
    int64_t length; /* 0: any */
    poise__texts choices;
    int wrong; /* it was diagnosed: any value will do */
} poise__param;

/* Read one declaration. */
int poise__param_read(poise__reading *r, const poise__yaml *key, const poise__yaml *declaration,
                      poise__param *p);
/* The type in words: "integer, 1 or more", "list of integers, each 1 .. 65536". */
const char *poise__param_type_text(const poise__param *p, char *buf, size_t size);

/* The k-th word for a type; NULL past the last. */
const char *poise__param_word(int k);

/* The mapping of all parameters with their values: declarations (NULL: none) with what is `given`
 * (NULL: nothing) beside the model's name at `place`.  `partial`: there may be more declarations, which
 * could not be read.  NULL after a diagnosis that leaves nothing to go on with; *bad is set to -1 by
 * any diagnosis. */
poise__yaml *poise__params_read(poise__reading *r, const poise__yaml *declared,
                                const poise__yaml *given, const char *model, poise_place place,
                                int partial, int *bad);

/* What the declaration of an extending file makes of the inherited one (extends.c uses
 * it): a new default, or new keys.  NULL after a diagnosis. */
poise__yaml *poise__param_merge(poise__reading *r, const poise__yaml *key,
                                const poise__yaml *inherited, const poise__yaml *declaration);
/* The declaration with another default, for writing back. */
poise__yaml *poise__param_with(poise__arena *a, const poise__yaml *declaration,
                               const poise__yaml *value, poise_error *err);

#endif
