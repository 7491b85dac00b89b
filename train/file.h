/* file.h -- files that are whole or not there.  Internal. */
#ifndef POISE_FILE_H
#define POISE_FILE_H

#include <stddef.h>
#include "../core/error.h"

typedef struct poise__piece {
    const void *data;
    size_t bytes; /* 0: data may be NULL */
} poise__piece;

/* Write the pieces, one after the other, to path.tmp; fsync; rename to path; fsync the folder.
 * Whoever opens path sees the old file or the new one, also after a power cut.  A path.tmp that a
 * killed process left is overwritten.  Two writers of one path at once are the caller's mistake.
 *
 * A path that is a device, a pipe or a link (/dev/stdout) is written to as it stands: a rename would
 * put a plain file in its place.
 *
 * Fails with SYSTEM, naming the path and the reason.  Then the old file is untouched and path.tmp
 * removed; only where the folder's fsync itself failed is the new file already in place. */
int poise__file_replace(const char *path, int n, const poise__piece *piece, poise_error *err);

/* unlink, where a file that is not there is removed already.  SYSTEM: refused. */
int poise__file_remove(const char *path, poise_error *err);

/* The whole file, malloc'd, with a NUL behind its *bytes bytes.  SYSTEM: it cannot be opened or
 * read; MEMORY: it does not fit. */
char *poise__file_read(const char *path, size_t *bytes, poise_error *err);

/* mkdir -p: makes the folder and those above it.  SYSTEM: one of them is refused, or is a file. */
int poise__folder(const char *path, poise_error *err);

#endif
