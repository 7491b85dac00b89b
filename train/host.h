/* host.h -- the trainer's side of a balancer.  Internal.
 *
 * The graph's balance node calls it with this step's losses, norms and Gram matrices; it adds what
 * the graph does not know (initial losses, running quality, losses after the update, epoch, rate),
 * calls the plugin, applies the spec's options to its answer (re-use, smoothing, normalisation),
 * and gives the weights back.  For a balancer that works element by element there is no such node:
 * element.h calls observe and decide itself.
 */
#ifndef POISE_HOST_H
#define POISE_HOST_H

#include "../models/model.h"
#include "../ops/ops.h"
#include "../plugins/plugin.h"
#include "trainer.h"

typedef struct poise__host {
    poise_balance *balance;
    const poise_balancer_spec *options;
    poise_balance_call call; /* what the graph's node holds; call.ntask is nweight */
    int ntask, ngroup, nweight;
    const poise_schema *schema;
    unsigned signals; /* POISE_SIGNAL_* that the graph computes */
    int quality;      /* 1: the node's extra inputs are each task's output, label, weight */
    int after;        /* 1: set_after is to be called after each update */
    int64_t batch;
    int64_t *width; /* [T] columns of each task's output */
    uint32_t epoch; /* set before each step */
    double rate;
    /* Remembered from step to step, and part of a checkpoint: initial [T], steps that it is the
     * mean of [T], quality [T], after [T], smoothed weights [nweight], steps smoothed [1]. */
    double *memory;
    int nmemory;
    /* The last step's: of the signals those not computed are NULL in `in`. */
    poise_signals in;
    double *loss, *labelled, *norm, *gram, *group_gram, *half_gram;
    double *weight;      /* [nweight] as used */
    double *task_weight; /* [T] the same, or the mean over the groups: for reports */
    poise_train_record *record;
    void *record_user;
} poise__host;

/* width is copied; all else is borrowed.  `groups` names the parameters in scope where the balancer
 * asks for anything by group (else ngroup is 1). */
int poise__host_init(poise__host *h, poise_balance *b, const poise_balancer_spec *options,
                     const poise_schema *schema, const int64_t *width, int64_t batch, double rate,
                     int ngroup, const char *const *group, poise_error *err);
void poise__host_done(poise__host *h);

/* What the graph is to compute for a balancer: POISE_SIGNAL_*. */
unsigned poise__host_signals(const poise_balance *b);
/* 1 if its signals, weights or hooks go by group. */
int poise__host_by_group(const poise_balance *b);

/* Take in the graph's answers, in the order of poise_signal_plan, and fill h->in. */
int poise__host_observe(poise__host *h, void *const *in, uint64_t step, poise_error *err);
/* Weights from h->in: into h->weight. */
int poise__host_decide(poise__host *h, poise_error *err);

/* The losses of the step's batch after its update. */
void poise__host_after(poise__host *h, int task, double loss);
/* Take over what an earlier balancer of the same run remembered of the tasks. */
void poise__host_inherit(poise__host *h, const poise__host *from);

#endif
