/* read.h -- a spec of this folder, read; what was wrong with it as text. */
#ifndef TEST_MODELS_READ_H
#define TEST_MODELS_READ_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/model.h"
#include "models/sections.h"
#include "models/spec.h"

#define FOLDER TEST_SOURCE "/models/"

/* Read FOLDER/name, or `text` as if it stood there; prints what is wrong where NULL is not
 * expected. */
static inline poise_spec *read_spec(const char *name, const char *text, int n,
                                    const poise_override *o, poise_diagnostics **diag)
{
    char path[1200];
    snprintf(path, sizeof(path), "%s%s", FOLDER, name);
    poise_error err;
    *diag = poise_diagnostics_new(&err);
    assert_non_null(*diag);
    return poise__spec_parse(path, text, text ? strlen(text) : 0, n, o, *diag);
}

static inline poise_spec *read_good(const char *name, const char *text, int n,
                                    const poise_override *o)
{
    poise_diagnostics *diag;
    char line[1400];
    poise_spec *s = read_spec(name, text, n, o, &diag);
    for (int k = 0; !s && k < poise_diagnostics_count(diag); k++)
        print_error("%s\n", poise_diagnostics_text(diag, k, line, sizeof(line)));
    poise_diagnostics_free(diag);
    assert_non_null(s);
    return s;
}

#endif
