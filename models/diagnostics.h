/* diagnostics.h -- all that is wrong with a spec, in the order of the text.
 *
 *     shop.yaml:3:20: error: copies is '0' (for $experts); it must be an integer, 1 .. 4096
 *         3 | model: {use: mmoe, experts: 0}
 *           |                             ^
 *     models/mmoe.yaml:8:21: note: $experts is used here
 *         8 |   expert: {copies: $experts, mlp: $units, input: features}
 *           |                    ^~~~~~~~
 *
 * A diagnostic has a place, and where a second one explains it a note with that.
 */
#ifndef POISE_DIAGNOSTICS_H
#define POISE_DIAGNOSTICS_H

#include "../core/error.h"

typedef struct poise_diagnostics poise_diagnostics;

POISE_API poise_diagnostics *poise_diagnostics_new(poise_error *err);
POISE_API void poise_diagnostics_free(poise_diagnostics *d);

/* Add an error.  Returns -1, always.  The place's file is copied.  The same message at the same
 * place counts once.  Past a bound (100) the rest is only counted. */
POISE_API int poise_diagnose(poise_diagnostics *d, poise_place place, const char *fmt, ...)
    POISE_FORMAT(3, 4);
POISE_API int poise_diagnose_error(poise_diagnostics *d, const poise_error *err);
POISE_API int poise_warn(poise_diagnostics *d, poise_place place, const char *fmt, ...)
    POISE_FORMAT(3, 4);

/* Give the diagnostic that was added last a note; nothing where it was there before (or past the
 * bound), and nothing where it has one. */
POISE_API void poise_diagnose_note(poise_diagnostics *d, poise_place place, const char *fmt, ...)
    POISE_FORMAT(3, 4);
/* The text of a file, for the lines that are shown; copied.  Files come in the order in which they
 * are given here, or first named.  A file that was given already is left
 * as it is.  0, or -1 when there is no memory: then its lines are not shown. */
POISE_API int poise_diagnostics_source(poise_diagnostics *d, const char *file, const char *text,
                                       size_t size);

typedef struct poise_diagnostic {
    poise_error error;
    poise_error note; /* message "": none */
    int warning;      /* 1: a warning, 0: an error */
} poise_diagnostic;

POISE_API int poise_diagnostics_errors(const poise_diagnostics *d); /* how many */
POISE_API int poise_diagnostics_count(const poise_diagnostics *d);  /* errors and warnings kept */
/* The k-th in order of file and place, into buf: "file:line:column: error: ..." (or "warning:").
 * One that comes from an override begins with it: "--set train.epochs=x: error: ...".  Returns
 * buf. */
POISE_API const char *poise_diagnostics_text(const poise_diagnostics *d, int k, char *buf,
                                             size_t size);
/* The k-th, borrowed; NULL where there is none. */
POISE_API const poise_diagnostic *poise_diagnostics_get(const poise_diagnostics *d, int k);

enum { POISE_DIAGNOSTIC_TEXT = 4096 }; /* bytes that always hold one as it is shown */

/* The k-th with its line, a caret under the place, and its note, as above; lines end with \n.  Where
 * the text is not known (data, overrides) the line is left out.  Returns buf. */
POISE_API const char *poise_diagnostics_show(const poise_diagnostics *d, int k, char *buf,
                                             size_t size);
/* All of them for an editor, as a JSON object; malloc'd, NULL and *err when memory is out:
 *
 *     {"errors": 1, "warnings": 0, "diagnostics": [
 *        {"severity": "error", "file": "shop.yaml", "line": 3, "column": 20, "end_column": 21,
 *         "message": "...", "note": {"file": ..., "line": ..., "column": ..., "message": ...}}]}
 *
 * Lines and columns count from 1, columns in characters; end_column is the one after the word.  What
 * is not known is left out. */
POISE_API char *poise_diagnostics_json(const poise_diagnostics *d, poise_error *err);
/* The first error (warnings passed over), for callers that report one; NULL if there is none. */
POISE_API const poise_error *poise_diagnostics_first(const poise_diagnostics *d);

#endif
