/* engine.h -- a model ready to train and to score: parameters, two graphs, optimiser.  Internal.
 *
 *   training    forward | balancer | backward      then the optimiser, outside the graph
 *   scoring     forward alone, dropout off, running statistics
 *
 * Both graphs share one store.  An engine made without a balancer only scores.
 */
#ifndef POISE_ENGINE_H
#define POISE_ENGINE_H

#include "../core/session.h"
#include "../data/dataset.h"
#include "../models/model.h"
#include "host.h"
#include "optimizer.h"
#include "signals.h"

typedef struct poise__engine {
    const poise_spec *spec;
    const poise_schema *schema; /* learnt */
    poise_store *store;
    int threads;
    uint64_t seed;
    /* training: NULL or zero in an engine that only scores */
    poise_graph *train_graph;
    poise_network train_net;
    poise_session *train;
    poise_step_graph step;
    poise__host host;
    poise_optimizer *optimizer;
    /* scoring */
    poise_graph *score_graph;
    poise_network score_net;
    poise_session *score;
} poise__engine;

/* balance NULL: for scoring only.  The spec, schema and balance must outlive the engine. */
int poise__engine_open(poise__engine *e, const poise_spec *spec, const poise_schema *schema,
                       poise_balance *balance, int shared_only, uint64_t seed, int threads,
                       poise_error *err);
void poise__engine_close(poise__engine *e);

/* One training step, `number` counting from 0; host.epoch must be set.  A NUMERIC error names the
 * layer, its place, the task and the step; the parameters are then as they were before it. */
int poise__engine_step(poise__engine *e, const poise_batch *b, uint64_t number, poise_error *err);

/* The outputs of every row of a data set: score[t] receives rows x width floats (logits, or the
 * prediction of a regression). */
int poise__engine_score(poise__engine *e, const poise_dataset *d, float *const *score,
                        poise_error *err);

/* Columns of task t's output: 1, or the number of classes. */
int64_t poise__engine_width(const poise__engine *e, int task);

#endif
