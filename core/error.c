/* error.c -- filling and showing a poise_error. */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int status;
} codes[] = {[POISE_OK] = {"ok", 0},
#define X(symbol, name, status, about) [POISE_E_##symbol] = {name, status},
             POISE_CODES(X)
#undef X
};

enum { CODES = (int)(sizeof codes / sizeof *codes) };

int poise_fail(poise_error *err, poise_code code, poise_place place, const char *fmt, ...)
{
    if (!err)
        return -1;
    /* Formatted aside first: the arguments may point into *err itself. */
    poise_error e = {.code = code, .line = place.line, .column = place.column};
    va_list args;
    va_start(args, fmt);
    if (vsnprintf(e.message, sizeof e.message, fmt, args) < 0)
        e.message[0] = '\0';
    va_end(args);
    if (place.file)
        snprintf(e.file, sizeof e.file, "%s", place.file);
    *err = e;
    return -1;
}

const char *poise_error_text(const poise_error *err, char *buf, size_t size)
{
    if (size == 0)
        return buf;
    if (err->file[0] && err->line && err->column)
        snprintf(buf, size, "%s:%u:%u: error: %s", err->file, (unsigned)err->line,
                 (unsigned)err->column, err->message);
    else if (err->file[0] && err->line)
        snprintf(buf, size, "%s:%u: error: %s", err->file, (unsigned)err->line, err->message);
    else if (err->file[0])
        snprintf(buf, size, "%s: error: %s", err->file, err->message);
    else
        snprintf(buf, size, "error: %s", err->message);
    return buf;
}

const char *poise_code_name(poise_code code)
{
    return (int)code >= 0 && (int)code < CODES ? codes[code].name : "unknown";
}

int poise_code_status(poise_code code)
{
    return (int)code >= 0 && (int)code < CODES ? codes[code].status : 1;
}
