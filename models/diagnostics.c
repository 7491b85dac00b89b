#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "diagnostics.h"

enum { KEPT = 100 };

typedef struct entry {
    poise_error error;
    int warning;
    int file; /* order in which its file was first named */
} entry;

struct poise_diagnostics {
    entry *entry; /* [KEPT], sorted */
    int kept, errors, files;
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
    return d;
}

void poise_diagnostics_free(poise_diagnostics *d)
{
    if (!d)
        return;
    free(d->entry);
    free(d);
}

static int file_order(poise_diagnostics *d, const char *file)
{
    for (int k = 0; k < d->kept; k++)
        if (strcmp(d->entry[k].error.file, file) == 0)
            return d->entry[k].file;
    return d->files++;
}

static int after(const entry *a, const entry *b)
{
    if (a->file != b->file)
        return a->file > b->file;
    if (a->error.line != b->error.line)
        return a->error.line > b->error.line;
    return a->error.column > b->error.column;
}

static void add(poise_diagnostics *d, const poise_error *e, int warning)
{
    for (int k = 0; k < d->kept; k++) {
        const poise_error *o = &d->entry[k].error;
        if (o->line == e->line && o->column == e->column && strcmp(o->file, e->file) == 0 &&
            strcmp(o->message, e->message) == 0)
            return;
    }
    d->errors += !warning;
    if (d->kept == KEPT)
        return;
    entry new = {.error = *e, .warning = warning, .file = file_order(d, e->file)};
    int k = d->kept++;
    for (; k > 0 && after(&d->entry[k - 1], &new); k--)
        d->entry[k] = d->entry[k - 1];
    d->entry[k] = new;
}

static void addf(poise_diagnostics *d, poise_place place, int warning, const char *fmt,
                 va_list args)
{
    poise_error e = {.code = POISE_E_SPEC, .line = place.line, .column = place.column};
    snprintf(e.file, sizeof(e.file), "%s", place.file ? place.file : "");
    vsnprintf(e.message, sizeof(e.message), fmt, args);
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
        if (!d->entry[k].warning)
            return &d->entry[k].error;
    return NULL;
}

const char *poise_diagnostics_text(const poise_diagnostics *d, int k, char *buf, size_t size)
{
    if (k < 0 || k >= d->kept) {
        snprintf(buf, size, "%s", "");
        return buf;
    }
    const entry *e = &d->entry[k];
    const char *what = e->warning ? "warning" : "error";
    const poise_error *o = &e->error;
    if (!o->file[0])
        snprintf(buf, size, "%s: %s", what, o->message);
    else if (o->line == 0 || strncmp(o->file, "--set ", 6) == 0)
        snprintf(buf, size, "%s: %s: %s", o->file, what, o->message);
    else if (o->column == 0)
        snprintf(buf, size, "%s:%u: %s: %s", o->file, o->line, what, o->message);
    else
        snprintf(buf, size, "%s:%u:%u: %s: %s", o->file, o->line, o->column, what, o->message);
    return buf;
}
