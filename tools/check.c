/* poise check -- what a spec says, without training: layers, shapes, parameters, what is shared. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "../models/look.h"
#include "../models/model.h"
#include "../ops/ops.h"
#include "../train/signals.h"
#include "run.h"

/* ---- data ---------------------------------------------------------------------------------- */

static void print_part(const char *name, const poise_dataset *d)
{
    if (d)
        printf("  %-6s %" PRId64 " rows read\n", name, poise_dataset_rows(d));
}

/* What was looked at: the first rows, and of how many training rows the labels. */
static void print_data(const poise_data *data, int64_t labels)
{
    printf("data (the first %d rows of each part", TOOL_FIRST_ROWS);
    if (labels)
        printf("; the labels of all %" PRId64 " training rows", labels);
    printf(")\n");
    print_part("train", data->train);
    print_part("valid", data->valid);
    print_part("test", data->test);
}

static void print_task_kind(const poise_task *k)
{
    static const char *const kinds[] = {POISE_TASK_KINDS};

    if (k->rows == 0) {
        printf("%s, no row of those looked at counts", kinds[k->kind]);
        return;
    }
    switch (k->kind) {
    case POISE_BINARY:
        printf("binary, %.3g %% positive", 100 * k->base_rate);
        break;
    case POISE_REGRESSION:
        printf("regression, mean %.4g", k->base_rate);
        break;
    case POISE_COUNT:
        printf("count, mean %.4g", k->base_rate);
        break;
    case POISE_ORDINAL:
        printf("%" PRId64 " grades", k->nclass);
        break;
    case POISE_MULTICLASS:
        printf("%" PRId64 " classes", k->nclass);
        break;
    }
}

static void print_features(const poise_schema *s)
{
    int64_t rows = 0, bytes = 0;
    int categorical = 0, lists = poise_schema_lists(s);
    char text[32];

    for (int k = 0; k < s->nfeature; k++) {
        const poise_feature *f = &s->feature[k];
        categorical += f->kind == POISE_CATEGORICAL;
        if (f->table)
            continue;
        rows += poise_feature_rows(f);
        bytes += poise_feature_rows(f) * f->dim * (int64_t)sizeof(float);
    }
    printf("\nfeatures\n  %d numeric, %d categorical", s->nfeature - categorical - lists,
           categorical);
    if (lists)
        printf(", %d list%s", lists, lists == 1 ? "" : "s");
    printf("\n");
    if (rows)
        printf("  embeddings: %" PRId64 " rows, %s, with the values in these rows\n", rows,
               tool_bytes_text((double)bytes, text, sizeof text));
    printf("\ntasks\n");
    for (int t = 0; t < s->ntask; t++) {
        const poise_task *k = &s->task[t];

        printf("  %-14s ", k->name);
        print_task_kind(k);
        printf("%s%s\n", k->when ? ", where " : "", k->when ? k->when : "");
    }
}

/* ---- model --------------------------------------------------------------------------------- */

/* The table of layers, gone over twice: how wide its columns are, then the lines. */
typedef struct layer_table {
    int print;
    int name, kind, shape;
} layer_table;

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);

    if (length > *width)
        *width = length;
}

static int print_layer(void *user, const poise_layer_info *l)
{
    layer_table *t = user;
    char shape[96], count[32];

    if (l->repeats > 1)
        snprintf(shape, sizeof shape, "%s, %d times", l->shape, l->repeats);
    else
        snprintf(shape, sizeof shape, "%s", l->shape);
    widen(&t->name, l->name);
    widen(&t->kind, l->kind);
    widen(&t->shape, shape);
    if (t->print)
        printf("  %-*s %-*s %-*s %9s  %s:%u\n", t->name, l->name, t->kind, l->kind, t->shape, shape,
               tool_count_text((double)l->parameters, count, sizeof count),
               l->place.file ? l->place.file : "", l->place.line);
    return 0;
}

static int print_layers(const poise_spec *spec, poise_error *err)
{
    layer_table t = {.name = 14, .kind = 10, .shape = 26};

    if (poise_model_describe(spec->model, spec->schema, print_layer, &t, err) < 0)
        return -1;
    t.print = 1;
    printf("\n  %-*s %-*s %-*s %9s\n", t.name, "layer", t.kind, "kind", t.shape, "output (B rows)",
           "weights");
    return poise_model_describe(spec->model, spec->schema, print_layer, &t, err);
}

static void print_parameters(const poise_store *store, const char *title, int n, const int *index)
{
    int64_t total = 0;
    int width = 0;

    printf("%s\n", title);
    if (!n)
        printf("  nothing\n");
    for (int k = 0; k < n; k++)
        if ((int)strlen(poise_store_at(store, index[k])->name) > width)
            width = (int)strlen(poise_store_at(store, index[k])->name);
    for (int k = 0; k < n; k++) {
        const poise_parameter *p = poise_store_at(store, index[k]);

        total += p->count;
        printf("  %-*s ", width, p->name);
        for (int d = 0; d < p->rank; d++)
            printf("%s%" PRId64, d ? " x " : " ", p->dim[d]);
        printf("\n");
    }
    if (n)
        printf("  %" PRId64 " parameters in all\n", total);
}

/* 1 if the parameter is the table of a feature that no layer reads. */
static int is_unread(const poise_spec *spec, const poise_parameter *p)
{
    static const char table[] = "embedding/";

    if (strncmp(p->name, table, strlen(table)) != 0)
        return 0;
    for (int f = 0; f < spec->schema->nfeature; f++)
        if (!strcmp(spec->schema->feature[f].name, p->name + strlen(table)))
            return !poise_model_reads(spec->model, f);
    return 0;
}

/* Leave the tables out that no layer reads; how many are left. */
static int read_ones(const poise_spec *spec, const poise_store *store, int n, int *index)
{
    int kept = 0;

    for (int k = 0; k < n; k++)
        if (!is_unread(spec, poise_store_at(store, index[k])))
            index[kept++] = index[k];
    return kept;
}

static int print_shared(const poise_spec *spec, poise_store *store, poise_graph *g,
                        poise_error *err)
{
    poise_network net;
    poise_shared shared;
    int64_t total = 0;
    char bytes[32];

    poise_graph_train(g, 1);
    if (poise_model_build(spec->model, spec->schema, g, spec->train.batch, &net, err) < 0 ||
        poise_find_shared(g, net.ntask, net.loss, &shared, err) < 0)
        return -1;
    for (int k = 0; k < poise_store_count(store); k++)
        total += poise_store_at(store, k)->count;
    printf("  %" PRId64 " parameters in all, %s\n\n", total,
           tool_bytes_text((double)total * sizeof(float), bytes, sizeof bytes));
    shared.nshared = read_ones(spec, store, shared.nshared, shared.shared);
    shared.nlast = read_ones(spec, store, shared.nlast, shared.last);
    print_parameters(store, "shared by two or more tasks", shared.nshared, shared.shared);
    printf("\n");
    print_parameters(store, "last shared layer (what norms and Gram matrices are of)", shared.nlast,
                     shared.last);
    poise_shared_done(&shared);
    return 0;
}

static int print_model(const poise_spec *spec, poise_error *err)
{
    poise_store *store = poise_store_new(err);
    poise_graph *g = store ? poise_network_graph(store, err) : NULL;
    int status = -1;

    if (g && print_layers(spec, err) == 0)
        status = print_shared(spec, store, g, err);
    poise_graph_free(g);
    poise_store_free(store);
    return status;
}

/* ---- the command ----------------------------------------------------------------------------- */

/* 1 if a file's labels can all be read while one waits. */
static int is_small(const poise_data_spec *d)
{
    enum { MOST_BYTES = 16 << 20 };
    struct stat file;

    return !d->generate && stat(d->train, &file) == 0 && file.st_size <= MOST_BYTES;
}

/* At the labels of all training rows where that is quick, else at those of the first rows. */
static int look_at_rows(poise_spec *spec, poise_data *data, int64_t *labels,
                        poise_diagnostics *diag, poise_error *err)
{
    poise_data_spec whole = spec->data;

    if (tool_first_rows(spec, data, err) < 0)
        return -1;
    int part =
        spec->data.limit <= TOOL_FIRST_ROWS && poise_dataset_rows(data->train) >= spec->data.limit;
    if (part && is_small(&whole))
        return poise_spec_look_labels(spec, &whole, labels, diag, err);
    return poise_spec_look(spec, data->train, part, diag, err);
}

/* Read the spec and look at its first rows: everything that is wrong or suspicious is in `diag`.
 * NULL where something is wrong, *status is then how to end. */
static poise_spec *look(const tool_arguments *a, poise_data *data, int64_t *labels,
                        poise_diagnostics *diag, int *status)
{
    poise_spec *spec = tool_spec_read(a, a->word[0], diag, status);
    poise_error err;

    *labels = 0;
    if (!spec)
        return NULL;
    if (look_at_rows(spec, data, labels, diag, &err) < 0)
        poise_diagnose_error(diag, &err);
    else if (poise_spec_look_tuning(spec, diag) == 0)
        return spec;
    else
        err.code = POISE_E_SPEC;
    *status = poise_code_status(err.code);
    poise_spec_free(spec);
    return NULL;
}

static int print_json(const poise_diagnostics *diag, int status)
{
    poise_error err;
    char *text = poise_diagnostics_json(diag, &err);

    if (!text)
        return tool_failed(&err);
    puts(text);
    free(text);
    return status;
}

static int print_all(const poise_spec *spec, const poise_data *data, int64_t labels)
{
    poise_error err;

    print_data(data, labels);
    print_features(spec->schema);
    if (print_model(spec, &err) < 0)
        return tool_failed(&err);
    printf("\nbalancer %s\n%s is right\n", spec->balancer.use, spec->path);
    return TOOL_OK;
}

static int run(const tool_arguments *a)
{
    poise_error err;
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_data data = {0};
    poise_spec *spec;
    int64_t labels;
    int status;

    if (!diag)
        return tool_failed(&err);
    spec = look(a, &data, &labels, diag, &status);
    if (tool_flag(a, "json"))
        status = print_json(diag, status);
    else {
        tool_diagnostics_print(diag);
        if (spec)
            status = print_all(spec, &data, labels);
    }
    poise_data_done(&data);
    poise_spec_free(spec);
    poise_diagnostics_free(diag);
    return status;
}

static const tool_option options[] = {
    {"balancer", "NAME|PATH", "the strategy, in place of the spec's", TOOL_ONCE},
    TOOL_OPTION_SET,
    {"json", NULL, "print errors and warnings alone, as one JSON object, for editors", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_check = {
    .name = "check",
    .words = "SPEC",
    .min_words = 1,
    .max_words = 1,
    .summary = "check a spec and show its layers, shapes and what is shared",
    .text =
        "Reads the spec, its model's files and the first rows of its data. Every error of all of\n"
        "them is printed as file:line:column: error: ... with the line that it is about (exit\n"
        "status 2), and what is legal but surely wrong as a warning: a layer that no task\n"
        "needs, a feature that no layer reads, a label among the features, two tasks with the\n"
        "same label, a label that is always the same, a `when` that never holds.\n"
        "\n"
        "Labels are looked at in all training rows of a file of at most 16 MiB, else in the\n"
        "first 5000; the warning says so. A task for which none of all rows counts is an error,\n"
        "as it is when the training begins.\n",
    .option = options,
    .run = run};
