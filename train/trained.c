#include "trained.h"

#include <stdio.h>
#include <string.h>
#include "checkpoint.h"

/* The run's own resolved spec. */
static poise_spec *read_spec(const char *folder, poise_error *err)
{
    char path[4096], text[POISE_ERROR_TEXT];
    poise_diagnostics *d = poise_diagnostics_new(err);
    int n = snprintf(path, sizeof path, "%s/spec.yaml", folder);

    if (!d)
        return NULL;
    poise_spec *spec = NULL;
    if (n < 0 || n >= (int)sizeof path)
        (void)poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of the run is too long");
    else if (!(spec = poise_spec_read_run(path, d)))
        (void)poise_fail(
            err, POISE_E_FORMAT, POISE_NOWHERE, "'%s' is not the folder of a run (%s)", folder,
            poise_diagnostics_count(d) ? poise_diagnostics_text(d, 0, text, sizeof text)
                                       : "spec.yaml cannot be read");
    poise_diagnostics_free(d);
    return spec;
}

/* The spec's layers name features and tasks by their index: those of the model must be the same. */
static int check_declared(const poise__trained_run *r, const char *folder, poise_error *err)
{
    const poise_schema *a = r->spec->schema, *b = r->schema;
    int same = a->nfeature == b->nfeature && a->ntask == b->ntask;

    for (int k = 0; same && k < a->nfeature; k++)
        same = strcmp(a->feature[k].name, b->feature[k].name) == 0 &&
               a->feature[k].kind == b->feature[k].kind && a->feature[k].dim == b->feature[k].dim;
    for (int k = 0; same && k < a->ntask; k++)
        same = strcmp(a->task[k].name, b->task[k].name) == 0 && a->task[k].kind == b->task[k].kind;
    return same ? 0
                : poise_fail(err, POISE_E_FORMAT, POISE_NOWHERE,
                             "%s: model.safetensors has other features or tasks than spec.yaml: "
                             "take both from one run",
                             folder);
}

int poise__trained_open(poise__trained_run *r, const char *folder, int threads, poise_error *err)
{
    *r = (poise__trained_run){.spec = read_spec(folder, err)};
    if (r->spec)
        r->schema = poise__model_schema(folder, err);
    if (!r->schema || check_declared(r, folder, err) < 0 ||
        poise__engine_open(&r->engine, r->spec, r->schema, NULL, NULL, r->spec->train.seed, threads,
                           err) < 0 ||
        poise__model_read(folder, r->engine.store, err) < 0) {
        poise__trained_close(r);
        return -1;
    }
    return 0;
}

void poise__trained_close(poise__trained_run *r)
{
    poise__engine_close(&r->engine);
    poise_schema_free(r->schema);
    poise_spec_free(r->spec);
    *r = (poise__trained_run){0};
}
