/* engine.h -- a model ready to train and to score: parameters, graphs, optimiser.  Internal.
 *
 *   training    training.h, then the optimiser, outside the graph
 *   scoring     forward alone, dropout off, running statistics
 *
 * All graphs share one store.  An engine made without a balancer only scores.
 */
#ifndef POISE_ENGINE_H
#define POISE_ENGINE_H

#include "training.h"

typedef struct poise__engine {
    const poise_spec *spec;
    const poise_schema *schema; /* learnt */
    poise_store *store;
    int threads;
    uint64_t seed;
    poise__training *training; /* NULL in an engine that only scores */
    poise_optimizer *optimizer;
    poise_profile *profile; /* borrowed; NULL: nothing is timed */
    poise__pass score;
} poise__engine;

/* balance NULL: for scoring only.  threads 0: all processors where a run of the graph is large
 * enough to be worth waking them in every operator, else one.  The spec, schema, options and balance must outlive the engine. */
int poise__engine_open(poise__engine *e, const poise_spec *spec, const poise_schema *schema,
                       poise_balance *balance, const poise_balancer_spec *options, uint64_t seed,
                       int threads, poise_error *err);
void poise__engine_close(poise__engine *e);

/* Go on under another balancer: same parameters, same moments.  What is remembered of the tasks
 * (initial losses, quality) is taken over.  On failure the engine goes on as it was. */
int poise__engine_rebalance(poise__engine *e, poise_balance *balance,
                            const poise_balancer_spec *options, poise_error *err);

/* Time the steps that follow into p (profile.h), which is whole when the engine is closed. */
void poise__engine_profile(poise__engine *e, poise_profile *p);

/* One training step, `number` counting from 0; training->host.epoch must be set.  A NUMERIC error
 * names the layer, its place, the task and the step; the parameters are then as they were. */
int poise__engine_step(poise__engine *e, const poise_batch *b, uint64_t number, poise_error *err);

/* The outputs of every row of a data set: score[t] receives rows x width floats (logits, or the
 * prediction of a regression). */
int poise__engine_score(poise__engine *e, const poise_dataset *d, float *const *score,
                        poise_error *err);

/* Columns of task t's output: 1, or the number of classes. */
int64_t poise__engine_width(const poise__engine *e, int task);

#endif
