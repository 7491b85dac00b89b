/* Quantile bins.  A column of a table is seldom smooth: most rows of "capital gains" are 0.  Cut at
 * plain quantiles, such a column has most of its edges at one value and few where the other rows
 * are; so values that fill a bin by themselves are set apart first, and what is left is shared out
 * among the bins that are left.
 */
#include "table.h"

#include <math.h>
#include <stdlib.h>

#include "../core/memory.h"

typedef struct distinct {
    double value;
    int64_t rows;
} distinct;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The numbers that are there, ascending; their count. */
static int64_t sorted(const double *number, const poise__rows *rows, double *out)
{
    int64_t n = 0;
    for (int64_t i = 0; i < rows->n; i++) {
        double x = number[rows->row ? rows->row[i] : i];
        if (!isnan(x))
            out[n++] = x;
    }
    qsort(out, (size_t)n, sizeof *out, ascending);
    return n;
}

/* Runs of equal numbers; how many there are. */
static int64_t count_distinct(const double *x, int64_t n, distinct *out)
{
    int64_t m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (m == 0 || x[i] > out[m - 1].value)
            out[m++] = (distinct){x[i], 0};
        out[m - 1].rows++;
    }
    return m;
}

/* A number above a and not above b. */
static double between(double a, double b)
{
    double mid = a / 2 + b / 2;
    return mid > a ? mid : b;
}

static int64_t cut(const distinct *d, int64_t m, int64_t n, int64_t bins, double *edge)
{
    double share = (double)n / (double)bins; /* rows of a value that has its own bin */
    double rows = (double)n;
    int64_t left = bins, nedge = 0;
    for (int64_t j = 0; j < m; j++)
        if ((double)d[j].rows >= share) {
            rows -= (double)d[j].rows;
            left--;
        }
    double wanted = left > 0 ? rows / (double)left : rows; /* rows of the other bins */
    double have = 0;
    for (int64_t j = 0; j + 1 < m && nedge + 1 < bins; j++) {
        int own = (double)d[j].rows >= share, next_own = (double)d[j + 1].rows >= share;
        have = own ? 0 : have + (double)d[j].rows;
        int full = own || have >= wanted || (next_own && have >= wanted / 2);
        if (!full && m > bins)
            continue; /* a few rows below a value of its own join it */
        edge[nedge++] = between(d[j].value, d[j + 1].value);
        if (!own && --left > 0) {
            rows -= have;
            wanted = rows / (double)left;
        }
        have = 0;
    }
    return nedge;
}

int poise__learn_bins(const double *number, const poise__rows *rows, poise_feature *f,
                      struct poise__arena *arena, poise_error *err)
{
    f->edge = NULL;
    f->nedge = 0;
    double *x = poise__calloc((size_t)rows->n, sizeof *x, err);
    distinct *d = x ? poise__calloc((size_t)rows->n, sizeof *d, err) : NULL;
    if (d) {
        int64_t n = sorted(number, rows, x), m = count_distinct(x, n, d);
        int64_t most = m < f->bins ? m : f->bins;
        f->edge = poise__arena_alloc(arena, (size_t)most + 1, sizeof *f->edge, err);
        if (f->edge)
            f->nedge = cut(d, m, n, f->bins, f->edge);
    }
    free(d);
    free(x);
    return f->edge ? 0 : -1;
}
