/* conditions.h -- the conditions of a schema's tasks, row by row.  Internal.
 *
 *     tasks: {like: {label: rating >= 4, when: shown and not blocked}}
 *
 * For every row: each test whose name is a column is told its cell (poise__test_cell into `truth`),
 * then poise__conditions_row makes labels and masks of them.
 *
 * A name in a `when` is a column, or else a binary task, which is then its label in the row; in a
 * label it is a column.
 *
 * Ownership: poise__conditions_done frees all of it.
 */
#ifndef POISE_CONDITIONS_H
#define POISE_CONDITIONS_H

#include "columns.h"
#include "condition.h"

typedef struct poise__condition_use {
    const poise__test *test;
    int owner, in_when; /* the task whose label (`when`) it is part of */
    int task;           /* the task whose label it tests; -1: a column */
} poise__condition_use;

typedef struct poise__conditions {
    poise__arena *arena;
    int n;
    poise__condition_use *use; /* [n] the tests of all conditions: task by task, label then when */
    poise__truth *truth;       /* [n] of the row that is read */
    poise__condition *label, *when; /* [ntask]; ntest is 0 where the task has none */
} poise__conditions;

/* `is_column` tells what a name is: one that is neither a column nor a task counts as a column, for
 * the caller to miss.  Fails with a SPEC error where a text is no condition. */
int poise__conditions_init(poise__conditions *c, const poise_schema *s,
                           int (*is_column)(const void *user, const char *name), const void *user,
                           poise_error *err);
void poise__conditions_done(poise__conditions *c);

/* Labels, then masks, of a row; labels that are columns are there already. */
void poise__conditions_row(const poise__conditions *c, const poise_schema *s, poise__columns *out,
                           int64_t row);

#endif
