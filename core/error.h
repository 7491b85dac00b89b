/* error.h -- what went wrong, and where.
 *
 * Every fallible function of the library returns 0 or -1 (or a pointer, NULL
 * on failure) and fills the poise_error given as its last argument.  A library
 * function never prints, exits, aborts or keeps the error for itself.
 *
 *     poise_error err;
 *     if (poise_something(x, &err) < 0) {
 *         char text[POISE_ERROR_TEXT];
 *         fprintf(stderr, "%s\n", poise_error_text(&err, text, sizeof text));
 *     }
 *
 * Ownership: a poise_error owns all of its text; nothing needs to be freed.
 */
#ifndef POISE_ERROR_H
#define POISE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __GNUC__
#define POISE_API               __attribute__((visibility("default")))
#define POISE_FORMAT(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define POISE_API
#define POISE_FORMAT(fmt, args)
#endif

/* A place in a text file.  `file` is borrowed: it lives as long as the spec or
 * graph it came from.  Lines and columns count from 1; line 0 means unknown. */
typedef struct poise_place {
    const char *file;
    uint32_t line;
    uint32_t column;
} poise_place;

#define POISE_NOWHERE ((poise_place){NULL, 0, 0})

/* One row per kind of error: symbol, its name in lower case, exit status of the program, meaning. */
#define POISE_CODES(X)                                                                        \
    X(MEMORY, "memory", 1, "out of memory")                                                   \
    X(SYSTEM, "system", 1, "the operating system refused: open, read, write, rename, dlopen") \
    X(SPEC, "spec", 2, "a spec, an option or an argument is wrong")                           \
    X(DATA, "data", 1, "a data file does not hold what the spec says")                        \
    X(SHAPE, "shape", 2, "an operator was given values of the wrong shape or type")           \
    X(GRADIENT, "gradient", 2, "a gradient was asked for that does not exist")                \
    X(PLUGIN, "plugin", 1, "a balancer could not be loaded, or failed")                       \
    X(NUMERIC, "numeric", 1, "a value became NaN or infinite")                                \
    X(FORMAT, "format", 1,                                                                    \
      "a file written by this or another program is damaged or of another version")           \
    X(STOPPED, "stopped", 1, "the caller asked to stop")

typedef enum poise_code {
    POISE_OK = 0,
#define X(symbol, name, status, about) POISE_E_##symbol,
    POISE_CODES(X)
#undef X
} poise_code;

typedef struct poise_error {
    poise_code code;
    char file[256]; /* "" where the place is unknown */
    uint32_t line;  /* from 1; 0: unknown */
    uint32_t column;
    char message[1024];
} poise_error;

enum { POISE_ERROR_TEXT = 1400 }; /* bytes that always hold a formatted error */

/* Fill *err and return -1, always.  err may be NULL.  The message says what was
 * found, what was wanted and what to do; no newline, no leading "error:". */
POISE_API int poise_fail(poise_error *err, poise_code code, poise_place place, const char *fmt, ...)
    POISE_FORMAT(4, 5);

/* "file:line:column: error: message" or "error: message", cut to size.  Returns buf. */
POISE_API const char *poise_error_text(const poise_error *err, char *buf, size_t size);

/* The kind's name ("spec", "ok"), and the exit status a program should end with. */
POISE_API const char *poise_code_name(poise_code code);
POISE_API int poise_code_status(poise_code code);

#endif
