/* expression.h -- texts with $ in a model file.  Internal.
 *
 *     copies: $experts              the value of a parameter, of whatever type
 *     mlp: "$units[0]"              an entry of a list; $units[-1] is the last
 *     copies: $experts * 2 + 1      + - * / and ( ), of numbers; whole numbers stay whole where they can
 *     copies: length($tasks)        of a list; $tasks is the list of the run's tasks
 *     input: "tower[$click]"        inside a name: the text of the value
 *     input: features.$each         in a layer with each: the name of the instance
 *
 *     sum     = product { (+ | -) product }
 *     product = factor { (* | /) factor }
 *     factor  = number | $name { [sum] } | length(sum) | (sum) | -factor
 *
 * Only what begins as an expression does is one; in other texts each $name stands for its text.
 */
#ifndef POISE_EXPRESSION_H
#define POISE_EXPRESSION_H

#include "reading.h"

enum { POISE__MOST_PARAMS = 200 };

/* What names mean. */
typedef struct poise__scope {
    const poise__yaml *params; /* name: value; NULL: none */
    int partial;               /* 1: there may be others, in what could not be read */
    const char *each;          /* $each; NULL: not known, and texts that need it stay as they are */
    char used[POISE__MOST_PARAMS]; /* [params->n] set to 1 where a text needs it */
} poise__scope;

/* A copy of the tree with every expression replaced by its value, in items and keys; a value that
 * cannot be made out is diagnosed and marked wrong.  *bad is set to -1 by any diagnosis; NULL where
 * memory is out. */
poise__yaml *poise__evaluate(poise__reading *r, const poise__yaml *tree, poise__scope *s, int *bad);

/* 1 if a text of the tree needs $each. */
int poise__needs_each(const poise__yaml *tree);

#endif
