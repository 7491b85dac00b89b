/* `version: 1` at the head of a file. */
#include <inttypes.h>
#include "sections.h"

enum { NEWEST = 1 };

int poise__version_read(poise__reading *r, const poise__yaml *v, void *into)
{
    int64_t version;
    char show[120];
    (void)into;
    if (poise__yaml_int(v, &version) < 0 || version < 1)
        return poise_diagnose(r->diag, v->place, "version is %s; it must be a number from 1 on",
                              poise__yaml_show(v, show, sizeof(show)));
    if (version <= NEWEST)
        return 0;
    return poise_diagnose(r->diag, v->place,
                          "the file is written in version %" PRId64
                          " of the spec language, this poise knows version %d: a newer poise reads "
                          "it",
                          version, NEWEST);
}

int poise__version_check(poise__reading *r, const poise__yaml *root)
{
    int64_t version;
    const poise__yaml *v = poise__yaml_get(root, "version");
    return poise__yaml_int(v, &version) == 0 && version > NEWEST ? poise__version_read(r, v, NULL)
                                                                 : 0;
}
