#include "settings.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../core/search.h"
#include "table.h"

/* What all of these functions look at. */
typedef struct reader {
    const poise_balancer *table;
    uint32_t ntask;
    const char *const *task;
    poise_error *err;
} reader;

/* A decimal number and nothing else: 3, -0.5, 1e-3; no hexadecimal, no inf, no nan. */
static int read_number(const char *text, double *value)
{
    char *end;
    if (!text[0] || text[strspn(text, "0123456789+-.eE")])
        return 0;
    *value = strtod(text, &end);
    return end != text && !*end;
}

/* One of a row's words: its number. */
static int read_word(const poise_param *row, const char *text, double *value)
{
    for (uint32_t k = 0; row->choice && row->choice[k]; k++)
        if (!strcmp(text, row->choice[k])) {
            *value = k;
            return 1;
        }
    return 0;
}

static int read_value(const poise_param *row, const char *text, double *value)
{
    switch (row->kind) {
    case POISE_BOOL:
        *value = !strcmp(text, "true");
        return *value != 0 || !strcmp(text, "false");
    case POISE_CHOICE:
        return read_word(row, text, value);
    default:
        return read_word(row, text, value) || read_number(text, value);
    }
}

static int set_value(const reader *r, const poise_param *row, const char *text, poise_place at,
                     double *value)
{
    char want[256] = "";
    double v = NAN;

    if (read_value(row, text, &v) && !poise__param_want(row, v, want, sizeof want)) {
        *value = v;
        return 0;
    }
    poise__param_want(row, NAN, want, sizeof want);
    return poise_fail(r->err, POISE_E_SPEC, at, "balancer \"%s\": %s is \"%.100s\"; it must be %s",
                      r->table->id, row->name, text, want);
}

static int find_param(const reader *r, const poise_setting *s)
{
    const poise_balancer *b = r->table;
    const char *name[32] = {NULL}; /* for the hint: the first of them are enough */
    char hint[400] = "it has no parameters";
    size_t at = 0;
    int n = 0;

    for (uint32_t k = 0; k < b->nparam; k++) {
        if (!strcmp(b->param[k].name, s->name))
            return (int)k;
        if (n < (int)POISE_COUNT(name))
            name[n++] = b->param[k].name;
    }
    const char *near = poise__nearest(s->name, n, name);
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    for (int k = 0; !near && k < n && at < sizeof hint; k++) {
        int put = snprintf(hint + at, sizeof hint - at, "%s%s", k ? ", " : "it has ", name[k]);
        at += put > 0 ? (size_t)put : 0;
    }
    return poise_fail(r->err, POISE_E_SPEC, s->place,
                      "balancer \"%s\" has no parameter \"%.100s\"; %s", b->id, s->name, hint);
}

static int find_task(const reader *r, const poise_setting *s, const char *name, poise_place at)
{
    char hint[160] = "";

    for (uint32_t t = 0; t < r->ntask; t++)
        if (!strcmp(r->task[t], name))
            return (int)t;
    const char *near = poise__nearest(name, (int)r->ntask, r->task);
    if (near)
        snprintf(hint, sizeof hint, "; did you mean \"%.100s\"?", near);
    return poise_fail(
        r->err, POISE_E_SPEC, at,
        "balancer \"%s\": %s is given for the task \"%.100s\", which does not exist%s",
        r->table->id, s->name, name, hint);
}

/* One text for all tasks, or one per task that is named. */
static int set_param(const reader *r, const poise_setting *s, const poise_param *row, double *value)
{
    uint32_t n = row->flags & POISE_PER_TASK ? r->ntask : 1;

    if (!s->task) {
        if (s->n != 1)
            return poise_fail(r->err, POISE_E_SPEC, s->place,
                              "balancer \"%s\": %s has %d values without task names; write one "
                              "value, or {TASK: value, ...}",
                              r->table->id, s->name, s->n);
        if (set_value(r, row, s->text[0], s->at ? s->at[0] : s->place, value) < 0)
            return -1;
        for (uint32_t t = 1; t < n; t++)
            value[t] = value[0];
        return 0;
    }
    if (!(row->flags & POISE_PER_TASK))
        return poise_fail(r->err, POISE_E_SPEC, s->place,
                          "balancer \"%s\": %s is one value for all tasks; it cannot be given per "
                          "task",
                          r->table->id, s->name);
    for (int k = 0; k < s->n; k++) {
        poise_place at = s->at ? s->at[k] : s->place;
        for (int j = 0; j < k; j++)
            if (!strcmp(s->task[j], s->task[k]))
                return poise_fail(r->err, POISE_E_SPEC, at,
                                  "balancer \"%s\": %s is given twice for the task \"%.100s\"",
                                  r->table->id, s->name, s->task[k]);
        int t = find_task(r, s, s->task[k], at);
        if (t < 0 || set_value(r, row, s->text[k], at, &value[t]) < 0)
            return -1;
    }
    return 0;
}

static double **defaults(const reader *r, poise__arena *arena)
{
    const poise_balancer *b = r->table;
    double **value = poise__arena_alloc(arena, (size_t)b->nparam + 1, sizeof *value, r->err);

    for (uint32_t k = 0; value && k < b->nparam; k++) {
        uint32_t n = b->param[k].flags & POISE_PER_TASK ? r->ntask : 1;
        value[k] = poise__arena_alloc(arena, n, sizeof *value[k], r->err);
        if (!value[k])
            return NULL;
        for (uint32_t t = 0; t < n; t++)
            value[k][t] = b->param[k].value;
    }
    return value;
}

int poise__settings_read(const poise_balancer *table, uint32_t ntask, const char *const *task,
                         int nsetting, const poise_setting *setting, const double *const **out,
                         poise__arena *arena, poise_error *err)
{
    reader r = {table, ntask, task, err};
    double **value = defaults(&r, arena);
    if (!value)
        return -1;
    for (int i = 0; i < nsetting; i++) {
        const poise_setting *s = &setting[i];
        for (int j = 0; j < i; j++)
            if (!strcmp(setting[j].name, s->name))
                return poise_fail(err, POISE_E_SPEC, s->place,
                                  "balancer \"%s\": %.100s is given twice", table->id, s->name);
        int k = find_param(&r, s);
        if (k < 0 || set_param(&r, s, &table->param[k], value[k]) < 0)
            return -1;
    }
    *out = (const double *const *)value;
    return 0;
}
