/* diagnostics_parts.h -- the lines behind diagnostics.  Internal. */
#ifndef POISE_DIAGNOSTICS_PARTS_H
#define POISE_DIAGNOSTICS_PARTS_H

#include "diagnostics.h"

/* A line of a text that was given, without its end: *length bytes; NULL where it is not known. */
const char *poise__diagnostics_line(const poise_diagnostics *d, const char *file, uint32_t line,
                                    size_t *length);

/* How long, in characters, the word or quoted text is that begins at `column` of a line: 1 where
 * something else does, 0 where the line is shorter.  *at is its first byte. */
int poise__diagnostics_word(const char *line, size_t length, uint32_t column, size_t *at);

#endif
