/* vector.h -- the inner loops, in plain C that the compiler vectorises.  Internal.
 *
 * ops/vector.c is compiled once per instruction set (CMakeLists.txt) and each copy exports one
 * table of functions; poise__vector_best() picks the widest that this processor runs.  Nothing here
 * allocates, branches on a value or depends on a thread: the same table and arguments give the same
 * bits.  Tables differ from each other in the last bits (fused multiply-add).
 *
 * Outputs may be the same array as an input where the comment says "in place"; they never overlap
 * partly.  The order of a sum depends on its length alone.
 */
#ifndef POISE_VECTOR_H
#define POISE_VECTOR_H

#include <stdint.h>

/* y[i] = f(a[i], b[i], p), i < n; b is NULL where f does not use it.  In place over a and b. */
typedef void poise__map(int64_t n, const float *a, const float *b, float p, float *y);

/* Accurate to 2 ulp or the figure given.  "back": a is dy, b is the forward's y or x as named. */
#define POISE__MAPS(X)                                                                        \
    X(exp)              /* e^a */                                                             \
    X(erf)              /* erf(a) */                                                          \
    X(log1p)            /* log(1 + a), 0 <= a <= 1 */                                         \
    X(tanh)             /* tanh(a) */                                                         \
    X(sigmoid)          /* 1 / (1 + e^-a); 3 ulp */                                           \
    X(relu)             /* max(a, 0) */                                                       \
    X(leaky_relu)       /* a where a > 0, else p a */                                         \
    X(gelu)             /* a (1 + erf(a / sqrt 2)) / 2 */                                     \
    X(silu)             /* a sigmoid(a) */                                                    \
    X(tanh_back)        /* dy (1 - y^2) */                                                    \
    X(sigmoid_back)     /* dy y (1 - y) */                                                    \
    X(relu_back)        /* dy where y > 0, else 0 */                                          \
    X(leaky_back)       /* dy where y > 0, else p dy */                                       \
    X(gelu_back)        /* dy (Phi(x) + x phi(x)) */                                          \
    X(silu_back)        /* dy s (1 + x (1 - s)), s = sigmoid(x) */                            \
    X(add)              /* a + b */                                                           \
    X(multiply)         /* a b */                                                             \
    X(scale)            /* p a */                                                             \
    X(add_scaled)       /* p a + b */                                                         \
    X(bce)              /* max(a, 0) - a b + log(1 + e^-|a|): the loss of logit a, label b */ \
    X(bce_back)         /* sigmoid(a) - b */                                                  \
    X(squared)          /* (a - b)^2 */                                                       \
    X(squared_back)     /* 2 (a - b) */                                                       \
    X(huber)            /* d = |a - b|: d^2 / 2 where d <= p, else p (d - p / 2) */           \
    X(huber_back)       /* a - b held within [-p, p] */                                       \
    X(log_sigmoid)      /* log sigmoid(a) */                                                  \
    X(log_sigmoid_back) /* dy sigmoid(-x) */                                                  \
    X(log_odds)         /* a - log(1 - e^a), a <= -1e-30 */                                   \
    X(log_odds_back)    /* dy / (1 - e^x), x <= -1e-30 */                                     \
    X(logit)            /* log(a) - log(1 - a), a held within [p, 1 - p] */                   \
    X(logit_back)       /* dy / (x (1 - x)), x held within [p, 1 - p] */                      \
    X(reciprocal)       /* 1 / a, a >= p */                                                   \
    X(reciprocal_back)  /* -dy / x^2, x >= p */                                               \
    X(smooth_step)      /* t = a / p: 0 below -1/2, 1 above 1/2, else 1/2 + 3/2 t - 2 t^3 */  \
    X(smooth_step_back) /* dy (3/2 - 6 t^2) / p, t = x / p within [-1/2, 1/2] */

/* Which numbers a dropout mask is made of: element i is kept when word i % 4 of
 * Philox({i / 4, step, stream}, seed) is >= threshold. */
typedef struct poise__mask {
    uint64_t seed, stream;
    uint32_t step;
    uint32_t threshold; /* rate * 2^32 */
} poise__mask;

typedef struct poise__vector {
    const char *name; /* "plain", "avx2" */
#define X(f) poise__map *f;
    POISE__MAPS(X)
#undef X
    /* sum of a[i] b[i], accumulated in double */
    double (*dot)(int64_t n, const float *a, const float *b);
    /* y[c] = sum over rows of x[r, c], c < n; a row is `stride` long */
    void (*column_sum)(int64_t rows, int64_t n, int64_t stride, const float *x, float *y);

    /* Over each row of x[rows, n].  softmax: in place.  softmax_back: dx = y (dy - <dy, y>), in
     * place over dy.  log_sum_exp: one number a row. */
    void (*softmax)(int64_t rows, int64_t n, const float *x, float *y);
    void (*softmax_back)(int64_t rows, int64_t n, const float *dy, const float *y, float *dx);
    void (*log_sum_exp)(int64_t rows, int64_t n, const float *x, float *y);

    /* For each row: gate is [e] with `stride` to the next row's, x and dx [e, h], y and dy [h].
     * mixture: y = sum over e of gate x (+ y where add is 1); mixture_gate: dgate = <dy, x>;
     * mixture_expert: dx = gate dy. */
    void (*mixture)(int64_t rows, int64_t e, int64_t h, const float *gate, int64_t stride,
                    const float *x, int add, float *y);
    void (*mixture_gate)(int64_t rows, int64_t e, int64_t h, const float *dy, const float *x,
                         float *dgate, int64_t stride);
    void (*mixture_expert)(int64_t rows, int64_t e, int64_t h, const float *dy, const float *gate,
                           int64_t stride, float *dx);

    /* Rows of x, `width` numbers cut into s segments of width[k].  segment_dot: y[r, k] = the sum
     * over segment k of a b (of a, where b is NULL), times scale[k]; segment_scale: y = x (1 where
     * x is NULL) times by[r, k] scale[k], in place over x.  scale NULL: 1. */
    void (*segment_dot)(int64_t rows, int64_t s, const int64_t *width, const float *a,
                        const float *b, const float *scale, float *y);
    void (*segment_scale)(int64_t rows, int64_t s, const int64_t *width, const float *x,
                          const float *by, const float *scale, float *y);

    /* For each row of x[rows, f, d].  factorise: y = the sum of x[i] x[j] over i < j;
     * factorise_back: dx = dy (sum of x - x). */
    void (*factorise)(int64_t rows, int64_t f, int64_t d, const float *x, float *y);
    void (*factorise_back)(int64_t rows, int64_t f, int64_t d, const float *dy, const float *x,
                           float *dx);

    /* For each row of a, b[rows, f, d]: y[(i, j)] = a[i] b[j] for i < j, in the order (0, 1),
     * (0, 2), ..., (1, 2), ...  pairs_left: da[i] = sum over j of dy[(i, j)] b[j]; pairs_right:
     * db[j] = sum over i of dy[(i, j)] a[i]. */
    void (*pairs)(int64_t rows, int64_t f, int64_t d, const float *a, const float *b, float *y);
    void (*pairs_left)(int64_t rows, int64_t f, int64_t d, const float *dy, const float *b,
                       float *da);
    void (*pairs_right)(int64_t rows, int64_t f, int64_t d, const float *dy, const float *a,
                        float *db);

    /* Each row of x[rows, n] to mean 0 and deviation 1, times gamma, plus beta; in place. */
    void (*layer_norm)(int64_t rows, int64_t n, float eps, const float *x, const float *gamma,
                       const float *beta, float *y, float *mean, float *inv);
    /* dx = inv (g - mean(g) - xhat mean(g xhat)), g = dy gamma; in place over dy */
    void (*layer_norm_data)(int64_t rows, int64_t n, const float *dy, const float *x,
                            const float *gamma, const float *mean, const float *inv, float *dx);
    /* y[c] = sum over rows of dy (x - mean[r]) inv[r] */
    void (*layer_norm_gamma)(int64_t rows, int64_t n, int64_t stride, const float *dy,
                             const float *x, const float *mean, const float *inv, float *y);

    /* Columns c < n of rows `stride` long, over the rows whose weight is not 0 (NULL: all).
     * Mean and biased variance; returns how many rows counted (0: mean and var are 0). */
    int64_t (*column_moments)(int64_t rows, int64_t n, int64_t stride, const float *x,
                              const float *weight, float *mean, float *var);
    /* y = (x - mean) inv gamma + beta */
    void (*column_norm)(int64_t rows, int64_t n, int64_t stride, const float *x, const float *mean,
                        const float *inv, const float *gamma, const float *beta, float *y);
    /* sum[c] = sum of dy, dot[c] = sum of dy (x - mean) inv, over all rows */
    void (*column_sums)(int64_t rows, int64_t n, int64_t stride, const float *dy, const float *x,
                        const float *mean, const float *inv, float *sum, float *dot);
    /* dx = gamma inv (dy - [the row counts] (sum + xhat dot) / count) */
    void (*column_norm_data)(int64_t rows, int64_t n, int64_t stride, const float *dy,
                             const float *x, const float *weight, const float *gamma,
                             const float *mean, const float *inv, const float *sum,
                             const float *dot, int64_t count, float *dx);

    /* y[i] = scale x[i] where element from + i is kept, else 0; `from` a multiple of 4; in place */
    void (*dropout)(int64_t n, int64_t from, const poise__mask *mask, float scale, const float *x,
                    float *y);
} poise__vector;

extern const poise__vector poise__vector_plain;
#if defined(__x86_64__)
extern const poise__vector poise__vector_avx2;
#endif

/* The tables this processor can run, narrowest first; returns how many (at most 4). */
int poise__vector_tables(const poise__vector *tables[4]);
/* The last of them. */
const poise__vector *poise__vector_best(void);

#endif
