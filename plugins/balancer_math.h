/* balancer_math.h -- small mathematics for authors of balancers.
 *
 * T is small, so everything here is dense, double precision and direct.  Nothing allocates: scratch
 * (`work`) comes from the caller, who has it in the state.  A strategy on a Gram matrix is
 *
 *     static size_t state_size(const poise_context *c)
 *     {
 *         size_t n = c->ntask;
 *         return (n * n + n + POISE_MATH_MIN_NORM(n)) * sizeof(double) + n * sizeof(uint32_t);
 *     }
 *     static int step(const poise_context *c, void *state, const poise_signals *in, double *weight)
 *     {
 *         size_t n = c->ntask;
 *         double *gram = state, *w = gram + n * n, *work = w + n;
 *         uint32_t *task = (uint32_t *)(work + POISE_MATH_MIN_NORM(n));
 *         n = poise_math_labelled(in->gram, in->labelled, n, task, gram);
 *         poise_math_fill(w, n, 0);
 *         poise_math_min_norm(gram, n, w, work);
 *         for (size_t k = 0; k < n; k++)
 *             weight[task[k]] = w[k];
 *         return 0;
 *     }
 *
 * Matrices are [n, n] row by row.  No function fails: what has no answer (a singular matrix, all
 * zeros) gets the one that its comment names.  Arguments must not overlap unless it is said.
 * C11 and C++; needs <math.h> (-lm) and nothing of Poise.  Since 1.1.
 */
#ifndef POISE_BALANCER_MATH_H
#define POISE_BALANCER_MATH_H

#include <float.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* ---- vectors and Gram matrices ---- */

static inline void poise_math_fill(double *x, size_t n, double value)
{
    for (size_t k = 0; k < n; k++)
        x[k] = value;
}

static inline double poise_math_sum(const double *x, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += x[k];
    return sum;
}

static inline double poise_math_dot(const double *x, const double *y, size_t n)
{
    double sum = 0;
    for (size_t k = 0; k < n; k++)
        sum += x[k] * y[k];
    return sum;
}

/* y = A x */
static inline void poise_math_multiply(const double *a, const double *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = poise_math_dot(a + i * n, x, n);
}

/* w'Gw = |sum of w_t g_t|^2 of a Gram matrix: not below 0, as rounding may leave it. */
static inline double poise_math_square(const double *gram, const double *w, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += w[i] * poise_math_dot(gram + i * n, w, n);
    return fmax(sum, 0);
}

/* The labelled tasks of a batch: task[k] becomes the number of the k-th, and sub[n, n] their rows
 * and columns of gram[T, T].  Returns n, from 0 to T. */
static inline size_t poise_math_labelled(const double *gram, const double *labelled, size_t ntask,
                                         uint32_t *task, double *sub)
{
    size_t n = 0;
    for (size_t t = 0; t < ntask; t++)
        if (labelled[t] > 0)
            task[n++] = (uint32_t)t;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            sub[i * n + j] = gram[task[i] * ntask + task[j]];
    return n;
}

/* The Gram matrix of g_t / s_t, in place. */
static inline void poise_math_scale(double *gram, const double *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            gram[i * n + j] = gram[i * n + j] / s[i] / s[j];
}

/* w = exp(x / temperature) / sum, without overflow.  w may be x. */
static inline void poise_math_softmax(const double *x, size_t n, double temperature, double *w)
{
    double top = -HUGE_VAL, sum = 0;
    for (size_t k = 0; k < n; k++)
        top = fmax(top, x[k]);
    for (size_t k = 0; k < n; k++)
        sum += w[k] = exp((x[k] - top) / temperature);
    for (size_t k = 0; k < n; k++)
        w[k] /= sum;
}

/* The point of {w >= 0, sum of w = mass} nearest to x, in place:  w = max(x - tau, 0).
 * Tau is found by dropping what is below it until nothing is: n passes at most.
 * Michelot, J. Optimization Theory and Applications 50, 1986.  n >= 1, mass >= 0. */
static inline void poise_math_simplex(double *x, size_t n, double mass)
{
    double tau = -HUGE_VAL;
    for (size_t kept = 0, before = n + 1; kept != before;) {
        double sum = 0;
        before = kept;
        kept = 0;
        for (size_t k = 0; k < n; k++)
            if (x[k] > tau) {
                sum += x[k];
                kept++;
            }
        if (!kept)
            break; /* mass is 0 */
        tau = (sum - mass) / (double)kept;
    }
    for (size_t k = 0; k < n; k++)
        x[k] = fmax(x[k] - tau, 0);
}

/* ---- factorisations ---- */

/* A = L L', in place: L is the lower triangle, what is above it stays.  A symmetric and positive
 * definite.  A pivot at or below 1e-14 of its diagonal element (a column that depends on those
 * before it) is set to that much; of a diagonal element that is not above 0 the row is taken for
 * one of the identity.  Returns how often that was. */
static inline size_t poise_math_cholesky(double *a, size_t n)
{
    size_t lifted = 0;
    for (size_t j = 0; j < n; j++) {
        double *row = a + j * n, top = row[j], pivot = top - poise_math_dot(row, row, j);
        if (!(top > 0)) {
            poise_math_fill(row, j, 0);
            pivot = 1;
            lifted++;
        } else if (!(pivot > 1e-14 * top)) {
            pivot = 1e-14 * top;
            lifted++;
        }
        row[j] = sqrt(pivot);
        for (size_t i = j + 1; i < n; i++)
            a[i * n + j] =
                top > 0 ? (a[i * n + j] - poise_math_dot(a + i * n, row, j)) / row[j] : 0;
    }
    return lifted;
}

/* Solve L L' x = b, in place of b. */
static inline void poise_math_cholesky_solve(const double *l, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (x[i] - poise_math_dot(l + i * n, x, i)) / l[i * n + i];
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            x[i] -= l[k * n + i] * x[k];
        x[i] /= l[i * n + i];
    }
}

/* One rotation that makes a[p, q] zero. */
static inline void poise_math_rotate(double *a, size_t n, double *v, size_t p, size_t q)
{
    double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (tau < 0 ? -1 : 1) / (fabs(tau) + sqrt(1 + tau * tau));
    double c = 1 / sqrt(1 + t * t), s = t * c;
    for (size_t k = 0; k < n; k++) {
        double x = a[k * n + p], y = a[k * n + q];
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for (size_t k = 0; k < n; k++) {
        double x = a[p * n + k], y = a[q * n + k];
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
        x = v[p * n + k], y = v[q * n + k];
        v[p * n + k] = c * x - s * y;
        v[q * n + k] = s * x + c * y;
    }
    a[p * n + q] = a[q * n + p] = 0;
}

/* A = sum over k of value[k] v_k v_k', of a symmetric A: eigenvalues from the largest down, and
 * unit eigenvectors as the ROWS of v[n, n].  A is overwritten.  Cyclic Jacobi: Golub and Van Loan,
 * Matrix Computations, 8.5; 30 sweeps at most, 6 to 10 are usual. */
static inline void poise_math_eigen(double *a, size_t n, double *value, double *v)
{
    double least = DBL_MIN; /* what is smaller than rounding may stay */
    poise_math_fill(v, n * n, 0);
    for (size_t k = 0; k < n; k++)
        v[k * n + k] = 1;
    for (size_t k = 0; k < n * n; k++)
        least = fmax(least, 1e-18 * fabs(a[k]));
    for (int sweep = 0, turned = 1; turned && sweep < 30; sweep++) {
        turned = 0;
        for (size_t p = 0; p < n; p++)
            for (size_t q = p + 1; q < n; q++) {
                double off = fabs(a[p * n + q]);
                double on = sqrt(fabs(a[p * n + p])) * sqrt(fabs(a[q * n + q]));
                if (off > least && off > DBL_EPSILON * on) {
                    poise_math_rotate(a, n, v, p, q);
                    turned = 1;
                }
            }
    }
    for (size_t k = 0; k < n; k++)
        value[k] = a[k * n + k];
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            if (value[j] > value[i]) {
                double x = value[i];
                value[i] = value[j];
                value[j] = x;
                for (size_t k = 0; k < n; k++) {
                    x = v[i * n + k];
                    v[i * n + k] = v[j * n + k];
                    v[j * n + k] = x;
                }
            }
}

/* Eigenvalues of a Gram matrix of single-precision gradients below this share of the largest are
 * rounding: what numpy and PyTorch call the rank's tolerance. */
#define POISE_MATH_RANK(n) ((double)(n)*FLT_EPSILON)

/* How many of the sorted eigenvalues are above tolerance * value[0]; 0 when that is not above 0. */
static inline size_t poise_math_rank(const double *value, size_t n, double tolerance)
{
    size_t rank = 0;
    while (rank < n && value[rank] > 0 && value[rank] > tolerance * value[0])
        rank++;
    return rank;
}

/* x = sum over k < rank of  value[k]^power (v_k'b) v_k  : f(A) b by A's eigenvectors, so that with
 * power -1 x = pinv(A) b, and with -1/2 the inverse square root's.  x may not be b. */
static inline void poise_math_power(const double *value, const double *v, size_t n, size_t rank,
                                    double power, const double *b, double *x)
{
    poise_math_fill(x, n, 0);
    for (size_t k = 0; k < rank; k++) {
        double along = pow(value[k], power) * poise_math_dot(v + k * n, b, n);
        for (size_t i = 0; i < n; i++)
            x[i] += along * v[k * n + i];
    }
}

/* x = pinv(A) b of a symmetric positive semi-definite A, whose eigenvalues at or below tolerance
 * times the largest count as 0.  A is overwritten.  work[n * n + n].  Returns the rank. */
#define POISE_MATH_PINV(n) ((n) * (n) + (n))
static inline size_t poise_math_pinv(double *a, const double *b, size_t n, double tolerance,
                                     double *x, double *work)
{
    double *value = work, *v = work + n;
    poise_math_eigen(a, n, value, v);
    size_t rank = poise_math_rank(value, n, tolerance);
    poise_math_power(value, v, n, rank, -1, b, x);
    return rank;
}

/* ---- quadratic programs ---- */

/* One step of the active set: solve for the free unknowns, go there as far as all stay >= 0, and
 * fix those that arrive at 0.  Returns 1 if one did, 0 when the solution itself was reached.
 * is_free[k] is 1 for a free one, 0 for a fixed one, -1 for one that was just found to stay fixed;
 * s and pick[k], the number of the k-th free one, are scratch. */
static inline int poise_math_qp_descend(const double *a, const double *d, size_t n, double *x,
                                        double *is_free, double *l, double *s, double *pick)
{
    double reach = 1;
    size_t m = 0, first = n;
    for (size_t i = 0; i < n; i++)
        if (is_free[i] > 0) {
            s[m] = d[i];
            pick[m++] = (double)i;
        }
    for (size_t i = 0; i < m; i++)
        for (size_t j = 0; j < m; j++)
            l[i * m + j] = a[(size_t)pick[i] * n + (size_t)pick[j]];
    poise_math_cholesky(l, m);
    poise_math_cholesky_solve(l, m, s);
    for (size_t k = 0; k < m; k++) {
        size_t i = (size_t)pick[k];
        double part = x[i] > 0 ? x[i] / (x[i] - s[k]) : 0;
        if (!(s[k] > 0) && (first == n || part < reach)) {
            reach = part;
            first = i;
        }
    }
    for (size_t i = 0; reach > 0 && i < n; i++)
        is_free[i] = fmax(is_free[i], 0);
    for (size_t k = 0; k < m; k++) {
        size_t i = (size_t)pick[k];
        x[i] = fmax(x[i] + reach * (s[k] - x[i]), 0);
    }
    if (first == n)
        return 0;
    x[first] = 0;
    is_free[first] = reach > 0 ? 0 : -1;
    return 1;
}

/* argmin over x >= low of  x'Ax / 2 - b'x.
 * A symmetric positive semi-definite, with b in its range (else there is no least value).  b and
 * low may be NULL: zeros.  On entry x is where to start, such as the last solution; low will do.
 * The active set method of Lawson and Hanson (Solving Least Squares Problems, 1974, chapter 23) on
 * the normal equations: finite, exact but for rounding, n^3 / 6 operations per change of the set. */
#define POISE_MATH_QP(n) ((n) * (n) + 4 * (n))
static inline void poise_math_qp(const double *a, const double *b, const double *low, size_t n,
                                 double *x, double *work)
{
    double *l = work, *s = l + n * n, *d = s + n, *is_free = d + n, *pick = is_free + n;
    for (size_t i = 0; i < n; i++)
        d[i] = (b ? b[i] : 0) - (low ? poise_math_dot(a + i * n, low, n) : 0);
    for (size_t i = 0; i < n; i++) {
        x[i] = fmax(x[i] - (low ? low[i] : 0), 0);
        is_free[i] = x[i] > 0;
    }
    for (size_t round = 0; round < 10 * n + 10; round++) {
        while (poise_math_qp_descend(a, d, n, x, is_free, l, s, pick))
            ;
        double most = 0;
        size_t enter = n;
        for (size_t i = 0; i < n; i++) { /* whom would it pay to free? */
            if (is_free[i] != 0 || !(a[i * n + i] > 0))
                continue;
            double slope = d[i], size = fabs(b ? b[i] : 0);
            for (size_t k = 0; k < n; k++) {
                slope -= a[i * n + k] * x[k];
                size += fabs(a[i * n + k]) * (x[k] + fabs(low ? low[k] : 0));
            }
            if (slope > 1e-14 * size && slope * (slope / a[i * n + i]) > most) {
                most = slope * (slope / a[i * n + i]);
                enter = i;
            }
        }
        if (enter == n)
            break;
        is_free[enter] = 1;
    }
    for (size_t i = 0; i < n; i++)
        x[i] += low ? low[i] : 0;
}

/* The minimum-norm point in the hull of n vectors with this Gram matrix:
 *     argmin over {w >= 0, sum of w = 1} of  w'Gw.
 * Any s > 0 makes it a quadratic program: min over v >= 0 of v'(G + s 11')v / 2 - s 1'v has
 * v = w s / (w'Gw + s).  s is the smallest diagonal element, so that the scales of G do not mix.
 * Where a vector is 0 the weights are equal on those that are.  On entry w is where to start, or
 * zeros. */
#define POISE_MATH_MIN_NORM(n) (2 * (n) * (n) + 5 * (n))
static inline void poise_math_min_norm(const double *gram, size_t n, double *w, double *work)
{
    double *a = work, *b = a + n * n, s = HUGE_VAL, zeros = 0;
    for (size_t k = 0; k < n; k++) {
        zeros += !(gram[k * n + k] > DBL_MIN);
        s = fmin(s, gram[k * n + k]);
    }
    if (zeros > 0) {
        for (size_t k = 0; k < n; k++)
            w[k] = gram[k * n + k] > DBL_MIN ? 0 : 1 / zeros;
        return;
    }
    for (size_t k = 0; k < n * n; k++)
        a[k] = gram[k] + s;
    poise_math_fill(b, n, s);
    poise_math_qp(a, b, NULL, n, w, b + n);
    double sum = poise_math_sum(w, n);
    for (size_t k = 0; k < n; k++)
        w[k] /= sum;
}

/* The w > 0 with  G w = w^(-1/alpha)  element by element: the bargaining solution at alpha 1, the
 * alpha-fair one else, of n gradients that are not 0.  It is the only minimum of the convex
 * w'Gw / 2 - sum of w^(1 - 1/alpha) / (1 - 1/alpha)  (log w at alpha 1), found by Newton steps with
 * G + diag(w^(-1/alpha - 1) / alpha).  The diagonal counts 1e-10 more than it is: where a sum of
 * gradients with w >= 0 vanishes there would be no solution, and w grows to that limit instead. */
#define POISE_MATH_FAIR(n) ((n) * (n) + 3 * (n))
static inline double poise_math_fair_slope(const double *gram, size_t n, double power,
                                           const double *w, const double *direction, double *r)
{
    for (size_t i = 0; i < n; i++)
        r[i] =
            poise_math_dot(gram + i * n, w, n) + 1e-10 * gram[i * n + i] * w[i] - pow(w[i], -power);
    return poise_math_dot(r, direction, n);
}

static inline void poise_math_fair(const double *gram, size_t n, double alpha, double *w,
                                   double *work)
{
    double *l = work, *r = l + n * n, *p = r + n, *next = p + n, q = 1 / alpha;
    for (size_t i = 0; i < n; i++) /* each task alone */
        w[i] = pow(gram[i * n + i], -1 / (1 + q));
    for (int round = 0; round < 200; round++) {
        double part = 1, size = 0;
        poise_math_fair_slope(gram, n, q, w, w, r);
        memcpy(l, gram, n * n * sizeof *l);
        for (size_t i = 0; i < n; i++) {
            size += pow(w[i], 1 - q);
            l[i * n + i] += 1e-10 * gram[i * n + i] + q * pow(w[i], -q - 1);
            p[i] = -r[i];
        }
        poise_math_cholesky(l, n);
        poise_math_cholesky_solve(l, n, p);
        double slope = poise_math_dot(r, p, n);
        if (!(slope < -1e-26 * size))
            break;
        for (size_t i = 0; i < n; i++)
            if (p[i] < -0.9 * w[i])
                part = fmin(part, -0.9 * w[i] / p[i]);
        for (int halving = 0; halving < 40; halving++, part /= 2) {
            for (size_t i = 0; i < n; i++)
                next[i] = w[i] + part * p[i];
            if (poise_math_fair_slope(gram, n, q, next, p, r) <= -0.5 * slope)
                break;
        }
        memcpy(w, next, n * sizeof *w);
    }
}

/* The root in [low, high] of f, which goes from below 0 there to above it; an end where it does not.
 * Regula falsi, with the end that stays halved in weight (Illinois): 10 to 20 calls, 100 at most,
 * the last of them at the answer.  low >= 0. */
static inline double poise_math_root(double (*f)(double x, void *user), void *user, double low,
                                     double high)
{
    double above = f(high, user), below = f(low, user), x = low;
    if (!(below < 0))
        return low;
    if (!(above > 0))
        return f(high, user), high;
    for (int k = 0, side = 0; k < 97 && high - low > 2 * DBL_EPSILON * high; k++) {
        x = (low * above - high * below) / (above - below);
        double here = f(x, user);
        if (here == 0 || !(x > low && x < high))
            break;
        if (here < 0) {
            low = x, below = here;
            above = side < 0 ? above / 2 : above;
            side = -1;
        } else {
            high = x, above = here;
            below = side > 0 ? below / 2 : below;
            side = 1;
        }
    }
    return x;
}

/* ---- Adam ---- */

/* What Adam remembers of one number; zero at first. */
typedef struct poise_math_adam {
    double m, v, steps;
} poise_math_adam;

/* m = b1 m + (1 - b1) g,  v = b2 v + (1 - b2) g^2, both corrected for their zero start; returns
 * m / (sqrt v + 1e-8), to be taken off times the learning rate:
 *     for each labelled t:  x[t] -= lr * poise_math_adam_step(&adam[t], gradient[t], 0.9, 0.999);
 * A task left out keeps its moments and its count.  Kingma and Ba, ICLR 2015. */
static inline double poise_math_adam_step(poise_math_adam *k, double gradient, double b1, double b2)
{
    k->steps++;
    k->m = b1 * k->m + (1 - b1) * gradient;
    k->v = b2 * k->v + (1 - b2) * gradient * gradient;
    double m = k->m / (1 - pow(b1, k->steps)), v = k->v / (1 - pow(b2, k->steps));
    return m / (sqrt(v) + 1e-8);
}

/* ---- random numbers ---- */

/* Four words of Philox4x32-10 at (step, index) under a seed: nothing is remembered, so a resumed
 * run draws the same numbers.  Salmon, Moraes, Dror, Shaw, SC 2011.  The seed is spread over the
 * key by splitmix64's finaliser. */
static inline void poise_math_philox(uint64_t seed, uint64_t step, uint64_t index, uint32_t out[4])
{
    uint64_t k = seed + UINT64_C(0x9e3779b97f4a7c15);
    k = (k ^ (k >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    k = (k ^ (k >> 27)) * UINT64_C(0x94d049bb133111eb);
    k ^= k >> 31;
    uint32_t k0 = (uint32_t)k, k1 = (uint32_t)(k >> 32);
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32);
    uint32_t c2 = (uint32_t)step, c3 = (uint32_t)(step >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = UINT64_C(0xD2511F53) * c0, p1 = UINT64_C(0xCD9E8D57) * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += UINT32_C(0x9E3779B9);
        k1 += UINT32_C(0xBB67AE85);
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static inline double poise_math_unit(uint32_t a, uint32_t b)
{
    return ((double)(a >> 5) * 67108864.0 + (double)(b >> 6)) / 9007199254740992.0;
}

/* In [0, 1), 53 bits. */
static inline double poise_math_uniform(uint64_t seed, uint64_t step, uint64_t index)
{
    uint32_t r[4];
    poise_math_philox(seed, step, index, r);
    return poise_math_unit(r[0], r[1]);
}

/* Standard normal (Box and Muller).  Uniform and normal at one (step, index) are not independent. */
static inline double poise_math_normal(uint64_t seed, uint64_t step, uint64_t index)
{
    uint32_t r[4];
    poise_math_philox(seed, step, index, r);
    return sqrt(-2 * log(1 - poise_math_unit(r[0], r[1]))) *
           cos(6.283185307179586476925 * poise_math_unit(r[2], r[3]));
}

/* A random order of 0 .. n-1 (Fisher and Yates), from the numbers at index .. index + n - 1. */
static inline void poise_math_shuffle(uint64_t seed, uint64_t step, uint64_t index, size_t n,
                                      uint32_t *order)
{
    for (size_t k = 0; k < n; k++) {
        size_t at = (size_t)(poise_math_uniform(seed, step, index + k) * (double)(k + 1));
        order[k] = order[at];
        order[at] = (uint32_t)k;
    }
}

#endif
