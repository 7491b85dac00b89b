/* search.h -- finding balancers and model files by name.  Internal.
 *
 * Looked for in this order: the folders of an environment variable (separated by ':'), folders
 * relative to the one that holds libpoise (or the program it is linked into): first as they lie in
 * a build tree, then as they lie in an installed one.
 */
#ifndef POISE_SEARCH_H
#define POISE_SEARCH_H

#include "error.h"

typedef struct poise__search {
    const char *variable;  /* "POISE_BALANCER_PATH" */
    const char *build;     /* below the library's folder, in a build tree: "balancers" */
    const char *installed; /* from the library's or the program's folder, in an installed tree;
                              several are separated by ':' */
} poise__search;

/* The k-th folder, into buf: 1, or 0 past the last, or -1 with *err. */
int poise__search_folder(const poise__search *s, int k, char *buf, size_t size, poise_error *err);

/* The path of the first file `name` + `suffix` that can be read; 0 found, 1 not found, -1 *err. */
int poise__search_file(const poise__search *s, const char *name, const char *suffix, char *buf,
                       size_t size, poise_error *err);

/* The nearest of n words to `word` by edit distance (transpositions count 1); NULL when none is
 * within a third of its length (at least 1, less than all of it).  One that differs in its letters'
 * case alone is the nearest.  `words` may hold NULLs. */
const char *poise__nearest(const char *word, int n, const char *const *words);

#endif
