#include <stdlib.h>
#include <string.h>
#include "network.h"
#include "sections.h"

static int read_section(poise__reading *r, const poise__yaml *v, void *into);

enum { UNLESS = 2 }; /* needed unless the data is generated */
#define SECTION(name_, needed, initial_, form_, schema_, help_)                                   \
    {                                                                                             \
        .name = name_, .kind = POISE_KEY_OWN, .required = (needed) == 1, .initial = initial_,     \
        .unless = (needed) == UNLESS ? "data: generate" : NULL, .form = form_, .schema = schema_, \
        .help = help_, .read = read_section                                                       \
    }
static const poise_key run_rows[] = {
    {.name = "version",
     .kind = POISE_KEY_OWN,
     .read = poise__version_read,
     .form = "1",
     .schema = "integer 1 1",
     .help = "of the language that the file is written in"},
    SECTION("data", 1, NULL, "mapping (data)", "<data>", "where the rows come from"),
    SECTION(
        "features", UNLESS, NULL,
        "mapping of column: numeric | categorical | list | ignore | mapping (feature)",
        "map of ('numeric' | 'categorical' | 'missing_count' | 'list' | 'ignore' | <feature> | "
        "{group: "
        "list of text | map of ('numeric' | 'categorical' | 'missing_count' | 'list' | 'ignore' | "
        "<feature>)})",
        "the inputs; a column may hold * and ?, and is then a pattern; NAME: {group: ...} is a "
        "group of them"),
    SECTION("tasks", UNLESS, NULL, "mapping of name: keys (task)", "map by task of <task>",
            "what is predicted"),
    SECTION("model", 1, NULL, "name, or mapping (model, model file)",
            "text | <model> | <model file>", "the network"),
    SECTION("balancer", 0, "equal", "name, mapping (balancer), or list",
            "text | <balancer - epochs> | list of (text | <balancer>)",
            "how the losses are weighed"),
    SECTION("train", 0, NULL, "mapping (train)", "<train>", "how the model is trained"),
};
const poise_section poise__run_section = {
    .name = "run", .about = "the top level of a run file", POISE__ROWS(run_rows)};

/* Sections are read one after the other below: each needs those before it. */
static int read_section(poise__reading *r, const poise__yaml *v, void *into)
{
    (void)r, (void)v, (void)into;
    return 0;
}

/* Files have columns; what they mean must be said.  A generator says it itself. */
static int check_complete(poise__reading *r, const poise__yaml *root)
{
    const poise_section *const sections[] = {&poise__run_section}, *const of_data[] = {
                                                                       &poise__data_section};
    const poise__yaml *data = poise__yaml_get(root, "data");
    int bad = 0;
    r->valid_misspelt = poise__misspelt(data, 1, of_data, "valid");
    if (poise__misspelt(data, 1, of_data, "generate"))
        return -1; /* the rows were to be generated */
    for (int k = 0; k < POISE__COUNT(run_rows); k++)
        if (run_rows[k].unless && !r->spec->data.generate &&
            !poise__yaml_get(root, run_rows[k].name) &&
            !poise__misspelt(root, 1, sections, run_rows[k].name))
            bad = poise_diagnose(r->diag, root->place,
                                 "the run has no '%s', and the data is not generated",
                                 run_rows[k].name);
    return bad;
}

/* 1 if a feature's key is a pattern. */
static int has_pattern(const poise__yaml *features)
{
    for (size_t i = 0; features && features->kind == POISE__MAP && i < features->n; i++)
        if (strpbrk(features->key[i]->text, "*?"))
            return 1;
    return 0;
}

static void read_all(poise__reading *r, const poise__yaml *root)
{
    int dummy;
    if (poise__version_check(r, root) < 0)
        return;
    if (poise__keys_read(r, root, "the run", &poise__run_section, &dummy) < 0 &&
        root->kind != POISE__MAP)
        return;
    r->patterns = has_pattern(poise__yaml_get(root, "features"));
    poise__read_data(r, poise__yaml_get(root, "data"));
    check_complete(r, root);
    poise__read_tasks(r, poise__yaml_get(root, "tasks"));
    poise__read_features(r, poise__yaml_get(root, "features"));
    poise__read_model(r, poise__yaml_get(root, "model"));
    poise__warn_answers(r);
    int balancer = poise__read_balancer(r, poise__yaml_get(root, "balancer"));
    if (poise__read_train(r, poise__yaml_get(root, "train")) == 0 && balancer == 0)
        poise__check_schedule(r);
    if (r->options.also)
        r->options.also(r->options.user, r->spec, r->diag);
}

static int set_names(poise__reading *r, const char *path)
{
    poise_error err;
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    char *name = poise__arena_text(r->arena, base, &err);
    char *folder = name ? poise__arena_text(r->arena, path, &err) : NULL;
    r->spec->path = folder ? poise__arena_text(r->arena, path, &err) : NULL;
    if (!r->spec->path)
        return poise_diagnose_error(r->diag, &err);
    char *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = 0;
    folder[slash ? (slash == path ? 1 : slash - path) : 0] = 0;
    r->spec->name = name;
    r->folder = folder;
    return 0;
}

static poise_spec *spec_new(poise_diagnostics *diag)
{
    poise_error err;
    poise__arena *a = poise__arena_new(&err);
    poise_spec *s = a ? poise__arena_alloc(a, 1, sizeof(*s), &err) : NULL;
    if (!s) {
        poise__arena_free(a);
        poise_diagnose_error(diag, &err);
        return NULL;
    }
    s->arena = a;
    s->schema = poise_schema_new(&err);
    if (!s->schema) {
        poise_diagnose_error(diag, &err);
        poise_spec_free(s);
        return NULL;
    }
    return s;
}

/* `as` says how: its fields that the caller decides. */
static poise_spec *parse(const char *path, const char *text, size_t size, const poise__reading *as,
                         int noverride, const poise_override *override, poise_diagnostics *diag)
{
    int before = poise_diagnostics_errors(diag);
    poise_spec *s = spec_new(diag);
    if (!s)
        return NULL;
    poise__reading r = *as;
    r.arena = s->arena;
    r.diag = diag;
    r.spec = s;
    r.ncolumn = -1;
    poise__yaml *root = NULL;
    if (set_names(&r, path) == 0)
        root = text ? poise__yaml_parse(text, size, s->path, s->arena, diag)
                    : poise__yaml_read(path, POISE_NOWHERE, s->arena, diag);
    if (root && poise__overrides(&r, root, noverride, override) == 0)
        read_all(&r, root);
    if (r.column_owned)
        poise_data_columns_free(r.column, r.ncolumn);
    if (root && poise_diagnostics_errors(diag) == before)
        return s;
    poise_spec_free(s);
    return NULL;
}

/* The text is given (the fuzzer) or is that of the file. */
poise_spec *poise__spec_parse(const char *path, const char *text, size_t size, int noverride,
                              const poise_override *override, poise_diagnostics *diag)
{
    return parse(path, text, size, &(poise__reading){0}, noverride, override, diag);
}

poise_spec *poise_spec_read(const char *path, int noverride, const poise_override *override,
                            poise_diagnostics *diag)
{
    return parse(path, NULL, 0, &(poise__reading){0}, noverride, override, diag);
}

poise_spec *poise_spec_read_with(const char *path, int noverride, const poise_override *override,
                                 const poise_spec_options *options, poise_diagnostics *diag)
{
    return parse(path, NULL, 0, &(poise__reading){.options = *options}, noverride, override, diag);
}

poise_spec *poise_spec_read_run(const char *path, poise_diagnostics *diag)
{
    return parse(path, NULL, 0, &(poise__reading){.of_run = 1, .resolved = 1}, 0, NULL, diag);
}

void poise_spec_free(poise_spec *s)
{
    if (!s)
        return;
    poise_schema_free(s->schema);
    poise__arena_free(s->arena);
}
