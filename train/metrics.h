/* metrics.h -- how good the predictions are.  All sums in double. */
#ifndef POISE_METRICS_H
#define POISE_METRICS_H

#include <stdint.h>
#include "../core/error.h"

/* Exact area under the ROC curve of scores with labels 0/1 and weights (NULL: 1), ties count a
 * half: the Mann-Whitney statistic.  Rows with weight 0 or a NaN label do not count.  NaN where
 * one of the classes is absent.  Sorting is by (score, row): the result has the same bits on every
 * machine.  `work` is n indices of scratch or NULL (then it is allocated). */
POISE_API int poise_auc(int64_t n, const float *score, const float *label, const float *weight,
                        double *auc, poise_error *err);

/* Mean of -y log p - (1-y) log(1-p) for logits z, in the form that does not overflow. */
POISE_API double poise_logloss(int64_t n, const float *logit, const float *label,
                               const float *weight);
/* The same for probabilities (clamped to [1e-15, 1 - 1e-15]). */
POISE_API double poise_logloss_probability(int64_t n, const float *p, const float *label,
                                           const float *weight);
POISE_API double poise_rmse(int64_t n, const float *x, const float *label, const float *weight);

/* Mean and deviation (n - 1; 0 for n = 1) of a few runs. */
POISE_API void poise_mean_deviation(int n, const double *x, double *mean, double *deviation);

#endif
