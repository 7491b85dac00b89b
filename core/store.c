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

/* What a table's rows start from. */
typedef struct late {
    int64_t left;       /* rows that are not drawn */
    unsigned char *row; /* [dim[0]] bits: drawn; in the store's block of bits */
    uint64_t stream;
} late;

struct poise_store {
    poise__arena *arena; /* parameters, names, file names of places */
    poise_parameter **param;
    size_t count, cap;
    int *slot; /* [slots] handle + 1, 0: free; open addressing, slots is a power of two */
    size_t slots;
    float *weights, *gradients;                 /* NULL until sealed */
    void *weights_base, *gradients_base, *bits; /* to be freed */
    late *late;                                 /* [count] */
    uint64_t seed;
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
    free(s->weights_base);
    free(s->gradients_base);
    free(s->bits);
    free(s->late);
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
    case POISE_INIT_SPIKE:
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

/* Elements [from, from + n) of a parameter that starts at w. */
static void draw(float *w, const poise_parameter *p, uint64_t seed, uint64_t stream, int64_t from,
                 int64_t n)
{
    const poise_init *i = &p->init;
    double bound = i->value;

    if (i->kind == POISE_INIT_HE)
        bound = sqrt(6.0 / (double)i->fan_in);
    else if (i->kind == POISE_INIT_GLOROT)
        bound = sqrt(6.0 / ((double)i->fan_in + (double)i->fan_out));
    w += from;
    if (i->kind == POISE_INIT_CONSTANT)
        for (int64_t k = 0; k < n; k++)
            w[k] = (float)i->value;
    else if (i->kind == POISE_INIT_SPIKE)
        for (int64_t k = 0; k < n; k++)
            w[k] = (float)(from + k == i->at ? i->value : (1 - i->value) / (double)(p->count - 1));
    else if (i->kind == POISE_INIT_NORMAL)
        poise_random_normals(seed, stream, 0, (uint64_t)from, n, (float)bound, w);
    else if (i->kind != POISE_INIT_ZERO)
        poise_random_uniforms(seed, stream, 0, (uint64_t)from, n, (float)-bound, (float)bound, w);
}

/* Give every parameter its place. */
static int lay_out(poise_store *s, poise_error *err)
{
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
    return 0;
}

/* The streams, and a bit for every row of every table. */
static int prepare_tables(poise_store *s, poise_error *err)
{
    size_t bytes = 0;

    s->late = poise__calloc(s->count, sizeof *s->late, err);
    for (size_t k = 0; k < s->count; k++)
        if (s->param[k]->kind == POISE_TABLE)
            bytes += (size_t)s->param[k]->dim[0] / 8 + 1;
    s->bits = s->late ? poise__calloc(bytes, 1, err) : NULL;
    if (!s->bits)
        return -1;
    unsigned char *row = s->bits;
    for (size_t k = 0; k < s->count; k++) {
        const poise_parameter *p = s->param[k];
        const char *stream = poise__arena_printf(s->arena, err, "init/%s", p->name);
        if (!stream)
            return -1;
        s->late[k] = (late){.stream = poise_random_stream(stream)};
        if (p->kind != POISE_TABLE)
            continue;
        s->late[k].left = p->init.kind == POISE_INIT_ZERO ? 0 : p->dim[0];
        s->late[k].row = row;
        row += p->dim[0] / 8 + 1;
    }
    return 0;
}

int poise_store_seal(poise_store *s, uint64_t seed, poise_error *err)
{
    if (s->weights)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "the store is sealed already");
    if (lay_out(s, err) < 0 || prepare_tables(s, err) < 0)
        goto failed;
    s->gradients = poise__alloc_late(s->dense_size * sizeof(float), &s->gradients_base, err);
    if (!s->gradients)
        goto failed;
    s->weights = poise__alloc_late(s->size * sizeof(float), &s->weights_base, err);
    if (!s->weights)
        goto failed;
    poise__use_often(s->gradients, s->dense_size * sizeof(float));
    poise__use_often(s->weights, s->dense_size * sizeof(float));
    s->seed = seed;
    for (size_t k = 0; k < s->count; k++)
        if (s->param[k]->kind != POISE_TABLE)
            draw(s->weights + s->param[k]->offset, s->param[k], seed, s->late[k].stream, 0,
                 s->param[k]->count);
    return 0;
failed: /* as it was: it may be sealed again */
    free(s->late);
    free(s->bits);
    free(s->gradients_base);
    s->late = NULL;
    s->bits = NULL;
    s->gradients = NULL;
    s->gradients_base = NULL;
    return -1;
}

/* ---- rows drawn late ---- */

void poise__store_rows(poise_store *s, int index, int64_t n, const int32_t *id, int64_t stride)
{
    late *l = &s->late[index];
    const poise_parameter *p = s->param[index];
    const int64_t width = p->rank > 1 ? p->dim[1] : 1;

    for (int64_t k = 0; k < n && l->left > 0; k++) {
        const int64_t row = id[k * stride];
        if (row < 0 || row >= p->dim[0] || l->row[row / 8] >> (row % 8) & 1)
            continue;
        draw(s->weights + p->offset, p, s->seed, l->stream, row * width, width);
        l->row[row / 8] |= (unsigned char)(1U << (row % 8));
        l->left--;
    }
}

/* The rest of a table, in runs of rows as long as they are undrawn. */
static void draw_rest(poise_store *s, int index)
{
    late *l = &s->late[index];
    const poise_parameter *p = s->param[index];
    const int64_t width = p->rank > 1 ? p->dim[1] : 1;

    for (int64_t row = 0, end; row < p->dim[0] && l->left > 0; row = end + 1) {
        for (end = row; end < p->dim[0] && !(l->row[end / 8] >> (end % 8) & 1);)
            end++;
        draw(s->weights + p->offset, p, s->seed, l->stream, row * width, (end - row) * width);
        l->left -= end - row;
    }
}

void poise_store_draw(poise_store *s)
{
    for (int k = 0; s->weights && k < (int)s->count; k++)
        if (s->late[k].left > 0)
            draw_rest(s, k);
}

void poise__store_filled(poise_store *s)
{
    for (size_t k = 0; s->weights && k < s->count; k++)
        s->late[k].left = 0;
}

int64_t poise_store_undrawn(const poise_store *s, int index)
{
    return s->weights ? s->late[index].left : 0;
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
    if (s->weights && s->late[index].left > 0)
        draw_rest(s, index);
    return poise__store_place(s, index);
}

float *poise__store_place(poise_store *s, int index)
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
    poise_store_draw(s);
    return s->weights;
}

float *poise__store_slab(poise_store *s)
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
