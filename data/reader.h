/* reader.h -- the lines of a plain or gzip file, one after the other.  Internal.
 *
 *     buffer  [ ... done ... | current record | read ahead ....... | free ]
 *                            ^start           ^end                 ^fill
 *
 * A line is handed out inside the buffer, without its '\n'.  A record that goes on over a line
 * break (a quoted field) is made longer by poise__reader_extend; it may move when it grows.
 *
 * Ownership: the reader owns the buffer; a line may be written to, the byte after its end too, and
 * is valid until the next call.
 */
#ifndef POISE_READER_H
#define POISE_READER_H

#include <stddef.h>
#include "../core/error.h"

enum { POISE__LINE_MAX = 1 << 20 }; /* bytes of a record: longer ones are refused */

typedef struct poise__reader poise__reader;

/* `at` is the place to blame when the file cannot be opened (where the spec names it). */
poise__reader *poise__reader_open(const char *path, poise_place at, poise_error *err);
/* The same over n borrowed bytes of plain text, called `path` in messages. */
poise__reader *poise__reader_memory(const char *path, const void *bytes, size_t n,
                                    poise_error *err);
void poise__reader_free(poise__reader *r);

/* The next line: 1, 0 at the end of the file, -1 with *err (a damaged or cut file, a line that is
 * too long).  A last line without '\n' is a line. */
int poise__reader_line(poise__reader *r, char **line, size_t *length, poise_error *err);

/* Add the '\n' and the next line to the current record: 1, 0 when there is no more, -1 with *err.
 * *line may have moved; what was before has the same offsets in it. */
int poise__reader_extend(poise__reader *r, char **line, size_t *length, poise_error *err);

/* The current record's first line, from 1, as a place; column 0. */
poise_place poise__reader_place(const poise__reader *r);

#endif
