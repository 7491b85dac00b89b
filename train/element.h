/* element.h -- strategies that work on the task gradients element by element.  Internal.
 *
 * The graph leaves every shared parameter's T gradients; after it ran:
 *
 *     edit()   slice by slice, into buffers of our own
 *     norms and Gram matrices of what it made
 *     step()   weights
 *     blend()  slice by slice, into the gradient slab (tables: into a buffer by row)
 *
 * A table's slice is one touched row, so that what the balancer keeps is addressed by row.
 */
#ifndef POISE_ELEMENT_H
#define POISE_ELEMENT_H

#include "../core/session.h"
#include "host.h"
#include "signals.h"

typedef struct poise__element {
    int ntask, nscope, nkeep;
    poise_store *store;
    const poise_step_graph *step;
    size_t total;  /* elements of all parameters in scope */
    size_t *first; /* [nscope] number of the first element of each */
    size_t *at;    /* [nscope] place in a task's edited gradients; of tables, by touched row */
    float *keep;   /* [nkeep, total] part of a checkpoint */
    float *edited; /* [T, room] */
    size_t room;
    float *blended;     /* [room] of which the tables' parts are the optimiser's input */
    float *zero;        /* a slice of zeros */
    double *gram;       /* [nscope, T, T] */
    const float **grad; /* [T] */
    float **out;        /* [T] */
    float **kept;       /* [nkeep] */
} poise__element;

int poise__element_init(poise__element *e, poise_store *s, const poise_step_graph *step,
                        const poise__host *h, poise_error *err);
void poise__element_done(poise__element *e);

/* Fill the gradients of the shared parameters; scale each task's own by its weight unless
 * shared_only.  h->in holds the signals of the raw gradients. */
int poise__element_step(poise__element *e, const poise_session *s, poise__host *h, int shared_only,
                        poise_error *err);

/* The combined gradient by row of the parameter at place k of the scope, if it is a table. */
const float *poise__element_rows(const poise__element *e, int k);

#endif
