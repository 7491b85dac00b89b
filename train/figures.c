#include "figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "metrics.h"

static int figure_of_task(const poise__engine *e, const poise_dataset *d, int t, const float *score,
                          const float *label, const float *weight, poise_task_result *f,
                          poise_error *err)
{
    int64_t n = poise_dataset_rows(d), width = poise__engine_width(e, t);
    const float *truth = poise_dataset_truth(d, t);

    poise__figures_unknown(f);
    f->name = e->schema->task[t].name;
    f->kind = e->schema->task[t].kind;
    switch (f->kind) {
    case POISE_BINARY:
        f->figure[POISE_LOGLOSS] = poise_logloss(n, score, label, weight);
        if (poise_auc(n, score, label, weight, &f->figure[POISE_AUC], err) < 0)
            return -1;
        return truth ? poise_auc(n, truth, label, weight, &f->auc_best_possible, err) : 0;
    case POISE_MULTICLASS:
        f->figure[POISE_LOGLOSS] = poise_class_logloss(n, width, score, label, weight);
        f->figure[POISE_ACCURACY] = poise_accuracy(n, width, score, label, weight);
        return 0;
    case POISE_REGRESSION:
        f->figure[POISE_RMSE] = poise_rmse(n, score, label, weight);
        f->figure[POISE_MAE] = poise_mae(n, score, label, weight);
        return 0;
    case POISE_ORDINAL:
        f->figure[POISE_LOGLOSS] = poise_grade_logloss(n, width, score, label, weight);
        f->figure[POISE_MAE] = poise_grade_mae(n, width, score, label, weight);
        return 0;
    case POISE_COUNT:
        f->figure[POISE_DEVIANCE] = poise_deviance(n, score, label, weight);
        return 0;
    }
    return 0;
}

void poise__figures_unknown(poise_task_result *f)
{
    *f = (poise_task_result){.auc_best_possible = NAN, .weight = NAN};
    for (int k = 0; k < POISE_FIGURE_COUNT; k++)
        f->figure[k] = NAN;
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

/* A figure with the sign that makes more better; where it is not known, the task's loss. */
static double signed_figure(const poise_task_result *f, poise_figure figure, int or_loss)
{
    if (!isnan(f->figure[figure]))
        return poise_figure_better(figure) * f->figure[figure];
    for (int k = POISE_LOGLOSS; or_loss && k < POISE_FIGURE_COUNT; k++)
        if (!isnan(f->figure[k]))
            return -f->figure[k];
    return NAN;
}

static double mean_figure(int ntask, const poise_task_result *f, poise_figure figure, int or_loss)
{
    double sum = 0, q;
    int n = 0;

    for (int t = 0; t < ntask; t++)
        if (!isnan(q = signed_figure(&f[t], figure, or_loss))) {
            sum += q;
            n++;
        }
    return n ? sum / n : NAN;
}

double poise__monitor(const poise_monitor *m, int ntask, const poise_task_result *figure)
{
    double sum = 0;

    for (int k = 0; k < m->n; k++) {
        const poise_monitor_term *t = &m->term[k];
        double q = t->task < 0 ? mean_figure(ntask, figure, t->figure, 0)
                               : signed_figure(&figure[t->task], t->figure, 1);
        if (t->task < 0 && isnan(q)) /* none has it */
            q = mean_figure(ntask, figure, t->figure, 1);
        sum += t->factor * q;
    }
    return sum;
}
