/* usage.h -- how far the tables of a trained run are used.
 *
 *     poise_usage u;
 *     if (poise_usage_read("runs/mine", &u, &err) == 0)
 *         printf("%s: %lld rows, %lld as they were drawn\n", u.table[0].name, ...);
 *     poise_usage_done(&u);
 *
 * A row that training never updates keeps its initial values, which the seed gives: they are drawn
 * again and compared, bit by bit.
 */
#ifndef POISE_USAGE_H
#define POISE_USAGE_H

#include <stdint.h>
#include "../core/error.h"

typedef struct poise_table_usage {
    const char *name; /* "embedding/item" */
    int64_t rows, width;
    int64_t untouched;             /* rows that are as they were drawn */
    double least, median, largest; /* norms of the other rows; NaN where there are none */
} poise_table_usage;

typedef struct poise_usage {
    int n;
    poise_table_usage *table; /* [n] in the order of the model */
    struct poise__arena *arena;
} poise_usage;

/* Of the best epoch's weights in a run's folder.  poise_usage_done in any case.  FORMAT: it is not
 * the folder of a run, or its files are damaged. */
POISE_API int poise_usage_read(const char *folder, poise_usage *u, poise_error *err);
POISE_API void poise_usage_done(poise_usage *u);

#endif
