#include "metrics.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"

/* Weight of row k, 0 where it does not count. */
static double counts(int64_t k, const float *label, const float *weight)
{
    if (isnan(label[k]))
        return 0;
    return !weight ? 1 : weight[k] > 0 ? (double)weight[k] : 0;
}

/* ---- area under the ROC curve ---- */

typedef struct entry {
    uint32_t key; /* ascending as the scores are */
    float weight; /* > 0: of a positive row, < 0: of a negative one */
} entry;

/* The bits of a float as an integer with the order of the floats; -0 and 0 are one. */
static uint32_t order(float score)
{
    float x = score + 0.0f;
    uint32_t bits;

    memcpy(&bits, &x, sizeof bits);
    return bits & 0x80000000u ? ~bits : bits | 0x80000000u;
}

/* Stable sort by key, 11 bits at a time, with `other` as room.  Returns the one that is sorted. */
static entry *sort(int64_t n, entry *e, entry *other)
{
    enum { BITS = 11, SIZE = 1 << BITS };

    for (int shift = 0; shift < 32; shift += BITS) {
        int64_t start[SIZE] = {0}, sum = 0;
        entry *swap = e;

        for (int64_t k = 0; k < n; k++)
            start[e[k].key >> shift & (SIZE - 1)]++;
        for (int d = 0; d < SIZE; d++) {
            int64_t count = start[d];

            start[d] = sum;
            sum += count;
        }
        for (int64_t k = 0; k < n; k++)
            other[start[e[k].key >> shift & (SIZE - 1)]++] = e[k];
        e = other;
        other = swap;
    }
    return e;
}

/* One group of equal scores at a time, from the lowest. */
static double area(int64_t n, const entry *e)
{
    double won = 0, positive = 0, negative = 0;

    for (int64_t k = 0; k < n;) {
        uint32_t key = e[k].key;
        double p = 0, q = 0;

        for (; k < n && e[k].key == key; k++) {
            if (e[k].weight > 0)
                p += e[k].weight;
            else
                q -= e[k].weight;
        }
        won += p * (negative + q / 2);
        positive += p;
        negative += q;
    }
    return positive > 0 && negative > 0 ? won / (positive * negative) : (double)NAN;
}

int poise_auc(int64_t n, const float *score, const float *label, const float *weight, double *auc,
              poise_error *err)
{
    int64_t used = 0;
    entry *e, *other;
    int status = 0;

    if (n < 0 || (uint64_t)n > SIZE_MAX / sizeof *e)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "an AUC of %lld rows is too large",
                          (long long)n);
    e = poise__calloc((size_t)n, sizeof *e, err);
    other = e ? poise__calloc((size_t)n, sizeof *e, err) : NULL;
    if (!other) {
        free(e);
        return -1;
    }
    for (int64_t k = 0; k < n && status == 0; k++) {
        float w = (float)counts(k, label, weight);

        if (!(w > 0))
            continue;
        if (isnan(score[k]))
            status = poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE,
                                "the score of row %lld is NaN: there is no AUC", (long long)k);
        e[used++] = (entry){order(score[k]), label[k] >= 0.5f ? w : -w};
    }
    if (status == 0)
        *auc = area(used, sort(used, e, other));
    free(e);
    free(other);
    return status;
}

/* ---- means over rows ---- */

typedef double loss(double x, double y);

static double mean(int64_t n, const float *x, const float *label, const float *weight, loss *l)
{
    double sum = 0, total = 0;

    for (int64_t k = 0; k < n; k++) {
        double w = counts(k, label, weight);

        if (w > 0) {
            sum += w * l(x[k], label[k]);
            total += w;
        }
    }
    return total > 0 ? sum / total : (double)NAN;
}

static double of_logit(double z, double y)
{
    return fmax(z, 0) - z * y + log1p(exp(-fabs(z)));
}

static double of_probability(double p, double y)
{
    p = p < 1e-15 ? 1e-15 : p > 1 - 1e-15 ? 1 - 1e-15 : p; /* NaN stays NaN */
    return -y * log(p) - (1 - y) * log1p(-p);
}

static double squared(double x, double y)
{
    return (x - y) * (x - y);
}

double poise_logloss(int64_t n, const float *logit, const float *label, const float *weight)
{
    return mean(n, logit, label, weight, of_logit);
}

double poise_logloss_probability(int64_t n, const float *p, const float *label, const float *weight)
{
    return mean(n, p, label, weight, of_probability);
}

double poise_rmse(int64_t n, const float *x, const float *label, const float *weight)
{
    return sqrt(mean(n, x, label, weight, squared));
}

static double absolute(double x, double y)
{
    return fabs(x - y);
}

static double deviance(double log_rate, double y)
{
    return 2 * ((y > 0 ? y * (log(y) - log_rate) : 0) - (y - exp(log_rate)));
}

double poise_mae(int64_t n, const float *x, const float *label, const float *weight)
{
    return mean(n, x, label, weight, absolute);
}

double poise_deviance(int64_t n, const float *log_rate, const float *label, const float *weight)
{
    return mean(n, log_rate, label, weight, deviance);
}

/* ---- means over rows of several numbers ---- */

/* Of row z[0 .. width) and its class. */
typedef double row_loss(int64_t width, const float *z, int64_t y);

static double row_mean(int64_t n, int64_t width, const float *z, const float *label,
                       const float *weight, row_loss *l)
{
    double sum = 0, total = 0;

    for (int64_t k = 0; k < n; k++) {
        double w = counts(k, label, weight);

        if (w > 0) {
            sum += w * l(width, z + k * width, (int64_t)label[k]);
            total += w;
        }
    }
    return total > 0 ? sum / total : (double)NAN;
}

static double of_class(int64_t classes, const float *z, int64_t y)
{
    double most = (double)z[0], total = 0;

    if (y < 0 || y >= classes)
        return (double)INFINITY; /* a class that the model does not know */
    for (int64_t c = 1; c < classes; c++)
        most = fmax(most, (double)z[c]);
    for (int64_t c = 0; c < classes; c++)
        total += exp((double)z[c] - most);
    return log(total) + most - (double)z[y];
}

static double right(int64_t classes, const float *z, int64_t y)
{
    int64_t best = 0;

    for (int64_t c = 1; c < classes; c++)
        best = z[c] > z[best] ? c : best;
    return best == y;
}

static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double of_grade(int64_t boundaries, const float *c, int64_t y)
{
    double above = y > 0 ? (double)c[y - 1] : (double)INFINITY;
    double over = y < boundaries ? (double)c[y] : -(double)INFINITY;

    /* log(s(a) - s(b)) = log s(a) + log s(-b) + log(1 - e^(b - a)) */
    return softplus(-above) + softplus(over) - log(-expm1(over - above));
}

static double from_median(int64_t boundaries, const float *c, int64_t y)
{
    int64_t grade = 0;

    for (int64_t k = 0; k < boundaries; k++)
        grade += c[k] > 0;
    return (double)(grade > y ? grade - y : y - grade);
}

double poise_class_logloss(int64_t n, int64_t classes, const float *z, const float *label,
                           const float *weight)
{
    return row_mean(n, classes, z, label, weight, of_class);
}

double poise_accuracy(int64_t n, int64_t classes, const float *z, const float *label,
                      const float *weight)
{
    return row_mean(n, classes, z, label, weight, right);
}

double poise_grade_logloss(int64_t n, int64_t boundaries, const float *c, const float *label,
                           const float *weight)
{
    return row_mean(n, boundaries, c, label, weight, of_grade);
}

double poise_grade_mae(int64_t n, int64_t boundaries, const float *c, const float *label,
                       const float *weight)
{
    return row_mean(n, boundaries, c, label, weight, from_median);
}

/* ---- a few runs ---- */

void poise_mean_deviation(int n, const double *x, double *mean_of, double *deviation)
{
    double m = 0, s = 0;

    for (int k = 0; k < n; k++)
        m += x[k];
    m /= n > 0 ? n : (double)NAN;
    for (int k = 0; k < n; k++)
        s += (x[k] - m) * (x[k] - m);
    *mean_of = m;
    *deviation = n > 1 ? sqrt(s / (n - 1)) : n == 1 ? 0 : (double)NAN;
}
