/* ops.h -- the operators, as functions that append a node.
 *
 * Each returns the value it makes, or NULL with *err filled; given NULL where a value is needed it
 * returns NULL and leaves *err as it is, so that calls can be nested and checked once.
 *
 *   B batch   I, O input and output width   E experts   H units   C classes or columns
 *   D width of an embedding   F categorical features   T tasks
 *
 * The table of all operators, their backward operators included, is poise_ops().  What an operator
 * keeps in its attributes stands at the top of its file, with the formula of its gradient.
 *
 * All are f32 but where a type is given.  A result depends on the inputs and on (seed, step) of the
 * run alone, not on the number of threads.
 */
#ifndef POISE_OPS_H
#define POISE_OPS_H

#include "../core/graph.h"
#include "../core/op.h"

/* All operators: a NULL-terminated array.  By name: NULL if there is none. */
POISE_API const poise_op *const *poise_ops(void);
POISE_API const poise_op *poise_op_find(const char *name);

/* A graph that knows how to sum gradients: poise_graph_new, then poise_graph_sum_with(add). */
POISE_API poise_graph *poise_network_graph(poise_store *store, poise_error *err);

/* ---- linear maps ---- */

/* y[B,O] = x[B,I] w[O,I]' + b[O];  b may be NULL */
POISE_API poise_value *poise_linear(poise_graph *g, poise_value *x, poise_value *w, poise_value *b,
                                    poise_error *err);
/* y[B,E,O] = x[B,E,I] w[E,O,I]' + b[E,O], one map per expert; b may be NULL.  x may be [B,I]:
 * every expert sees the same input, and the work is one GEMM of width E*O. */
POISE_API poise_value *poise_batched_linear(poise_graph *g, poise_value *x, poise_value *w,
                                            poise_value *b, poise_error *err);
/* y[B, sum D_f] = for every f: row ids[:, f] of table_f[R_f, D_f], side by side.  An id outside
 * [0, R_f) is an error of the run (DATA).  A table may be used by one embedding only. */
POISE_API poise_value *poise_embedding(poise_graph *g, poise_value *ids /* i32[B,F] */, int ntable,
                                       poise_value *const *table, poise_error *err);

/* ---- lists of ids: i32[B,L], -1 where there is no item ---- */

typedef enum poise_pool { POISE_POOL_SUM, POISE_POOL_MEAN, POISE_POOL_MAX } poise_pool;

/* y[B,D] = sum, mean or maximum of the items' rows of table[R,D]; 0 for an empty list. */
POISE_API poise_value *poise_embedding_bag(poise_graph *g, poise_value *ids, poise_value *table,
                                           poise_pool pool, poise_error *err);
/* y[B,L,D] = the items' rows; 0 where there is none. */
POISE_API poise_value *poise_embedding_list(poise_graph *g, poise_value *ids, poise_value *table,
                                            poise_error *err);
/* y[B,L] = 1 for an item, else 0. */
POISE_API poise_value *poise_list_mask(poise_graph *g, poise_value *ids, poise_error *err);
/* y[B,D] = sum, mean or maximum of the items of x[B,L,D]; 0 for an empty list.  A mixture with gate
 * [B,L] is the weighted sum. */
POISE_API poise_value *poise_list_pool(poise_graph *g, poise_value *ids, poise_value *x,
                                       poise_pool pool, poise_error *err);

/* ---- shape ---- */

/* Side by side along `axis`; all other dimensions equal.  n >= 1. */
POISE_API poise_value *poise_concat(poise_graph *g, int axis, int n, poise_value *const *x,
                                    poise_error *err);
/* x[..., from:to, ...] along `axis`; 0 <= from < to <= dim[axis] */
POISE_API poise_value *poise_slice(poise_graph *g, poise_value *x, int axis, int64_t from,
                                   int64_t to, poise_error *err);
/* the same elements with another shape (a view) */
POISE_API poise_value *poise_reshape(poise_graph *g, poise_value *x, int rank, const int64_t *dim,
                                     poise_error *err);
/* a constant: every element is `value` */
POISE_API poise_value *poise_fill(poise_graph *g, double value, int rank, const int64_t *dim,
                                  poise_error *err);

/* ---- element by element ---- */

POISE_API poise_value *poise_add(poise_graph *g, poise_value *a, poise_value *b, poise_error *err);
POISE_API poise_value *poise_multiply(poise_graph *g, poise_value *a, poise_value *b,
                                      poise_error *err);
/* y = factor x */
POISE_API poise_value *poise_scale(poise_graph *g, poise_value *x, double factor, poise_error *err);
/* y = s[1] x: a factor computed by the graph.  No gradient flows to s. */
POISE_API poise_value *poise_scale_by(poise_graph *g, poise_value *x, poise_value *s,
                                      poise_error *err);
/* y = sum over k < n of s[k][1] x[k]; all x of one shape.  No gradient (used on gradients). */
POISE_API poise_value *poise_weighted_sum(poise_graph *g, int n, poise_value *const *s,
                                          poise_value *const *x, poise_error *err);

POISE_API poise_value *poise_relu(poise_graph *g, poise_value *x, poise_error *err);
/* x where x > 0, else slope x */
POISE_API poise_value *poise_leaky_relu(poise_graph *g, poise_value *x, double slope,
                                        poise_error *err);
/* x Phi(x), the exact form with erf (Hendrycks, Gimpel, 2016) */
POISE_API poise_value *poise_gelu(poise_graph *g, poise_value *x, poise_error *err);
/* x sigmoid(x) */
POISE_API poise_value *poise_silu(poise_graph *g, poise_value *x, poise_error *err);
POISE_API poise_value *poise_tanh(poise_graph *g, poise_value *x, poise_error *err);
POISE_API poise_value *poise_sigmoid(poise_graph *g, poise_value *x, poise_error *err);

/* along the last axis */
POISE_API poise_value *poise_softmax(poise_graph *g, poise_value *x, poise_error *err);

/* In a graph that trains: zero with probability `rate`, else x / (1 - rate); the mask depends on
 * (seed, step, stream, element) alone.  In one that does not, or at rate 0: x itself. */
POISE_API poise_value *poise_dropout(poise_graph *g, poise_value *x, double rate, uint64_t stream,
                                     poise_error *err);
/* identity; no gradient flows back */
POISE_API poise_value *poise_stop_gradient(poise_graph *g, poise_value *x, poise_error *err);

/* ---- experts ---- */

/* y[B,H] = sum over e of gate[B,e] x[B,e,H], where the experts are those of x[0][B,E0,H], then
 * those of x[1][B,E1,H] and so on; gate is [B, E0 + E1 + ...] and is used as it is (softmax it). */
POISE_API poise_value *poise_mixture(poise_graph *g, poise_value *gate, int n,
                                     poise_value *const *x, poise_error *err);

/* Softmax over the `top` largest entries of each row of x[B,C], of those that keep[B,C] does not
 * hold 0 for (NULL: of all; all, too, where a row keeps nothing); 0 for the others. */
POISE_API poise_value *poise_sparse_softmax(poise_graph *g, poise_value *x, poise_value *keep,
                                            int64_t top, poise_error *err);
/* t = x / gamma: 0 where t < -1/2, 1 where t > 1/2, else 1/2 + 3/2 t - 2 t^3 (Hazimeh et al.,
 * ICML 2020) */
POISE_API poise_value *poise_smooth_step(poise_graph *g, poise_value *x, double gamma,
                                         poise_error *err);
/* y[B,K,E]: one of E experts by the binary code s[B,K,M], each bit of which is between 0 and 1; the
 * 2^M >= E codes stand for experts 0 .. E - 1, and again from 0.  Rows sum to 1.  M is at most 12. */
POISE_API poise_value *poise_select(poise_graph *g, poise_value *s, int64_t experts,
                                    poise_error *err);
/* y = sum over k of w[k] x[k], with a gradient to w[n] too (cross-stitch units) */
POISE_API poise_value *poise_blend(poise_graph *g, poise_value *w, int n, poise_value *const *x,
                                   poise_error *err);

/* ---- fields: a row of segments, side by side ---- */

/* y[B,n,W] = x[B,W], n times */
POISE_API poise_value *poise_repeat(poise_graph *g, poise_value *x, int64_t n, poise_error *err);

/* y[B,S]: for each segment, the sum of a[B,W] b[B,W] over it, W = the sum of width[S]; b may be NULL
 * (ones).  mean: divided by the segment's width.  The widths are copied. */
POISE_API poise_value *poise_segment_dot(poise_graph *g, poise_value *a, poise_value *b,
                                         int segments, const int64_t *width, int mean,
                                         poise_error *err);
/* y[B,W] = x[B,W], each segment times its number of by[B,S] (mean: over its width) */
POISE_API poise_value *poise_segment_scale(poise_graph *g, poise_value *x, poise_value *by,
                                           int segments, const int64_t *width, int mean,
                                           poise_error *err);
/* y[B,D] = the sum over all pairs i < j of x[B,i,:] x[B,j,:], element by element (Rendle, 2010) */
POISE_API poise_value *poise_factorise(poise_graph *g, poise_value *x /* [B,F,D] */,
                                       poise_error *err);
/* y[B,P,D] = a[B,i,:] b[B,j,:] for the P = F (F - 1) / 2 pairs i < j; F >= 2 */
POISE_API poise_value *poise_pairs(poise_graph *g, poise_value *a, poise_value *b,
                                   poise_error *err);

/* ---- probabilities ---- */

/* log(sigmoid(x)) */
POISE_API poise_value *poise_log_sigmoid(poise_graph *g, poise_value *x, poise_error *err);
/* The logit of p, given log p, which is held at or below -1e-30.  Of a product of sigmoids: the sum
 * of their poise_log_sigmoid. */
POISE_API poise_value *poise_log_odds(poise_graph *g, poise_value *log_p, poise_error *err);
/* The logit of p, held within [eps, 1 - eps], 1e-7 <= eps < 0.5.  Beyond, the slope is the bound's. */
POISE_API poise_value *poise_logit(poise_graph *g, poise_value *p, double eps, poise_error *err);

/* 1 / x, x held at or above eps, within 1e-12 and 1e12.  Below, the slope is the bound's. */
POISE_API poise_value *poise_reciprocal(poise_graph *g, poise_value *x, double eps,
                                        poise_error *err);

/* ---- normalisation ---- */

/* over the last axis C: y = gamma[C] (x - mean) / sqrt(var + eps) + beta[C] */
POISE_API poise_value *poise_layer_norm(poise_graph *g, poise_value *x, poise_value *gamma,
                                        poise_value *beta, double eps, poise_error *err);
/* over the rows of x[B,C] whose weight[B] is not 0 (weight may be NULL: all).  A graph that trains
 * uses the batch's mean and biased variance and moves the running ones (STATE parameters) by
 * `momentum` towards them (variance unbiased, as PyTorch; left alone below two rows, both below one);
 * one that does not uses the running.  Rows of weight 0 are normalised like the others. */
POISE_API poise_value *poise_batch_norm(poise_graph *g, poise_value *x, poise_value *weight,
                                        poise_value *gamma, poise_value *beta, poise_value *mean,
                                        poise_value *var, double momentum, double eps,
                                        poise_error *err);

/* ---- losses ----
 * loss[1] = sum over rows of weight * l(row) / sum of weight, and 0 where the weights sum to 0.
 * A row counts when its weight is > 0 and its label is not NaN (for i32 labels: not negative).
 * Sums are accumulated in double in row order.  *weight_sum, if not NULL, receives the value [1]
 * that holds the sum of the weights that counted. */

/* label in [0, 1]: softplus(z) - z label, z = logit[B,1], softplus(z) = log(1 + exp(z)) */
POISE_API poise_value *poise_loss_bce(poise_graph *g, poise_value *logit, poise_value *label,
                                      poise_value *weight, poise_value **weight_sum,
                                      poise_error *err);
/* P y softplus(-z) + (1 - y) softplus(z), y = label (1 - smoothing) + smoothing / 2, P =
 * positive_weight: what a positive row weighs against a negative one.  The sum of weights does not
 * contain P. */
POISE_API poise_value *poise_loss_bce_with(poise_graph *g, poise_value *logit, poise_value *label,
                                           poise_value *weight, double smoothing,
                                           double positive_weight, poise_value **weight_sum,
                                           poise_error *err);
/* -positive y q^gamma log p - negative (1 - y) p^gamma log q, p = sigmoid(logit), q = 1 - p: rows
 * that are right already count less (Lin et al., ICCV 2017) */
POISE_API poise_value *poise_loss_focal(poise_graph *g, poise_value *logit, poise_value *label,
                                        poise_value *weight, double gamma, double positive,
                                        double negative, poise_value **weight_sum,
                                        poise_error *err);
/* logits[B,C], label i32[B]; with smoothing e the target is (1 - e) onehot(label) + e / C */
POISE_API poise_value *poise_loss_softmax(poise_graph *g, poise_value *logits, poise_value *label,
                                          poise_value *weight, poise_value **weight_sum,
                                          poise_error *err);
POISE_API poise_value *poise_loss_softmax_with(poise_graph *g, poise_value *logits,
                                               poise_value *label, poise_value *weight,
                                               double smoothing, poise_value **weight_sum,
                                               poise_error *err);
/* (x - label)^2, x[B,1] */
POISE_API poise_value *poise_loss_squared(poise_graph *g, poise_value *x, poise_value *label,
                                          poise_value *weight, poise_value **weight_sum,
                                          poise_error *err);
/* (x - label)^2 / 2 where |x - label| <= delta, else delta (|x - label| - delta / 2) */
POISE_API poise_value *poise_loss_huber(poise_graph *g, poise_value *x, poise_value *label,
                                        poise_value *weight, double delta, poise_value **weight_sum,
                                        poise_error *err);
/* exp(z) - y + y (log y - z), z = log_rate[B,1], y = label: half the Poisson deviance, which is the
 * negative log likelihood of a count y less that of the best rate, and so never below 0 */
POISE_API poise_value *poise_loss_poisson(poise_graph *g, poise_value *log_rate, poise_value *label,
                                          poise_value *weight, poise_value **weight_sum,
                                          poise_error *err);
/* x[B,1], whatever the label: the mean of x over the rows that count */
POISE_API poise_value *poise_loss_mean(poise_graph *g, poise_value *x, poise_value *label,
                                       poise_value *weight, poise_value **weight_sum,
                                       poise_error *err);
/* One score against C - 1 ordered thresholds: c[B,k] = z[B,1] - theta[k], the logit of label > k.
 * theta[0] = raw[0] - (C - 2) / 2, theta[k] = theta[k-1] + gap(raw[k]), where the gap is positive and
 * 1 at 0; with raw 0 the thresholds lie 1 apart around 0.  raw[C-1]. */
POISE_API poise_value *poise_thresholds(poise_graph *g, poise_value *z, poise_value *raw,
                                        poise_error *err);
/* -log P(label), P(label = k) = sigmoid(c[k-1]) - sigmoid(c[k]) with the ends 1 and 0: the cumulative
 * link model (McCullagh, 1980).  c[B,C-1] falls along each row; label i32[B] of 0 .. C-1. */
POISE_API poise_value *poise_loss_ordinal(poise_graph *g, poise_value *c, poise_value *label,
                                          poise_value *weight, poise_value **weight_sum,
                                          poise_error *err);

/* ---- signals and the balancer ---- */

/* gram[T,T] f64: <g_i, g_j>, where g_t is the concatenation over p of grad[p * T + t]; NULL stands
 * for zero.  Accumulated in double in a fixed order. */
POISE_API poise_value *poise_gram(poise_graph *g, int ntask, int nparam, poise_value *const *grad,
                                  poise_error *err);
/* norm[T] f64: the square roots of that matrix's diagonal, without the rest */
POISE_API poise_value *poise_grad_norm(poise_graph *g, int ntask, int nparam,
                                       poise_value *const *grad, poise_error *err);

/* Host code as a node: called with the inputs' data, fills weight[T].  In a dry run it is not
 * called and the last weights are repeated.  0, or -1 with *err. */
typedef struct poise_balance_call {
    int (*call)(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                poise_error *err);
    void *self;
    int ntask;
} poise_balance_call;
/* weight[T]; any inputs (NULL not allowed), passed through in order; `call` must outlive g */
POISE_API poise_value *poise_balance_node(poise_graph *g, const poise_balance_call *call, int nin,
                                          poise_value *const *in, poise_error *err);

#endif
