/* safetensors_read.c -- the reader: nothing in a file is believed. */
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "file.h"
#include "safetensors_format.h"

struct poise_safetensors {
    char *file;     /* its bytes; the tensors point into it */
    json_t *header; /* owns the names and the metadata */
    int n;
    poise_tensor *tensor; /* [n] in the order of the buffer */
    void **copy;          /* [n] of data that lies askew in the file, else NULL */
};

/* What the checks look at. */
struct reading {
    poise_safetensors *f;
    const char *path;
    const char *buffer;
    size_t size; /* of the buffer */
    poise_error *err;
};

POISE_FORMAT(2, 3) static int damaged(const struct reading *r, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return poise_fail(r->err, POISE_E_FORMAT, POISE_NOWHERE,
                      "%s is not a whole safetensors file: %s", r->path, text);
}

/* The header into f->header, and the buffer's place. */
static int read_header(struct reading *r, size_t bytes)
{
    const unsigned char *file = (const unsigned char *)r->f->file;
    json_error_t problem;
    uint64_t n = 0;

    if (bytes < POISE__HEADER_LENGTH)
        return damaged(r, "it has %zu bytes and none of them is a header", bytes);
    for (int k = POISE__HEADER_LENGTH; k-- > 0;)
        n = n << 8 | file[k];
    r->buffer = r->f->file + POISE__HEADER_LENGTH;
    r->size = bytes - POISE__HEADER_LENGTH;
    if (n > POISE__HEADER_MAX || n > r->size)
        return damaged(r,
                       "its header should have %" PRIu64 " bytes, but the file ends after %zu, and "
                       "%d are the most",
                       n, r->size, POISE__HEADER_MAX);
    r->f->header = json_loadb(r->buffer, (size_t)n, JSON_REJECT_DUPLICATES, &problem);
    if (!r->f->header && !problem.text[0]) /* jansson says nothing then */
        return poise_fail(r->err, POISE_E_MEMORY, POISE_NOWHERE, "%s: no memory for the header",
                          r->path);
    if (!r->f->header)
        return damaged(r, "its header is not JSON at byte %d: %s", problem.position, problem.text);
    if (!json_is_object(r->f->header))
        return damaged(r, "its header is not a JSON object");
    r->buffer += n;
    r->size -= (size_t)n;
    return 0;
}

static int check_metadata(const struct reading *r, json_t *meta)
{
    const char *key;
    json_t *value;

    if (!json_is_object(meta))
        return damaged(r, "%s is not an object", POISE__METADATA_KEY);
    json_object_foreach(meta, key, value)
    {
        if (!json_is_string(value))
            return damaged(r, "the metadata \"%s\" is not text", key);
    }
    return 0;
}

static int read_type(const struct reading *r, const char *name, const json_t *dtype,
                     poise_tensor_type *type)
{
    if (!json_is_string(dtype))
        return damaged(r, "tensor \"%s\" has no dtype that is text", name);
    for (int k = 0; k < POISE__TENSOR_TYPES; k++)
        if (strcmp(poise__tensor_types[k].name, json_string_value(dtype)) == 0) {
            *type = (poise_tensor_type)k;
            return 0;
        }
    return damaged(r, "tensor \"%s\" has the dtype \"%s\"; F32, F64, I32, I64 and U8 can be read",
                   name, json_string_value(dtype));
}

/* A JSON integer of 0 or more, or -1. */
static int64_t natural(const json_t *v)
{
    return json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v) : -1;
}

static int read_shape(const struct reading *r, const json_t *shape, poise_tensor *t)
{
    size_t rank = json_array_size(shape);

    if (!json_is_array(shape) || rank > POISE_MAX_RANK)
        return damaged(r, "tensor \"%s\" has no shape of up to %d dimensions", t->name,
                       (int)POISE_MAX_RANK);
    t->rank = (int)rank;
    for (size_t k = 0; k < rank; k++) {
        t->dim[k] = natural(json_array_get(shape, k));
        if (t->dim[k] < 0)
            return damaged(r, "dimension %zu of tensor \"%s\" is not an integer of 0 or more", k,
                           t->name);
    }
    return 0;
}

static int read_tensor(const struct reading *r, const char *name, const json_t *entry,
                       poise_tensor *t)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    int64_t from = natural(json_array_get(offsets, 0)), to = natural(json_array_get(offsets, 1));

    t->name = name;
    if (!json_is_object(entry))
        return damaged(r, "tensor \"%s\" is not an object", name);
    if (read_type(r, name, json_object_get(entry, "dtype"), &t->type) < 0 ||
        read_shape(r, json_object_get(entry, "shape"), t) < 0)
        return -1;
    if (json_array_size(offsets) != 2 || from < 0 || to < from)
        return damaged(r, "tensor \"%s\" has no data_offsets [begin, end]", name);
    if ((uint64_t)to > r->size)
        return damaged(r, "tensor \"%s\" ends at byte %" PRId64 " of a buffer of %zu", name, to,
                       r->size);
    if (poise__tensor_bytes(t, &t->bytes) < 0 || t->bytes != (uint64_t)(to - from))
        return damaged(r, "tensor \"%s\" has %" PRId64 " bytes, which is not what its shape makes",
                       name, to - from);
    t->data = r->buffer + from;
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const poise_tensor *x = a, *y = b;
    const char *p = x->data, *q = y->data;

    if (p != q)
        return p < q ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Sorted by place, each tensor begins where the one before ends. */
static int check_places(const struct reading *r)
{
    size_t end = 0;

    qsort(r->f->tensor, (size_t)r->f->n, sizeof *r->f->tensor, by_place);
    for (int k = 0; k < r->f->n; k++) {
        const poise_tensor *t = &r->f->tensor[k];
        size_t begin = (size_t)((const char *)t->data - r->buffer);

        if (begin != end)
            return damaged(r,
                           "tensor \"%s\" begins at byte %zu and %s: the one before it ends at %zu",
                           t->name, begin, begin < end ? "overlaps" : "leaves a gap", end);
        end = begin + t->bytes;
    }
    if (end != r->size)
        return damaged(r, "its tensors have %zu bytes, its buffer %zu", end, r->size);
    return 0;
}

/* Data is used as arrays of its type: move what does not lie so. */
static int align(const struct reading *r)
{
    poise_safetensors *f = r->f;

    for (int k = 0; k < f->n; k++) {
        poise_tensor *t = &f->tensor[k];

        if ((uintptr_t)t->data % poise_tensor_size(t->type) == 0)
            continue;
        f->copy[k] = poise__calloc(t->bytes, 1, r->err);
        if (!f->copy[k])
            return -1;
        memcpy(f->copy[k], t->data, t->bytes);
        t->data = f->copy[k];
    }
    return 0;
}

static int read_tensors(struct reading *r)
{
    poise_safetensors *f = r->f;
    size_t n = json_object_size(f->header);
    const char *name;
    json_t *entry;

    if (n > INT_MAX)
        return damaged(r, "it has %zu tensors", n);
    f->tensor = poise__calloc(n, sizeof *f->tensor, r->err);
    f->copy = f->tensor ? poise__calloc(n, sizeof *f->copy, r->err) : NULL;
    if (!f->copy)
        return -1;
    json_object_foreach(f->header, name, entry)
    {
        if (strcmp(name, POISE__METADATA_KEY) == 0) {
            if (check_metadata(r, entry) < 0)
                return -1;
        } else if (read_tensor(r, name, entry, &f->tensor[f->n++]) < 0) {
            return -1;
        }
    }
    return check_places(r) < 0 ? -1 : align(r);
}

poise_safetensors *poise_safetensors_read(const char *path, poise_error *err)
{
    poise_safetensors *f = poise__calloc(1, sizeof *f, err);
    struct reading r = {.f = f, .path = path, .err = err};
    size_t bytes;

    if (f && (f->file = poise__file_read(path, &bytes, err)) && read_header(&r, bytes) == 0 &&
        read_tensors(&r) == 0)
        return f;
    poise_safetensors_free(f);
    return NULL;
}

void poise_safetensors_free(poise_safetensors *f)
{
    if (!f)
        return;
    for (int k = 0; k < f->n; k++)
        free(f->copy[k]);
    free(f->copy);
    free(f->tensor);
    json_decref(f->header);
    free(f->file);
    free(f);
}

int poise_safetensors_count(const poise_safetensors *f)
{
    return f->n;
}

const poise_tensor *poise_safetensors_at(const poise_safetensors *f, int k)
{
    return &f->tensor[k];
}

const poise_tensor *poise_safetensors_find(const poise_safetensors *f, const char *name)
{
    for (int k = 0; k < f->n; k++)
        if (strcmp(f->tensor[k].name, name) == 0)
            return &f->tensor[k];
    return NULL;
}

const char *poise_safetensors_meta(const poise_safetensors *f, const char *key)
{
    return json_string_value(json_object_get(json_object_get(f->header, POISE__METADATA_KEY), key));
}
