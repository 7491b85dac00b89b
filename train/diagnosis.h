/* diagnosis.h -- what experts, gates and tasks do to each other, on some rows held out.  Internal.
 *
 * A graph of its own over the engine's parameters, without dropout and with running statistics, that
 * moves nothing: training is neither slowed nor changed by it.  It is run after every epoch, always on
 * the same rows: the first 1024 of a seeded shuffle of the validation rows (of the training rows where
 * there are none).
 *
 *     poise__diagnosis *d = poise__diagnosis_new(&engine, data.valid, &err);
 *     poise__diagnosis_run(d, &err);    // d->gate, d->pool, d->cosine
 *     poise__diagnosis_free(d);
 *
 * Experts that one gate mixes, and those that another gate mixes with one of them, make a pool.
 */
#ifndef POISE_DIAGNOSIS_H
#define POISE_DIAGNOSIS_H

#include "engine.h"

typedef struct poise__experts {
    int nexpert;
    int64_t width;
    const char **name;    /* [E] "expert/0", "own/click/1" */
    double *similarity;   /* [E, E] linear CKA (experts.h), of the first 256 rows */
    double *share;        /* [E] the largest, over the gates that see it, of its share times their
                             number of experts: 1 is an equal share */
    int *constant, *dead; /* [E] its output is the same in all rows; that, or hardly any share */
} poise__experts;

typedef struct poise__gate {
    const char *name; /* "mix/click" */
    int pool, n;
    int *expert;   /* [n] in the pool */
    double *share; /* [n] */
    double entropy, top;
} poise__gate;

typedef struct poise__diagnosis {
    const poise_schema *schema;
    int64_t rows;
    int npool, ngate;
    poise__experts *pool;
    poise__gate *gate;
    double *
        cosine; /* [T, T] between the tasks' gradients of the last shared layer; NULL: none shared */
    struct poise__inside *inside;
    struct poise__arena *arena;
} poise__diagnosis;

/* NULL and err->code POISE_OK where there is nothing to tell: no mixture and one task, or too few
 * rows. */
poise__diagnosis *poise__diagnosis_new(poise__engine *e, const poise_dataset *d, poise_error *err);
int poise__diagnosis_run(poise__diagnosis *d, poise_error *err);
void poise__diagnosis_free(poise__diagnosis *d);

#endif
