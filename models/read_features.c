#include <math.h>
#include <stdio.h>
#include <string.h>
#include "sections.h"

static int read_missing(poise__reading *r, const poise__yaml *v, void *into);

static const char *const transforms[] = {"none", "log1p", NULL}; /* as poise_transform */
static const poise_key numeric_rows[] = {
    {.name = "transform",
     .kind = POISE_KEY_CHOICE,
     .initial = "none",
     .choice = transforms,
     POISE__INTO(poise_feature, transform),
     .help = "log1p: sign(x) log(1 + abs(x))"},
    {.name = "standardise",
     .kind = POISE_KEY_BOOL,
     .initial = "true",
     POISE__INTO(poise_feature, standardise),
     .help = "subtract the mean and divide by the deviation of the training rows"},
    {.name = "missing",
     .kind = POISE_KEY_OWN,
     .initial = "mean",
     .read = read_missing,
     .form = "mean, or number",
     .schema = "'mean' | number",
     .help = "what a missing value counts as, before the transform"},
};
const poise_section poise__numeric_section = {
    .name = "numeric", .about = "a feature that is a number", POISE__ROWS(numeric_rows)};

static const poise_key categorical_rows[] = {
    {.name = "dim",
     .kind = POISE_KEY_INT,
     .initial = "8",
     .min = 1,
     .max = 4096,
     POISE__INTO(poise_feature, dim),
     .help = "width of the embedding"},
    {.name = "min_count",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .min = 1,
     .max = 1e18,
     POISE__INTO(poise_feature, min_count),
     .help = "values seen fewer times in the training rows count as unseen"},
};
const poise_section poise__categorical_section = {
    .name = "categorical",
    .about = "a feature that is one value of a vocabulary learnt from the training rows",
    POISE__ROWS(categorical_rows)};

const poise_section poise__ignore_section = {
    .name = "ignore", .about = "a column that no pattern takes; it has no options"};

static int read_missing(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_feature *f = into;
    if (v->kind == POISE__SCALAR && strcmp(v->text, "mean") == 0) {
        f->missing = NAN;
        return 0;
    }
    if (poise__yaml_number(v, &f->missing) == 0)
        return 0;
    char show[120];
    return poise_diagnose(r->diag, v->place, "missing is %s; it must be mean or a number",
                          poise__yaml_show(v, show, sizeof(show)));
}

int poise__glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *from = name;
    while (*name) {
        if (*pattern == '*') {
            star = pattern++;
            from = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++;
            name++;
        } else if (star) {
            pattern = star + 1;
            name = ++from;
        } else
            return 0;
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == 0;
}

/* `age: numeric`, `age: {categorical: {dim: 8}}` or `age: ignore`: 1, and 0 where the column is no
 * feature. */
static int read_kind(poise__reading *r, const char *name, const poise__yaml *v, poise_feature *f)
{
    static const poise_section *const kinds[] = {
        &poise__numeric_section, &poise__categorical_section, &poise__ignore_section};
    const poise__yaml *inner;
    char what[120];
    *f = (poise_feature){.place = v->place, .missing = NAN, .min_count = 1, .standardise = 1};
    (void)snprintf(what, sizeof what, "feature '%.80s'", name);
    int k = poise__keys_pick(r, v, what, POISE__COUNT(kinds), kinds, &inner);
    if (k < 0)
        return -1;
    f->kind = k == 0 ? POISE_NUMERIC : POISE_CATEGORICAL;
    if (poise__keys_read(r, inner, kinds[k]->name, kinds[k], f) < 0)
        return -1;
    return kinds[k] != &poise__ignore_section;
}

/* Which columns may not be taken by a glob: 1 for labels, `when` and the weight. */
static void mark_labels(const poise__reading *r, char *taken)
{
    const poise_schema *s = r->spec->schema;
    const char *name[3];
    for (int t = -1; t < s->ntask; t++) {
        name[0] = t < 0 ? s->weight : s->task[t].label;
        name[1] = t < 0 ? NULL : s->task[t].when;
        for (int k = 0; k < 2; k++) {
            int c = name[k] ? poise__column_find(r, name[k]) : -1;
            if (c >= 0)
                taken[c] = 1;
        }
    }
}

static int add(poise__reading *r, const char *name, const poise__yaml *key, const poise_feature *f)
{
    poise_schema *s = r->spec->schema;
    poise_error err;
    const char *copy = poise__arena_text(s->arena, name, &err);
    if (!copy)
        return poise_diagnose_error(r->diag, &err);
    poise_feature *to = &s->feature[s->nfeature++];
    *to = *f;
    to->name = copy;
    to->place = key->place;
    return 0;
}

static void warn_label(poise__reading *r, const poise__yaml *key)
{
    const poise_schema *s = r->spec->schema;
    for (int t = 0; t < s->ntask; t++)
        if (s->task[t].label && strcmp(s->task[t].label, key->text) == 0)
            poise_warn(r->diag, key->place,
                       "feature '%.80s' is the label of task '%s': the model sees the answer",
                       key->text, s->task[t].name);
}

/* f is NULL where the columns are to be ignored. */
static int take_matches(poise__reading *r, const poise__yaml *key, const poise_feature *f,
                        char *taken)
{
    int matched = 0, took = 0;
    for (int c = 0; c < r->ncolumn; c++) {
        if (!poise__glob_match(key->text, r->column[c]))
            continue;
        matched++;
        if (taken[c])
            continue;
        taken[c] = 1;
        took++;
        if (f && add(r, r->column[c], key, f) < 0)
            return -1;
    }
    if (!matched)
        return poise_diagnose(r->diag, key->place, "'%.80s' matches no column", key->text);
    if (!took)
        poise_warn(r->diag, key->place,
                   "'%.80s' takes no column: those that it matches are labels or taken already",
                   key->text);
    return 0;
}

int poise__read_features(poise__reading *r, const poise__yaml *node)
{
    poise_schema *s = r->spec->schema;
    poise_error err;
    char show[120];
    if (!node)
        return 0;
    if (node->kind != POISE__MAP)
        return poise_diagnose(r->diag, node->place,
                              "features is %s; it must be a mapping of column: kind",
                              poise__yaml_show(node, show, sizeof(show)));
    int known = r->ncolumn >= 0;
    size_t most = node->n + (known ? (size_t)r->ncolumn : 0);
    char *taken = poise__reading_alloc(r, known ? (size_t)r->ncolumn : 0, 1);
    s->nfeature = 0;
    s->feature = poise__arena_alloc(s->arena, most + 1, sizeof(*s->feature), &err);
    if (!taken || !s->feature)
        return poise_diagnose(r->diag, node->place, "out of memory");
    if (known)
        mark_labels(r, taken);
    for (size_t i = 0; i < node->n; i++) {
        int c = poise__column_find(r, node->key[i]->text);
        if (c >= 0)
            taken[c] = 1;
    }
    int bad = 0;
    for (size_t i = 0; i < node->n; i++) {
        const poise__yaml *key = node->key[i];
        poise_feature f;
        int glob = strpbrk(key->text, "*?") != NULL;
        int explicit = known ? poise__column_find(r, key->text) >= 0 : !glob || r->of_run;
        int kind = read_kind(r, key->text, node->item[i], &f);
        if (kind < 0)
            bad = -1;
        else if (explicit && kind) {
            bad |= add(r, key->text, key, &f);
            warn_label(r, key);
        } else if (known && glob && !explicit)
            bad |= take_matches(r, key, kind ? &f : NULL, taken);
        else if (known && !explicit)
            bad |= poise__column_check(r, key->place, "feature", key->text);
    }
    if (!bad && known && s->nfeature == 0)
        bad = poise_diagnose(r->diag, node->place, "there is no feature; name at least one column");
    return bad ? -1 : 0;
}
