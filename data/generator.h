/* generator.h -- tables that are computed instead of read.  Internal.
 *
 * A generator is a row of the table in generator.c: its columns and a function that makes row i
 * from (seed, i) alone, so that any range of rows can be made in any order, and training,
 * validation and test rows are ranges of one stream.
 *
 * Its last columns are labels that are nested events: label k happens only where label k - 1 did.
 * Their true probabilities are known, so the best AUC that any model can reach is known.
 */
#ifndef POISE_GENERATOR_H
#define POISE_GENERATOR_H

#include "dataset.h"

#define POISE__GENERATOR_ROWS INT64_C(4000000000)
enum { POISE__GENERATOR_COLUMNS = 32, POISE__GENERATOR_LABELS = 4 }; /* at most */

typedef struct poise__generator {
    const char *name;
    int ncolumn, nlabel;       /* columns in all; the labels are the last of them */
    const char *const *column; /* [ncolumn] */
    const int64_t *values;     /* [ncolumn] categorical: values are 0 .. values - 1; else 0 */
    const poise_transform *transform; /* [ncolumn] what suits a numeric column */
    const int64_t *dim;               /* [ncolumn] what suits a categorical column */
    /* The world: tables that do not depend on the seed.  NULL with *err; free with free(). */
    void *(*world)(poise_error *err);
    /* Row `row`: value[ncolumn], and truth[nlabel], the probability of each label given the
     * features (of the nested event itself: the product along the chain). */
    void (*make)(const void *world, uint64_t seed, uint64_t row, double *value, double *truth);
} poise__generator;

/* NULL and a SPEC error with the nearest name when there is none of that name. */
const poise__generator *poise__generator_find(const char *name, poise_place at, poise_error *err);

extern const poise__generator poise__funnel;

#endif
