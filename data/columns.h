/* columns.h -- the columns that a schema needs, as they were read.  Internal.
 *
 *     file or generator --read--> columns --learn--> schema
 *                                    \-----encode (under the schema)--> data set
 *
 * One pass over a file: texts become codes of a dictionary per column, numbers doubles.  What a
 * code means as an id is decided when the vocabulary is known, so nothing is read twice, and a
 * part of the rows can be set aside for validation before anything is learnt.
 *
 * Ownership: poise__columns_done frees all of it.
 */
#ifndef POISE_COLUMNS_H
#define POISE_COLUMNS_H

#include "dataset.h"
#include "delimited.h"
#include "dictionary.h"

typedef struct poise__feature_column {
    poise__dictionary *words; /* categorical, list: texts; a missing value is "" */
    uint32_t *code;           /* categorical: [rows]; list: [nitem], row by row */
    int64_t *end;             /* list: [rows] where a row's items end; they begin where those of
                                 the row before end */
    size_t nitem, item_cap;
    double *number; /* others: [rows] after clip and transform; NaN where missing */
} poise__feature_column;

typedef struct poise__task_column {
    float *label;            /* [rows]; NaN where missing */
    float *when;             /* [rows] 1 where `when` holds, else 0; NULL: `when` names no column */
    float *weight;           /* [rows] the task's sample weight; NULL: 1 */
    float *truth;            /* [rows] true probability; NULL unless generated */
    poise__dictionary *seen; /* with `positive`: the first texts of the label's column */
} poise__task_column;

typedef struct poise__columns {
    int64_t rows;
    int nfeature, ntask;
    int labelled;                   /* 0: the tasks' columns were not read */
    poise__feature_column *feature; /* [nfeature], as in the schema */
    poise__task_column *task;       /* [ntask] */
    float *weight;                  /* [rows], NULL: 1 */
    char *source;                   /* the file, for messages */
} poise__columns;

/* Read one file for schema `s`; `at` is where the spec names it; `labels` 0: features only. */
int poise__columns_read(const poise_data_spec *d, const char *path, poise_place at,
                        const poise_schema *s, int labels, poise__columns *out, poise_error *err);

/* Rows [first, first + rows) of the generator d->generate. */
int poise__columns_generate(const poise_data_spec *d, int64_t first, int64_t rows,
                            const poise_schema *s, poise__columns *out, poise_error *err);

void poise__columns_done(poise__columns *c);

/* Empty columns for a schema, and room for `rows` rows in each (what is there stays). */
int poise__columns_init(poise__columns *c, const poise_schema *s, int labels, const char *source,
                        poise_error *err);
int poise__columns_reserve(poise__columns *c, const poise_schema *s, int64_t rows, int64_t *cap,
                           poise_error *err);

/* The items of a row of a list: code[*from .. *to). */
void poise__list_items(const poise__feature_column *c, int64_t row, int64_t *from, int64_t *to);

/* Index of the task whose label masks task t (its `when` names a task); -1: none. */
int poise__when_task(const poise_schema *s, int t);

/* "... ; the nearest column is "x"": fails at `at` about a column `what` needs. */
int poise__no_column(const char *what, const char *owner, const char *name, const char *source,
                     int n, const char *const *names, poise_place at, poise_error *err);

#endif
