#include "checkpoint.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include "../core/memory.h"
#include "../core/random.h"
#include "safetensors.h"

enum { MOST_SLABS = 4, POSITION = 7, PATH_SIZE = 4096 };

static int path_in(const char *folder, const char *name, char *path, poise_error *err)
{
    int n = snprintf(path, PATH_SIZE, "%s/%s", folder, name);
    return n > 0 && n < PATH_SIZE
               ? 0
               : poise_fail(err, POISE_E_SYSTEM, POISE_NOWHERE, "the path of a folder is too long");
}

int poise__fingerprint(const poise_spec *spec, const poise_data *data, uint64_t *fingerprint,
                       poise_error *err)
{
    poise_spec same = *spec;
    char rows[64];

    /* the length of the run decides the rates of a cosine that goes to its end */
    if (spec->train.schedule.decay != POISE_COSINE || spec->train.schedule.steps > 0)
        same.train.epochs = 1;
    same.train.patience = 0;
    same.train.threads = 0;
    same.train.diagnose = 0;
    same.train.log_every = 0;
    same.train.checkpoint_every = 0;
    char *text = poise_spec_resolved(&same, err);
    if (!text)
        return -1;
    (void)snprintf(rows, sizeof rows, "%" PRId64, poise_dataset_rows(data->train));
    *fingerprint = poise_random_stream(text) ^ poise_random_stream(rows);
    free(text);
    return 0;
}

/* ---- state ---- */

typedef struct tensors {
    poise_tensor of[10 + MOST_SLABS];
    char name[MOST_SLABS][48];
    int n;
} tensors;

static void put(tensors *t, const char *name, poise_tensor_type type, int64_t rows, int64_t columns,
                const void *data, size_t each)
{
    poise_tensor *x = &t->of[t->n++];
    *x = (poise_tensor){.name = name,
                        .type = type,
                        .rank = columns ? 2 : 1,
                        .dim = {rows, columns},
                        .data = data,
                        .bytes = (size_t)rows * (size_t)(columns ? columns : 1) * each};
}

/* Before the first step the weights follow from the seed and the moments are 0. */
static void describe(const poise__engine *e, const int64_t *position, const double *figures,
                     int begun, tensors *t, uint32_t *version)
{
    int64_t size = (int64_t)poise_store_size(e->store);
    const poise__host *h = &e->training->host;
    const poise__element *by = &e->training->element;
    size_t bytes;
    const void *state = poise_balance_state(e->training->host.balance, &bytes, version);

    if (begun)
        put(t, "weights", POISE_TENSOR_F32, size, 0, poise_store_weights(e->store), sizeof(float));
    for (int k = 0; begun && k < poise_optimizer_slabs(e->optimizer); k++) {
        const char *name;
        size_t count;
        const float *slab = poise_optimizer_slab(e->optimizer, k, &name, &count);
        (void)snprintf(t->name[k], sizeof t->name[k], "optimizer/%s", name);
        put(t, t->name[k], POISE_TENSOR_F32, (int64_t)count, 0, slab, sizeof(float));
    }
    put(t, "balancer/state", POISE_TENSOR_U8, (int64_t)bytes, 0, state, 1);
    put(t, "balancer/weight", POISE_TENSOR_F64, h->nweight, 0, poise_balance_weight(h->balance),
        sizeof(double));
    if (by->nkeep)
        put(t, "balancer/keep", POISE_TENSOR_F32, by->nkeep, (int64_t)by->total, by->keep,
            sizeof(float));
    put(t, "host/memory", POISE_TENSOR_F64, h->nmemory, 0, h->memory, sizeof(double));
    put(t, "host/weight", POISE_TENSOR_F64, h->nweight, 0, h->weight, sizeof(double));
    put(t, "position", POISE_TENSOR_I64, POSITION, 0, position, sizeof(int64_t));
    put(t, "figures", POISE_TENSOR_F64, 3, 0, figures, sizeof(double));
}

int poise__state_write(const char *folder, const poise__engine *e, const poise__position *p,
                       uint64_t fingerprint, poise_error *err)
{
    int64_t position[POSITION] = {p->epoch,      p->batch,   (int64_t)p->step, p->best_epoch,
                                  p->since_best, p->samples, p->phase};
    double figures[3] = {p->best, p->seconds, p->trained};
    char path[PATH_SIZE], print[24], version[16];
    uint32_t number;
    tensors t = {.n = 0};

    describe(e, position, figures, p->step > 0, &t, &number);
    (void)snprintf(print, sizeof print, "%016" PRIx64, fingerprint);
    (void)snprintf(version, sizeof version, "%" PRIu32, number);
    poise_metadata meta[] = {
        {"balancer", poise_plugin_get(poise_balance_plugin(e->training->host.balance))->id},
        {"balancer.version", version},
        {"fingerprint", print},
    };
    if (path_in(folder, "state.safetensors", path, err) < 0)
        return -1;
    return poise_safetensors_write(path, t.n, t.of, 3, meta, err);
}

/* Copy a tensor of the file over what it was written from. */
static int take(const poise_safetensors *f, const char *path, const poise_tensor *want, void *to,
                poise_error *err)
{
    const poise_tensor *x = poise_safetensors_find(f, want->name);

    if (!x || x->type != want->type || x->bytes != want->bytes)
        return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                          "'%s' is %s; the state was written by another model or version",
                          want->name, x ? "of another size" : "missing");
    if (x->bytes)
        memcpy(to, x->data, x->bytes);
    return 0;
}

/* The steps that the run has behind it; -1 where the file does not say. */
static int64_t steps_of(const poise_safetensors *f)
{
    const poise_tensor *t = poise_safetensors_find(f, "position");
    return t && t->type == POISE_TENSOR_I64 && t->bytes == POSITION * sizeof(int64_t)
               ? ((const int64_t *)t->data)[2]
               : -1;
}

static int restore(poise__engine *e, const poise_safetensors *f, const char *path,
                   poise__position *p, poise_error *err)
{
    int64_t position[POSITION];
    double figures[3];
    uint32_t unused;
    tensors t = {.n = 0};
    const poise_tensor *state = poise_safetensors_find(f, "balancer/state");
    const poise_tensor *weight = poise_safetensors_find(f, "balancer/weight");
    const char *version = poise_safetensors_meta(f, "balancer.version");

    if (!state || state->type != POISE_TENSOR_U8 || !weight || weight->type != POISE_TENSOR_F64 ||
        weight->bytes != (size_t)e->training->host.nweight * sizeof(double) || !version)
        return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                          "the balancer's state is missing or of another number of tasks");
    const int begun = steps_of(f) != 0;
    if (begun)
        poise__store_filled(e->store);
    describe(e, position, figures, begun, &t, &unused);
    for (int k = 0; k < t.n; k++) {
        const poise_tensor *want = &t.of[k];
        if (strcmp(want->name, state->name) == 0 || strcmp(want->name, weight->name) == 0)
            continue; /* the balancer takes these itself */
        if (take(f, path, want, (void *)(uintptr_t)want->data, err) < 0)
            return -1;
    }
    double *last = poise__calloc((size_t)e->training->host.nweight, sizeof *last, err);
    if (!last)
        return -1;
    memcpy(last, weight->data, weight->bytes);
    int status =
        poise_balance_restore(e->training->host.balance, (uint32_t)strtoul(version, NULL, 10),
                              state->data, state->bytes, last, err);
    free(last);
    if (position[0] < 0 || position[1] < 0 || position[2] < 0)
        return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                          "the position in the data is negative");
    *p = (poise__position){.epoch = (uint32_t)position[0],
                           .batch = position[1],
                           .step = (uint64_t)position[2],
                           .best_epoch = (int)position[3],
                           .since_best = (int)position[4],
                           .samples = position[5],
                           .phase = (int)position[6],
                           .best = figures[0],
                           .seconds = figures[1],
                           .trained = figures[2]};
    return status;
}

int poise__state_phase(const char *folder, int nphase, int *phase, poise_error *err)
{
    char path[PATH_SIZE];
    poise_safetensors *f;

    if (path_in(folder, "state.safetensors", path, err) < 0 ||
        !(f = poise_safetensors_read(path, err)))
        return -1;
    const poise_tensor *t = poise_safetensors_find(f, "position");
    int64_t at = -1;
    if (t && t->type == POISE_TENSOR_I64 && t->bytes == POSITION * sizeof(int64_t))
        at = ((const int64_t *)t->data)[6];
    poise_safetensors_free(f);
    if (at < 0 || at >= nphase)
        return poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                          "the state says nothing of its place in the schedule of %d balancers",
                          nphase);
    *phase = (int)at;
    return 0;
}

int poise__state_read(const char *folder, poise__engine *e, poise__position *p,
                      uint64_t fingerprint, poise_error *err)
{
    char path[PATH_SIZE], print[24];
    const char *id = poise_plugin_get(poise_balance_plugin(e->training->host.balance))->id;
    poise_safetensors *f;
    int status;

    if (path_in(folder, "state.safetensors", path, err) < 0 ||
        !(f = poise_safetensors_read(path, err)))
        return -1;
    const char *was = poise_safetensors_meta(f, "balancer");
    const char *found = poise_safetensors_meta(f, "fingerprint");
    (void)snprintf(print, sizeof print, "%016" PRIx64, fingerprint);
    if (!was || strcmp(was, id) != 0)
        status =
            poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                       "the run was trained with balancer '%s', not '%s'", was ? was : "?", id);
    else if (!found || strcmp(found, print) != 0)
        status = poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                            "the run was trained with another spec or other data; only epochs "
                            "(but with a cosine to the end), patience, threads and intervals may "
                            "change on a resume (see spec.yaml in its folder)");
    else
        status = restore(e, f, path, p, err);
    poise_safetensors_free(f);
    return status;
}

/* ---- model ---- */

/* The sum over the tensors of the CRC-32 of name and bytes, whatever their order; as text. */
static void checksum(int n, const poise_tensor *const *t, char text[24])
{
    uint64_t sum = 0;

    for (int k = 0; k < n; k++) {
        uLong crc = crc32_z(0, (const Bytef *)t[k]->name, strlen(t[k]->name) + 1);
        sum += t[k]->bytes ? crc32_z(crc, t[k]->data, t[k]->bytes) : crc;
    }
    (void)snprintf(text, 24, "%016" PRIx64, sum);
}

/* Bytes that changed on the way are noticed before anything is scored with them. */
static int check_sum(const poise_safetensors *f, const char *path, poise_error *err)
{
    const char *was = poise_safetensors_meta(f, "poise.checksum");
    int n = poise_safetensors_count(f);
    const poise_tensor **t = was ? poise__calloc((size_t)n, sizeof *t, err) : NULL;
    char text[24];

    if (!was) /* made by another program */
        return 0;
    if (!t)
        return -1;
    for (int k = 0; k < n; k++)
        t[k] = poise_safetensors_at(f, k);
    checksum(n, t, text);
    free((void *)t);
    return strcmp(was, text) == 0
               ? 0
               : poise_fail(
                     err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                     "the weights are not those that were written: their checksum is %s, not "
                     "%s; take the file anew from where it was made (or remove "
                     "'poise.checksum' from its metadata if it was changed on purpose)",
                     text, was);
}

int poise__model_write(const char *folder, const poise__engine *e, poise_error *err)
{
    int n = poise_store_count(e->store), status = -1;
    char path[PATH_SIZE];
    poise_tensor *t = poise__calloc((size_t)n, sizeof *t, err);
    const poise_tensor **all = poise__calloc((size_t)n, sizeof *all, err);
    char *schema = poise_schema_to_json(e->schema, err);
    poise_spec anywhere = *e->spec; /* the file does not depend on the machine's threads */
    anywhere.train.threads = 0;
    char *spec = poise_spec_resolved(&anywhere, err);

    if (t && all && schema && spec && path_in(folder, "model.safetensors", path, err) == 0) {
        char sum[24];
        poise_metadata meta[] = {
            {"poise.schema", schema}, {"poise.spec", spec}, {"poise.checksum", sum}};
        for (int k = 0; k < n; k++) {
            const poise_parameter *p = poise_store_at(e->store, k);
            t[k] = (poise_tensor){.name = p->name,
                                  .type = POISE_TENSOR_F32,
                                  .rank = p->rank,
                                  .data = poise_store_weight(e->store, k),
                                  .bytes = (size_t)p->count * sizeof(float)};
            memcpy(t[k].dim, p->dim, sizeof t[k].dim);
            all[k] = &t[k];
        }
        checksum(n, all, sum);
        status = poise_safetensors_write(path, n, t, 3, meta, err);
    }
    free(t);
    free((void *)all);
    free(schema);
    free(spec);
    return status;
}

int poise__model_read(const char *folder, poise_store *s, poise_error *err)
{
    char path[PATH_SIZE];
    poise_safetensors *f;
    int status = 0;

    if (path_in(folder, "model.safetensors", path, err) < 0 ||
        !(f = poise_safetensors_read(path, err)))
        return -1;
    status = check_sum(f, path, err);
    if (status == 0)
        poise__store_filled(s);
    for (int k = 0; status == 0 && k < poise_store_count(s); k++) {
        const poise_parameter *p = poise_store_at(s, k);
        poise_tensor want = {
            .name = p->name, .type = POISE_TENSOR_F32, .bytes = (size_t)p->count * sizeof(float)};
        status = take(f, path, &want, poise_store_weight(s, k), err);
    }
    poise_safetensors_free(f);
    return status;
}

poise_schema *poise__model_schema(const char *folder, poise_error *err)
{
    char path[PATH_SIZE];
    poise_safetensors *f;
    poise_schema *s = NULL;

    if (path_in(folder, "model.safetensors", path, err) < 0 ||
        !(f = poise_safetensors_read(path, err)))
        return NULL;
    const char *text = poise_safetensors_meta(f, "poise.schema");
    if (text)
        s = poise_schema_from_json(text, err);
    else
        (void)poise_fail(err, POISE_E_FORMAT, (poise_place){path, 0, 0},
                         "the file holds no schema ('poise.schema'): it is not a Poise model");
    poise_safetensors_free(f);
    return s;
}
