/* host.h -- the trainer's side of a balancer.  Internal.
 *
 * The graph's balance node calls it with this step's losses, norms and Gram matrix; it adds what
 * the graph does not know (initial losses, running quality, epoch), calls the plugin, and gives the
 * weights back.
 */
#ifndef POISE_HOST_H
#define POISE_HOST_H

#include "../models/model.h"
#include "../ops/ops.h"
#include "../plugins/plugin.h"

typedef struct poise__host {
    poise_balance *balance;
    poise_balance_call call; /* what the graph's node holds */
    int ntask;
    poise_task_kind *kind; /* [T] */
    unsigned signals;      /* POISE_SIGNAL_* that the graph computes */
    int quality;           /* 1: the node's extra inputs are each task's output, label, weight */
    int64_t batch;
    int64_t *width; /* [T] columns of each task's output */
    uint32_t epoch; /* set before each step */
    /* Remembered from step to step, and part of a checkpoint. */
    double *memory; /* [2, T]: initial loss, running quality; NaN: not known yet */
    /* The last step's, for reports. */
    double *loss, *labelled, *norm, *gram, *weight; /* norm and gram NULL unless computed */
} poise__host;

/* `kind` and `width` are copied.  The balance is borrowed. */
int poise__host_init(poise__host *h, poise_balance *b, int ntask, const poise_task_kind *kind,
                     const int64_t *width, int64_t batch, poise_error *err);
void poise__host_done(poise__host *h);

#endif
