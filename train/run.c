#include "run.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../core/memory.h"
#include "../data/loader.h"
#include "at_work.h"
#include "diagnosis.h"
#include "checkpoint.h"
#include "figures.h"
#include "file.h"
#include "report.h"

enum { PATH_SIZE = 4096 };
#define PROGRESS_SECONDS 0.1

typedef struct run {
    const poise_spec *spec;
    const poise_data *data;
    const poise_train_options *o;
    poise__at_work balancer;
    poise__engine engine;
    poise_loader *loader;
    poise__position at;
    poise__metrics metrics;
    poise_task_result *figure;   /* [T] */
    poise__diagnosis *diagnosis; /* NULL: there is nothing to look at */
    const char **task;           /* [T] */
    uint64_t fingerprint;
    FILE *log;
    double begun, shown; /* clock: of this process's share of the run; of the last progress */
    double before;       /* seconds of the run before this process */
    int asked_to_stop;
} run;

static double clock_now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int path_in(const run *r, const char *name, char *path, poise_error *err)
{
    int n = snprintf(path, PATH_SIZE, "%s/%s", r->o->out, name);
    return n > 0 && n < PATH_SIZE
               ? 0
               : poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of a folder is too long");
}

/* ---- telling ---- */

static void tell(run *r, const poise_progress *extra, double now)
{
    int64_t batches = poise_loader_batches(r->loader);
    uint64_t steps = (uint64_t)batches * (uint64_t)r->spec->train.epochs;
    double trained = r->at.trained;
    poise_progress p = extra ? *extra : (poise_progress){0};

    r->shown = now;
    if (!r->o->progress)
        return;
    if (!extra)
        p.epoch = (int)r->at.epoch;
    p.epochs = r->spec->train.epochs;
    p.step = r->at.step;
    p.steps = steps;
    p.samples_per_second = trained > 0 ? (double)r->at.samples / trained : 0;
    p.seconds_left = r->at.step > 0 ? (r->before + now - r->begun) / (double)r->at.step *
                                          (double)(steps > r->at.step ? steps - r->at.step : 0)
                                    : 0;
    p.ntask = r->engine.training->host.ntask;
    p.task = r->task;
    p.loss = r->engine.training->host.loss;
    p.weight = r->engine.training->host.task_weight;
    r->asked_to_stop |= r->o->progress(r->o->user, &p) != 0;
}

static void note(void *user, const char *text)
{
    run *r = user;

    if (r->log)
        (void)poise__log_note(r->log, r->at.step, text, NULL);
    if (r->loader)
        tell(r, &(poise_progress){.epoch = (int)r->at.epoch, .note = text}, clock_now());
}

static void metric(void *user, const char *key, int32_t task, double value)
{
    run *r = user;
    poise__metric(&r->metrics, key, task, value);
}

/* ---- beginning ---- */

static int write_text(run *r, const char *name, const char *text, poise_error *err)
{
    char path[PATH_SIZE];

    if (path_in(r, name, path, err) < 0)
        return -1;
    return poise__file_replace(path, 1, &(poise__piece){text, strlen(text)}, err);
}

/* What stood here of a run that ended is not this run's: no figures before there are new ones. */
static int clear(const run *r, poise_error *err)
{
    static const char *const names[] = {"result.json", "state.safetensors", "model.safetensors"};
    char path[PATH_SIZE];

    for (int k = 0; k < (r->o->resume ? 1 : 3); k++)
        if (path_in(r, names[k], path, err) < 0 || poise__file_remove(path, err) < 0)
            return -1;
    return 0;
}

static int open_log(run *r, poise_error *err)
{
    char path[PATH_SIZE];

    if (path_in(r, "log.jsonl", path, err) < 0)
        return -1;
    if (r->o->resume && access(path, F_OK) == 0 && poise__log_cut(path, r->at.step, err) < 0)
        return -1;
    r->log = fopen(path, r->o->resume ? "a" : "w");
    if (!r->log)
        return poise_fail(err, POISE_E_SYSTEM, (poise_place){path, 0, 0}, "cannot write: %s",
                          strerror(errno));
    return 0;
}

static void note_checkpoint(const run *r)
{
    if (!r->o->where)
        return;
    r->o->where->step = r->at.step;
    r->o->where->out = r->o->out;
}

static int save(run *r, poise_error *err)
{
    r->at.seconds = r->before + clock_now() - r->begun;
    r->at.phase = r->balancer.phase;
    if (poise__state_write(r->o->out, &r->engine, &r->at, r->fingerprint, err) < 0)
        return -1;
    note_checkpoint(r);
    return 0;
}

static int begin(run *r, poise_error *err)
{
    size_t ntask = (size_t)r->spec->schema->ntask;

    r->begun = clock_now();
    r->figure = poise__calloc(ntask, sizeof *r->figure, err);
    r->task = poise__calloc(ntask, sizeof *r->task, err);
    if (!r->figure || !r->task)
        return -1;
    for (size_t t = 0; t < ntask; t++)
        r->task[t] = r->spec->schema->task[t].name;
    r->balancer =
        (poise__at_work){.spec = r->spec,
                         .options = r->o,
                         .task = r->task,
                         .sink = {note, metric, r, r->o->where ? &r->o->where->balance : NULL},
                         .engine = &r->engine};
    if ((r->o->resume &&
         poise__state_phase(r->o->out, r->spec->nphase, &r->balancer.phase, err) < 0) ||
        poise__at_work_open(&r->balancer, err) < 0 ||
        poise__fingerprint(r->spec, r->data, &r->fingerprint, err) < 0 ||
        poise__folder(r->o->out, err) < 0)
        return -1;
    r->at.best = -INFINITY;
    if (r->o->resume && poise__state_read(r->o->out, &r->engine, &r->at, r->fingerprint, err) < 0)
        return -1;
    if (r->o->resume)
        note_checkpoint(r);
    r->before = r->at.seconds;
    char *text = poise_spec_resolved(r->spec, err);
    int status = text && clear(r, err) == 0 ? write_text(r, "spec.yaml", text, err) : -1;
    free(text);
    if (status < 0 || open_log(r, err) < 0)
        return -1;
    r->loader = poise_loader_new(r->data->train, r->spec->train.batch, 1, r->spec->train.seed,
                                 r->engine.threads > 1, err);
    if (!r->loader)
        return -1;
    poise_optimizer_run(r->engine.optimizer, (uint64_t)poise_loader_batches(r->loader) *
                                                 (uint64_t)r->spec->train.epochs);
    if (poise_loader_batches(r->loader) == 0)
        return poise_fail(err, POISE_E_DATA, r->spec->data.train_at, "there are no training rows");
    if (r->spec->train.diagnose) {
        const poise_dataset *d = r->data->valid ? r->data->valid : r->data->train;
        r->diagnosis = poise__diagnosis_new(&r->engine, d, err);
        if (!r->diagnosis && err->code != POISE_OK)
            return -1;
    }
    return r->o->resume ? 0 : save(r, err);
}

static void end(run *r)
{
    if (r->o->where)
        r->o->where->out = NULL;
    if (r->log)
        (void)fclose(r->log);
    poise_loader_free(r->loader);
    poise__diagnosis_free(r->diagnosis);
    poise__engine_close(&r->engine);
    poise__at_work_close(&r->balancer);
    free(r->figure);
    free((void *)r->task);
}

/* ---- training ---- */

static int stop(run *r, poise_error *err)
{
    if (save(r, err) < 0)
        return -1;
    return poise_fail(err, POISE_E_STOPPED, POISE_NOWHERE,
                      "stopped after step %llu; --resume %s continues",
                      (unsigned long long)r->at.step, r->o->out);
}

/* One batch of the epoch: its rows, 0 at the end of the epoch. */
static int64_t one_step(run *r, int64_t log_every, poise_error *err)
{
    poise_batch b;
    double from = clock_now(), now;
    double data = poise__profile_now(r->o->profile);
    int64_t rows = poise_loader_next(r->loader, &b, err);

    if (rows <= 0)
        return rows;
    poise__profile_add(r->o->profile, POISE_PART_DATA, &data);
    r->engine.training->host.epoch = r->at.epoch;
    if (poise__engine_step(&r->engine, &b, r->at.step, err) < 0)
        return -1;
    r->at.step++;
    r->at.batch++;
    r->at.samples += rows;
    now = clock_now();
    r->at.trained += now - from;
    if ((int64_t)r->at.step % log_every == 0) {
        if (poise__log_step(r->log, &r->engine, &r->at, &r->metrics, err) < 0)
            return -1;
        r->metrics.n = 0;
    }
    if (now - r->shown >= PROGRESS_SECONDS)
        tell(r, NULL, now);
    if (r->o->watch_balancer)
        poise__at_work_watch(&r->balancer, now);
    return rows;
}

/* Validation, the best epoch's model, a checkpoint. */
static int end_epoch(run *r, poise_error *err)
{
    const poise_dataset *valid = r->data->valid;
    int ntask = r->engine.training->host.ntask, best = 1;
    double monitor = NAN;

    r->at.epoch++;
    r->at.batch = 0;
    if (valid) {
        if (poise__figures(&r->engine, valid, r->figure, err) < 0)
            return -1;
        monitor = poise__monitor(&r->spec->train.monitor, ntask, r->figure);
        /* not known: no epoch is better than another, and the last one stands */
        best = r->at.best_epoch == 0 || isnan(monitor) || monitor > r->at.best;
        if (poise__log_epoch(r->log, &r->at, (int)r->at.epoch, ntask, r->figure, monitor, best,
                             err) < 0)
            return -1;
    }
    if (r->diagnosis && (poise__diagnosis_run(r->diagnosis, err) < 0 ||
                         poise__log_diagnosis(r->log, &r->at, r->diagnosis, err) < 0))
        return -1;
    r->at.since_best = best ? 0 : r->at.since_best + 1;
    if (best) {
        r->at.best_epoch = (int)r->at.epoch;
        r->at.best = monitor;
        if (poise__model_write(r->o->out, &r->engine, err) < 0)
            return -1;
    }
    if (save(r, err) < 0)
        return -1;
    tell(r,
         &(poise_progress){.epoch = (int)r->at.epoch - 1,
                           .ended = 1,
                           .figure = valid ? r->figure : NULL,
                           .monitor = monitor,
                           .best = best},
         clock_now());
    return 0;
}

static int train(run *r, poise_error *err)
{
    const poise_train_spec *t = &r->spec->train;
    int64_t batches = poise_loader_batches(r->loader);
    int64_t log_every = t->log_every > 0 ? t->log_every : batches < 20 ? 1 : batches / 20;

    while ((int)r->at.epoch < t->epochs && !(t->patience > 0 && r->at.since_best >= t->patience)) {
        int64_t rows;
        if (poise__at_work_follow(&r->balancer, r->at.epoch, err) < 0)
            return -1;
        poise_loader_seek(r->loader, r->at.epoch, r->at.batch);
        while ((rows = one_step(r, log_every, err)) > 0) {
            if (r->asked_to_stop || (r->o->stop_after && r->at.step >= r->o->stop_after))
                return stop(r, err);
            if (t->checkpoint_every > 0 && (int64_t)r->at.step % t->checkpoint_every == 0 &&
                save(r, err) < 0)
                return -1;
        }
        if (rows < 0 || end_epoch(r, err) < 0)
            return -1;
        if (r->asked_to_stop && (int)r->at.epoch < t->epochs)
            return stop(r, err);
    }
    return 0;
}

/* ---- the result: the best epoch's weights on the part that was kept aside ---- */

static int conclude(run *r, poise_result *result, poise_error *err)
{
    const poise_dataset *parts[] = {r->data->test, r->data->valid, r->data->train};
    const char *names[] = {"test", "valid", "train"};
    int part = parts[0] ? 0 : parts[1] ? 1 : 2, ntask = r->engine.training->host.ntask;

    if (poise__model_read(r->o->out, r->engine.store, err) < 0 ||
        poise__figures(&r->engine, parts[part], r->figure, err) < 0)
        return -1;
    *result = (poise_result){.seed = r->spec->train.seed,
                             .epochs = (int)r->at.epoch,
                             .best_epoch = r->at.best_epoch,
                             .part = names[part],
                             .ntask = ntask};
    result->seconds = r->before + clock_now() - r->begun;
    result->seconds_per_epoch = r->at.epoch ? result->seconds / r->at.epoch : 0;
    result->samples_per_second = r->at.trained > 0 ? (double)r->at.samples / r->at.trained : 0;
    result->arena = poise__arena_new(err);
    if (!result->arena)
        return -1;
    result->balancer =
        poise__arena_text(result->arena, poise_plugin_get(r->balancer.plugin)->id, err);
    result->task = poise__arena_alloc(result->arena, (size_t)ntask, sizeof *result->task, err);
    if (!result->balancer || !result->task)
        return -1;
    for (int t = 0; t < ntask; t++) {
        result->task[t] = r->figure[t];
        result->task[t].name = poise__arena_text(result->arena, r->figure[t].name, err);
        result->task[t].weight = r->engine.training->host.task_weight[t];
        if (!result->task[t].name)
            return -1;
    }
    char *text = poise_result_json(result, err);
    int status = text ? write_text(r, "result.json", text, err) : -1;
    free(text);
    return status;
}

int poise__run(const poise_spec *spec, const poise_data *data, const poise_train_options *o,
               poise_result *result, poise_error *err)
{
    run r = {.spec = spec, .data = data, .o = o};

    *result = (poise_result){0};
    int status = begin(&r, err);
    if (status == 0)
        status = train(&r, err);
    if (status == 0)
        status = conclude(&r, result, err);
    end(&r);
    if (status < 0)
        poise_result_done(result);
    return status;
}
