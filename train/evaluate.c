#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "figures.h"
#include "trained.h"
#include "trainer.h"

/* The data that the spec names must still teach what the model was trained with. */
static int same_schema(const poise__trained_run *run, poise_error *err)
{
    char *was = poise_schema_to_json(run->schema, err);
    char *is = poise_schema_to_json(run->spec->schema, err);
    int status = -1;

    if (was && is)
        status = strcmp(was, is) == 0
                     ? 0
                     : poise_fail(err, POISE_E_DATA, run->spec->data.train_at,
                                  "the training rows are not those that the model was trained on: "
                                  "they give other vocabularies or means");
    free(was);
    free(is);
    return status;
}

static int fill(poise__trained_run *run, const poise_dataset *d, const char *part, poise_result *r,
                poise_error *err)
{
    int ntask = run->schema->ntask;

    *r = (poise_result){.seed = run->spec->train.seed, .ntask = ntask};
    r->samples_per_second = r->seconds = r->seconds_per_epoch = NAN;
    r->arena = poise__arena_new(err);
    if (!r->arena)
        return -1;
    r->balancer = poise__arena_text(r->arena, run->spec->balancer.use, err);
    r->part = poise__arena_text(r->arena, part, err);
    r->task = poise__arena_alloc(r->arena, (size_t)ntask, sizeof *r->task, err);
    if (!r->balancer || !r->part || !r->task || poise__figures(&run->engine, d, r->task, err) < 0)
        return -1;
    for (int t = 0; t < ntask; t++) {
        r->task[t].name = poise__arena_text(r->arena, r->task[t].name, err);
        if (!r->task[t].name)
            return -1;
    }
    return 0;
}

int poise_evaluate(const char *folder, const char *part, int threads, poise_result *r,
                   poise_error *err)
{
    poise__trained_run run;
    poise_data data = {0};
    const poise_dataset *d = NULL;

    *r = (poise_result){0};
    if (poise__trained_open(&run, folder, threads, err) < 0)
        return -1;
    int status = poise_data_open(&run.spec->data, run.spec->schema, &data, err);
    if (status == 0)
        status = same_schema(&run, err);
    if (status == 0) {
        d = strcmp(part, "train") == 0   ? data.train
            : strcmp(part, "valid") == 0 ? data.valid
            : strcmp(part, "test") == 0  ? data.test
                                         : NULL;
        if (!d)
            status =
                poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                           "the run has no part '%s'; it may have train, valid and test", part);
    }
    if (status == 0)
        status = fill(&run, d, part, r, err);
    poise_data_done(&data);
    poise__trained_close(&run);
    if (status < 0)
        poise_result_done(r);
    return status;
}
