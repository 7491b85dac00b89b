/* dictionary.h -- texts numbered in the order in which they were first seen.  Internal.
 *
 * An open-addressing hash table of (hash, code) over texts that it owns.  A column of a table is
 * read through one: the column keeps codes, and once the vocabulary is known each distinct text is
 * looked up once and the codes are renumbered.
 */
#ifndef POISE_DICTIONARY_H
#define POISE_DICTIONARY_H

#include <stddef.h>
#include <stdint.h>
#include "../core/error.h"

typedef struct poise__dictionary poise__dictionary;

poise__dictionary *poise__dictionary_new(poise_error *err);
void poise__dictionary_free(poise__dictionary *d);

/* The code of text[0 .. length), which holds no NUL and is followed by one; a new one when it was
 * not there.  -1 with *err: memory, or more texts than ids. */
int poise__dictionary_code(poise__dictionary *d, const char *text, size_t length, uint32_t *code,
                           poise_error *err);

uint32_t poise__dictionary_count(const poise__dictionary *d);
/* [count] in the order of the codes; valid until the next _code. */
const char *const *poise__dictionary_texts(const poise__dictionary *d);

#endif
