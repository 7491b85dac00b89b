/* optimizer.h -- one update of all parameters from their gradients.
 *
 * Dense parameters are updated in one pass over the slabs; embedding tables on the rows that the
 * batch touched, and only there: moments of other rows do not decay ("lazy" Adam; the bias
 * correction counts the optimiser's steps, not the row's).
 *
 *   sgd      v = momentum v + g;  w -= rate v
 *   adam     Kingma, Ba, ICLR 2015, as PyTorch: weight_decay is added to g
 *   adamw    Loshchilov, Hutter, ICLR 2019, as PyTorch: w -= rate weight_decay w first
 *   adagrad  Duchi, Hazan, Singer, 2011, as PyTorch: s += g g;  w -= rate g / (sqrt(s) + eps)
 *
 * Weight decay is not applied to embedding rows by lazy updates except where they are touched.
 */
#ifndef POISE_OPTIMIZER_H
#define POISE_OPTIMIZER_H

#include "../core/store.h"
#include "../models/spec.h"

typedef struct poise_optimizer poise_optimizer;

POISE_API poise_optimizer *poise_optimizer_new(const poise_optimizer_spec *o, poise_store *s,
                                               poise_error *err);
POISE_API void poise_optimizer_free(poise_optimizer *o);

/* Begin step number `t` (from 1): sets the bias corrections; then one dense call and one row call
 * per table; bits do not depend on threads. */
POISE_API void poise_optimizer_begin(poise_optimizer *o, uint64_t t);
POISE_API void poise_optimizer_dense(poise_optimizer *o, int threads);
/* Row rows[k] of table `param` receives gradient value[k, :], k < n, until rows[k] < 0. */
POISE_API void poise_optimizer_rows(poise_optimizer *o, int param, int64_t n, const int32_t *rows,
                                    const float *value);

/* The moment slabs, each of poise_store_size floats: 0 to 2 of them, named "m", "v", "momentum",
 * "sum". */
POISE_API int poise_optimizer_slabs(const poise_optimizer *o);
POISE_API float *poise_optimizer_slab(poise_optimizer *o, int k, const char **name);

/* 1 if every dense gradient is finite, else 0 and *param is the first that is not. */
POISE_API int poise_gradients_finite(poise_store *s, int *param);

#endif
