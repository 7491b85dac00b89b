#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../models/model.h"
#include "compared.h"
#include "file.h"
#include "metrics.h"
#include "run.h"
#include "trainer.h"

enum { PATH_SIZE = 4096, NAME_SIZE = 136 };

/* What is compared: spec[m] x balancer[k]; without balancers, each spec as it is. */
typedef struct plan {
    int nmodel, nbalancer;
    const poise_spec *const *spec;
    const char *const *balancer;
    int repeat;
    const poise_train_options *o;
} plan;

/* ---- names ---- */

/* The last part of a path, without its ending. */
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

static const char *balancer_at(const plan *p, int k)
{
    return p->balancer[k];
}

static const char *model_at(const plan *p, int k)
{
    return poise_model_name(p->spec[k]->model);
}

/* What the k-th of a list is called, in the table, in compare.json and in the folders of its runs: the
 * name, or the file's name; a second one of that name gets _2.  NULL when memory is out. */
static const char *row_name(poise__arena *a, const plan *p, const char *(*at)(const plan *p, int k),
                            int k, poise_error *err)
{
    char name[NAME_SIZE], other[NAME_SIZE - 8];
    int same = 1;

    short_name(at(p, k), name, sizeof other);
    for (int j = 0; j < k; j++) {
        short_name(at(p, j), other, sizeof other);
        same += strcmp(other, name) == 0;
    }
    if (same > 1)
        (void)snprintf(name + strlen(name), sizeof name - strlen(name), "_%d", same);
    return poise__arena_text(a, name, err);
}

/* The strategies of a spec, "equal+gradnorm" where they follow each other. */
static const char *own_name(poise__arena *a, const poise_spec *spec, poise_error *err)
{
    char all[256] = "", name[NAME_SIZE];

    for (int k = 0; k < spec->nphase; k++) {
        size_t used = strlen(all);

        short_name(spec->phase[k].use, name, sizeof name);
        (void)snprintf(all + used, sizeof all - used, "%s%s", k ? "+" : "", name);
    }
    return poise__arena_text(a, all, err);
}

/* OUT/MODEL-BALANCER-SEED; what is the same for all rows is left out. */
static int run_folder(const plan *p, const poise_compare_row *r, uint64_t seed, char *buf,
                      poise_error *err)
{
    const char *model = p->nmodel > 1 || !p->nbalancer ? r->model : "";
    const char *balancer = p->nbalancer ? r->balancer : "";
    int n = snprintf(buf, PATH_SIZE, "%s/%s%s%s-%llu", p->o->out, model,
                     *model && *balancer ? "-" : "", balancer, (unsigned long long)seed);

    return n >= 0 && n < PATH_SIZE
               ? 0
               : poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of a run is too long");
}

/* ---- the comparison ---- */

static int make_row(poise_comparison *c, const plan *p, poise_compare_row *r, int m, int k,
                    poise_error *err)
{
    size_t ntask = (size_t)c->ntask;

    r->model = row_name(c->arena, p, model_at, m, err);
    r->balancer = p->nbalancer ? row_name(c->arena, p, balancer_at, k, err)
                               : own_name(c->arena, p->spec[m], err);
    r->mean = poise__arena_alloc(c->arena, ntask, sizeof(double), err);
    r->std = poise__arena_alloc(c->arena, ntask, sizeof(double), err);
    return r->model && r->balancer && r->mean && r->std ? 0 : -1;
}

static int allocate(poise_comparison *c, const plan *p, poise_error *err)
{
    const poise_schema *s = p->spec[0]->schema;
    int each = p->nbalancer ? p->nbalancer : 1;

    *c = (poise_comparison){.ntask = s->ntask,
                            .seed = p->spec[0]->train.seed,
                            .nmodel = p->nmodel,
                            .nbalancer = p->nbalancer,
                            .repeat = p->repeat};
    c->arena = poise__arena_new(err);
    if (!c->arena)
        return -1;
    c->task = poise__arena_alloc(c->arena, (size_t)s->ntask, sizeof *c->task, err);
    c->best_possible =
        poise__arena_alloc(c->arena, (size_t)s->ntask, sizeof *c->best_possible, err);
    c->row = poise__arena_alloc(c->arena, (size_t)p->nmodel * (size_t)each, sizeof *c->row, err);
    c->figure = poise__arena_alloc(c->arena, (size_t)s->ntask, sizeof *c->figure, err);
    if (!c->task || !c->best_possible || !c->figure || !c->row)
        return -1;
    for (int t = 0; t < s->ntask; t++) {
        c->best_possible[t] = NAN;
        c->figure[t] = poise_figure_headline(s->task[t].kind);
        if (!(c->task[t] = poise__arena_text(c->arena, s->task[t].name, err)))
            return -1;
    }
    for (int k = 0; k < p->nmodel * each; k++)
        if (make_row(c, p, &c->row[k], k / each, k % each, err) < 0)
            return -1;
    return 0;
}

static int same_tasks(const plan *p, poise_error *err)
{
    const poise_schema *first = p->spec[0]->schema;

    for (int m = 1; m < p->nmodel; m++) {
        const poise_schema *s = p->spec[m]->schema;
        int same = s->ntask == first->ntask;

        for (int t = 0; same && t < s->ntask; t++)
            same = strcmp(s->task[t].name, first->task[t].name) == 0;
        if (!same)
            return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                              "models %s and %s have other tasks: they cannot be compared",
                              model_at(p, 0), model_at(p, m));
    }
    return 0;
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

/* The spec of run `number`, counted as poise_progress.run, and its folder. */
static int run_at(const plan *p, const poise_comparison *c, int number, poise_spec *one,
                  char *folder, poise_error *err)
{
    int each = p->nbalancer ? p->nbalancer : 1, row = number / p->repeat;

    *one = *p->spec[row / each];
    if (p->nbalancer)
        choose(one, p->balancer[row % each]);
    one->train.seed += (uint64_t)(number % p->repeat);
    return run_folder(p, &c->row[row], one->train.seed, folder, err);
}

typedef struct forward {
    const poise_train_options *to;
    int run;
} forward;

static int tell(void *user, const poise_progress *now)
{
    const forward *f = user;
    poise_progress of = *now;

    of.run = f->run;
    return f->to->progress(f->to->user, &of);
}

/* Unless it has ended: train it, from where it stopped if it had begun. */
static int train_run(const plan *p, const poise_comparison *c, int number, const poise_data *data,
                     char *folder, poise_error *err)
{
    poise_train_options options = *p->o;
    forward f = {p->o, number};
    poise__begun begun = POISE__NOT_BEGUN;
    poise_result r;
    poise_spec one;

    if (run_at(p, c, number, &one, folder, err) < 0 ||
        (p->o->resume && poise__compared_run(folder, &one, &begun, err) < 0))
        return -1;
    if (begun == POISE__ENDED)
        return 0;
    options.out = folder;
    options.resume = begun == POISE__STOPPED;
    options.progress = p->o->progress ? tell : NULL;
    options.user = &f;
    if (poise__run(&one, data, &options, &r, err) < 0)
        return -1;
    poise_result_done(&r);
    return 0;
}

/* Train one model with one strategy and every seed and fill its row.  figure is [T][repeat] of
 * scratch. */
static int compare_one(const plan *p, int index, const poise_data *data, poise_comparison *c,
                       double *figure, poise_error *err)
{
    const poise_spec *spec = p->spec[index / (p->nbalancer ? p->nbalancer : 1)];
    poise_compare_row *row = &c->row[index];
    char folder[PATH_SIZE];
    int known = 0, by_auc = 0;

    row->weights = poise_model_weights(spec->model, spec->schema, err);
    if (row->weights < 0)
        return -1;
    for (int k = 0; k < c->repeat; k++) {
        double seconds;
        if (train_run(p, c, index * c->repeat + k, data, folder, err) < 0 ||
            poise__compared_figures(folder, c, &figure[k], c->repeat, &seconds, err) < 0)
            return -1;
        row->seconds_per_epoch += seconds / c->repeat;
    }
    for (int t = 0; t < c->ntask; t++) {
        poise_mean_deviation(c->repeat, figure + t * c->repeat, &row->mean[t], &row->std[t]);
        by_auc |= c->figure[t] == POISE_AUC && !isnan(row->std[t]);
    }
    for (int t = 0; t < c->ntask; t++) {
        if (isnan(row->std[t]) || (by_auc && c->figure[t] != POISE_AUC))
            continue; /* figures on another scale */
        row->mean_std += row->std[t];
        known++;
    }
    row->mean_std = known ? row->mean_std / known : NAN;
    return 0;
}

/* What is known so far: a row that fails later takes nothing with it. */
static int write_rows(const poise_comparison *c, const char *path, poise_error *err)
{
    char *text = poise_comparison_json(c, err);
    int status = text ? poise__file_replace(path, 1, &(poise__piece){text, strlen(text)}, err) : -1;

    free(text);
    return status;
}

/* One model with all strategies, on its own reading of the data. */
static int compare_model(const plan *p, int m, poise_comparison *c, const char *path,
                         double *figure, poise_error *err)
{
    const poise_spec *spec = p->spec[m];
    poise_data data = {0};
    int each = p->nbalancer ? p->nbalancer : 1;
    int status = poise_data_open(&spec->data, spec->schema, &data, err);

    for (int k = 0; status == 0 && k < each; k++) {
        status = compare_one(p, m * each + k, &data, c, figure, err);
        if (status == 0) {
            c->nrow++;
            status = write_rows(c, path, err);
        }
    }
    poise_data_done(&data);
    return status;
}

/* Before anything is trained.  A comparison that begins writes compare.json, and no run of an earlier
 * one in its folder is its own; one that goes on looks whether all is of what is asked for. */
static int begin(const plan *p, const poise_comparison *c, const char *path, poise_error *err)
{
    int runs = p->nmodel * (p->nbalancer ? p->nbalancer : 1) * p->repeat;
    char folder[PATH_SIZE];
    poise__begun begun;
    poise_spec one;

    if (p->o->resume && poise__compared_same(path, c, err) < 0)
        return -1;
    for (int k = 0; k < runs; k++)
        if (run_at(p, c, k, &one, folder, err) < 0 ||
            (p->o->resume ? poise__compared_run(folder, &one, &begun, err)
                          : poise__compared_forget(folder, err)) < 0)
            return -1;
    if (p->o->resume)
        return 0;
    return poise__folder(p->o->out, err) < 0 ? -1 : write_rows(c, path, err);
}

int poise_compare_models(int nmodel, const poise_spec *const *spec, int nbalancer,
                         const char *const *balancer, int repeat, const poise_train_options *o,
                         poise_comparison *c, poise_error *err)
{
    plan p = {nmodel, nbalancer, spec, balancer, repeat, o};
    char path[PATH_SIZE];
    double *figure = NULL;
    int status = allocate(c, &p, err);

    if (status == 0)
        status = same_tasks(&p, err);
    if (status == 0)
        status = (figure = poise__calloc((size_t)c->ntask * (size_t)repeat, sizeof *figure, err))
                     ? 0
                     : -1;
    if (status == 0) {
        int length = snprintf(path, sizeof path, "%s/compare.json", o->out);
        if (length < 0 || length >= (int)sizeof path)
            status = poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path is too long");
        else
            status = begin(&p, c, path, err);
    }
    for (int m = 0; status == 0 && m < nmodel; m++)
        status = compare_model(&p, m, c, path, figure, err);
    free(figure);
    return status;
}

int poise_compare(const poise_spec *spec, int nbalancer, const char *const *balancer, int repeat,
                  const poise_train_options *o, poise_comparison *c, poise_error *err)
{
    return poise_compare_models(1, &spec, nbalancer, balancer, repeat, o, c, err);
}

void poise_comparison_done(poise_comparison *c)
{
    poise__arena_free(c->arena);
    *c = (poise_comparison){0};
}
