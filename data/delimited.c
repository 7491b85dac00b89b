#include "delimited.h"

#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

typedef struct named {
    const char *name;
    int column;
} named;

struct poise__delimited {
    const poise_data_spec *spec;
    poise__reader *reader;
    size_t separator, strip; /* lengths */
    poise__arena *arena;     /* the names */
    int ncolumn;
    const char **name; /* [ncolumn] */
    named *order;      /* [ncolumn] by name */
    poise__field *field;
    size_t cap;
    int started;
    /* the record that is being cut */
    char *text;
    size_t length, end; /* end: without line break, '\r' and suffix */
    size_t mark;        /* bytes of a byte order mark before the text */
    size_t line_start;  /* offset of the line that the cut has reached */
    uint32_t line;
};

const char *poise__shown(const char *text, char buf[POISE__SHOWN])
{
    enum { MOST = 60 };
    size_t n = strlen(text), kept = n;
    if (n > MOST) {
        kept = MOST;
        while (kept > MOST - 4 && ((unsigned char)text[kept] & 0xc0) == 0x80)
            kept--;
    }
    char *p = buf;
    *p++ = '"';
    for (size_t i = 0; i < kept; i++)
        *p++ = (unsigned char)text[i] < 32 || text[i] == 127 ? '?' : text[i];
    memcpy(p, "\"...", 5);
    if (n <= MOST)
        p[1] = 0;
    return buf;
}

poise_place poise__delimited_place(const poise__delimited *t, const poise__field *f)
{
    poise_place at = poise__reader_place(t->reader);
    at.line = f->line;
    at.column = f->column;
    return at;
}

static poise_place here(const poise__delimited *t, size_t offset)
{
    poise_place at = poise__reader_place(t->reader);
    at.line = t->line;
    at.column = (uint32_t)(offset - t->line_start + 1);
    return at;
}

/* The record has `length` bytes: find its end, and refuse what is not text. */
static int measure(poise__delimited *t, size_t from, poise_error *err)
{
    const char *nul = memchr(t->text + from, 0, t->length - from);
    if (nul) {
        t->line_start = from;
        return poise_fail(err, POISE_E_DATA, here(t, (size_t)(nul - t->text)),
                          "a NUL byte; delimited text cannot hold one (is the file UTF-16 or "
                          "compressed in another way than gzip?)");
    }
    t->end = t->length;
    if (t->end && t->text[t->end - 1] == '\r')
        t->end--;
    if (t->strip && t->end >= t->strip &&
        memcmp(t->text + t->end - t->strip, t->spec->strip, t->strip) == 0)
        t->end -= t->strip;
    return 0;
}

/* Offset of the next separator at or behind `from`; `end` when there is none. */
static size_t find_separator(const poise__delimited *t, size_t from)
{
    const char *s = t->spec->separator, *p = t->text + from, *end = t->text + t->end;
    while (p < end && (p = memchr(p, s[0], (size_t)(end - p))) != NULL) {
        if (t->separator == 1 ||
            ((size_t)(end - p) >= t->separator && memcmp(p, s, t->separator) == 0))
            return (size_t)(p - t->text);
        p++;
    }
    return t->end;
}

/* A quoted field goes on over the line break: take the next line in. */
static int next_line(poise__delimited *t, size_t nfield, poise_place opened, poise_error *err)
{
    char *before = t->text;
    size_t length = t->length;
    int more = poise__reader_extend(t->reader, &t->text, &t->length, err);
    if (more < 0)
        return -1;
    if (more == 0)
        return poise_fail(err, POISE_E_DATA, opened,
                          "a quote is opened here and never closed; write \"\" for a quote inside "
                          "a field, or set `quoted: false` if quotes mean nothing in this file");
    t->text += t->mark;
    t->length -= t->mark;
    if (t->text != before)
        for (size_t i = 0; i < nfield; i++)
            t->field[i].text = t->text + (t->field[i].text - before);
    t->line++;
    t->line_start = length + 1;
    return measure(t, length + 1, err);
}

/* Cut the quoted field that opens at *at, unescaping in place, and put *at behind its closing
 * quote. */
static int cut_quoted(poise__delimited *t, size_t *at, size_t nfield, poise_error *err)
{
    size_t open = *at, kept = open + 1; /* the field so far is [open + 1, kept) */
    size_t copied = kept, scan = kept;  /* bytes before these are copied, hold no more quotes */
    poise_place opened = here(t, open);
    t->field[nfield].line = opened.line;
    t->field[nfield].column = opened.column;
    for (;;) {
        const char *quote = scan < t->end ? memchr(t->text + scan, '"', t->end - scan) : NULL;
        if (!quote) {
            scan = t->end > scan ? t->end : scan;
            if (next_line(t, nfield, opened, err) < 0)
                return -1;
            continue;
        }
        size_t q = (size_t)(quote - t->text);
        int twice = q + 1 < t->end && t->text[q + 1] == '"';
        size_t n = q + (size_t)twice - copied;
        memmove(t->text + kept, t->text + copied, n);
        kept += n;
        copied = scan = q + 1 + (size_t)twice;
        if (!twice)
            break;
    }
    if (copied < t->end && find_separator(t, copied) != copied)
        return poise_fail(err, POISE_E_DATA, here(t, copied),
                          "text follows the closing quote of a field; a quote inside a quoted "
                          "field is written \"\"");
    t->text[kept] = 0;
    t->field[nfield].text = t->text + open + 1;
    t->field[nfield].length = (uint32_t)(kept - open - 1);
    *at = copied;
    return 0;
}

/* Cut the record into fields; their number, or -1. */
static int64_t cut(poise__delimited *t, poise_error *err)
{
    size_t n = 0, at = 0;
    for (;;) {
        poise__field *f = poise__grow(t->field, &t->cap, n + 1, sizeof *f, err);
        if (!f)
            return -1;
        t->field = f;
        size_t stop;
        if (t->spec->quoted && at < t->end && t->text[at] == '"') {
            if (cut_quoted(t, &at, n, err) < 0)
                return -1;
            stop = at;
        } else {
            stop = find_separator(t, at);
            poise_place place = here(t, at);
            f[n] = (poise__field){t->text + at, (uint32_t)(stop - at), place.line, place.column};
        }
        n++;
        int last = stop >= t->end;
        t->text[stop] = 0;
        if (last)
            return (int64_t)n;
        at = stop + t->separator;
    }
}

/* The next record that is not an empty line: its number of fields, 0 at the end, -1. */
static int64_t next_record(poise__delimited *t, poise_error *err)
{
    for (;;) {
        int more = poise__reader_line(t->reader, &t->text, &t->length, err);
        if (more <= 0)
            return more;
        t->mark = !t->started && t->length >= 3 && memcmp(t->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        t->started = 1;
        t->text += t->mark;
        t->length -= t->mark;
        t->line = poise__reader_place(t->reader).line;
        t->line_start = 0;
        if (measure(t, 0, err) < 0)
            return -1;
        if (t->length > 0 && !(t->length == 1 && t->text[0] == '\r'))
            return cut(t, err);
        if (t->ncolumn == 1)
            return cut(t, err);
    }
}

int poise__delimited_next(poise__delimited *t, const poise__field **fields, poise_error *err)
{
    int64_t n = next_record(t, err);
    if (n <= 0)
        return (int)n;
    if (n != t->ncolumn) {
        poise_place at = poise__reader_place(t->reader);
        char sep[POISE__SHOWN];
        return poise_fail(err, POISE_E_DATA, at, "%lld field%s for %d column%s (separator %s)",
                          (long long)n, n == 1 ? "" : "s", t->ncolumn, t->ncolumn == 1 ? "" : "s",
                          poise__shown(t->spec->separator, sep));
    }
    *fields = t->field;
    return 1;
}

int poise__delimited_missing(const poise__delimited *t, const poise__field *f)
{
    if (f->length == 0)
        return 1;
    for (int i = 0; i < t->spec->nmissing; i++)
        if (strcmp(f->text, t->spec->missing[i]) == 0)
            return 1;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    const named *x = a, *y = b;
    int c = strcmp(x->name, y->name);
    return c ? c : (x->column > y->column) - (x->column < y->column);
}

/* Keep copies of the n names that name(i) gives; refuse two of the same. */
static int take_names(poise__delimited *t, int n, const char *const *listed, poise_error *err)
{
    t->name = poise__arena_alloc(t->arena, (size_t)n, sizeof *t->name, err);
    t->order = t->name ? poise__arena_alloc(t->arena, (size_t)n, sizeof *t->order, err) : NULL;
    if (!t->order)
        return -1;
    for (int i = 0; i < n; i++) {
        t->name[i] = poise__arena_text(t->arena, listed ? listed[i] : t->field[i].text, err);
        if (!t->name[i])
            return -1;
        t->order[i] = (named){t->name[i], i};
    }
    t->ncolumn = n;
    qsort(t->order, (size_t)n, sizeof *t->order, by_name);
    for (int i = 1; i < n; i++)
        if (*t->order[i].name && strcmp(t->order[i].name, t->order[i - 1].name) == 0) {
            poise_place at =
                listed ? t->spec->place : poise__delimited_place(t, &t->field[t->order[i].column]);
            char shown[POISE__SHOWN];
            return poise_fail(err, listed ? POISE_E_SPEC : POISE_E_DATA, at,
                              "columns %d and %d are both called %s; each needs a name of its own",
                              t->order[i - 1].column + 1, t->order[i].column + 1,
                              poise__shown(t->order[i].name, shown));
        }
    return 0;
}

static int read_header(poise__delimited *t, poise_error *err)
{
    const poise_data_spec *d = t->spec;
    if (!d->header_in_file) {
        if (d->ncolumn < 1)
            return poise_fail(err, POISE_E_SPEC, d->place,
                              "no columns are named; list them in `header:`, or leave it out when "
                              "the first line of each file names them");
        return take_names(t, d->ncolumn, d->column, err);
    }
    int64_t n = next_record(t, err);
    if (n < 0)
        return -1;
    poise_place at = poise__reader_place(t->reader);
    if (n == 0) {
        at.line = 1;
        return poise_fail(err, POISE_E_DATA, at,
                          "the file is empty; its first line must name the columns");
    }
    return take_names(t, (int)n, NULL, err); /* n <= POISE__LINE_MAX */
}

poise__delimited *poise__delimited_new(const poise_data_spec *d, poise__reader *r, poise_error *err)
{
    poise__delimited *t = poise__calloc(1, sizeof *t, err);
    if (!t) {
        poise__reader_free(r);
        return NULL;
    }
    t->spec = d;
    t->reader = r;
    t->separator = d->separator ? strlen(d->separator) : 0;
    t->strip = d->strip ? strlen(d->strip) : 0;
    t->arena = poise__arena_new(err);
    if (!t->arena)
        goto failed;
    if (t->separator == 0 || strpbrk(d->separator, "\"\r\n")) {
        poise_fail(err, POISE_E_SPEC, d->place,
                   "the separator must be one or more bytes, none of them a quote or line break");
        goto failed;
    }
    if (read_header(t, err) < 0)
        goto failed;
    return t;
failed:
    poise__delimited_free(t);
    return NULL;
}

poise__delimited *poise__delimited_open(const poise_data_spec *d, const char *path, poise_place at,
                                        poise_error *err)
{
    poise__reader *r = poise__reader_open(path, at, err);
    return r ? poise__delimited_new(d, r, err) : NULL;
}

void poise__delimited_free(poise__delimited *t)
{
    if (!t)
        return;
    poise__reader_free(t->reader);
    poise__arena_free(t->arena);
    free(t->field);
    free(t);
}

int poise__delimited_columns(const poise__delimited *t)
{
    return t->ncolumn;
}

const char *const *poise__delimited_names(const poise__delimited *t)
{
    return t->name;
}

int poise__delimited_find(const poise__delimited *t, const char *name)
{
    int low = 0, high = t->ncolumn;
    while (low < high) {
        int mid = low + (high - low) / 2;
        int c = strcmp(t->order[mid].name, name);
        if (c == 0)
            return t->order[mid].column;
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return -1;
}
