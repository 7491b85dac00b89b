/* delimited.h -- records of delimited text, cut into fields.  Internal.
 *
 *     record  = field *(separator field) [suffix] ["\r"] "\n"
 *     field   = text without separator and line break
 *             | '"' *(any byte but '"' | '""') '"'          when quotes are on
 *
 * A quoted field may hold the separator and line breaks; a quote inside an unquoted field is an
 * ordinary byte.  Empty lines are passed over, except in a table of one column, where they are a
 * missing value.  A byte order mark at the start of the file is passed over.
 *
 * Ownership: fields point into the reader's buffer and are valid until the next call.
 */
#ifndef POISE_DELIMITED_H
#define POISE_DELIMITED_H

#include "dataset.h"
#include "reader.h"

typedef struct poise__field {
    char *text; /* text[length] is 0, and there is no other 0 in it */
    uint32_t length;
    uint32_t line, column; /* where it starts in the file, from 1 */
} poise__field;

typedef struct poise__delimited poise__delimited;

/* Open a file in the format of `d` and read its header (`at`: see reader.h). */
poise__delimited *poise__delimited_open(const poise_data_spec *d, const char *path, poise_place at,
                                        poise_error *err);
/* The same on a reader, which it takes over, also when it fails. */
poise__delimited *poise__delimited_new(const poise_data_spec *d, poise__reader *r,
                                       poise_error *err);
void poise__delimited_free(poise__delimited *t);

int poise__delimited_columns(const poise__delimited *t);
const char *const *poise__delimited_names(const poise__delimited *t);
/* The index of a column; -1 when there is none of that name. */
int poise__delimited_find(const poise__delimited *t, const char *name);

/* The next record, always of as many fields as there are columns: 1, 0 at the end, -1 with *err. */
int poise__delimited_next(poise__delimited *t, const poise__field **fields, poise_error *err);

/* Where a field of the record is; for poise_fail. */
poise_place poise__delimited_place(const poise__delimited *t, const poise__field *f);

/* 1 when the field is empty or one of the texts that mean "missing". */
int poise__delimited_missing(const poise__delimited *t, const poise__field *f);

/* text, in quotes and fit for a message: at most 60 bytes of it, whole UTF-8 characters, control
 * bytes as '?'.  Returns buf. */
enum { POISE__SHOWN = 80 };
const char *poise__shown(const char *text, char buf[POISE__SHOWN]);

#endif
