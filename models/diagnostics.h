/* diagnostics.h -- all that is wrong with a spec, in the order of the text. */
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

POISE_API int poise_diagnostics_errors(const poise_diagnostics *d); /* how many */
POISE_API int poise_diagnostics_count(const poise_diagnostics *d);  /* errors and warnings kept */
/* The k-th in order of file and place, into buf: "file:line:column: error: ..." (or "warning:").
 * One that comes from an override begins with it: "--set train.epochs=x: error: ...".  Returns
 * buf. */
POISE_API const char *poise_diagnostics_text(const poise_diagnostics *d, int k, char *buf,
                                             size_t size);
/* The first error (warnings passed over), for callers that report one; NULL if there is none. */
POISE_API const poise_error *poise_diagnostics_first(const poise_diagnostics *d);

#endif
