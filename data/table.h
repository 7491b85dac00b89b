/* table.h -- the inside of a data set, and the steps that make one.  Internal.
 *
 * Features lie row by row, as a batch wants them: a shuffled batch then touches a few cache lines
 * per row instead of one per row and column.  Labels, weights and truth lie by task.
 */
#ifndef POISE_TABLE_H
#define POISE_TABLE_H

#include "columns.h"

/* One list feature: row i has item[start[i] .. start[i + 1]), at most `length`. */
typedef struct poise__list {
    int64_t length;
    int64_t *start; /* [rows + 1] */
    int32_t *item;
} poise__list;

struct poise_dataset {
    int64_t rows;
    int nnumeric, ncategorical, nlist, ntask;
    float *numeric; /* [rows, N] standardised; in the order of the schema's numeric features */
    int32_t *ids;   /* [rows, F]; in the order of the schema's categorical features */
    struct poise__list *list; /* [nlist], in the order of the schema's list features */
    float **label;            /* [T][rows] NaN: none */
    float **weight;           /* [T][rows] 0 where the label is missing or `when` does not hold */
    float **truth;            /* [T][rows], NULL entries where it is not known */
};

/* The order in which rows are taken: row[0 .. n), ascending; row NULL: all n rows. */
typedef struct poise__rows {
    int64_t n;
    int64_t *row;
} poise__rows;

/* Set aside round(fraction * n) rows of n, those whose rank under the permutation ("split", seed)
 * is lowest: *valid; the others are *rest.  Both ascending, disjoint, malloc'd. */
int poise__split(int64_t n, double fraction, uint64_t seed, poise_place at, poise__rows *rest,
                 poise__rows *valid, poise_error *err);

/* Fill the learnt part of the schema from some rows of the columns.  `whole` 0: they are only the
 * first rows of the files, which may well have no positive and no label. */
int poise__learn(const poise__columns *c, const poise__rows *rows, int whole, poise_schema *s,
                 poise_error *err);

/* The edges of a feature's bins, from some rows of its numbers (NaN: missing, and left out).  Bins
 * hold about the same number of rows, and a value that has as many by itself has a bin of its own;
 * a column of no more than f->bins distinct values has one for each. */
int poise__learn_bins(const double *number, const poise__rows *rows, poise_feature *f,
                      struct poise__arena *arena, poise_error *err);

/* Some rows of the columns under a learnt schema. */
poise_dataset *poise__encode(const poise__columns *c, const poise__rows *rows,
                             const poise_schema *s, poise_error *err);

/* 1 where the row counts for task t: its label is there and `when` holds. */
int poise__counts(const poise__columns *c, int t, int when_task, int64_t row);

#endif
