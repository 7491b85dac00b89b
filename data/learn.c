/* What is learnt from the training rows: vocabularies, means and deviations, base rates. */
#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

static int64_t row_at(const poise__rows *rows, int64_t i)
{
    return rows->row ? rows->row[i] : i;
}

int poise__counts(const poise__columns *c, int t, int when_task, int64_t row)
{
    if (isnan(c->task[t].label[row]))
        return 0;
    if (when_task >= 0)
        return c->task[when_task].label[row] == 1;
    return !c->task[t].when || c->task[t].when[row] == 1;
}

/* Welford's recurrence: stable, and exactly 0 deviation for a constant.  Source: Welford, "Note on
 * a method for calculating corrected sums of squares and products", Technometrics 4, 1962. */
static void learn_numeric(const double *number, const poise__rows *rows, poise_feature *f)
{
    double mean = 0, square = 0;
    int64_t n = 0;
    double missing = poise_feature_number(f, f->missing);
    for (int64_t i = 0; i < rows->n; i++) {
        double x = number[row_at(rows, i)];
        if (isnan(x))
            x = missing;
        if (isnan(x))
            continue;
        n++;
        double d = x - mean;
        mean += d / (double)n;
        square += d * (x - mean);
    }
    double deviation = n > 0 ? sqrt(square / (double)n) : 0;
    f->mean = mean;
    f->deviation = deviation > 0 && isfinite(deviation) ? deviation : 1;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int learn_vocabulary(const poise__feature_column *c, const poise__rows *rows,
                            poise_feature *f, poise__arena *arena, poise_error *err)
{
    uint32_t n = poise__dictionary_count(c->words);
    const char *const *text = poise__dictionary_texts(c->words);
    int64_t least = f->min_count > 1 ? f->min_count : 1;
    int64_t *count = poise__calloc(n, sizeof *count, err);
    if (!count)
        return -1;
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t from = row_at(rows, i), to = from + 1;
        if (f->kind == POISE_LIST)
            poise__list_items(c, row_at(rows, i), &from, &to);
        for (int64_t k = from; k < to; k++)
            count[c->code[k]]++;
    }
    size_t kept = 0, bytes = 0;
    for (uint32_t k = 0; k < n; k++)
        if (count[k] >= least) { /* of a list, texts of no training row have 0 */
            kept++;
            bytes += strlen(text[k]) + 1;
        }
    f->value = poise__arena_alloc(arena, kept ? kept : 1, sizeof *f->value, err);
    char *copy = f->value ? poise__arena_alloc(arena, bytes ? bytes : 1, 1, err) : NULL;
    if (!copy) {
        free(count);
        return -1;
    }
    f->nvalue = 0;
    for (uint32_t k = 0; k < n; k++)
        if (count[k] >= least) {
            size_t size = strlen(text[k]) + 1;
            memcpy(copy, text[k], size);
            f->value[f->nvalue++] = copy;
            copy += size;
        }
    qsort((void *)f->value, kept, sizeof *f->value, by_text);
    free(count);
    return 0;
}

/* A `positive` that no row has is a slip of the pen: say what the column holds instead. */
static int no_positive(const poise__columns *c, const poise_task *task, int t, poise_error *err)
{
    char held[512] = "", shown[POISE__SHOWN], wanted[POISE__SHOWN], column[POISE__SHOWN];
    size_t used = 0;
    const poise__dictionary *seen = c->task[t].seen;
    for (uint32_t k = 0; seen && k < poise__dictionary_count(seen); k++) {
        const char *text = poise__shown(poise__dictionary_texts(seen)[k], shown);
        if (used + strlen(text) + 3 > sizeof held)
            break;
        used += (size_t)snprintf(held + used, sizeof held - used, "%s%s", k ? ", " : "", text);
    }
    return poise_fail(err, POISE_E_DATA, task->place,
                      "task %s: no training row has %s in the column %s, which holds %s",
                      task->name, poise__shown(task->positive, wanted),
                      poise__shown(task->label, column), held);
}

static int learn_task(const poise__columns *c, const poise__rows *rows, int whole, poise_schema *s,
                      int t, poise_error *err)
{
    poise_task *task = &s->task[t];
    int when = poise__when_task(s, t);
    double sum = 0, most = -1;
    int64_t n = 0, positives = 0;
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t row = row_at(rows, i);
        double y = (double)c->task[t].label[row];
        positives += y == 1;
        most = y > most ? y : most;
        if (!poise__counts(c, t, when, row))
            continue;
        n++;
        sum += y;
    }
    if (n == 0 && whole)
        return poise_fail(err, POISE_E_DATA, task->place, "task %s has no labelled training row%s",
                          task->name, task->when ? " where its `when` holds" : "");
    if (task->kind == POISE_BINARY && task->positive && positives == 0 && whole)
        return no_positive(c, task, t, err);
    int classed = poise_task_classed(task), least = task->kind == POISE_ORDINAL; /* one threshold */
    task->base_rate = classed || n == 0 ? 0 : sum / (double)n;
    task->nclass = classed ? (int64_t)fmax(most, least) + 1 : 0;
    return 0;
}

int poise__learn(const poise__columns *c, const poise__rows *rows, int whole, poise_schema *s,
                 poise_error *err)
{
    for (int f = 0; f < s->nfeature; f++) {
        poise_feature *p = &s->feature[f];
        p->deviation = 1;
        if (p->kind == POISE_CATEGORICAL || p->kind == POISE_LIST) {
            if (learn_vocabulary(&c->feature[f], rows, p, s->arena, err) < 0)
                return -1;
            continue;
        }
        learn_numeric(c->feature[f].number, rows, p);
        if (p->bins > 0 && poise__learn_bins(c->feature[f].number, rows, p, s->arena, err) < 0)
            return -1;
    }
    for (int t = 0; t < s->ntask; t++)
        if (learn_task(c, rows, whole, s, t, err) < 0)
            return -1;
    s->learnt = 1;
    return 0;
}
