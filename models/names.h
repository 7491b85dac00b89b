/* names.h -- what names and other short texts of the spec language may look like.  Internal.
 *
 *     poise__name_check(r, poise__name_find("layer"), key->place, key->text);
 *
 * One table: its classes of characters are what reading checks, and the patterns that the JSON Schema
 * has are written from them (json_schema.h: "like RULE", "map by RULE of FORM").
 */
#ifndef POISE_NAMES_H
#define POISE_NAMES_H

#include "reading.h"

/* A text that is not for use though it looks right, and why. */
typedef struct poise__taken {
    const char *word, *why;
} poise__taken;

typedef struct poise__name_rule {
    const char *name; /* "layer" */
    /* Classes of characters ("A-Za-z_"; after a ^ all but these): of the first and of the others.  No
     * `first`: any text, no `rest`: anything after the first. */
    const char *first, *rest;
    const char *part_first,
        *part_rest;            /* the same of parts that follow after a /; NULL: none may */
    const char *what;          /* "a layer's name" */
    const char *form;          /* "letters, digits, _ and - only, a letter first" */
    const poise__taken *taken; /* until a word of NULL; NULL: none */
    int made;                  /* 1: in a model it may be made of parameters: "h$depth" */
    int scalar;                /* 1: a number or a boolean will do as it is written */
    /* A rule for the schema alone, where reading takes the text apart and says more: the pattern, %s in
     * it any of the words ("%s" alone: one of them), and the k-th word, NULL past the last. */
    const char *around;
    const char *(*word)(int k);
} poise__name_rule;

/* NULL: there is none of that name. */
const poise__name_rule *poise__name_find(const char *name);
/* Diagnose a text that does not follow the rule.  0 or -1. */
int poise__name_check(poise__reading *r, const poise__name_rule *rule, poise_place place,
                      const char *text);
/* The patterns: what it must look like, and what it must not ("" where there is no such); malloc'd,
 * NULL when memory is out. */
char *poise__name_like(const poise__name_rule *rule);
char *poise__name_unlike(const poise__name_rule *rule);

#endif
