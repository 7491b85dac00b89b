#include "host.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "prediction.h"
#include "signals.h"

/* The share of a new batch in the running quality figure. */
#define QUALITY_SHARE 0.05

/* ---- memory ---- */

static double *initial(const poise__host *h)
{
    return h->memory;
}

static double *averaged(const poise__host *h)
{
    return h->memory + h->ntask;
}

static double *quality(const poise__host *h)
{
    return h->memory + 2 * h->ntask;
}

static double *after(const poise__host *h)
{
    return h->memory + 3 * h->ntask;
}

static double *smoothed(const poise__host *h)
{
    return h->memory + 4 * h->ntask;
}

static double *times_smoothed(const poise__host *h)
{
    return smoothed(h) + h->nweight;
}

/* ---- running quality ---- */

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
        if (!(weight[i] > 0) || label[i] < 0)
            continue;
        right += (int32_t)poise__prediction(POISE_MULTICLASS, logit + i * width, width) == label[i];
        all += 1;
    }
    return right / all;
}

/* A grade is an integer, a number and a count are floats: NaN where there is no label. */
static double label_at(poise_task_kind kind, const void *label, int64_t i)
{
    if (kind != POISE_ORDINAL)
        return (double)((const float *)label)[i];
    int32_t grade = ((const int32_t *)label)[i];
    return grade < 0 ? (double)NAN : grade;
}

/* variance / (variance + mean squared error): 1 for a perfect fit, 1/2 for the mean. */
static double batch_fit(int64_t n, int64_t width, poise_task_kind kind, const float *x,
                        const void *label, const float *weight)
{
    double all = 0, sum = 0, squares = 0, errors = 0;

    for (int64_t i = 0; i < n; i++) {
        double y = label_at(kind, label, i), e = poise__prediction(kind, x + i * width, width) - y;
        if (!(weight[i] > 0) || isnan(y))
            continue;
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
    poise_task_kind kind = h->schema->task[t].kind;
    double now, *running = &quality(h)[t];

    if (kind == POISE_BINARY)
        now = batch_auc(h->batch, of[0], of[1], of[2]);
    else if (kind == POISE_MULTICLASS)
        now = batch_accuracy(h->batch, h->width[t], of[0], of[1], of[2]);
    else
        now = batch_fit(h->batch, h->width[t], kind, of[0], of[1], of[2]);
    if (!isfinite(now))
        return;
    now = fmax(now, 1e-6);
    *running = isnan(*running) ? now : *running + QUALITY_SHARE * (now - *running);
}

/* ---- initial losses ---- */

/* The loss of the best constant answer: the entropy of the base rate (GradNorm's footnote has log C
 * for C classes).  NaN where it is not known. */
static double base_loss(const poise_task *t)
{
    double p = t->base_rate;

    if (t->kind == POISE_BINARY)
        return p > 0 && p < 1 ? t->loss_weight * (-p * log(p) - (1 - p) * log(1 - p)) : NAN;
    if (t->kind == POISE_MULTICLASS)
        return t->nclass > 1 ? t->loss_weight * log((double)t->nclass) : NAN;
    return NAN;
}

static void update_initial(poise__host *h, int t)
{
    double *value = &initial(h)[t], *n = &averaged(h)[t];
    double most = h->options->initial == POISE_INITIAL_MEAN ? (double)h->options->initial_steps : 1;

    if (!(h->labelled[t] > 0) || *n >= most)
        return;
    if (h->options->initial == POISE_INITIAL_BASE_RATE && *n == 0) {
        *value = base_loss(&h->schema->task[t]);
        *n = 1;
        if (!isnan(*value))
            return;
        *n = 0; /* a regression: its first loss */
    }
    *n += 1;
    *value = isnan(*value) ? h->loss[t] : *value + (h->loss[t] - *value) / *n;
}

/* ---- a step ---- */

static const double *copied(double *to, const void *from, size_t n)
{
    memcpy(to, from, n * sizeof *to);
    return to;
}

int poise__host_observe(poise__host *h, void *const *in, uint64_t step, poise_error *err)
{
    const float *loss = in[0], *labelled = in[1];
    size_t n = (size_t)h->ntask;
    int at = 2;

    h->in = (poise_signals){.size = sizeof h->in,
                            .epoch = h->epoch,
                            .step = step,
                            .labelled = h->labelled,
                            .loss = h->loss,
                            .loss_init = initial(h),
                            .loss_after = after(h),
                            .rate = &h->rate};
    for (int t = 0; t < h->ntask; t++) {
        h->loss[t] = loss[t];
        h->labelled[t] = labelled[t];
        if (!isfinite(loss[t]))
            return poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE, "a loss is %g", loss[t]);
        update_initial(h, t);
    }
    if (h->signals & POISE_SIGNAL_NORM)
        h->in.grad_norm = copied(h->norm, in[at++], n);
    if (h->signals & POISE_SIGNAL_GRAM)
        h->in.gram = copied(h->gram, in[at++], n * n);
    for (int k = 0; h->signals & POISE_SIGNAL_GROUPS && k < h->ngroup; k++)
        copied(h->group_gram + (size_t)k * n * n, in[at++], n * n);
    if (h->signals & POISE_SIGNAL_GROUPS)
        h->in.group_gram = h->group_gram;
    if (h->signals & POISE_SIGNAL_HALVES) {
        const double *both = in[at++]; /* [2T, 2T]: the upper right block is wanted */
        for (size_t i = 0; i < n; i++)
            copied(h->half_gram + i * n, both + i * 2 * n + n, n);
        h->in.half_gram = h->half_gram;
    }
    for (int t = 0; h->quality && t < h->ntask; t++, at += 3)
        update_quality(h, t, in + at);
    if (h->quality)
        h->in.kpi = quality(h);
    return 0;
}

static void smooth(poise__host *h)
{
    double a = *times_smoothed(h) > 0 ? h->options->smooth : 0;

    *times_smoothed(h) += 1;
    for (int k = 0; k < h->nweight; k++)
        h->weight[k] = smoothed(h)[k] = a * smoothed(h)[k] + (1 - a) * h->weight[k];
}

/* Each row of weights to a sum of 1, or to a mean of 1. */
static void normalise(poise__host *h)
{
    for (int row = 0; row < h->nweight; row += h->ntask) {
        double sum = 0;
        for (int t = 0; t < h->ntask; t++)
            sum += h->weight[row + t];
        if (!(fabs(sum) > 1e-300))
            continue;
        double to = h->options->normalise == POISE_NORMALISE_SUM ? 1 : h->ntask;
        for (int t = 0; t < h->ntask; t++)
            h->weight[row + t] *= to / sum;
    }
}

/* 1 if the last weights serve this step too. */
static int reused(const poise__host *h)
{
    return h->options->every > 1 && h->in.step % (uint64_t)h->options->every != 0 &&
           *times_smoothed(h) > 0;
}

int poise__host_decide(poise__host *h, poise_error *err)
{
    if (!reused(h)) {
        poise_error inner = {0};
        if (poise_balance_step(h->balance, &h->in, h->weight, &inner) < 0)
            return poise_fail(err, inner.code, h->options->place, "%s", inner.message);
        smooth(h);
        if (h->options->normalise != POISE_NORMALISE_NONE)
            normalise(h);
    }
    for (int t = 0; t < h->ntask; t++) {
        double sum = 0;
        for (int row = 0; row < h->nweight; row += h->ntask)
            sum += h->weight[row + t];
        h->task_weight[t] = sum * h->ntask / h->nweight;
    }
    if (h->record)
        h->record(h->record_user, &h->in, h->ngroup, h->weight, h->nweight);
    return 0;
}

static int call(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                poise_error *err)
{
    poise__host *h = self;

    (void)nin;
    if (poise__host_observe(h, in, r->step, err) < 0 || poise__host_decide(h, err) < 0)
        return -1;
    for (int k = 0; k < h->nweight; k++)
        weight[k] = (float)h->weight[k];
    return 0;
}

void poise__host_after(poise__host *h, int task, double loss)
{
    after(h)[task] = h->labelled[task] > 0 ? loss : NAN;
}

void poise__host_inherit(poise__host *h, const poise__host *from)
{
    memcpy(h->memory, from->memory, 3 * (size_t)h->ntask * sizeof *h->memory);
}

/* ---- beginning and end ---- */

unsigned poise__host_signals(const poise_balance *b)
{
    uint32_t wanted = poise_balance_signals(b);

    return (wanted & POISE_GRAD_NORM ? POISE_SIGNAL_NORM : 0U) |
           (wanted & POISE_GRAM ? POISE_SIGNAL_GRAM : 0U) |
           (wanted & POISE_GROUP_GRAM ? POISE_SIGNAL_GROUPS : 0U) |
           (wanted & POISE_HALF_GRAM ? POISE_SIGNAL_HALVES : 0U);
}

int poise__host_by_group(const poise_balance *b)
{
    const poise_balancer *table = poise_plugin_get(poise_balance_plugin(b));

    return poise_balance_signals(b) & POISE_GROUP_GRAM || table->flags & POISE_GROUP_WEIGHTS ||
           poise_balance_by_element(b);
}

static int allocate(poise__host *h, const int64_t *width, poise_error *err)
{
    size_t n = (size_t)h->ntask, nweight = (size_t)h->nweight, square = n * n;

    h->nmemory = 4 * h->ntask + h->nweight + 1;
    h->width = poise__calloc(n, sizeof *h->width, err);
    h->memory = poise__calloc((size_t)h->nmemory, sizeof(double), err);
    h->loss = poise__calloc(n, sizeof(double), err);
    h->labelled = poise__calloc(n, sizeof(double), err);
    h->weight = poise__calloc(nweight, sizeof(double), err);
    h->task_weight = poise__calloc(n, sizeof(double), err);
    h->norm = poise__calloc(n, sizeof(double), err);
    h->gram = poise__calloc(square, sizeof(double), err);
    h->half_gram = poise__calloc(square, sizeof(double), err);
    h->group_gram = poise__calloc((size_t)h->ngroup, square * sizeof(double), err);
    if (!h->width || !h->memory || !h->loss || !h->labelled || !h->weight || !h->task_weight ||
        !h->norm || !h->gram || !h->half_gram || !h->group_gram)
        return -1;
    for (size_t t = 0; t < n; t++) {
        h->width[t] = width[t];
        initial(h)[t] = quality(h)[t] = after(h)[t] = NAN;
        h->task_weight[t] = 1;
    }
    for (size_t k = 0; k < nweight; k++)
        h->weight[k] = 1;
    return 0;
}

int poise__host_init(poise__host *h, poise_balance *b, const poise_balancer_spec *options,
                     const poise_schema *schema, const int64_t *width, int64_t batch, double rate,
                     int ngroup, const char *const *group, poise_error *err)
{
    uint32_t wanted = poise_balance_signals(b);

    *h = (poise__host){.balance = b,
                       .options = options,
                       .ntask = schema->ntask,
                       .ngroup = 1,
                       .schema = schema,
                       .batch = batch,
                       .rate = rate};
    h->signals = poise__host_signals(b);
    h->quality = (wanted & POISE_KPI) != 0;
    h->after = (wanted & POISE_LOSS_AFTER) != 0;
    if (poise__host_by_group(b)) {
        h->ngroup = ngroup;
        if (poise_balance_groups(b, (uint32_t)ngroup, group, err) < 0)
            return -1;
    }
    h->nweight = (int)poise_balance_weights(b);
    h->call = (poise_balance_call){.call = call, .self = h, .ntask = h->nweight};
    if (allocate(h, width, err) < 0) {
        poise__host_done(h);
        return -1;
    }
    return 0;
}

void poise__host_done(poise__host *h)
{
    free(h->width);
    free(h->memory);
    free(h->loss);
    free(h->labelled);
    free(h->weight);
    free(h->task_weight);
    free(h->norm);
    free(h->gram);
    free(h->half_gram);
    free(h->group_gram);
    *h = (poise__host){0};
}
