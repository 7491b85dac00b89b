/* `table: item`: a feature that uses another's vocabulary and embeddings. */
#include <inttypes.h>
#include <string.h>
#include "sections.h"

static int has_values(const poise_feature *f)
{
    return f->kind == POISE_CATEGORICAL || f->kind == POISE_LIST;
}

static int unknown(poise__reading *r, const poise_feature *f)
{
    const poise_schema *s = r->spec->schema;
    const char **known = poise__reading_alloc(r, (size_t)s->nfeature, sizeof *known);
    for (int k = 0; known && k < s->nfeature; k++)
        known[k] = has_values(&s->feature[k]) && !s->feature[k].table ? s->feature[k].name : NULL;
    return known ? poise__unknown(r, f->table_at, "table: no feature that has one is called",
                                  f->table, s->nfeature, known)
                 : -1;
}

/* A setting of the table, which its owner says; 0 here: not said. */
static int same(poise__reading *r, const poise_feature *f, const poise_feature *owner,
                const char *key, int64_t here, int64_t there)
{
    if (here == 0 || here == there)
        return 0;
    return poise_diagnose(r->diag, f->table_at,
                          "'%.80s' has %s: %" PRId64 ", but the table of '%.80s' has %s: %" PRId64
                          "; say it there alone",
                          f->name, key, here, owner->name, key, there);
}

static int check(poise__reading *r, int feature)
{
    const poise_schema *s = r->spec->schema;
    const poise_feature *f = &s->feature[feature];
    const int k = poise_feature_owner(s, feature);
    const poise_feature *owner = &s->feature[k];
    if (k == feature && strcmp(f->name, f->table) == 0)
        return poise_diagnose(r->diag, f->table_at,
                              "'%.80s' names itself; without table: it has a table of its own",
                              f->name);
    if (k == feature)
        return unknown(r, f);
    if (!has_values(owner))
        return poise_diagnose(r->diag, f->table_at,
                              "'%.80s' is a number; tables of values are those of categorical "
                              "features and lists",
                              owner->name);
    if (owner->table && strcmp(owner->table, owner->name) == 0)
        return -1; /* which is told of the owner */
    if (owner->table)
        return poise_diagnose(r->diag, f->table_at,
                              "'%.80s' has no table of its own, it uses that of '%.80s'; say "
                              "table: %.80s",
                              owner->name, owner->table, owner->table);
    return same(r, f, owner, "dim", f->dim, owner->dim) |
           same(r, f, owner, "min_count", f->min_count, owner->min_count);
}

int poise__read_tables(poise__reading *r, int complete)
{
    poise_schema *s = r->spec->schema;
    int bad = 0, columns = r->ncolumn >= 0 || r->of_run || !r->patterns;
    for (int k = 0; k < s->nfeature; k++) {
        if (!s->feature[k].table)
            continue;
        int known = columns && (complete || !poise__feature_wrong(r, s->feature[k].table));
        if (!known && poise_feature_owner(s, k) == k &&
            strcmp(s->feature[k].table, s->feature[k].name) != 0)
            s->feature[k].table = NULL; /* its owner may be there all the same */
        else
            bad |= check(r, k);
    }
    if (!bad)
        poise__schema_tables(s);
    return bad;
}
