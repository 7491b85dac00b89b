/* A run file of any bytes: a spec that writes back to itself, or a reason why not.  Bytes after a
 * NUL are an override: "train.epochs=3". */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "models/sections.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(int ok)
{
    if (!ok)
        abort();
}

static void read_back(const poise_spec *s)
{
    poise_error err;
    char *once = poise_spec_resolved(s, &err);
    check(once != NULL);
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *again = poise__spec_parse("again.yaml", once, strlen(once), 0, NULL, diag);
    check(again != NULL);
    char *twice = poise_spec_resolved(again, &err);
    check(twice != NULL && strcmp(once, twice) == 0);
    free(once);
    free(twice);
    poise_spec_free(again);
    poise_diagnostics_free(diag);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    poise_error err;
    const uint8_t *nul = size ? memchr(bytes, 0, size) : NULL;
    size_t text = nul ? (size_t)(nul - bytes) : size, rest = nul ? size - text - 1 : 0;
    char *copy = calloc(rest + 1, 1);
    if (rest)
        memcpy(copy, nul + 1, rest);
    char *equal = strchr(copy, '=');
    if (equal)
        *equal = 0;
    poise_override o = {copy, equal ? equal + 1 : ""};
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *s =
        poise__spec_parse("fuzz.yaml", (const char *)bytes, text, equal != NULL, &o, diag);
    check((s == NULL) == (poise_diagnostics_errors(diag) > 0));
    if (s)
        read_back(s);
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    free(copy);
    return 0;
}
