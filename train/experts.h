/* experts.h -- numbers that tell whether experts and gates do something.  Internal.
 *
 * Of a gate's weights g[rows, n], each row's sum 1:
 *
 *   share[e]   mean of g[., e]; of n experts that are used alike, 1 / n
 *   entropy    mean of -sum over e of g log g, over log n: 1 even, 0 one expert a row
 *   top        mean of the largest weight of a row
 *
 * Of experts' outputs x_e[rows, width], how alike two are: linear CKA, HSIC(e, f) over the root of
 * HSIC(e, e) HSIC(f, f), of the Gram matrices between rows (Kornblith, Norouzi, Lee, Hinton,
 * "Similarity of neural network representations revisited", ICML 2019), with the estimate of HSIC that
 * has no bias in few rows (Song, Smola, Gretton, Bedo, Borgwardt, JMLR 2012, eq. 5).  It is 1 for
 * outputs that are the same up to rotation and scale, around 0 for unrelated ones, and NaN for an
 * expert whose output does not change.
 */
#ifndef POISE_EXPERTS_H
#define POISE_EXPERTS_H

#include <stdint.h>
#include "../core/error.h"

/* Below this part of an equal share in every gate an expert counts as dead. */
#define POISE_DEAD_SHARE 0.1

void poise__gate_numbers(int64_t rows, int n, const float *gate, double *share, double *entropy,
                         double *top);

/* similarity[n, n].  x[e] is expert e's first row, `stride` floats from one row to the next; at least 4
 * rows.  n * rows^2 doubles are allocated and freed. */
int poise__expert_similarity(int64_t rows, int n, int64_t width, int64_t stride,
                             const float *const *x, double *similarity, poise_error *err);

/* 1 if x is the same in all rows. */
int poise__expert_constant(int64_t rows, int64_t width, int64_t stride, const float *x);

#endif
