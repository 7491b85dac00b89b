/* metrics.h -- how good the predictions are.
 *
 * A row counts when its weight is > 0 (weight NULL: 1) and its label is not NaN.  All sums are in
 * double and in a fixed order: the same rows give the same bits on every machine.
 */
#ifndef POISE_METRICS_H
#define POISE_METRICS_H

#include <stdint.h>
#include "../core/error.h"

/* Exact area under the ROC curve: the share of pairs (positive, negative) in which the positive has
 * the higher score, a pair of equal scores counting a half and a pair counting the product of its
 * weights (the Mann-Whitney statistic; what scikit-learn's roc_auc_score computes).  A label of 0.5
 * or more is positive.  Without weights it is exact to the last bit below 2^52 pairs.  *auc is NaN
 * where one of the classes is absent.  Time is linear in n; 16 bytes a row are allocated and freed.
 * NUMERIC: the score of a row that counts is NaN. */
POISE_API int poise_auc(int64_t n, const float *score, const float *label, const float *weight,
                        double *auc, poise_error *err);

/* Weighted mean of -y log p - (1-y) log(1-p), p = sigmoid(logit), as
 * max(z, 0) - z y + log(1 + exp(-|z|)), which does not overflow.  NaN where no row counts. */
POISE_API double poise_logloss(int64_t n, const float *logit, const float *label,
                               const float *weight);
/* The same for probabilities (clamped to [1e-15, 1 - 1e-15]). */
POISE_API double poise_logloss_probability(int64_t n, const float *p, const float *label,
                                           const float *weight);
/* Square root of the weighted mean of (x - label)^2.  NaN where no row counts. */
POISE_API double poise_rmse(int64_t n, const float *x, const float *label, const float *weight);

/* Weighted mean of |x - label|, as a prediction x of a number or grade.  NaN where no row counts. */
POISE_API double poise_mae(int64_t n, const float *x, const float *label, const float *weight);
/* Poisson deviance, 2 (y log(y / mu) - (y - mu)) in the weighted mean, mu = exp(log_rate). */
POISE_API double poise_deviance(int64_t n, const float *log_rate, const float *label,
                                const float *weight);

/* Of C classes: cross entropy of the softmax of z[n, C]; share of rows whose largest is the label. */
POISE_API double poise_class_logloss(int64_t n, int64_t classes, const float *z, const float *label,
                                     const float *weight);
POISE_API double poise_accuracy(int64_t n, int64_t classes, const float *z, const float *label,
                                const float *weight);
/* Of C grades, c[n, C - 1] the falling logits of label > k (poise_thresholds in ops/ops.h):
 * -log P(label); and the mean distance from the median grade, how many of a row's logits are above
 * 0, which is the answer that makes it least. */
POISE_API double poise_grade_logloss(int64_t n, int64_t boundaries, const float *c,
                                     const float *label, const float *weight);
POISE_API double poise_grade_mae(int64_t n, int64_t boundaries, const float *c, const float *label,
                                 const float *weight);

/* Mean and deviation (of the sample: n - 1; 0 for n = 1) of a few runs.  Both NaN for n = 0. */
POISE_API void poise_mean_deviation(int n, const double *x, double *mean, double *deviation);

#endif
