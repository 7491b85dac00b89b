/* condition.h -- a condition over the cells of a row: `rating >= 4 and not spam`.  Internal.
 *
 *     either = both *("or" both)
 *     both   = one *("and" one)
 *     one    = "not" one | "(" either ")" | name [test]
 *     test   = ("==" | "=" | "!=" | "<" | "<=" | ">" | ">=") value
 *            | ["not"] "in" "[" value *("," value) "]"
 *            | "is" ["not"] "missing"
 *     name   = word | `any text` | 'any text' | "any text"
 *     value  = number | word | 'any text' | "any text"
 *     word   = a letter or _, then letters, digits, _ . -
 *
 * A name is a column's (or a task's).  Alone it means NAME == 1.  A value that is a number is
 * compared as a number, and the cell must be one; another value is compared as text, and only for
 * equality.  A test of a missing cell is neither true nor false but unknown, and so is what depends
 * on it: `unknown or true` is true, `unknown and false` is false, the rest is unknown.  `is missing`
 * is never unknown.
 *
 * Ownership: everything lives in the arena that was given.
 */
#ifndef POISE_CONDITION_H
#define POISE_CONDITION_H

#include <stddef.h>
#include "../core/memory.h"

enum { POISE__TESTS = 64 }; /* of one condition, at most */

typedef enum poise__truth { POISE__UNKNOWN = -1, POISE__FALSE = 0, POISE__TRUE = 1 } poise__truth;

typedef enum poise__test_kind {
    POISE__EQUAL, /* to one of the values */
    POISE__LESS,
    POISE__LESS_EQUAL,
    POISE__GREATER,
    POISE__GREATER_EQUAL,
    POISE__IS_MISSING
} poise__test_kind;

/* Operations of the postfix code. */
enum { POISE__NOT = -1, POISE__AND = -2, POISE__OR = -3 };

/* One comparison. */
typedef struct poise__test {
    const char *name;
    size_t at; /* where the name stands in the condition's text */
    poise__test_kind kind;
    int numeric; /* the values are numbers */
    int nvalue;
    const char **text; /* [nvalue] */
    double *number;    /* [nvalue] of numbers */
} poise__test;

typedef struct poise__condition {
    int ntest, ncode;
    poise__test *test;
    signed char *code; /* postfix: k >= 0 is test k; below 0 an operation */
} poise__condition;

/* 1 where a text is written as a condition and not as a name alone: it holds a comparison, a word of
 * the grammar between blanks, or a parenthesis. */
int poise__is_condition(const char *text);

/* 0, or -1 with a SPEC error at `place`, moved right to what is wrong. */
int poise__condition_parse(const char *text, poise_place place, poise__arena *a,
                           poise__condition *out, poise_error *err);

/* What a test makes of a cell: *out; 0, or -1 where it needs a number and the cell holds none. */
int poise__test_cell(const poise__test *t, const char *text, size_t length, int missing,
                     poise__truth *out);

/* The condition, given its tests' truths [ntest]. */
poise__truth poise__condition_holds(const poise__condition *c, const poise__truth *test);

#endif
