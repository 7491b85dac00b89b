/* poise compare -- the same model under several strategies, with the same seeds: the table that
 * people publish. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crash.h"
#include "run.h"

enum { MAX_BALANCERS = 64, CELL = 20 };

typedef struct names {
    int n;
    const char *name[MAX_BALANCERS];
    char *text[MAX_BALANCERS]; /* owned */
} names;

static void names_done(names *l)
{
    for (int k = 0; k < l->n; k++)
        free(l->text[k]);
}

static int add_name(const tool_arguments *a, names *l, const char *name)
{
    char path[TOOL_PATH];
    poise_error err;

    if (!*name)
        return tool_wrong(a->command, "--balancers has an empty name; it takes A,B,...");
    if (l->n == MAX_BALANCERS)
        return tool_wrong(a->command, "--balancers has more than %d names", MAX_BALANCERS);
    if (tool_balancer_path(name, path, sizeof path, &err) < 0)
        return tool_failed(&err);
    for (int k = 0; k < l->n; k++)
        if (!strcmp(l->name[k], path))
            return tool_wrong(a->command, "--balancers names %s twice", name);
    l->text[l->n] = strdup(path);
    if (!l->text[l->n]) {
        poise_fail(&err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the names");
        return tool_failed(&err);
    }
    l->name[l->n] = l->text[l->n];
    l->n++;
    return TOOL_OK;
}

/* "equal,gradnorm,./mine.so" */
static int parse_names(const tool_arguments *a, const char *list, names *l)
{
    int status = TOOL_OK;

    for (;;) {
        const char *comma = strchr(list, ',');
        char name[TOOL_PATH];
        int length = comma ? (int)(comma - list) : (int)strlen(list);

        if (length >= TOOL_PATH)
            return tool_wrong(a->command, "--balancers has a name of %d letters", length);
        snprintf(name, sizeof name, "%.*s", length, list);
        status = add_name(a, l, name);
        if (status != TOOL_OK || !comma)
            return status;
        list = comma + 1;
    }
}

/* ---- the table ----------------------------------------------------------------------------- */

/* A strategy given by its path is shown by its file's name. */
static const char *short_name(const char *balancer)
{
    const char *slash = strrchr(balancer, '/');

    return slash ? slash + 1 : balancer;
}

static void print_name(int width, const char *name)
{
    printf("%-*s", width, name);
}

/* The cell of task t; the last one of a short row is not padded. */
static void print_cell(const poise_comparison *c, int t, int short_row, const char *text)
{
    printf("  %-*s", short_row && t == c->ntask - 1 ? 0 : CELL, text);
}

static void print_row(const poise_comparison *c, const poise_compare_row *r, int width)
{
    char cell[64];

    print_name(width, short_name(r->balancer));
    for (int t = 0; t < c->ntask; t++) {
        if (isnan(r->auc_mean[t]))
            snprintf(cell, sizeof cell, "-");
        else if (c->repeat == 1) /* one run has no deviation to show */
            snprintf(cell, sizeof cell, " %.5f", r->auc_mean[t]);
        else
            snprintf(cell, sizeof cell, " %.5f +- %.5f", r->auc_mean[t], r->auc_std[t]);
        print_cell(c, t, 0, cell);
    }
    printf("  ");
    tool_print_figure(14, 5, c->repeat == 1 ? NAN : r->mean_std);
    printf("  %9.2f\n", r->seconds_per_epoch);
}

static void print_difference(const poise_comparison *c, const poise_compare_row *r, int width)
{
    char cell[64];

    snprintf(cell, sizeof cell, "  - %s", short_name(c->row[0].balancer));
    print_name(width, cell);
    for (int t = 0; t < c->ntask; t++) {
        double d = r->auc_mean[t] - c->row[0].auc_mean[t];

        snprintf(cell, sizeof cell, isnan(d) ? "-" : "%+.5f", d);
        print_cell(c, t, 1, cell);
    }
    printf("\n");
}

static void print_best(const poise_comparison *c, int width)
{
    char cell[64];
    int known = 0;

    for (int t = 0; t < c->ntask; t++)
        known |= !isnan(c->best_possible[t]);
    if (!known)
        return;
    print_name(width, "best possible");
    for (int t = 0; t < c->ntask; t++) {
        snprintf(cell, sizeof cell, isnan(c->best_possible[t]) ? "-" : " %.5f",
                 c->best_possible[t]);
        print_cell(c, t, 1, cell);
    }
    printf("\n");
}

static int name_width(const poise_comparison *c)
{
    size_t width = strlen("best possible");

    for (int k = 0; k < c->nbalancer; k++)
        if (strlen(short_name(c->row[k].balancer)) + 4 > width)
            width = strlen(short_name(c->row[k].balancer)) + 4;
    return (int)width;
}

static void print_table(const poise_comparison *c)
{
    int width = name_width(c);

    printf("AUC, mean +- deviation of %d run%s\n\n", c->repeat, c->repeat == 1 ? "" : "s");
    print_name(width, "");
    for (int t = 0; t < c->ntask; t++)
        printf("   %-*s", CELL - 1, c->task[t]);
    printf("  %14s  %9s\n", "mean deviation", "s/epoch");
    for (int k = 0; k < c->nbalancer; k++) {
        print_row(c, &c->row[k], width);
        if (k > 0)
            print_difference(c, &c->row[k], width);
    }
    print_best(c, width);
}

/* ---- the command --------------------------------------------------------------------------- */

/* The library trains the strategies in order, each with every seed, and tells steps and epochs; the
 * step counter that goes back tells that the next run has begun. */
typedef struct watch {
    tool_progress progress;
    const names *names;
    uint64_t seed;
    int repeat, run; /* run counts from 0; -1: none yet */
} watch;

static int show(void *user, const poise_progress *now)
{
    watch *w = user;
    int total = w->names->n * w->repeat;

    if ((w->run < 0 || now->step < w->progress.step) && w->run + 1 < total) {
        w->run++;
        tool_progress_clear(&w->progress);
        fprintf(stderr, "run %d of %d: %s, seed %" PRIu64 "\n", w->run + 1, total,
                short_name(w->names->name[w->run / w->repeat]),
                w->seed + (uint64_t)(w->run % w->repeat));
    }
    return tool_progress_show(&w->progress, now);
}

static int check_names(const poise_spec *spec, const names *l)
{
    poise_error err;

    for (int k = 0; k < l->n; k++)
        if (tool_balancer_check(spec, l->name[k], &err) < 0)
            return tool_failed(&err);
    return TOOL_OK;
}

static int compare(const poise_spec *spec, const names *l, int repeat, const char *out)
{
    watch w = {.names = l, .seed = spec->train.seed, .repeat = repeat, .run = -1};
    poise_comparison c;
    poise_error err;
    int status;

    tool_progress_init(&w.progress);
    tool_interrupt_catch();
    status =
        poise_compare(spec, l->n, l->name, repeat,
                      &(poise_train_options){
                          .out = out, .progress = show, .user = &w, .where = tool_crash_watch()},
                      &c, &err);
    tool_progress_clear(&w.progress);
    if (c.nbalancer) {
        print_table(&c);
        printf("\n-> %s/compare.json\n", out);
    }
    poise_comparison_done(&c);
    return status < 0 ? tool_failed(&err) : TOOL_OK;
}

static int run(const tool_arguments *a)
{
    const char *list = tool_value(a, "balancers");
    uint64_t repeat = 3;
    char out[TOOL_PATH];
    names l = {.n = 0};
    poise_spec *spec = NULL;
    int status;

    status = tool_number(a, "repeat", 1, 10000, &repeat);
    if (status == TOOL_OK)
        status = parse_names(a, list, &l);
    if (status == TOOL_OK)
        spec = tool_spec(a, a->word[0], &status);
    if (spec)
        status = check_names(spec, &l);
    if (spec && status == TOOL_OK && (status = tool_out(a, spec->name, out, sizeof out)) == TOOL_OK)
        status = compare(spec, &l, (int)repeat, out);
    poise_spec_free(spec);
    names_done(&l);
    return status;
}

static const tool_option options[] = {
    {"balancers", "A,B,...", "names or paths of strategies; the first is the one compared to",
     TOOL_NEEDED},
    {"repeat", "N", "runs of each, with seeds seed, seed + 1, ...; default 3", TOOL_ONCE},
    {"out", "DIR", "the folder; default runs/<spec>-<n>, n the first free number", TOOL_ONCE},
    TOOL_OPTION_SET,
    TOOL_OPTION_SEED,
    TOOL_OPTION_THREADS,
    TOOL_OPTION_END};

const tool_command tool_compare = {
    .name = "compare",
    .words = "SPEC",
    .min_words = 1,
    .max_words = 1,
    .summary = "train with several balancers and print the table of AUCs",
    .text = "Every strategy is trained with the same seeds. The table has the mean and deviation\n"
            "of the AUC per task, the mean deviation, the difference to the first strategy, and\n"
            "the best AUC that any model can reach where the data's generator knows it.\n"
            "Writes compare.json into the folder.\n"
            "\n"
            "  poise compare funnel.yaml --balancers equal,gradnorm,./mine.so --repeat 3\n",
    .option = options,
    .run = run};
