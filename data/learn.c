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

/* How often each text of a column stands in these rows: [texts], malloc'd.  Of a list, texts of none
 * of them have 0. */
static int64_t *count_texts(const poise__feature_column *c, const poise__rows *rows,
                            const poise_feature *f, poise_error *err)
{
    int64_t *count = poise__calloc(poise__dictionary_count(c->words), sizeof *count, err);
    for (int64_t i = 0; count && i < rows->n; i++) {
        int64_t from = row_at(rows, i), to = from + 1;
        if (f->kind == POISE_LIST)
            poise__list_items(c, row_at(rows, i), &from, &to);
        for (int64_t k = from; k < to; k++)
            count[c->code[k]]++;
    }
    return count;
}

/* The vocabulary: those of n texts that are there often enough. */
static int keep_texts(uint32_t n, const char *const *text, const int64_t *count, poise_feature *f,
                      poise__arena *arena, poise_error *err)
{
    int64_t least = f->min_count > 1 ? f->min_count : 1;
    size_t kept = 0, bytes = 0;
    for (uint32_t k = 0; k < n; k++)
        if (count[k] >= least) {
            kept++;
            bytes += strlen(text[k]) + 1;
        }
    f->value = poise__arena_alloc(arena, kept ? kept : 1, sizeof *f->value, err);
    char *copy = f->value ? poise__arena_alloc(arena, bytes ? bytes : 1, 1, err) : NULL;
    if (!copy)
        return -1;
    f->nvalue = 0;
    for (uint32_t k = 0; k < n; k++)
        if (count[k] >= least) {
            size_t size = strlen(text[k]) + 1;
            memcpy(copy, text[k], size);
            f->value[f->nvalue++] = copy;
            copy += size;
        }
    qsort((void *)f->value, kept, sizeof *f->value, by_text);
    return 0;
}

static int learn_vocabulary(const poise__feature_column *c, const poise__rows *rows,
                            poise_feature *f, poise__arena *arena, poise_error *err)
{
    int64_t *count = count_texts(c, rows, f, err);
    int status = count ? keep_texts(poise__dictionary_count(c->words),
                                    poise__dictionary_texts(c->words), count, f, arena, err)
                       : -1;
    free(count);
    return status;
}

/* Add a column's texts to those of all users of its table; total[] has room for them. */
static int add_texts(const poise__feature_column *c, const poise__rows *rows,
                     const poise_feature *f, poise__dictionary *all, int64_t *total,
                     poise_error *err)
{
    int64_t *count = count_texts(c, rows, f, err);
    const char *const *text = poise__dictionary_texts(c->words);
    uint32_t code;
    int bad = !count;
    for (uint32_t k = 0; !bad && k < poise__dictionary_count(c->words); k++) {
        bad = poise__dictionary_code(all, text[k], strlen(text[k]), &code, err) < 0;
        if (!bad)
            total[code] += count[k];
    }
    free(count);
    return bad ? -1 : 0;
}

/* One vocabulary of all columns that use it, feature `owner`'s. */
static int learn_common(const poise__columns *c, const poise__rows *rows, poise_schema *s,
                        int owner, poise_error *err)
{
    size_t most = 0;
    for (int k = 0; k < s->nfeature; k++)
        if (c->feature[k].words && poise_feature_owner(s, k) == owner)
            most += poise__dictionary_count(c->feature[k].words);
    poise__dictionary *all = poise__dictionary_new(err);
    int64_t *total = all ? poise__calloc(most, sizeof *total, err) : NULL;
    int bad = !total;
    for (int k = 0; k < s->nfeature && !bad; k++)
        if (c->feature[k].words && poise_feature_owner(s, k) == owner)
            bad = add_texts(&c->feature[k], rows, &s->feature[k], all, total, err);
    if (!bad)
        bad = keep_texts(poise__dictionary_count(all), poise__dictionary_texts(all), total,
                         &s->feature[owner], s->arena, err);
    poise__dictionary_free(all);
    free(total);
    return bad ? -1 : 0;
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
                      "task '%s': no training row has %s in the column %s, which holds %s",
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
        return poise_fail(err, POISE_E_DATA, task->place,
                          "task '%s' has no labelled training row%s", task->name,
                          task->when ? " where its `when` holds" : "");
    if (task->kind == POISE_BINARY && task->positive && positives == 0 && whole)
        return no_positive(c, task, t, err);
    int classed = poise_task_classed(task), least = task->kind == POISE_ORDINAL; /* one threshold */
    task->base_rate = classed || n == 0 ? 0 : sum / (double)n;
    task->rows = n;
    task->nclass = classed ? (int64_t)fmax(most, least) + 1 : 0;
    return 0;
}

int poise__learn(const poise__columns *c, const poise__rows *rows, int whole, poise_schema *s,
                 poise_error *err)
{
    poise__schema_tables(s);
    for (int f = 0; f < s->nfeature; f++) {
        poise_feature *p = &s->feature[f];
        p->deviation = 1;
        if (p->kind == POISE_CATEGORICAL || p->kind == POISE_LIST) {
            if ((p->users && learn_common(c, rows, s, f, err) < 0) ||
                (poise_feature_alone(p) &&
                 learn_vocabulary(&c->feature[f], rows, p, s->arena, err) < 0))
                return -1;
            continue;
        }
        learn_numeric(c->feature[f].number, rows, p);
        if (p->bins > 0 && poise__learn_bins(c->feature[f].number, rows, p, s->arena, err) < 0)
            return -1;
    }
    poise__schema_tables(s);
    for (int t = 0; t < s->ntask; t++)
        if (learn_task(c, rows, whole, s, t, err) < 0)
            return -1;
    s->learnt = 1;
    return 0;
}
