#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "file.h"
#include "metrics.h"
#include "run.h"
#include "trainer.h"

enum { PATH_SIZE = 4096 };

/* The last part of a path, without its ending: what a strategy's folder is called. */
static void short_name(const char *use, char *name, size_t size)
{
    const char *slash = strrchr(use, '/');
    size_t n;

    if (slash)
        use = slash + 1;
    n = strcspn(use, ".");
    if (n >= size)
        n = size - 1;
    memcpy(name, use, n);
    name[n] = '\0';
}

/* What row k is called, in the table, in compare.json and as the folders of its runs: the name, or the
 * file's name; a second one of that name gets _2. */
static void row_name(int k, const char *const *balancer, char *name, size_t size)
{
    char other[128];
    int same = 1;

    short_name(balancer[k], name, size);
    for (int j = 0; j < k; j++) {
        short_name(balancer[j], other, sizeof other);
        same += strcmp(other, name) == 0;
    }
    if (same > 1)
        (void)snprintf(name + strlen(name), size - strlen(name), "_%d", same);
}

/* The strategy alone, without the spec's schedule.  The spec's own keeps its settings; another one
 * starts from its defaults; the host's options are the spec's. */
static void choose(poise_spec *one, const char *use)
{
    if (strcmp(one->balancer.use, use) != 0) {
        one->balancer.use = use;
        one->balancer.place = POISE_NOWHERE;
        one->balancer.nsetting = 0;
        one->balancer.setting = NULL;
    }
    one->balancer.epochs = 0;
    one->phase = &one->balancer;
    one->nphase = 1;
}

static int allocate(poise_comparison *c, const poise_spec *spec, int n, const char *const *balancer,
                    int repeat, poise_error *err)
{
    size_t ntask = (size_t)spec->schema->ntask;

    *c = (poise_comparison){.ntask = (int)ntask, .nbalancer = n, .repeat = repeat};
    c->arena = poise__arena_new(err);
    if (!c->arena)
        return -1;
    c->task = poise__arena_alloc(c->arena, ntask, sizeof *c->task, err);
    c->best_possible = poise__arena_alloc(c->arena, ntask, sizeof *c->best_possible, err);
    c->row = poise__arena_alloc(c->arena, (size_t)n, sizeof *c->row, err);
    if (!c->task || !c->best_possible || !c->row)
        return -1;
    for (size_t t = 0; t < ntask; t++) {
        c->best_possible[t] = NAN;
        if (!(c->task[t] = poise__arena_text(c->arena, spec->schema->task[t].name, err)))
            return -1;
    }
    for (int k = 0; k < n; k++) {
        poise_compare_row *r = &c->row[k];
        char name[136];
        row_name(k, balancer, name, sizeof name);
        r->balancer = poise__arena_text(c->arena, name, err);
        r->auc_mean = poise__arena_alloc(c->arena, ntask, sizeof(double), err);
        r->auc_std = poise__arena_alloc(c->arena, ntask, sizeof(double), err);
        if (!r->balancer || !r->auc_mean || !r->auc_std)
            return -1;
    }
    return 0;
}

/* Train one strategy with every seed and fill its row.  auc is [T][repeat] of scratch. */
static int compare_one(const poise_spec *spec, const poise_data *data, const char *use,
                       const poise_train_options *o, poise_comparison *c, poise_compare_row *row,
                       double *auc, poise_error *err)
{
    poise_spec one = *spec;
    poise_train_options options = *o;
    char folder[PATH_SIZE];
    int known = 0;

    choose(&one, use);
    options.out = folder;
    for (int k = 0; k < c->repeat; k++) {
        poise_result r;
        one.train.seed = spec->train.seed + (uint64_t)k;
        int n = snprintf(folder, sizeof folder, "%s/%s-%llu", o->out, row->balancer,
                         (unsigned long long)one.train.seed);
        if (n < 0 || n >= (int)sizeof folder)
            return poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of a run is too long");
        if (poise__run(&one, data, &options, &r, err) < 0)
            return -1;
        row->seconds_per_epoch += r.seconds_per_epoch / c->repeat;
        for (int t = 0; t < c->ntask; t++) {
            auc[t * c->repeat + k] = r.task[t].auc;
            c->best_possible[t] = r.task[t].auc_best_possible;
        }
        poise_result_done(&r);
    }
    for (int t = 0; t < c->ntask; t++) {
        poise_mean_deviation(c->repeat, auc + t * c->repeat, &row->auc_mean[t], &row->auc_std[t]);
        if (isnan(row->auc_std[t]))
            continue; /* a task without an AUC */
        row->mean_std += row->auc_std[t];
        known++;
    }
    row->mean_std = known ? row->mean_std / known : NAN;
    return 0;
}

/* What is known so far: a strategy that fails later takes nothing with it. */
static int write_rows(const poise_comparison *c, const char *path, poise_error *err)
{
    char *text = poise_comparison_json(c, err);
    int status = text ? poise__file_replace(path, 1, &(poise__piece){text, strlen(text)}, err) : -1;

    free(text);
    return status;
}

int poise_compare(const poise_spec *spec, int n, const char *const *balancer, int repeat,
                  const poise_train_options *o, poise_comparison *c, poise_error *err)
{
    poise_data data = {0};
    char path[PATH_SIZE];
    double *auc = NULL;
    int status = allocate(c, spec, n, balancer, repeat, err);

    if (status == 0)
        status =
            (auc = poise__calloc((size_t)c->ntask * (size_t)repeat, sizeof *auc, err)) ? 0 : -1;
    if (status == 0)
        status = poise_data_open(&spec->data, spec->schema, &data, err);
    if (status == 0) {
        int length = snprintf(path, sizeof path, "%s/compare.json", o->out);
        if (length < 0 || length >= (int)sizeof path)
            status = poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path is too long");
        else
            status = poise__file_remove(path, err); /* of an earlier one in this folder */
    }
    c->nbalancer = 0;
    for (int k = 0; status == 0 && k < n; k++) {
        status = compare_one(spec, &data, balancer[k], o, c, &c->row[k], auc, err);
        if (status == 0) {
            c->nbalancer++;
            status = write_rows(c, path, err);
        }
    }
    free(auc);
    poise_data_done(&data);
    return status;
}

void poise_comparison_done(poise_comparison *c)
{
    poise__arena_free(c->arena);
    *c = (poise_comparison){0};
}
