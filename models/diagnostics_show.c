/* Diagnostics as a person and as an editor reads them. */
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "diagnostics_parts.h"

enum {
    WIDTH = 100,
    BEFORE = 60
}; /* of a long line WIDTH bytes are shown, about BEFORE the place */

static int is_first(char c) /* byte of a character in UTF-8 */
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

int poise__diagnostics_word(const char *line, size_t length, uint32_t column, size_t *at)
{
    size_t i = 0, end;
    for (uint32_t c = 1; i < length && c < column; c++)
        for (i++; i < length && !is_first(line[i]);)
            i++;
    *at = i;
    if (i >= length)
        return 0;
    char quote = line[i];
    end = i + 1;
    if (quote == '"' || quote == '\'') {
        while (end < length && line[end] != quote)
            end += quote == '"' && line[end] == '\\' && end + 1 < length ? 2 : 1;
        end += end < length;
    } else if (!strchr("[]{},#|>", quote)) {
        /* A plain word ends before ": ", a comma or bracket, a comment. */
        while (end < length && !strchr(",]}[{", line[end]) &&
               !(line[end] == ':' && (end + 1 == length || line[end + 1] == ' ')) &&
               !(line[end] == ' ' && end + 1 < length && line[end + 1] == '#'))
            end++;
        while (end > i + 1 && line[end - 1] == ' ')
            end--;
    }
    int n = 0;
    for (size_t k = i; k < end; k++)
        n += is_first(line[k]);
    return n;
}

/* ---- text ---- */

typedef struct out {
    char *buf;
    size_t size, used;
} out;

static void put(out *o, const char *fmt, ...) POISE_FORMAT(2, 3);
static void put(out *o, const char *fmt, ...)
{
    va_list args;
    if (o->used + 1 >= o->size)
        return;
    va_start(args, fmt);
    int n = vsnprintf(o->buf + o->used, o->size - o->used, fmt, args);
    va_end(args);
    o->used += n > 0 ? (size_t)n : 0;
    if (o->used >= o->size)
        o->used = o->size - 1;
}

/* Not in a file, but in an option: "--set train.epochs=x". */
static int is_option(const char *file)
{
    return file[0] == '-' && file[1] == '-';
}

static void put_place(out *o, const poise_error *e, const char *what)
{
    if (!e->file[0])
        put(o, "%s: %s", what, e->message);
    else if (e->line == 0 || is_option(e->file))
        put(o, "%s: %s: %s", e->file, what, e->message);
    else if (e->column == 0)
        put(o, "%s:%u: %s: %s", e->file, e->line, what, e->message);
    else
        put(o, "%s:%u:%u: %s: %s", e->file, e->line, e->column, what, e->message);
}

const char *poise_diagnostics_text(const poise_diagnostics *d, int k, char *buf, size_t size)
{
    const poise_diagnostic *g = poise_diagnostics_get(d, k);
    out o = {buf, size, 0};
    if (size > 0)
        buf[0] = 0;
    if (g)
        put_place(&o, &g->error, g->warning ? "warning" : "error");
    return buf;
}

/* A byte that a terminal would obey is shown as '?'; a tab stays one column wide. */
static char visible(char c)
{
    unsigned char u = (unsigned char)c;
    return c == '\t' ? ' ' : u < 32 || u == 127 ? '?' : c;
}

/* The line, and a caret under the place. */
static void put_line(out *o, const poise_diagnostics *d, const poise_error *e)
{
    size_t length, at;
    const char *line = poise__diagnostics_line(d, e->file, e->line, &length);
    if (!line || e->column == 0 || is_option(e->file))
        return;
    int word = poise__diagnostics_word(line, length, e->column, &at);
    size_t from = length > WIDTH && at > BEFORE ? at - BEFORE : 0;
    while (from < length && !is_first(line[from]))
        from++;
    size_t to = length - from > WIDTH ? from + WIDTH : length;
    while (to < length && !is_first(line[to]))
        to--;
    put(o, "%5u | %s", e->line, from ? "..." : "");
    for (size_t i = from; i < to; i++)
        put(o, "%c", visible(line[i]));
    put(o, "%s\n      | %s", to < length ? "..." : "", from ? "   " : "");
    for (size_t i = from; i < at && i < to; i++)
        if (is_first(line[i]))
            put(o, " ");
    put(o, "^");
    for (int k = 1; k < word && at + (size_t)k < to; k++)
        put(o, "~");
    put(o, "\n");
}

const char *poise_diagnostics_show(const poise_diagnostics *d, int k, char *buf, size_t size)
{
    const poise_diagnostic *g = poise_diagnostics_get(d, k);
    out o = {buf, size, 0};
    if (size > 0)
        buf[0] = 0;
    if (!g)
        return buf;
    put_place(&o, &g->error, g->warning ? "warning" : "error");
    put(&o, "\n");
    put_line(&o, d, &g->error);
    if (!g->note.message[0])
        return buf;
    put_place(&o, &g->note, "note");
    put(&o, "\n");
    put_line(&o, d, &g->note);
    return buf;
}

/* ---- JSON ---- */

/* 0, or -1 when memory is out; texts that are not UTF-8 (of a damaged file) are left out. */
static int put_error(const poise_diagnostics *d, json_t *to, const poise_error *e)
{
    size_t length, at;
    const char *line = poise__diagnostics_line(d, e->file, e->line, &length);
    json_t *message = json_string(e->message), *file = json_string(e->file);
    int bad = json_object_set_new(to, "message", message ? message : json_string("")) < 0;
    if (e->file[0])
        bad |= json_object_set_new(to, "file", file ? file : json_string("")) < 0;
    else
        json_decref(file);
    if (e->line)
        bad |= json_object_set_new(to, "line", json_integer(e->line)) < 0;
    if (e->column)
        bad |= json_object_set_new(to, "column", json_integer(e->column)) < 0;
    if (line && e->column) {
        int word = poise__diagnostics_word(line, length, e->column, &at);
        bad |=
            json_object_set_new(to, "end_column", json_integer((json_int_t)e->column + word)) < 0;
    }
    return bad ? -1 : 0;
}

static json_t *entry_json(const poise_diagnostics *d, const poise_diagnostic *g)
{
    json_t *o = json_pack("{s:s}", "severity", g->warning ? "warning" : "error");
    int bad = !o || put_error(d, o, &g->error) < 0;
    if (!bad && g->note.message[0]) {
        json_t *note = json_object();
        bad = put_error(d, note, &g->note) < 0;
        bad |= json_object_set_new(o, "note", note) < 0;
    }
    if (!bad)
        return o;
    json_decref(o);
    return NULL;
}

char *poise_diagnostics_json(const poise_diagnostics *d, poise_error *err)
{
    json_t *list = json_array();
    int count = poise_diagnostics_count(d), warnings = 0, bad = 0;
    for (int k = 0; k < count && !bad; k++) {
        const poise_diagnostic *g = poise_diagnostics_get(d, k);
        warnings += g->warning;
        bad = json_array_append_new(list, entry_json(d, g)) < 0;
    }
    json_t *root = bad ? NULL
                       : json_pack("{s:i, s:i, s:O}", "errors", poise_diagnostics_errors(d),
                                   "warnings", warnings, "diagnostics", list);
    char *text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    json_decref(list);
    if (!text)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    return text;
}
