/* optimizer.h -- one update of all parameters from their gradients.
 *
 *     poise_optimizer *o = poise_optimizer_new(&spec->train.optimizer, store, &err);
 *     poise_optimizer_begin(o, step);                       // from 1
 *     poise_optimizer_dense(o, threads);                    // the gradient slab -> the weight slab
 *     poise_optimizer_rows(o, table, n, rows, gradient);    // for every table
 *
 * With g the gradient, r the rate, d the weight decay, t the step:
 *
 *   sgd      v = momentum v + g + d w;  w -= r v
 *   adam     h = g + d w;  m = b1 m + (1 - b1) h;  v = b2 v + (1 - b2) h h
 *            w -= r / (1 - b1^t)  m / (sqrt(v / (1 - b2^t)) + eps)
 *   adamw    w *= 1 - r d first, then adam with d = 0
 *   adagrad  h = g + d w;  s += h h;  w -= r h / (sqrt(s) + eps)
 *
 * as PyTorch computes them (dampening 0, no Nesterov, no AMSGrad, no rate decay); tests/train
 * compares.  Sources: Kingma, Ba, ICLR 2015; Loshchilov, Hutter, ICLR 2019; Duchi, Hazan, Singer,
 * JMLR 2011.
 *
 * Dense parameters are updated in one pass over the slabs.  Embedding tables are updated on the
 * rows that a batch touched, and only there: other rows' weights do not decay and their moments
 * stay.  What follows from that:
 *
 *   sgd      without momentum and weight decay it is the dense update; with momentum a row's v
 *            does not decay while the row is not touched
 *   adam     as torch.optim.SparseAdam: t counts the optimiser's steps, not the row's, and
 *            w -= r sqrt(1 - b2^t) / (1 - b1^t)  m / (sqrt(v) + eps)
 *   adagrad  the dense update; with spec.by_row one s for a row, to which the mean of its h h is added
 *            (row-wise Adagrad, as embedding libraries have it); it lies in the row's first element
 *            of the slab
 *
 * Moments start at 0.  All arithmetic is in float, each element by itself; the bias corrections
 * are computed in double, once a step.  The bits depend neither on the number of threads nor on
 * the instruction set.
 */
#ifndef POISE_OPTIMIZER_H
#define POISE_OPTIMIZER_H

#include "../core/store.h"
#include "../models/spec.h"

typedef struct poise_optimizer poise_optimizer;

/* A setting of one side, dense parameters or tables, may differ by parameter: the first pattern of
 * spec.tuning that names one gives a factor of its rate and a weight decay of its own.  All rates
 * are multiplied by the schedule's factor of the step (rate.h). */

/* The store must be sealed, and outlive the optimiser.  SPEC: a setting that its kind uses is out
 * of range (rate and weight_decay in [0, 1e6], momentum in [0, 1], beta1 and beta2 in [0, 1), eps
 * in [1e-30, 1e6]).  Only this function allocates and fails. */
POISE_API poise_optimizer *poise_optimizer_new(const poise_optimizer_spec *o, poise_store *s,
                                               poise_error *err);
/* As a spec says it: embeddings, tuning and schedule too.  SPEC also, at its place: a pattern of
 * tuning that names no parameter. */
POISE_API poise_optimizer *poise_optimizer_of(const poise_train_spec *t, poise_store *s,
                                              poise_error *err);
POISE_API void poise_optimizer_free(poise_optimizer *o);

/* How many steps the run has, for a schedule that goes to its end. */
POISE_API void poise_optimizer_run(poise_optimizer *o, uint64_t steps);
/* The dense parameters' rate in step t, from 1. */
POISE_API double poise_optimizer_rate(const poise_optimizer *o, uint64_t t);

/* Begin step number `t`, from 1: sets the bias corrections.  Then one dense call and one call per
 * table; nothing else is remembered from step to step but the moments. */
POISE_API void poise_optimizer_begin(poise_optimizer *o, uint64_t t);
POISE_API void poise_optimizer_dense(poise_optimizer *o, int threads);
/* Row rows[k] of the TABLE `param` (store index) receives gradient value[k, :], for k < n until
 * rows[k] < 0.  Each row occurs once (poise_gradient in core/graph.h) and lies in the table. */
POISE_API void poise_optimizer_rows(poise_optimizer *o, int param, int64_t n, const int32_t *rows,
                                    const float *value);

/* The same for n tables at a time, on up to `threads` threads. */
typedef struct poise_table_gradient {
    int param;
    int64_t n;
    const int32_t *rows;
    const float *value;
} poise_table_gradient;
POISE_API void poise_optimizer_tables(poise_optimizer *o, int n, const poise_table_gradient *t,
                                      int threads);

/* The moments, for a checkpoint: 0 to 2 of the dense parameters and 0 to 2 of the tables, each a slab
 * with the store's order, named "momentum" (sgd; none at momentum 0), "m" and "v" (adam, adamw), "sum"
 * (adagrad), of tables with "embedding/" in front.  Borrowed; name and size may be NULL. */
POISE_API int poise_optimizer_slabs(const poise_optimizer *o);
POISE_API float *poise_optimizer_slab(poise_optimizer *o, int k, const char **name, size_t *size);

/* 1 if all n floats are finite, else 0. */
POISE_API int poise_finite(int64_t n, const float *x);
/* 1 if every dense gradient is finite, else 0 and *param is the first that is not. */
POISE_API int poise_gradients_finite(poise_store *s, int *param);

#endif
