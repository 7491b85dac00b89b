/* Delimited text of any bytes: the cutter must give fields that keep their promises, or an error
 * with a place.  The first byte chooses the format. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "data/delimited.h"
#include "data/number.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const char *const separators[] = {",", ", ", "::", "\t"};
static const char *const columns[] = {"a", "b", "c"};
static const char *const missing[] = {"?", "NA"};

static void check(int ok)
{
    if (!ok)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    poise_error err = {0};
    const poise__field *f;
    if (size == 0)
        return 0;
    uint8_t choice = bytes[0];
    poise_data_spec d = {
        .place = {"run.yaml", 1, 1},
        .separator = separators[choice & 3],
        .quoted = choice >> 2 & 1,
        .header_in_file = choice >> 3 & 1,
        .ncolumn = 1 + (choice >> 4) % 3,
        .column = columns,
        .strip = choice >> 7 ? "." : NULL,
        .nmissing = 2,
        .missing = missing,
    };
    poise__reader *r = poise__reader_memory("t.csv", bytes + 1, size - 1, &err);
    check(r != NULL);
    poise__delimited *t = poise__delimited_new(&d, r, &err);
    int more = t ? 1 : -1;
    while (t && (more = poise__delimited_next(t, &f, &err)) > 0)
        for (int k = 0; k < poise__delimited_columns(t); k++) {
            double x;
            char shown[POISE__SHOWN];
            poise_place at = poise__delimited_place(t, &f[k]);
            check(strlen(f[k].text) == f[k].length && at.line > 0 && at.column > 0);
            check(!poise__delimited_missing(t, &f[k]) || f[k].length <= 2);
            check(strlen(poise__shown(f[k].text, shown)) < sizeof shown);
            poise__number(f[k].text, f[k].length, &x);
        }
    check(more == 0 || (err.code != POISE_OK && err.message[0] && err.line > 0));
    poise__delimited_free(t);
    return 0;
}
