#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "../core/memory.h"

enum { CHUNK = 1 << 18, CAPACITY = POISE__LINE_MAX + 2 * CHUNK };

struct poise__reader {
    gzFile file;        /* NULL: memory */
    const char *memory; /* what is left of it */
    size_t left;
    char *path;
    char *buffer; /* [CAPACITY + 1] */
    size_t start, end, fill;
    int over;             /* nothing is left to read */
    int newline;          /* the current record ended with '\n', which is at `end` */
    uint32_t line, lines; /* number of the record's first line; lines in the record */
};

static poise__reader *reader_new(const char *path, poise_error *err)
{
    poise__reader *r = poise__calloc(1, sizeof *r, err);
    if (!r)
        return NULL;
    size_t n = strlen(path) + 1;
    r->path = poise__calloc(n, 1, err);
    r->buffer = r->path ? poise__calloc(CAPACITY + 1, 1, err) : NULL;
    if (!r->buffer) {
        poise__reader_free(r);
        return NULL;
    }
    memcpy(r->path, path, n);
    r->lines = 1;
    return r;
}

poise__reader *poise__reader_open(const char *path, poise_place at, poise_error *err)
{
    poise__reader *r = reader_new(path, err);
    if (!r)
        return NULL;
    errno = 0;
    r->file = gzopen(path, "rb");
    if (!r->file) {
        if (errno == 0 || errno == ENOMEM)
            poise_fail(err, POISE_E_MEMORY, at, "out of memory while opening \"%s\"", path);
        else
            poise_fail(err, POISE_E_SYSTEM, at, "cannot open \"%s\": %s", path, strerror(errno));
        poise__reader_free(r);
        return NULL;
    }
    gzbuffer(r->file, CHUNK);
    return r;
}

poise__reader *poise__reader_memory(const char *path, const void *bytes, size_t n, poise_error *err)
{
    poise__reader *r = reader_new(path, err);
    if (!r)
        return NULL;
    r->memory = bytes;
    r->left = n;
    return r;
}

void poise__reader_free(poise__reader *r)
{
    if (!r)
        return;
    if (r->file)
        gzclose(r->file);
    free(r->buffer);
    free(r->path);
    free(r);
}

poise_place poise__reader_place(const poise__reader *r)
{
    return (poise_place){r->path, r->line, 0};
}

static int damaged(poise__reader *r, poise_error *err)
{
    int code = Z_OK;
    const char *text = gzerror(r->file, &code);
    /* The reader stands at the end of what could be read: that line is the place. */
    poise_place at = {r->path, r->line + (r->lines ? r->lines - 1 : 0), 0};
    if (code == Z_ERRNO)
        return poise_fail(err, POISE_E_SYSTEM, at, "cannot read: %s", strerror(errno));
    if (code == Z_BUF_ERROR)
        return poise_fail(err, POISE_E_DATA, at,
                          "the gzip file is cut off here; get it again in full");
    return poise_fail(err, POISE_E_DATA, at, "the gzip file is damaged: %s", text);
}

/* Read more behind `fill`: 0, or -1.  Sets `over` at the end. */
static int refill(poise__reader *r, poise_error *err)
{
    if (CAPACITY - r->fill < CHUNK) {
        size_t kept = r->fill - r->start;
        memmove(r->buffer, r->buffer + r->start, kept);
        r->end -= r->start;
        r->start = 0;
        r->fill = kept;
    }
    size_t room = CAPACITY - r->fill;
    if (!r->file) {
        size_t n = r->left < room ? r->left : room;
        if (n)
            memcpy(r->buffer + r->fill, r->memory, n);
        if (n)
            r->memory += n;
        r->left -= n;
        r->fill += n;
        r->over = n == 0;
        return 0;
    }
    errno = 0;
    int n = gzread(r->file, r->buffer + r->fill, (unsigned)room);
    int code = Z_OK;
    if (n <= 0)
        gzerror(r->file, &code);
    if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END))
        return damaged(r, err);
    r->fill += (size_t)n;
    r->over = n == 0;
    return 0;
}

/* Put `end` on the next '\n' at or behind `from` (an offset into the record), or on the end of the
 * file. */
static int find_end(poise__reader *r, size_t from, poise_error *err)
{
    for (;;) {
        char *at = r->buffer + r->start + from;
        char *found = memchr(at, '\n', r->fill - r->start - from);
        size_t length = (found ? (size_t)(found - r->buffer) : r->fill) - r->start;
        if (length > POISE__LINE_MAX) {
            poise_place place = {r->path, r->line + r->lines - 1, 0};
            return poise_fail(err, POISE_E_DATA, place,
                              "a line longer than %d bytes; is this delimited text, and are its "
                              "quotes closed?",
                              POISE__LINE_MAX);
        }
        if (found || r->over) {
            r->end = r->start + length;
            r->newline = found != NULL;
            return 0;
        }
        from = length;
        r->end = r->fill;
        if (refill(r, err) < 0)
            return -1;
    }
}

int poise__reader_line(poise__reader *r, char **line, size_t *length, poise_error *err)
{
    r->start = r->end + (size_t)r->newline;
    r->end = r->start;
    r->newline = 0;
    r->line += r->lines;
    r->lines = 0; /* a file that is damaged before the line is complete is damaged in this line */
    if (r->start == r->fill && !r->over && refill(r, err) < 0)
        return -1;
    if (r->start == r->fill && r->over)
        return 0;
    r->lines = 1;
    if (find_end(r, 0, err) < 0)
        return -1;
    *line = r->buffer + r->start;
    *length = r->end - r->start;
    return 1;
}

int poise__reader_extend(poise__reader *r, char **line, size_t *length, poise_error *err)
{
    if (!r->newline)
        return 0;
    size_t from = r->end - r->start + 1;
    r->lines++;
    if (r->end + 1 == r->fill && !r->over && refill(r, err) < 0)
        return -1;
    if (r->end + 1 == r->fill && r->over) {
        r->lines--;
        return 0;
    }
    if (find_end(r, from, err) < 0)
        return -1;
    *line = r->buffer + r->start;
    *length = r->end - r->start;
    return 1;
}
