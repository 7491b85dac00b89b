#include "columns.h"

#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"
#include "../core/search.h"

int poise__when_task(const poise_schema *s, int t)
{
    const char *when = s->task[t].when_tests ? NULL : s->task[t].when;
    for (int k = 0; when && k < s->ntask; k++)
        if (strcmp(s->task[k].name, when) == 0)
            return k;
    return -1;
}

int poise__no_column(const char *what, const char *owner, const char *name, const char *source,
                     int n, const char *const *names, poise_place at, poise_error *err)
{
    const char *near = poise__nearest(name, n, names);
    char wanted[POISE__SHOWN], found[POISE__SHOWN];
    if (near)
        return poise_fail(err, POISE_E_DATA, at,
                          "%s%s needs a column %s, which %s does not have; the nearest is %s", what,
                          owner, poise__shown(name, wanted), source, poise__shown(near, found));
    return poise_fail(err, POISE_E_DATA, at,
                      "%s%s needs a column %s, which is not one of the %d columns of %s", what,
                      owner, poise__shown(name, wanted), n, source);
}

int poise__columns_init(poise__columns *c, const poise_schema *s, int labels, const char *source,
                        poise_error *err)
{
    memset(c, 0, sizeof *c);
    c->nfeature = s->nfeature;
    c->ntask = s->ntask;
    c->labelled = labels;
    size_t n = strlen(source) + 1;
    c->source = poise__calloc(n, 1, err);
    if (!c->source)
        return -1;
    memcpy(c->source, source, n);
    c->feature = poise__calloc((size_t)s->nfeature, sizeof *c->feature, err);
    c->task = c->feature ? poise__calloc((size_t)s->ntask, sizeof *c->task, err) : NULL;
    if (!c->task)
        return -1;
    for (int f = 0; f < s->nfeature; f++) {
        if (s->feature[f].kind != POISE_CATEGORICAL && s->feature[f].kind != POISE_LIST)
            continue;
        c->feature[f].words = poise__dictionary_new(err);
        if (!c->feature[f].words)
            return -1;
    }
    return 0;
}

static int grow(void **p, int64_t rows, size_t size, poise_error *err)
{
    void *q = (uint64_t)rows <= SIZE_MAX / size ? realloc(*p, (size_t)rows * size) : NULL;
    if (!q)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                          "out of memory for a column of %lld rows", (long long)rows);
    *p = q;
    return 0;
}

static int grow_floats(float **p, int64_t rows, poise_error *err)
{
    void *q = *p;
    int status = grow(&q, rows, sizeof **p, err);
    *p = q;
    return status;
}

static int grow_task(poise__task_column *p, const poise_schema *s, int t, int64_t rows,
                     poise_error *err)
{
    const poise_task *k = &s->task[t];
    if (grow_floats(&p->label, rows, err) < 0 ||
        (k->weight && grow_floats(&p->weight, rows, err) < 0))
        return -1;
    return k->when && poise__when_task(s, t) < 0 ? grow_floats(&p->when, rows, err) : 0;
}

int poise__columns_reserve(poise__columns *c, const poise_schema *s, int64_t rows, int64_t *cap,
                           poise_error *err)
{
    if (rows <= *cap)
        return 0;
    int64_t want = *cap > 4096 ? *cap : 4096;
    while (want < rows && want <= INT64_MAX / 2)
        want *= 2;
    if (want < rows)
        want = rows;
    for (int f = 0; f < c->nfeature; f++) {
        poise__feature_column *p = &c->feature[f];
        if (s->feature[f].kind == POISE_LIST) {
            void *end = p->end;
            if (grow(&end, want, sizeof *p->end, err) < 0)
                return -1;
            p->end = end;
            continue;
        }
        void *q = p->words ? (void *)p->code : (void *)p->number;
        size_t size = p->words ? sizeof *p->code : sizeof *p->number;
        if (grow(&q, want, size, err) < 0)
            return -1;
        if (p->words)
            p->code = q;
        else
            p->number = q;
    }
    for (int t = 0; c->labelled && t < c->ntask; t++)
        if (grow_task(&c->task[t], s, t, want, err) < 0)
            return -1;
    if (c->labelled && s->weight && grow_floats(&c->weight, want, err) < 0)
        return -1;
    *cap = want;
    return 0;
}

void poise__list_items(const poise__feature_column *c, int64_t row, int64_t *from, int64_t *to)
{
    *from = row > 0 ? c->end[row - 1] : 0;
    *to = c->end[row];
}

void poise__columns_done(poise__columns *c)
{
    for (int f = 0; c->feature && f < c->nfeature; f++) {
        poise__dictionary_free(c->feature[f].words);
        free(c->feature[f].code);
        free(c->feature[f].end);
        free(c->feature[f].number);
    }
    for (int t = 0; c->task && t < c->ntask; t++) {
        free(c->task[t].label);
        free(c->task[t].when);
        free(c->task[t].weight);
        free(c->task[t].truth);
        poise__dictionary_free(c->task[t].seen);
    }
    free(c->feature);
    free(c->task);
    free(c->weight);
    free(c->source);
    memset(c, 0, sizeof *c);
}
