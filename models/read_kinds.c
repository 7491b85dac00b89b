/* What a feature is: its kind, its treatment, and the column that it reads. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "sections.h"

static int read_missing(poise__reading *r, const poise__yaml *v, void *into);
static int read_clip(poise__reading *r, const poise__yaml *v, void *into);
static int read_column(poise__reading *r, const poise__yaml *v, void *into);
static int read_table(poise__reading *r, const poise__yaml *v, void *into);

static const char *const transforms[] = {POISE_TRANSFORMS, NULL};

/* What is done with a number, whatever it is a number of. */
#define CLIP                                                                                   \
    {                                                                                          \
        .name = "clip", .kind = POISE_KEY_OWN, .read = read_clip, .form = "[lowest, highest]", \
        .schema = "list of 2 number",                                                          \
        .help = "numbers beyond these count as these; done before everything below",           \
    }
#define TRANSFORM                                                                               \
    {                                                                                           \
        .name = "transform", .kind = POISE_KEY_CHOICE, .initial = "none", .choice = transforms, \
        POISE__INTO(poise_feature, transform),                                                  \
        .help = "log1p: sign(x) log(1 + abs(x)); sqrt: sign(x) sqrt(abs(x))",                   \
    }
#define STANDARDISE                                                                   \
    {                                                                                 \
        .name = "standardise", .kind = POISE_KEY_BOOL, .initial = "true",             \
        POISE__INTO(poise_feature, standardise), .without = "bin_only",               \
        .help = "subtract the mean and divide by the deviation of the training rows", \
    }
#define BINS                                                                                  \
    {                                                                                         \
        .name = "bins",                                                                       \
        .kind = POISE_KEY_INT,                                                                \
        .initial = "0",                                                                       \
        .max = 65536,                                                                         \
        POISE__INTO(poise_feature, bins),                                                     \
        .help = "embed the number's quantile among the training rows, in at most this many; " \
                "0: do not",                                                                  \
    },                                                                                        \
        {                                                                                     \
            .name = "dim",                                                                    \
            .kind = POISE_KEY_INT,                                                            \
            .initial = "8",                                                                   \
            .min = 1,                                                                         \
            .max = 4096,                                                                      \
            POISE__INTO(poise_feature, dim),                                                  \
            .needs = "bins",                                                                  \
            .help = "width of the embedding of the bins",                                     \
        },                                                                                    \
    {                                                                                         \
        .name = "bin_only", .kind = POISE_KEY_BOOL, .initial = "false",                       \
        POISE__INTO(poise_feature, bin_only), .needs = "bins",                                \
        .help = "true: the number itself is left out, its bin alone is an input",             \
    }

static const poise_key numeric_rows[] = {
    {.name = "missing",
     .kind = POISE_KEY_OWN,
     .initial = "mean",
     .read = read_missing,
     .form = "mean, or number",
     .schema = "'mean' | number",
     .help = "what a missing value counts as, before everything below"},
    {.name = "indicator",
     .kind = POISE_KEY_BOOL,
     .initial = "false",
     POISE__INTO(poise_feature, indicator),
     .help = "true: a second input, 1 where the value is missing and else 0"},
    CLIP,
    TRANSFORM,
    STANDARDISE,
    BINS,
};
const poise_section poise__numeric_section = {
    .name = "numeric", .about = "a feature that is a number", POISE__ROWS(numeric_rows)};

static const poise_key count_rows[] = {
    {.name = "columns",
     .kind = POISE_KEY_TEXTS,
     POISE__INTO(poise__feature_keys, counted),
     .help = "which columns; * and ? make patterns.  Without it all that features read"},
    CLIP,
    TRANSFORM,
    STANDARDISE,
    BINS,
};
const poise_section poise__count_section = {
    .name = "missing_count",
    .about = "a feature that is a number: how many columns of the row are missing",
    POISE__ROWS(count_rows)};

/* What a vocabulary and its table are, of one value or of many. */
#define VALUES                                                                             \
    {                                                                                      \
        .name = "dim",                                                                     \
        .kind = POISE_KEY_INT,                                                             \
        .initial = "8",                                                                    \
        .min = 1,                                                                          \
        .max = 4096,                                                                       \
        POISE__INTO(poise_feature, dim),                                                   \
        .help = "width of the embedding",                                                  \
    },                                                                                     \
        {                                                                                  \
            .name = "min_count",                                                           \
            .kind = POISE_KEY_INT,                                                         \
            .initial = "1",                                                                \
            .min = 1,                                                                      \
            .max = 1e18,                                                                   \
            POISE__INTO(poise_feature, min_count),                                         \
            .help = "values seen fewer times in the training rows count as unseen",        \
        },                                                                                 \
    {                                                                                      \
        .name = "table", .kind = POISE_KEY_OWN, .read = read_table, .form = "feature",     \
        .schema = "text",                                                                  \
        .help = "the feature whose vocabulary and embeddings it uses, with their dim and " \
                "min_count; without it it has its own",                                    \
    }

static const poise_key categorical_rows[] = {VALUES};
const poise_section poise__categorical_section = {
    .name = "categorical",
    .about = "a feature that is one value of a vocabulary learnt from the training rows",
    POISE__ROWS(categorical_rows)};

static const char *const pools[] = {POISE_POOLINGS, NULL};
static const char *const ends[] = {"first", "last", NULL};
static const poise_key list_rows[] = {
    {.name = "separator",
     .kind = POISE_KEY_TEXT,
     .initial = "|",
     .like = "value separator",
     POISE__INTO(poise_feature, separator),
     .help = "between two values of a cell: one or several characters"},
    VALUES,
    {.name = "pool",
     .kind = POISE_KEY_CHOICE,
     .initial = "mean",
     .choice = pools,
     POISE__INTO(poise_feature, pool),
     .help = "how the embeddings of the values become one"},
    {.name = "length",
     .kind = POISE_KEY_INT,
     .initial = "32",
     .min = 1,
     .max = 65536,
     POISE__INTO(poise_feature, length),
     .help = "values kept of a cell; the others are left out"},
    {.name = "keep",
     .kind = POISE_KEY_CHOICE,
     .initial = "first",
     .choice = ends,
     POISE__INTO(poise_feature, keep_last),
     .help = "which values are kept where there are more"},
};
const poise_section poise__list_section = {
    .name = "list",
    .about = "a feature that is any number of values of a vocabulary, learnt as a categorical's",
    POISE__ROWS(list_rows)};

const poise_section poise__ignore_section = {
    .name = "ignore", .about = "a column that no pattern takes; it has no options"};

static const poise_section *const kinds[] = {
    &poise__numeric_section, &poise__categorical_section, &poise__count_section,
    &poise__list_section, &poise__ignore_section}; /* as poise_feature_kind, then ignore */
enum { IGNORE = 4 };

static int read_numeric(poise__reading *r, const poise__yaml *v, void *into);
static int read_categorical(poise__reading *r, const poise__yaml *v, void *into);
static int read_count(poise__reading *r, const poise__yaml *v, void *into);
static int read_list(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key feature_rows[] = {
    {.name = "column",
     .kind = POISE_KEY_OWN,
     .read = read_column,
     .form = "column, or list of columns and patterns",
     .schema = "text | list of text",
     .without = "missing_count",
     .help = "what the feature reads, if not the column of its name; of a list, the * in the "
             "feature's name stands for the column"},
    {.name = "numeric",
     .kind = POISE_KEY_OWN,
     .read = read_numeric,
     .form = "mapping (numeric)",
     .schema = "<numeric>",
     .help = "the feature is a number"},
    {.name = "categorical",
     .kind = POISE_KEY_OWN,
     .read = read_categorical,
     .form = "mapping (categorical)",
     .schema = "<categorical>",
     .help = "the feature is one value of a vocabulary"},
    {.name = "missing_count",
     .kind = POISE_KEY_OWN,
     .read = read_count,
     .form = "mapping (missing_count)",
     .schema = "<missing_count>",
     .help = "the feature is the number of columns that are missing"},
    {.name = "list",
     .kind = POISE_KEY_OWN,
     .read = read_list,
     .form = "mapping (list)",
     .schema = "<list>",
     .help = "the feature is any number of values"},
};
const poise_section poise__feature_section = {
    .name = "feature",
    .about = "a feature with options: its kind and what that takes, and the column it reads",
    POISE__ROWS(feature_rows),
    .one_of = "numeric categorical missing_count list"};

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

static int read_clip(poise__reading *r, const poise__yaml *v, void *into)
{
    poise_feature *f = into;
    char show[120];
    if (v->kind != POISE__LIST || v->n != 2 || poise__yaml_number(v->item[0], &f->low) < 0 ||
        poise__yaml_number(v->item[1], &f->high) < 0)
        return poise_diagnose(r->diag, v->place,
                              "clip is %s; it must be [lowest, highest], two numbers",
                              poise__yaml_show(v, show, sizeof(show)));
    if (!(f->low < f->high))
        return poise_diagnose(r->diag, v->place, "clip: %g is not below %g", f->low, f->high);
    f->clip = 1;
    return 0;
}

static int read_table(poise__reading *r, const poise__yaml *v, void *into)
{
    static const poise_key row = {
        .name = "table", .kind = POISE_KEY_TEXT, POISE__INTO(poise_feature, table)};
    ((poise_feature *)into)->table_at = v->place;
    return poise__key_read(r, &row, v, into);
}

static int read_column(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__feature_keys *k = into;
    static const poise_key row = {
        .name = "column", .kind = POISE_KEY_TEXTS, POISE__INTO(poise__feature_keys, column)};
    k->column_at = v->place;
    if (v->kind == POISE__LIST && v->n > 0)
        return poise__key_read(r, &row, v, into);
    char show[120];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place,
                              "column is %s; it must be a column's name, or a list of them",
                              poise__yaml_show(v, show, sizeof(show)));
    const char **text = poise__reading_alloc(r, 1, sizeof *text);
    if (!text)
        return -1;
    *text = v->text;
    k->column = (poise__texts){1, text};
    return 0;
}

static int read_options(poise__reading *r, const poise__yaml *v, poise__feature_keys *k, int kind)
{
    k->kind = kind;
    int bad = poise__keys_read(r, v, kinds[kind]->name, kinds[kind], k);
    if (k->feature.table) { /* what is not said is that of the table's owner */
        k->feature.dim = poise__yaml_get(v, "dim") ? k->feature.dim : 0;
        k->feature.min_count = poise__yaml_get(v, "min_count") ? k->feature.min_count : 0;
    }
    return bad;
}

static int read_numeric(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_options(r, v, into, POISE_NUMERIC);
}

static int read_categorical(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_options(r, v, into, POISE_CATEGORICAL);
}

static int read_count(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_options(r, v, into, POISE_MISSING_COUNT);
}

static int read_list(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_options(r, v, into, POISE_LIST);
}

int poise__read_kind(poise__reading *r, const char *name, const poise__yaml *v,
                     poise__feature_keys *k)
{
    const poise__yaml *inner;
    char what[120];
    *k = (poise__feature_keys){.feature = {.place = v->place, .missing = NAN}, .kind = -1};
    (void)snprintf(what, sizeof what, "feature '%.80s'", name);
    if (v->kind == POISE__MAP) {
        if (poise__keys_read(r, v, what, &poise__feature_section, k) < 0)
            return -1;
    } else {
        k->kind = poise__keys_pick(r, v, what, POISE__COUNT(kinds), kinds, &inner);
        if (k->kind < 0 || poise__keys_read(r, NULL, what, kinds[k->kind], k) < 0)
            return -1;
    }
    k->ignore = k->kind == IGNORE;
    if (!k->ignore)
        k->feature.kind = (poise_feature_kind)k->kind;
    return 0;
}
