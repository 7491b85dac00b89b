/* compare.h -- what the files of `poise compare` have in common. */
#ifndef POISE_TOOLS_COMPARE_H
#define POISE_TOOLS_COMPARE_H

#include "run.h"

enum { TOOL_NAMES = 64 };

/* A list of the command line, "equal,gradnorm,./mine.so". */
typedef struct tool_names {
    int n;
    char *name[TOOL_NAMES]; /* owned; paths are absolute */
    int failed;             /* TOOL_OK, or the status of a path that is not there: it has no name */
} tool_names;

/* ---- compare_names.c ---- */

/* The names of --balancers or --models (where it was given) into *l, which the caller frees in any
 * case.  Blanks and line breaks around a name do not belong to it; a comma inside {} or [] does not
 * part two names.  TOOL_OK, or the status after a message; but paths that are not there are all
 * told, and l->failed is the status. */
int tool_names_read(const tool_arguments *a, const char *option, tool_names *l);
void tool_names_done(tool_names *l);

/* ---- compare_table.c ---- */

/* "even.so" of "mine/even.so". */
const char *tool_last_part(const char *path);

void tool_print_comparison(const poise_comparison *c);

#endif
