#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "metrics.h"

/* Mean cross entropy of a softmax over `classes` logits. */
static double class_logloss(int64_t n, int64_t classes, const float *logit, const float *label,
                            const float *weight)
{
    double sum = 0, all = 0;

    for (int64_t i = 0; i < n; i++) {
        const float *z = logit + i * classes;
        double most = z[0], total = 0;
        if (!(weight[i] > 0) || isnan(label[i]))
            continue;
        int64_t c = (int64_t)label[i];
        if (c < 0 || c >= classes)
            continue;
        for (int64_t k = 1; k < classes; k++)
            most = fmax(most, (double)z[k]);
        for (int64_t k = 0; k < classes; k++)
            total += exp((double)z[k] - most);
        sum += (double)weight[i] * (log(total) + most - (double)z[c]);
        all += (double)weight[i];
    }
    return all > 0 ? sum / all : NAN;
}

static int figure_of_task(const poise__engine *e, const poise_dataset *d, int t, const float *score,
                          const float *label, const float *weight, poise_task_result *f,
                          poise_error *err)
{
    int64_t n = poise_dataset_rows(d);
    const float *truth = poise_dataset_truth(d, t);

    *f = (poise_task_result){.name = e->schema->task[t].name,
                             .auc = NAN,
                             .logloss = NAN,
                             .rmse = NAN,
                             .auc_best_possible = NAN,
                             .weight = NAN};
    switch (e->schema->task[t].kind) {
    case POISE_BINARY:
        f->logloss = poise_logloss(n, score, label, weight);
        if (poise_auc(n, score, label, weight, &f->auc, err) < 0)
            return -1;
        return truth ? poise_auc(n, truth, label, weight, &f->auc_best_possible, err) : 0;
    case POISE_MULTICLASS:
        f->logloss = class_logloss(n, poise__engine_width(e, t), score, label, weight);
        return 0;
    case POISE_REGRESSION:
        f->rmse = poise_rmse(n, score, label, weight);
        return 0;
    }
    return 0;
}

/* The labels and weights of all rows, in order: [T][rows] each. */
static int read_labels(const poise__engine *e, const poise_dataset *d, float *const *label,
                       float *const *weight, poise_error *err)
{
    poise_stream *s = poise_stream_new(d, 4096, 0, 0, err);
    poise_batch b;
    int64_t n, at = 0;

    if (!s)
        return -1;
    while ((n = poise_stream_next(s, &b, err)) > 0) {
        for (int t = 0; t < e->schema->ntask; t++) {
            memcpy(label[t] + at, b.label[t], (size_t)n * sizeof(float));
            memcpy(weight[t] + at, b.weight[t], (size_t)n * sizeof(float));
        }
        at += n;
    }
    poise_stream_free(s);
    return n < 0 ? -1 : 0;
}

int poise__figures(poise__engine *e, const poise_dataset *d, poise_task_result *figure,
                   poise_error *err)
{
    int ntask = e->schema->ntask, status;
    size_t rows = (size_t)poise_dataset_rows(d);
    poise__arena *a = poise__arena_new(err);
    float **column = a ? poise__arena_alloc(a, 3 * (size_t)ntask, sizeof *column, err) : NULL;
    float **score = column, **label = column + ntask, **weight = column + 2 * ntask;

    status = column ? 0 : -1;
    for (int t = 0; status == 0 && t < ntask; t++) {
        size_t width = (size_t)poise__engine_width(e, t);
        score[t] = poise__arena_alloc(a, rows * width, sizeof(float), err);
        label[t] = poise__arena_alloc(a, rows, sizeof(float), err);
        weight[t] = poise__arena_alloc(a, rows, sizeof(float), err);
        status = score[t] && label[t] && weight[t] ? 0 : -1;
    }
    if (status == 0)
        status = poise__engine_score(e, d, score, err);
    if (status == 0)
        status = read_labels(e, d, label, weight, err);
    for (int t = 0; status == 0 && t < ntask; t++)
        status = figure_of_task(e, d, t, score[t], label[t], weight[t], &figure[t], err);
    poise__arena_free(a);
    return status;
}

static double quality(const poise_task_result *f, int by_auc)
{
    if (by_auc && !isnan(f->auc))
        return f->auc;
    return isnan(f->logloss) ? -f->rmse : -f->logloss;
}

static int ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

double poise__monitor(const char *monitor, int ntask, const poise_task_result *figure)
{
    int by_auc = ends_with(monitor, " auc"), n = 0, any_auc = 0;
    size_t name = strlen(monitor) - strlen(by_auc ? " auc" : " logloss");
    double sum = 0, q;

    for (int t = 0; t < ntask; t++) {
        any_auc |= !isnan(figure[t].auc);
        if (strlen(figure[t].name) == name && strncmp(figure[t].name, monitor, name) == 0)
            return quality(&figure[t], by_auc);
    }
    for (int t = 0; t < ntask; t++) {
        if (by_auc && any_auc && isnan(figure[t].auc))
            continue; /* a mean of AUCs is not mixed with losses */
        q = quality(&figure[t], by_auc);
        if (isnan(q))
            continue; /* no row of these has its label */
        sum += q;
        n++;
    }
    return n ? sum / n : NAN;
}
