#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "diagnostics_parts.h"

enum { KEPT = 100 };

typedef struct entry {
    poise_diagnostic what;
    int file; /* order in which its file was first read or named */
} entry;

typedef struct source {
    char *file, *text;
    size_t size;
    int order; /* as entry.file */
    struct source *next;
} source;

struct poise_diagnostics {
    entry *entry; /* [KEPT], sorted */
    int kept, errors, files;
    int last; /* the one that was added last, -1: it was not */
    source *source;
};

poise_diagnostics *poise_diagnostics_new(poise_error *err)
{
    poise_diagnostics *d = poise__calloc(1, sizeof(*d), err);
    if (!d)
        return NULL;
    d->entry = poise__calloc(KEPT, sizeof(*d->entry), err);
    if (!d->entry) {
        free(d);
        return NULL;
    }
    d->last = -1;
    return d;
}

void poise_diagnostics_free(poise_diagnostics *d)
{
    if (!d)
        return;
    while (d->source) {
        source *next = d->source->next;
        free(d->source->file);
        free(d->source->text);
        free(d->source);
        d->source = next;
    }
    free(d->entry);
    free(d);
}

/* `file` may be cut, as that of an error is. */
static const source *find_source(const poise_diagnostics *d, const char *file)
{
    const source *s = d->source;
    while (s && strncmp(s->file, file, sizeof(((poise_error *)0)->file) - 1) != 0)
        s = s->next;
    return s;
}

static int file_order(poise_diagnostics *d, const char *file)
{
    for (int k = 0; k < d->kept; k++)
        if (strcmp(d->entry[k].what.error.file, file) == 0)
            return d->entry[k].file;
    const source *s = find_source(d, file);
    return s ? s->order : d->files++;
}

static int after(const entry *a, const entry *b)
{
    const poise_error *x = &a->what.error, *y = &b->what.error;
    if (a->file != b->file)
        return a->file > b->file;
    if (x->line != y->line)
        return x->line > y->line;
    return x->column > y->column;
}

static void add(poise_diagnostics *d, const poise_error *e, int warning)
{
    d->last = -1;
    for (int k = 0; k < d->kept; k++) {
        const poise_error *o = &d->entry[k].what.error;
        if (o->line == e->line && o->column == e->column && strcmp(o->file, e->file) == 0 &&
            strcmp(o->message, e->message) == 0)
            return;
    }
    d->errors += !warning;
    if (d->kept == KEPT)
        return;
    entry new = {.what = {.error = *e, .warning = warning}, .file = file_order(d, e->file)};
    int k = d->kept++;
    for (; k > 0 && after(&d->entry[k - 1], &new); k--)
        d->entry[k] = d->entry[k - 1];
    d->entry[k] = new;
    d->last = k;
}

static poise_error at(poise_place place, const char *fmt, va_list args)
{
    poise_error e = {.code = POISE_E_SPEC, .line = place.line, .column = place.column};
    snprintf(e.file, sizeof(e.file), "%s", place.file ? place.file : "");
    vsnprintf(e.message, sizeof(e.message), fmt, args);
    return e;
}

static void addf(poise_diagnostics *d, poise_place place, int warning, const char *fmt,
                 va_list args)
{
    poise_error e = at(place, fmt, args);
    add(d, &e, warning);
}

int poise_diagnose(poise_diagnostics *d, poise_place place, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    addf(d, place, 0, fmt, args);
    va_end(args);
    return -1;
}

int poise_warn(poise_diagnostics *d, poise_place place, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    addf(d, place, 1, fmt, args);
    va_end(args);
    return -1;
}

int poise_diagnose_error(poise_diagnostics *d, const poise_error *err)
{
    add(d, err, 0);
    return -1;
}

void poise_diagnose_note(poise_diagnostics *d, poise_place place, const char *fmt, ...)
{
    if (d->last < 0 || d->entry[d->last].what.note.message[0])
        return;
    va_list args;
    va_start(args, fmt);
    d->entry[d->last].what.note = at(place, fmt, args);
    va_end(args);
}

/* ---- lines ---- */

int poise_diagnostics_source(poise_diagnostics *d, const char *file, const char *text, size_t size)
{
    if (find_source(d, file))
        return 0;
    size_t length = strlen(file);
    source *s = poise__calloc(1, sizeof(*s), NULL);
    char *name = s ? poise__calloc(length + 1, 1, NULL) : NULL;
    char *copy = name ? poise__calloc(size + 1, 1, NULL) : NULL;
    if (!copy) {
        free(name);
        free(s);
        return -1;
    }
    memcpy(name, file, length);
    if (size > 0)
        memcpy(copy, text, size);
    *s = (source){name, copy, size, file_order(d, file), d->source};
    d->source = s;
    return 0;
}

const char *poise__diagnostics_line(const poise_diagnostics *d, const char *file, uint32_t line,
                                    size_t *length)
{
    const source *s = find_source(d, file);
    if (!s || line == 0)
        return NULL;
    const char *from = s->text, *end = s->text + s->size;
    for (uint32_t k = 1; from && k < line; k++) {
        from = memchr(from, '\n', (size_t)(end - from));
        from = from ? from + 1 : NULL;
    }
    if (!from)
        return NULL;
    const char *to = memchr(from, '\n', (size_t)(end - from));
    *length = (size_t)((to ? to : end) - from);
    if (*length > 0 && from[*length - 1] == '\r')
        --*length;
    return from;
}

/* ---- what there is ---- */

int poise_diagnostics_errors(const poise_diagnostics *d)
{
    return d->errors;
}

int poise_diagnostics_count(const poise_diagnostics *d)
{
    return d->kept;
}

const poise_error *poise_diagnostics_first(const poise_diagnostics *d)
{
    for (int k = 0; k < d->kept; k++)
        if (!d->entry[k].what.warning)
            return &d->entry[k].what.error;
    return NULL;
}

const poise_diagnostic *poise_diagnostics_get(const poise_diagnostics *d, int k)
{
    return k >= 0 && k < d->kept ? &d->entry[k].what : NULL;
}
