#include "host.h"

#include <math.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "signals.h"

/* The share of a new batch in the running quality figure. */
#define QUALITY_SHARE 0.05

static double *initial(poise__host *h)
{
    return h->memory;
}

static double *quality(poise__host *h)
{
    return h->memory + h->ntask;
}

/* The area under the batch's ROC curve by counting pairs; NaN where a class is absent. */
static double batch_auc(int64_t n, const float *score, const float *label, const float *weight)
{
    double won = 0, pairs = 0;

    for (int64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0) || !(label[i] > 0.5F))
            continue;
        int64_t lower = 0, equal = 0, all = 0;
        for (int64_t k = 0; k < n; k++) {
            int other = weight[k] > 0 && label[k] <= 0.5F;
            all += other;
            lower += other && score[k] < score[i];
            equal += other && score[k] == score[i];
        }
        won += (double)lower + 0.5 * (double)equal;
        pairs += (double)all;
    }
    return won / pairs;
}

static double batch_accuracy(int64_t n, int64_t width, const float *logit, const int32_t *label,
                             const float *weight)
{
    double right = 0, all = 0;

    for (int64_t i = 0; i < n; i++) {
        const float *row = logit + i * width;
        int64_t best = 0;
        if (!(weight[i] > 0) || label[i] < 0)
            continue;
        for (int64_t c = 1; c < width; c++)
            if (row[c] > row[best])
                best = c;
        right += best == label[i];
        all += 1;
    }
    return right / all;
}

/* variance / (variance + mean squared error): 1 for a perfect fit, 1/2 for the mean. */
static double batch_fit(int64_t n, const float *x, const float *label, const float *weight)
{
    double all = 0, sum = 0, squares = 0, errors = 0;

    for (int64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0) || isnan(label[i]))
            continue;
        double y = label[i], e = (double)x[i] - y;
        all += 1;
        sum += y;
        squares += y * y;
        errors += e * e;
    }
    double variance = squares / all - sum / all * (sum / all);
    return variance / (variance + errors / all);
}

static void update_quality(poise__host *h, int t, void *const *of)
{
    double now, *running = &quality(h)[t];

    if (h->kind[t] == POISE_BINARY)
        now = batch_auc(h->batch, of[0], of[1], of[2]);
    else if (h->kind[t] == POISE_MULTICLASS)
        now = batch_accuracy(h->batch, h->width[t], of[0], of[1], of[2]);
    else
        now = batch_fit(h->batch, of[0], of[1], of[2]);
    if (!isfinite(now))
        return;
    now = fmax(now, 1e-6);
    *running = isnan(*running) ? now : *running + QUALITY_SHARE * (now - *running);
}

static int call(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                poise_error *err)
{
    poise__host *h = self;
    const float *loss = in[0], *labelled = in[1];
    int at = 2;

    (void)nin;
    for (int t = 0; t < h->ntask; t++) {
        h->loss[t] = loss[t];
        h->labelled[t] = labelled[t];
        if (!isfinite(loss[t]))
            return poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE, "a loss is %g", loss[t]);
        if (labelled[t] > 0 && isnan(initial(h)[t]))
            initial(h)[t] = loss[t];
    }
    if (h->signals & POISE_SIGNAL_NORM) {
        const double *norm = in[at++];
        for (int t = 0; t < h->ntask; t++)
            h->norm[t] = norm[t];
    }
    if (h->signals & POISE_SIGNAL_GRAM) {
        const double *gram = in[at++];
        for (int k = 0; k < h->ntask * h->ntask; k++)
            h->gram[k] = gram[k];
    }
    for (int t = 0; h->quality && t < h->ntask; t++, at += 3)
        update_quality(h, t, in + at);
    poise_signals s = {
        .size = sizeof s,
        .epoch = h->epoch,
        .step = r->step,
        .labelled = h->labelled,
        .loss = h->loss,
        .loss_init = initial(h),
        .grad_norm = h->signals & POISE_SIGNAL_NORM ? h->norm : NULL,
        .gram = h->signals & POISE_SIGNAL_GRAM ? h->gram : NULL,
        .kpi = h->quality ? quality(h) : NULL,
    };
    if (poise_balance_step(h->balance, &s, h->weight, err) < 0)
        return -1;
    for (int t = 0; t < h->ntask; t++)
        weight[t] = (float)h->weight[t];
    return 0;
}

int poise__host_init(poise__host *h, poise_balance *b, int ntask, const poise_task_kind *kind,
                     const int64_t *width, int64_t batch, poise_error *err)
{
    size_t n = (size_t)ntask;
    uint32_t wanted = poise_balance_signals(b);

    *h = (poise__host){.balance = b, .ntask = ntask, .batch = batch};
    h->signals = (wanted & POISE_GRAD_NORM ? POISE_SIGNAL_NORM : 0U) |
                 (wanted & POISE_GRAM ? POISE_SIGNAL_GRAM : 0U);
    h->quality = (wanted & POISE_KPI) != 0;
    h->call = (poise_balance_call){.call = call, .self = h, .ntask = ntask};
    h->kind = poise__calloc(n, sizeof *h->kind, err);
    h->width = poise__calloc(n, sizeof *h->width, err);
    h->memory = poise__calloc(2 * n, sizeof(double), err);
    h->loss = poise__calloc(n, sizeof(double), err);
    h->labelled = poise__calloc(n, sizeof(double), err);
    h->weight = poise__calloc(n, sizeof(double), err);
    h->norm = poise__calloc(n, sizeof(double), err);
    h->gram = poise__calloc(n * n, sizeof(double), err);
    if (!h->kind || !h->width || !h->memory || !h->loss || !h->labelled || !h->weight || !h->norm ||
        !h->gram) {
        poise__host_done(h);
        return -1;
    }
    for (size_t t = 0; t < n; t++) {
        h->kind[t] = kind[t];
        h->width[t] = width[t];
        h->weight[t] = 1;
        initial(h)[t] = quality(h)[t] = NAN;
    }
    return 0;
}

void poise__host_done(poise__host *h)
{
    free(h->kind);
    free(h->width);
    free(h->memory);
    free(h->loss);
    free(h->labelled);
    free(h->weight);
    free(h->norm);
    free(h->gram);
    *h = (poise__host){0};
}
