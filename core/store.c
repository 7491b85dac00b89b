/* store.c -- parameters by name: a hash from name to handle, and two slabs laid out at the seal. */
#include "store.h"
#include "memory.h"
#include "random.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAD = 16 }; /* floats: 64 bytes */

struct poise_store {
    poise__arena *arena; /* parameters, names, file names of places */
    poise_parameter **param;
    size_t count, cap;
    int *slot; /* [slots] handle + 1, 0: free; open addressing, slots is a power of two */
    size_t slots;
    float *weights, *gradients; /* NULL until sealed */
    size_t size, dense_size;
};

poise_store *poise_store_new(poise_error *err)
{
    poise_store *s = poise__calloc(1, sizeof *s, err);
    if (s && !(s->arena = poise__arena_new(err))) {
        free(s);
        s = NULL;
    }
    return s;
}

void poise_store_free(poise_store *s)
{
    if (!s)
        return;
    poise__arena_free(s->arena);
    free(s->param);
    free(s->slot);
    free(s->weights);
    free(s->gradients);
    free(s);
}

/* The slot that holds `name`, or the free one where it would go.  slots > count. */
static size_t seek(const poise_store *s, const char *name)
{
    size_t k = (size_t)poise_random_stream(name) & (s->slots - 1);
    while (s->slot[k] && strcmp(s->param[s->slot[k] - 1]->name, name) != 0)
        k = (k + 1) & (s->slots - 1);
    return k;
}

int poise_store_find(const poise_store *s, const char *name)
{
    return s->slots ? s->slot[seek(s, name)] - 1 : -1;
}

static int make_room(poise_store *s, poise_error *err)
{
    poise_parameter **p = poise__grow(s->param, &s->cap, s->count + 1, sizeof(*s->param), err);
    if (!p)
        return -1;
    s->param = p;
    if (s->count * 2 < s->slots)
        return 0;
    size_t old = s->slots;
    int *slot = poise__calloc(old ? old * 2 : 64, sizeof *slot, err);
    if (!slot)
        return -1;
    free(s->slot);
    s->slot = slot;
    s->slots = old ? old * 2 : 64;
    for (size_t k = 0; k < s->count; k++)
        slot[seek(s, s->param[k]->name)] = (int)k + 1;
    return 0;
}

static const char *const kind_names[] = {
    [POISE_DENSE] = "dense", [POISE_STATE] = "state", [POISE_TABLE] = "table"};

static const char *shape_text(int rank, const int64_t *dim, char *buf, size_t size)
{
    size_t at = 0;
    for (int k = 0; k < rank && at < size; k++)
        at += (size_t)snprintf(buf + at, size - at, "%s%lld", k ? ", " : "[", (long long)dim[k]);
    if (at < size)
        snprintf(buf + at, size - at, "]");
    return buf;
}

/* Elements of a shape, or -1: a bad one. */
static int64_t count_of(const char *name, int rank, const int64_t *dim, poise_place place,
                        poise_error *err)
{
    int64_t n = 1;
    if (rank < 1 || rank > POISE_MAX_RANK)
        return poise_fail(err, POISE_E_SHAPE, place,
                          "parameter \"%s\" has %d dimensions; 1 to %d "
                          "are possible",
                          name, rank, (int)POISE_MAX_RANK);
    for (int k = 0; k < rank; k++) {
        if (dim[k] < 1)
            return poise_fail(err, POISE_E_SHAPE, place,
                              "dimension %d of parameter \"%s\" is "
                              "%lld; it must be 1 or more",
                              k, name, (long long)dim[k]);
        if (dim[k] > INT64_MAX / (int64_t)sizeof(float) / n)
            return poise_fail(err, POISE_E_SHAPE, place,
                              "parameter \"%s\" is larger than this "
                              "machine can address; make it smaller",
                              name);
        n *= dim[k];
    }
    return n;
}

static int check_init(const char *name, const poise_init *init, poise_place place, poise_error *err)
{
    switch (init->kind) {
    case POISE_INIT_ZERO:
        return 0;
    case POISE_INIT_CONSTANT:
    case POISE_INIT_UNIFORM:
    case POISE_INIT_NORMAL:
        if (isfinite(init->value) && (init->kind == POISE_INIT_CONSTANT || init->value >= 0))
            return 0;
        return poise_fail(err, POISE_E_SPEC, place,
                          "parameter \"%s\" is to start from %g; a "
                          "finite number%s is wanted",
                          name, init->value,
                          init->kind == POISE_INIT_CONSTANT ? "" : " of 0 or more");
    case POISE_INIT_HE:
    case POISE_INIT_GLOROT:
        if (init->fan_in > 0 && (init->kind == POISE_INIT_HE || init->fan_out > 0))
            return 0;
        return poise_fail(err, POISE_E_SPEC, place,
                          "parameter \"%s\" has fan-in %lld and fan-out "
                          "%lld; its initialisation needs them to be 1 or more",
                          name, (long long)init->fan_in, (long long)init->fan_out);
    }
    return poise_fail(err, POISE_E_SPEC, place, "parameter \"%s\" has an unknown initialisation %d",
                      name, (int)init->kind);
}

/* An existing parameter asked for again: its handle if kind and shape agree. */
static int again(const poise_store *s, int index, poise_param_kind kind, int rank,
                 const int64_t *dim, poise_place place, poise_error *err)
{
    const poise_parameter *p = s->param[index];
    if (p->kind == kind && p->rank == rank && memcmp(p->dim, dim, (size_t)rank * sizeof *dim) == 0)
        return index;
    char have[128], want[128];
    return poise_fail(err, POISE_E_SHAPE, place,
                      "parameter \"%s\" exists as %s %s and is wanted as "
                      "%s %s; give one of the two another name",
                      p->name, kind_names[p->kind], shape_text(p->rank, p->dim, have, sizeof have),
                      kind_names[kind], shape_text(rank, dim, want, sizeof want));
}

int poise_store_add(poise_store *s, const char *name, poise_param_kind kind, int rank,
                    const int64_t *dim, poise_init init, poise_place place, poise_error *err)
{
    int64_t count = count_of(name, rank, dim, place, err);
    if (count < 0)
        return -1;
    if ((unsigned)kind > POISE_TABLE)
        return poise_fail(err, POISE_E_SPEC, place, "parameter \"%s\" is of the unknown kind %d",
                          name, (int)kind);
    int found = poise_store_find(s, name);
    if (found >= 0)
        return again(s, found, kind, rank, dim, place, err);
    if (s->weights)
        return poise_fail(err, POISE_E_SPEC, place,
                          "parameter \"%s\" is not among the %zu of this "
                          "model, whose memory is laid out already; add it before the store is "
                          "sealed",
                          name, s->count);
    if (kind == POISE_TABLE && rank != 2)
        return poise_fail(err, POISE_E_SHAPE, place,
                          "table \"%s\" has %d dimensions; a table has "
                          "2, rows and width",
                          name, rank);
    if (check_init(name, &init, place, err) < 0)
        return -1;
    if (s->count >= INT32_MAX - 1)
        return poise_fail(err, POISE_E_SPEC, place, "there are too many parameters");
    if (make_room(s, err) < 0)
        return -1;
    poise_parameter *p = poise__arena_alloc(s->arena, 1, sizeof *p, err);
    if (!p || !(p->name = poise__arena_text(s->arena, name, err)))
        return -1;
    if (place.file && !(place.file = poise__arena_text(s->arena, place.file, err)))
        return -1;
    p->kind = kind;
    p->rank = rank;
    memcpy(p->dim, dim, (size_t)rank * sizeof *dim);
    p->count = count;
    p->init = init;
    p->place = place;
    int index = (int)s->count;
    s->param[s->count] = p;
    s->slot[seek(s, name)] = index + 1;
    s->count++;
    return index;
}

static void draw(float *w, const poise_parameter *p, uint64_t seed, uint64_t stream)
{
    const poise_init *i = &p->init;
    double bound = i->value;
    if (i->kind == POISE_INIT_HE)
        bound = sqrt(6.0 / (double)i->fan_in);
    else if (i->kind == POISE_INIT_GLOROT)
        bound = sqrt(6.0 / ((double)i->fan_in + (double)i->fan_out));
    for (int64_t k = 0; k < p->count; k++) {
        uint64_t at = (uint64_t)k;
        if (i->kind == POISE_INIT_CONSTANT)
            w[k] = (float)i->value;
        else if (i->kind == POISE_INIT_NORMAL)
            w[k] = (float)(bound * poise_random_normal(seed, stream, 0, at));
        else if (i->kind != POISE_INIT_ZERO)
            w[k] = (float)(bound * (2 * poise_random_uniform(seed, stream, 0, at) - 1));
    }
}

int poise_store_seal(poise_store *s, uint64_t seed, poise_error *err)
{
    if (s->weights)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "the store is sealed already");
    const size_t limit = SIZE_MAX / 2 / sizeof(float) - PAD; /* floats */
    size_t at = 0;
    for (poise_param_kind kind = POISE_DENSE; kind <= POISE_TABLE; kind++) {
        for (size_t k = 0; k < s->count; k++) {
            poise_parameter *p = s->param[k];
            if (p->kind != kind)
                continue;
            p->offset = at;
            size_t n = (size_t)p->count;
            if (n > limit || at > limit - n)
                return poise_fail(err, POISE_E_MEMORY, p->place,
                                  "all parameters together are "
                                  "larger than this machine can address, at \"%s\"",
                                  p->name);
            at += (n + PAD - 1) / PAD * PAD;
        }
        if (kind == POISE_DENSE)
            s->dense_size = at;
    }
    s->size = at;
    float *weights = poise__alloc_aligned(at * sizeof(float), err);
    float *gradients = weights ? poise__alloc_aligned(s->dense_size * sizeof(float), err) : NULL;
    if (!gradients) {
        free(weights);
        return -1;
    }
    for (size_t k = 0; k < s->count; k++) {
        const poise_parameter *p = s->param[k];
        char *stream = poise__arena_printf(s->arena, err, "init/%s", p->name);
        if (!stream) {
            free(weights);
            free(gradients);
            return -1;
        }
        draw(weights + p->offset, p, seed, poise_random_stream(stream));
    }
    s->weights = weights;
    s->gradients = gradients;
    return 0;
}

int poise_store_sealed(const poise_store *s)
{
    return s->weights != NULL;
}

int poise_store_count(const poise_store *s)
{
    return (int)s->count;
}

const poise_parameter *poise_store_at(const poise_store *s, int index)
{
    return s->param[index];
}

float *poise_store_weight(poise_store *s, int index)
{
    return s->weights ? s->weights + s->param[index]->offset : NULL;
}

float *poise_store_gradient(poise_store *s, int index)
{
    const poise_parameter *p = s->param[index];
    return s->gradients && p->kind == POISE_DENSE ? s->gradients + p->offset : NULL;
}

float *poise_store_weights(poise_store *s)
{
    return s->weights;
}

float *poise_store_gradients(poise_store *s)
{
    return s->gradients;
}

size_t poise_store_size(const poise_store *s)
{
    return s->size;
}

size_t poise_store_dense_size(const poise_store *s)
{
    return s->dense_size;
}
