#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "../models/model.h"
#include "run.h"

enum { MAX_OVERRIDES = 200 };

/* The overrides that the command line asks for, and the texts that they stand on. */
typedef struct overrides {
    int n;
    poise_override row[MAX_OVERRIDES];
    char *text[MAX_OVERRIDES];
    char chosen[2 * TOOL_PATH + 3]; /* the balancer or model, quoted as YAML */
} overrides;

static void overrides_done(overrides *o)
{
    for (int k = 0; k < MAX_OVERRIDES; k++)
        free(o->text[k]);
    free(o);
}

/* "KEY=VALUE" is kept as a copy that is cut in two. */
static int add(const tool_command *c, overrides *o, const char *pair)
{
    char *copy = strdup(pair), *equals = copy ? strchr(copy, '=') : NULL;

    if (!copy) {
        poise_error err;

        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the options");
        return tool_failed(&err);
    }
    if (!equals || equals == copy || o->n == MAX_OVERRIDES) {
        free(copy);
        return o->n == MAX_OVERRIDES
                   ? tool_wrong(c, "--set is given more than %d times", MAX_OVERRIDES)
                   : tool_wrong(c, "--set '%s' is not KEY=VALUE, as train.epochs=3", pair);
    }
    *equals = '\0';
    o->text[o->n] = copy;
    o->row[o->n++] = (poise_override){copy, equals + 1};
    return TOOL_OK;
}

static int add_number(const tool_arguments *a, overrides *o, const char *option, uint64_t max)
{
    uint64_t value = 0;
    char pair[64];
    int status = tool_number(a, option, 0, max, &value);

    if (status != TOOL_OK || !tool_value(a, option))
        return status;
    snprintf(pair, sizeof pair, "train.%s=%" PRIu64, option, value);
    return add(a->command, o, pair);
}

static int collect(const tool_arguments *a, overrides *o)
{
    const char *pair;
    int status = TOOL_OK;

    for (int k = 0; status == TOOL_OK && (pair = tool_value_at(a, "set", k)); k++)
        status = add(a->command, o, pair);
    if (status == TOOL_OK)
        status = add_number(a, o, "seed", INT64_MAX);
    if (status == TOOL_OK)
        status = add_number(a, o, "threads", 1024);
    return status;
}

static void quote(const char *text, char *to)
{
    *to++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *to++ = '\\';
        *to++ = *text;
    }
    *to++ = '"';
    *to = '\0';
}

void tool_diagnostics_print(const poise_diagnostics *diag)
{
    char text[POISE_DIAGNOSTIC_TEXT];
    int errors = poise_diagnostics_errors(diag), shown = poise_diagnostics_count(diag);

    fflush(stdout);
    for (int k = 0; k < shown; k++)
        fputs(poise_diagnostics_show(diag, k, text, sizeof text), stderr);
    if (errors > shown)
        fprintf(stderr, "%d errors in all\n", errors);
}

static int status_of(const poise_diagnostics *diag)
{
    const poise_error *first = poise_diagnostics_first(diag);

    return first ? poise_code_status(first->code) : TOOL_WRONG;
}

/* How a spec is read. */
typedef struct reading {
    const char *path;
    const overrides *o;
    poise_spec_options options;
    poise_diagnostics *diag;
} reading;

static poise_spec *read_spec(const reading *r, int from)
{
    return poise_spec_read_with(r->path, r->o->n - from, r->o->row + from, &r->options, r->diag);
}

static int same_balancer(const poise_spec *spec, const char *name)
{
    return !strcmp(spec->balancer.use, name);
}

static int same_model(const poise_spec *spec, const char *name)
{
    return !strcmp(poise_model_name(spec->model), name);
}

/* An entry of the spec and what stands in its place; name NULL: nothing does. */
typedef struct replacement {
    const char *key, *name;
    const char *option;                                    /* that says so */
    int (*same)(const poise_spec *spec, const char *name); /* the spec's own has that name */
} replacement;

/* Another strategy or model than the spec's replaces the whole entry `key`, settings too; the spec's
 * own keeps them.  row[0] is the replacement, in front of the --set rows that may refine it. */
static poise_spec *read_replaced(const reading *r, const replacement *by, overrides *o,
                                 poise_error *err)
{
    reading silent = {.path = r->path, .o = o, .diag = poise_diagnostics_new(err)};
    reading replaced = *r;
    char said[TOOL_PATH + 16];
    poise_spec *spec;
    int own;

    if (!silent.diag) {
        poise_diagnose_error(r->diag, err);
        return NULL;
    }
    spec = read_spec(&silent, 1);
    own = spec && by->same(spec, by->name);
    poise_spec_free(spec);
    poise_diagnostics_free(silent.diag);
    if (own)
        return read_spec(r, 1);
    if (*by->name == '{')
        snprintf(o->chosen, sizeof o->chosen, "%s", by->name);
    else
        quote(by->name, o->chosen);
    o->row[0] = (poise_override){by->key, o->chosen};
    snprintf(said, sizeof said, "%s %s", by->option, by->name);
    replaced.options.first_override = said;
    return read_spec(&replaced, 0);
}

static int has_option(const tool_command *c, const char *name)
{
    const tool_option *o = c->option;

    while (o->name && strcmp(o->name, name) != 0)
        o++;
    return o->name != NULL;
}

/* 1 if the strategies that will weigh are those of the spec, a --balancer put in. */
static int weighs(const tool_arguments *a)
{
    return has_option(a->command, "balancer") ||
           (has_option(a->command, "balancers") && !tool_value(a, "balancers"));
}

/* With an entry replaced, if `by` has a name. */
static poise_spec *read_asked(const tool_arguments *a, const char *path, const replacement *by,
                              poise_diagnostics *diag, int *status)
{
    overrides *o = calloc(1, sizeof *o);
    poise_spec *spec = NULL;
    poise_error err;

    if (!o) {
        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the options");
        *status = tool_failed(&err);
        return NULL;
    }
    o->n = by->name ? 1 : 0; /* its row, filled by read_replaced */
    *status = collect(a, o);
    if (*status == TOOL_OK) {
        reading r = {.path = path, .o = o, .diag = diag};

        r.options.without_rows = a->command == &tool_show;
        if (weighs(a))
            r.options.also = tool_schedule_diagnose;
        spec = by->name ? read_replaced(&r, by, o, &err) : read_spec(&r, 0);
        *status = spec ? TOOL_OK : status_of(diag);
    }
    overrides_done(o);
    return spec;
}

poise_spec *tool_spec_read(const tool_arguments *a, const char *path, poise_diagnostics *diag,
                           int *status)
{
    const char *balancer = tool_value(a, "balancer");
    char name[TOOL_PATH];
    replacement by = {"balancer", balancer ? name : NULL, "--balancer", same_balancer};
    poise_error err;

    if (balancer && tool_balancer_path(balancer, name, sizeof name, &err) < 0) {
        *status = tool_failed(&err);
        return NULL;
    }
    return read_asked(a, path, &by, diag, status);
}

poise_spec *tool_spec(const tool_arguments *a, const char *path, int *status)
{
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *spec;

    if (!diag) {
        *status = tool_failed(&err);
        return NULL;
    }
    spec = tool_spec_read(a, path, diag, status);
    tool_diagnostics_print(diag);
    poise_diagnostics_free(diag);
    return spec;
}

poise_spec *tool_spec_model(const tool_arguments *a, const char *path, const char *model,
                            poise_diagnostics *diag, int *status)
{
    replacement by = {"model", model, "--models", same_model};

    return read_asked(a, path, &by, diag, status);
}

int tool_first_rows(poise_spec *spec, poise_data *data, poise_error *err)
{
    if (!spec->data.limit || spec->data.limit > TOOL_FIRST_ROWS)
        spec->data.limit = TOOL_FIRST_ROWS;
    if (spec->data.generate && spec->data.rows > TOOL_FIRST_ROWS)
        spec->data.rows = TOOL_FIRST_ROWS;
    return poise_data_open(&spec->data, spec->schema, data, err);
}

const char *tool_join(const char *folder, const char *name, char *buf, size_t size)
{
    size_t length = strlen(folder);

    while (length > 1 && folder[length - 1] == '/')
        length--;
    snprintf(buf, size, "%.*s/%s", (int)length, folder, name);
    return buf;
}

int tool_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int refuse_unfinished(const tool_arguments *a, const char *folder)
{
    char state[TOOL_PATH], result[TOOL_PATH];

    if (tool_exists(tool_join(folder, "state.safetensors", state, sizeof state)) &&
        !tool_exists(tool_join(folder, "result.json", result, sizeof result)))
        return tool_wrong(a->command,
                          "%s holds a run that has not ended; continue it with --resume %s, "
                          "or choose another --out",
                          folder, folder);
    return TOOL_OK;
}

static int cannot_make(const char *folder)
{
    poise_error err;

    poise_fail(&err, POISE_E_SYSTEM, POISE_NOWHERE,
               "cannot make the folder %s: %s; choose another with --out", folder, strerror(errno));
    return tool_failed(&err);
}

int tool_out(const tool_arguments *a, const char *name, char *buf, size_t size)
{
    const char *out = tool_value(a, "out");

    if (out) {
        if (strlen(out) >= size)
            return tool_wrong(a->command, "--out is longer than %zu letters", size - 1);
        memcpy(buf, out, strlen(out) + 1);
        return refuse_unfinished(a, out);
    }
    if (mkdir("runs", 0777) < 0 && errno != EEXIST)
        return cannot_make("runs");
    for (int n = 1; n < 1000000; n++) {
        if (snprintf(buf, size, "runs/%s-%d", name, n) >= (int)size)
            return tool_wrong(a->command, "the spec's name is too long for a folder's");
        if (mkdir(buf, 0777) == 0)
            return TOOL_OK;
        if (errno != EEXIST)
            break;
    }
    return cannot_make(buf);
}

/* One column per figure that a task of the run can have; after the AUC the best that is possible. */
void tool_print_result(const poise_result *r)
{
    int width = 8, shown[POISE_FIGURE_COUNT] = {0};

    for (int t = 0; t < r->ntask; t++) {
        if ((int)strlen(r->task[t].name) > width)
            width = (int)strlen(r->task[t].name);
        for (int f = 0; f < POISE_FIGURE_COUNT; f++)
            shown[f] |= poise_figure_of((poise_figure)f, r->task[t].kind);
    }
    printf("%-*s", width, r->part);
    for (int f = 0; f < POISE_FIGURE_COUNT; f++)
        if (shown[f])
            printf(f == POISE_AUC ? "%10s  best possible" : "%10s",
                   poise_figure_name((poise_figure)f));
    printf("%10s\n", "weight");
    for (int t = 0; t < r->ntask; t++) {
        const poise_task_result *k = &r->task[t];

        printf("%-*s", width, k->name);
        for (int f = 0; f < POISE_FIGURE_COUNT; f++) {
            if (shown[f])
                tool_print_figure(10, 5, k->figure[f]);
            if (shown[f] && f == POISE_AUC)
                tool_print_figure(15, 5, k->auc_best_possible);
        }
        tool_print_figure(10, 4, k->weight);
        printf("\n");
    }
}
