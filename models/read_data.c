#include <string.h>
#include "sections.h"

typedef struct data_keys {
    const char *train, *test, *generate, *weight;
    int64_t limit, rows;
    uint64_t seed;
    int misread; /* how the text is divided cannot be told, which was diagnosed */
} data_keys;

static int read_format(poise__reading *r, const poise__yaml *v, void *into);
static int read_valid(poise__reading *r, const poise__yaml *v, void *into);
static int read_header(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key data_rows[] = {
    {.name = "train",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(data_keys, train),
     .help = "the training rows: a file, plain or .gz, relative to the spec's folder"},
    {.name = "valid",
     .kind = POISE_KEY_OWN,
     .read = read_valid,
     .form = "file, or {from, fraction, seed}",
     .schema = "text | <valid>",
     .without = "generate",
     .help = "the rows that choose the best epoch: a file, or a part of another one's rows"},
    {.name = "test",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(data_keys, test),
     .without = "generate",
     .help = "the rows that the reported figures are of: a file"},
    {.name = "format",
     .kind = POISE_KEY_OWN,
     .read = read_format,
     .form = "mapping (format)",
     .schema = "<format>",
     .without = "generate",
     .help = "how the text of the files is divided"},
    {.name = "weight",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(data_keys, weight),
     .without = "generate",
     .help = "column of the sample weight; without it every row weighs 1"},
    {.name = "limit",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 1e18,
     POISE__INTO(data_keys, limit),
     .without = "generate",
     .help = "read at most this many rows of each file; 0: all"},
    {.name = "generate",
     .kind = POISE_KEY_TEXT,
     .like = "generator",
     POISE__INTO(data_keys, generate),
     .help = "instead of files: rows made by a generator, such as funnel"},
    {.name = "rows",
     .kind = POISE_KEY_INT,
     .initial = "1e6",
     .min = 1,
     .max = 4e9,
     POISE__INTO(data_keys, rows),
     .needs = "generate",
     .help = "training rows to generate; validation and test have a tenth of it each"},
    {.name = "seed",
     .kind = POISE_KEY_INT,
     .initial = "1",
     .max = 9223372036854775807.0,
     POISE__INTO(data_keys, seed),
     .needs = "generate",
     .help = "of the generator"},
};
const poise_section poise__data_section = {.name = "data",
                                           .about = "where the rows come from",
                                           POISE__ROWS(data_rows),
                                           .one_of = "train generate"};

static const poise_key format_rows[] = {
    {.name = "separator",
     .kind = POISE_KEY_TEXT,
     .initial = ",",
     .like = "field separator",
     POISE__INTO(poise__format, separator),
     .help = "between two fields: one or several characters"},
    {.name = "header",
     .kind = POISE_KEY_OWN,
     .initial = "true",
     .read = read_header,
     .form = "true, or list of names",
     .schema = "true | set of text",
     .help = "true: a file's first line names the columns; else their names"},
    {.name = "strip",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(poise__format, strip),
     .help = "text cut from the end of every line where it stands"},
    {.name = "quoted",
     .kind = POISE_KEY_BOOL,
     .initial = "true",
     POISE__INTO(poise__format, quoted),
     .help = "fields may stand in double quotes, inside which \"\" is one quote"},
    {.name = "missing",
     .kind = POISE_KEY_TEXTS,
     POISE__INTO(poise__format, missing),
     .help = "texts that mean a missing value; an empty field always does"},
};
const poise_section poise__format_section = {
    .name = "format", .about = "delimited text", POISE__ROWS(format_rows)};

static const char *const parts[] = {"train", "test", NULL};
static const poise_key valid_rows[] = {
    {.name = "from",
     .kind = POISE_KEY_CHOICE,
     .required = 1,
     .choice = parts,
     POISE__INTO(poise_data_spec, valid_from),
     .help = "whose rows are divided"},
    {.name = "fraction",
     .kind = POISE_KEY_NUMBER,
     .initial = "0.5",
     .max = 1,
     .open = 1,
     POISE__INTO(poise_data_spec, valid_fraction),
     .help = "share of the rows that goes to validation"},
    {.name = "seed",
     .kind = POISE_KEY_INT,
     .initial = "0",
     .max = 9223372036854775807.0,
     POISE__INTO(poise_data_spec, valid_seed),
     .help = "decides which rows"},
};
const poise_section poise__valid_section = {
    .name = "valid", .about = "validation rows taken from another file", POISE__ROWS(valid_rows)};

static int read_header(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__format *f = into;
    int in_file;
    if (poise__yaml_bool(v, &in_file) == 0 && in_file)
        return 0;
    if (v->kind != POISE__LIST || v->n == 0) {
        char show[120];
        return poise_diagnose(r->diag, v->place,
                              "header is %s; it must be true (the first line of every file names "
                              "the columns) or the list of their names",
                              poise__yaml_show(v, show, sizeof(show)));
    }
    static const poise_key row = {
        .name = "header", .kind = POISE_KEY_TEXTS, POISE__INTO(poise__format, header)};
    if (poise__key_read(r, &row, v, f) < 0)
        return -1;
    int bad = 0;
    for (int i = 0; i < f->header.n && f->header.n < 5000; i++)
        for (int j = 0; j < i; j++)
            if (strcmp(f->header.text[i], f->header.text[j]) == 0) {
                bad = poise_diagnose(r->diag, v->item[i]->place,
                                     "column '%.80s' is named twice; the first is at %u:%u",
                                     f->header.text[i], v->item[j]->place.line,
                                     v->item[j]->place.column);
                break;
            }
    return bad;
}

static int read_format(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__format f = {0};
    poise_data_spec *d = &r->spec->data;
    int bad = poise__keys_read(r, v, "format", &poise__format_section, &f);
    d->separator = f.separator;
    d->strip = f.strip;
    d->quoted = f.quoted;
    d->header_in_file = f.header.n == 0;
    d->ncolumn = f.header.n;
    d->column = f.header.text;
    d->nmissing = f.missing.n;
    d->missing = f.missing.text;
    ((data_keys *)into)->misread = bad != 0;
    return bad;
}

static int read_valid(poise__reading *r, const poise__yaml *v, void *into)
{
    (void)into;
    poise_data_spec *d = &r->spec->data;
    d->valid_at = v->place;
    if (v->kind != POISE__MAP) {
        static const poise_key row = {
            .name = "valid", .kind = POISE_KEY_TEXT, POISE__INTO(poise_data_spec, valid)};
        return poise__key_read(r, &row, v, d);
    }
    if (poise__keys_read(r, v, "valid", &poise__valid_section, d) < 0)
        return -1;
    d->valid_from++; /* 0 is "no part": the choices count from 1 */
    return 0;
}

static int check_valid(poise__reading *r, const poise__yaml *node)
{
    return r->spec->data.valid_from == 2 && !poise__yaml_get(node, "test")
               ? poise_diagnose(r->diag, r->spec->data.valid_at,
                                "valid is taken from test, but there is no test file")
               : 0;
}

static int resolve(poise__reading *r, const char **path)
{
    if (!*path)
        return 0;
    *path = poise__reading_path(r, *path);
    return *path ? 0 : -1;
}

static int generated_schema(poise__reading *r, const poise__yaml *node)
{
    const poise_data_spec *d = &r->spec->data;
    const poise__yaml *v = poise__yaml_get(node, "generate");
    const char *const *names = poise_generators();
    int n = 0;
    while (names[n] && strcmp(names[n], d->generate) != 0)
        n++;
    if (!names[n])
        return poise__unknown(r, v->place, "there is no generator", d->generate, n, names);
    poise_error err;
    if (poise_generator_schema(d->generate, v->place, r->spec->schema, &err) < 0)
        return poise_diagnose_error(r->diag, &err);
    return 0;
}

/* Without the files: the names of format.header, or, as in a run's spec, every feature is named. */
static int columns_without_rows(poise__reading *r)
{
    const poise_data_spec *d = &r->spec->data;
    r->of_run = d->header_in_file;
    if (d->header_in_file)
        return 0;
    r->column = poise__reading_alloc(r, (size_t)d->ncolumn, sizeof(*r->column));
    if (!r->column)
        return -1;
    r->ncolumn = d->ncolumn;
    for (int i = 0; i < d->ncolumn; i++) {
        poise_error err;
        r->column[i] = poise__arena_text(r->arena, d->column[i], &err);
        if (!r->column[i])
            return poise_diagnose_error(r->diag, &err);
    }
    return 0;
}

static int read_columns(poise__reading *r)
{
    poise_error err;
    int n = 0;
    if (r->of_run)
        return 0;
    r->column = poise_data_columns(&r->spec->data, &n, &err);
    int named = r->spec->data.ncolumn > 0 || !r->patterns;
    if (!r->column && r->options.without_rows && named && err.code == POISE_E_SYSTEM)
        return columns_without_rows(r);
    if (!r->column) {
        poise_diagnose_error(r->diag, &err);
        if (named && err.code == POISE_E_SYSTEM && !r->spec->data.header_in_file)
            columns_without_rows(r); /* the other errors are told too */
        return -1;
    }
    r->column_owned = 1;
    r->ncolumn = n;
    return 0;
}

int poise__read_data(poise__reading *r, const poise__yaml *node)
{
    poise_data_spec *d = &r->spec->data;
    data_keys k = {0};
    *d = (poise_data_spec){.separator = ",", .header_in_file = 1, .quoted = 1};
    if (!node)
        return -1;
    d->place = node->place;
    int bad = poise__keys_read(r, node, "data", &poise__data_section, &k);
    if (node->kind != POISE__MAP)
        return -1;
    const poise__yaml *train = poise__yaml_get(node, "train"),
                      *test = poise__yaml_get(node, "test");
    d->train_at = train ? train->place : node->place;
    d->test_at = test ? test->place : node->place;
    d->train = k.train;
    d->test = k.test;
    d->generate = k.generate;
    d->limit = k.limit;
    d->rows = k.rows;
    d->seed = k.seed;
    bad |= check_valid(r, node);
    if (resolve(r, &d->train) < 0 || resolve(r, &d->valid) < 0 || resolve(r, &d->test) < 0)
        return -1;
    const poise_section *const sections[] = {&poise__data_section};
    k.misread |= poise__misspelt(node, 1, sections, "format");
    if (!d->train == !d->generate || (d->train && k.misread)) /* what the columns are is not told */
        return -1;
    if (d->generate && generated_schema(r, node) < 0)
        return -1;
    bad |= read_columns(r);
    if (!k.weight || d->generate)
        return bad ? -1 : 0;
    poise_error err;
    r->spec->schema->weight = poise__arena_text(r->spec->schema->arena, k.weight, &err);
    if (!r->spec->schema->weight)
        return poise_diagnose_error(r->diag, &err);
    bad |= poise__column_check(r, poise__yaml_get(node, "weight")->place, "weight", k.weight);
    return bad ? -1 : 0;
}
