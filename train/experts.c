#include "experts.h"

#include <math.h>
#include <stdlib.h>
#include "../core/memory.h"

void poise__gate_numbers(int64_t rows, int n, const float *gate, double *share, double *entropy,
                         double *top)
{
    double h = 0, most = 0;

    for (int e = 0; e < n; e++)
        share[e] = 0;
    for (int64_t r = 0; r < rows; r++) {
        const float *g = gate + r * n;
        double largest = 0;
        for (int e = 0; e < n; e++) {
            double w = (double)g[e];
            share[e] += w / (double)rows;
            h -= w > 0 ? w * log(w) : 0;
            largest = fmax(largest, w);
        }
        most += largest;
    }
    *entropy = n > 1 ? h / (double)rows / log(n) : 0;
    *top = most / (double)rows;
}

int poise__expert_constant(int64_t rows, int64_t width, int64_t stride, const float *x)
{
    for (int64_t r = 1; r < rows; r++)
        for (int64_t k = 0; k < width; k++)
            if (x[r * stride + k] < x[k] || x[r * stride + k] > x[k])
                return 0;
    return 1;
}

/* ---- linear CKA ---- */

/* K[rows, rows] = <x_i - mean, x_j - mean>, its diagonal 0; `sum` its row sums. */
static void gram(int64_t rows, int64_t width, int64_t stride, const float *x, double *centred,
                 double *k, double *sum)
{
    for (int64_t c = 0; c < width; c++) {
        double mean = 0;
        for (int64_t r = 0; r < rows; r++)
            mean += (double)x[r * stride + c] / (double)rows;
        for (int64_t r = 0; r < rows; r++)
            centred[r * width + c] = (double)x[r * stride + c] - mean;
    }
    for (int64_t i = 0; i < rows; i++) {
        k[i * rows + i] = 0;
        for (int64_t j = 0; j < i; j++) {
            double dot = 0;
            for (int64_t c = 0; c < width; c++)
                dot += centred[i * width + c] * centred[j * width + c];
            k[i * rows + j] = k[j * rows + i] = dot;
        }
    }
    for (int64_t i = 0; i < rows; i++) {
        sum[i] = 0;
        for (int64_t j = 0; j < rows; j++)
            sum[i] += k[i * rows + j];
    }
}

static double hsic(int64_t rows, const double *k, const double *ksum, const double *l,
                   const double *lsum)
{
    double n = (double)rows, trace = 0, cross = 0, all_k = 0, all_l = 0;

    for (int64_t i = 0; i < rows * rows; i++)
        trace += k[i] * l[i];
    for (int64_t i = 0; i < rows; i++) {
        cross += ksum[i] * lsum[i];
        all_k += ksum[i];
        all_l += lsum[i];
    }
    return (trace + all_k * all_l / ((n - 1) * (n - 2)) - 2 * cross / (n - 2)) / (n * (n - 3));
}

int poise__expert_similarity(int64_t rows, int n, int64_t width, int64_t stride,
                             const float *const *x, double *similarity, poise_error *err)
{
    size_t r = (size_t)rows, e = (size_t)n;
    double *k = poise__calloc(e * r * r, sizeof *k, err);
    double *sum = k ? poise__calloc(e * r, sizeof *sum, err) : NULL;
    double *centred = sum ? poise__calloc(r * (size_t)width, sizeof *centred, err) : NULL;
    double *own = centred ? poise__calloc(e, sizeof *own, err) : NULL;

    for (size_t a = 0; own && a < e; a++) {
        gram(rows, width, stride, x[a], centred, k + a * r * r, sum + a * r);
        own[a] = poise__expert_constant(rows, width, stride, x[a])
                     ? 0
                     : hsic(rows, k + a * r * r, sum + a * r, k + a * r * r, sum + a * r);
    }
    for (size_t a = 0; own && a < e; a++)
        for (size_t b = 0; b <= a; b++) {
            double both = hsic(rows, k + a * r * r, sum + a * r, k + b * r * r, sum + b * r);
            similarity[a * e + b] = similarity[b * e + a] =
                own[a] > 0 && own[b] > 0 ? both / sqrt(own[a] * own[b]) : (double)NAN;
        }
    int status = own ? 0 : -1;
    free(own);
    free(centred);
    free(sum);
    free(k);
    return status;
}
