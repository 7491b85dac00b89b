/* file.h -- files that are whole or not there.  Internal. */
#ifndef POISE_FILE_H
#define POISE_FILE_H

#include <stddef.h>
#include "../core/error.h"

typedef struct poise__piece {
    const void *data;
    size_t bytes;
} poise__piece;

/* Write the pieces to path.tmp, fsync, rename to path, fsync the folder.  On failure the old file
 * is untouched and the temporary one removed. */
int poise__file_replace(const char *path, int n, const poise__piece *piece, poise_error *err);
/* The whole file, malloc'd, with a NUL behind it. */
char *poise__file_read(const char *path, size_t *bytes, poise_error *err);
/* mkdir -p */
int poise__folder(const char *path, poise_error *err);

#endif
