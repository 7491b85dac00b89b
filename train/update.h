/* update.h -- the arithmetic of one optimiser step on n floats.  Internal.
 *
 * A kernel reads the gradient g[n], moves the moments a[n], b[n] that it has (the others are NULL)
 * and the weights w[n], element by element: an element's bits depend on nothing but itself, so the
 * same kernel serves the dense slab, any part of it, and one row of a table.
 *
 * update.c is compiled once per instruction set; without fused multiply-add, so that every copy
 * computes the same bits.
 */
#ifndef POISE_UPDATE_H
#define POISE_UPDATE_H

#include <stdint.h>

/* The step's constants, rounded to float once. */
typedef struct poise__update_step {
    float rate;        /* the factor of the update, bias corrections included */
    float shrink;      /* w is multiplied by it first: 1 - rate * weight_decay, or 1 */
    float decay;       /* decay * w is added to g */
    float momentum;    /* sgd */
    float add1;        /* 1 - beta1 */
    float keep2, add2; /* beta2, 1 - beta2 */
    float eps;
} poise__update_step;

typedef void poise__update(int64_t n, const poise__update_step *s, float *w, const float *g,
                           float *a, float *b);

/* One row per kernel:
 *   plain    w -= rate (g + decay w)
 *   momentum a = momentum a + g + decay w;  w -= rate a
 *   adam     h = g + decay w;  a += add1 (h - a);  b = keep2 b + add2 h h
 *            w = shrink w - rate a / (sqrt(b) + eps)
 *   adagrad  h = g + decay w;  a += h h;  w -= rate h / (sqrt(a) + eps)
 *   adagrad_row, of all n together
 *            h = g + decay w;  a[0] += mean of h h;  w -= rate h / (sqrt(a[0]) + eps) */
typedef struct poise__update_table {
    poise__update *plain, *momentum, *adam, *adagrad, *adagrad_row;
} poise__update_table;

extern const poise__update_table poise__update_plain;
extern const poise__update_table poise__update_avx2; /* x86-64 only */

#endif
