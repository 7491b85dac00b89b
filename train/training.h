/* training.h -- the graph that trains a model under one balancer.  Internal.
 *
 *   main     forward | signals, balancer | backward
 *   probe    the forward part alone, for losses after the update; only where they are asked for
 *
 * training.c builds, training_run.c runs.
 *
 * A schedule or a reload makes a new one over the same parameters and optimiser.
 */
#ifndef POISE_TRAINING_H
#define POISE_TRAINING_H

#include "../core/session.h"
#include "../data/dataset.h"
#include "../models/model.h"
#include "element.h"
#include "host.h"
#include "optimizer.h"
#include "profile.h"
#include "signals.h"

/* A graph of the network with what runs it. */
typedef struct poise__pass {
    poise_graph *graph;
    poise_network net;
    poise_session *session;
} poise__pass;

/* What is trained: appends a network to a graph; called once for each pass. */
typedef struct poise__source {
    int (*build)(const void *self, poise_graph *g, poise_network *net, poise_error *err);
    const void *self;
    const poise_schema *schema; /* of which the tasks are read */
    double rate;
    double clip;      /* bound on the norm of all gradients together; 0: none */
    unsigned without; /* rewrites that are left out (ops/passes.h) */
    int lanes;        /* poise_session_options.lanes */
    int threads;      /* 0: by the work of a step (poise__threads_for) */
} poise__source;

typedef struct poise__training {
    poise_store *store;         /* borrowed */
    const poise_schema *schema; /* borrowed */
    const poise_balancer_spec *options;
    int shared_only;
    double clip;
    unsigned without;
    int lanes;
    int threads; /* as wanted; once started, those that run it */
    poise__pass main, probe;
    poise_value *mask[2]; /* even and odd rows, where the halves are asked for */
    poise_step_graph step;
    poise__host host;
    int by_element;
    poise__element element;
    poise_table_gradient *table; /* [step.nparam] what the optimiser gets of the tables */
    poise_profile *profile;      /* borrowed; NULL: nothing is timed */
    void **answer; /* where the graph left what the balancer reads, for one outside of it */
} poise__training;

/* Builds the graphs; the store may not be sealed yet.  NULL on failure.  What is passed in must
 * outlive it. */
poise__training *poise__training_new(const poise__source *source,
                                     const poise_balancer_spec *options, poise_store *store,
                                     poise_balance *balance, poise_error *err);
/* How many threads run s where `wanted` were asked for: that many, at most 256; for 0 all processors
 * where a run has so much work that it is worth waking them, else one. */
int poise__threads_for(int wanted, const poise_session *s);
/* Makes the sessions: the store is sealed now. */
int poise__training_start(poise__training *t, poise_error *err);
void poise__training_free(poise__training *t);

/* Forward, balancer, backward: the gradients of one batch, clipped.  A NUMERIC error names the
 * layer, its place, the task and the step. */
int poise__training_gradients(poise__training *t, const poise_batch *b, const poise_run *run,
                              poise_error *err);
/* Hand the gradients to the optimiser, whose step `number` (from 0) this is. */
void poise__training_update(poise__training *t, poise_optimizer *o, uint64_t number, int threads);
/* After the update: what the balancer wants to know of it. */
int poise__training_probe(poise__training *t, const poise_batch *b, const poise_run *run,
                          poise_error *err);

/* From now on into p, until the training is freed or this is called again; NULL: nothing is timed. */
void poise__training_profile(poise__training *t, poise_profile *p);

/* Copy a batch, or its features alone, into a session. */
void poise__fill_pass(const poise__pass *p, const poise_batch *b);
void poise__fill_features(poise_session *s, const poise_network *net, const poise_batch *b);
#endif
