#include "safetensors.h"
#include <inttypes.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "file.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors buffers are little endian, and so must the machine be"
#endif

enum { LENGTH = 8, ALIGN = 64 };
static const uint64_t max_header = 100000000;
static const char metadata_key[] = "__metadata__";

static const struct type {
    const char *name;
    size_t size;
} types[] = {
    [POISE_TENSOR_F32] = {"F32", 4}, [POISE_TENSOR_F64] = {"F64", 8},
    [POISE_TENSOR_I32] = {"I32", 4}, [POISE_TENSOR_I64] = {"I64", 8},
    [POISE_TENSOR_U8] = {"U8", 1},
};
enum { TYPES = sizeof types / sizeof *types };

size_t poise_tensor_size(poise_tensor_type t)
{
    return (unsigned)t < TYPES ? types[t].size : 0;
}

/* product(shape) * size into *bytes: 0, or -1 where a dimension is negative or it overflows. */
static int tensor_bytes(const poise_tensor *t, size_t *bytes)
{
    size_t product = poise_tensor_size(t->type);
    int zero = 0;

    for (int k = 0; k < t->rank; k++) {
        if (t->dim[k] < 0)
            return -1;
        if (t->dim[k] == 0) {
            zero = 1;
            continue;
        }
        if ((uint64_t)t->dim[k] > SIZE_MAX / product)
            return -1;
        product *= (size_t)t->dim[k];
    }
    *bytes = zero ? 0 : product;
    return 0;
}

/* ---- writing ---- */

static int check_tensor(const char *path, const poise_tensor *t, poise_error *err)
{
    size_t bytes = 0;

    if (!t->name || strcmp(t->name, metadata_key) == 0)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%s: a tensor cannot be called \"%s\"",
                          path, t->name ? t->name : "");
    if (poise_tensor_size(t->type) == 0 || t->rank < 0 || t->rank > POISE_MAX_RANK)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "%s: tensor \"%s\" has type %d and rank %d; there are %d types and up to "
                          "%d dimensions",
                          path, t->name, (int)t->type, t->rank, TYPES, (int)POISE_MAX_RANK);
    if (tensor_bytes(t, &bytes) < 0 || bytes != t->bytes || (bytes && !t->data))
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "%s: tensor \"%s\" comes with %zu bytes, its shape makes %zu", path,
                          t->name, t->bytes, bytes);
    return 0;
}

/* One entry of the header; -1 where jansson refuses: a text that is not UTF-8, no memory. */
static int add_entry(json_t *header, const poise_tensor *t, size_t begin)
{
    json_t *entry, *shape = json_array();

    for (int k = 0; k < t->rank; k++)
        if (json_array_append_new(shape, json_integer(t->dim[k])) < 0)
            goto fail;
    entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", types[t->type].name, "shape", shape,
                      "data_offsets", (json_int_t)begin, (json_int_t)(begin + t->bytes));
    return entry ? json_object_set_new(header, t->name, entry) : -1;
fail:
    json_decref(shape);
    return -1;
}

static int add_metadata(json_t *header, int n, const poise_metadata *meta)
{
    json_t *texts = json_object();

    for (int k = 0; k < n; k++)
        if (json_object_get(texts, meta[k].key) ||
            json_object_set_new(texts, meta[k].key, json_string(meta[k].value)) < 0) {
            json_decref(texts);
            return -1;
        }
    return n ? json_object_set_new(header, metadata_key, texts) : (json_decref(texts), 0);
}

/* Largest elements first; equal ones stay in order. */
static void arrange(int n, const poise_tensor *t, const poise_tensor **order)
{
    int used = 0;

    for (size_t size = 8; size > 0; size /= 2)
        for (int k = 0; k < n; k++)
            if (poise_tensor_size(t[k].type) == size)
                order[used++] = &t[k];
}

/* The header's JSON, padded to where the buffer may start; malloc'd. */
static char *make_header(const char *path, int n, const poise_tensor *const *order, int nmeta,
                         const poise_metadata *meta, size_t *bytes, poise_error *err)
{
    json_t *header = json_object();
    char *text = NULL, *padded = NULL;
    size_t begin = 0, length;

    if (add_metadata(header, nmeta, meta) < 0) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "%s: the metadata is not UTF-8, or has a key twice", path);
        goto done;
    }
    for (int k = 0; k < n; k++) {
        if (json_object_get(header, order[k]->name)) {
            poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%s: there are two tensors \"%s\"", path,
                       order[k]->name);
            goto done;
        }
        if (order[k]->bytes > INT64_MAX - begin || add_entry(header, order[k], begin) < 0) {
            poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                       "%s: the name of tensor %d is not UTF-8, or its data too large", path, k);
            goto done;
        }
        begin += order[k]->bytes;
    }
    text = json_dumps(header, JSON_COMPACT);
    length = text ? strlen(text) : 0;
    *bytes = (LENGTH + length + ALIGN - 1) / ALIGN * ALIGN - LENGTH;
    if (!text)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "%s: no memory for the header", path);
    else if (*bytes > max_header)
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "%s: the header has %zu bytes; no reader takes more than %" PRIu64, path, *bytes,
                   max_header);
    else if ((padded = poise__calloc(*bytes + 1, 1, err))) {
        memset(padded, ' ', *bytes);
        memcpy(padded, text, length);
    }
done:
    free(text);
    json_decref(header);
    return padded;
}

int poise_safetensors_write(const char *path, int ntensor, const poise_tensor *tensor, int nmeta,
                            const poise_metadata *meta, poise_error *err)
{
    const poise_tensor **order = poise__calloc((size_t)ntensor, sizeof *order, err);
    poise__piece *piece = poise__calloc((size_t)ntensor + 2, sizeof *piece, err);
    unsigned char length[LENGTH];
    char *header = NULL;
    size_t bytes;
    int status = -1;

    if (!order || !piece)
        goto done;
    for (int k = 0; k < ntensor; k++)
        if (check_tensor(path, &tensor[k], err) < 0)
            goto done;
    arrange(ntensor, tensor, order);
    header = make_header(path, ntensor, order, nmeta, meta, &bytes, err);
    if (!header)
        goto done;
    for (int k = 0; k < LENGTH; k++)
        length[k] = (unsigned char)((uint64_t)bytes >> 8 * k & 0xff);
    piece[0] = (poise__piece){length, LENGTH};
    piece[1] = (poise__piece){header, bytes};
    for (int k = 0; k < ntensor; k++)
        piece[k + 2] = (poise__piece){order[k]->data, order[k]->bytes};
    status = poise__file_replace(path, ntensor + 2, piece, err);
done:
    free(header);
    free(piece);
    free(order);
    return status;
}

/* ---- reading ---- */

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

/* The header's text, the buffer's place; everything in f->header from here on. */
static int read_header(struct reading *r, size_t bytes)
{
    const unsigned char *file = (const unsigned char *)r->f->file;
    json_error_t problem;
    uint64_t n = 0;

    if (bytes < LENGTH)
        return damaged(r, "it has %zu bytes and none of them is a header", bytes);
    for (int k = LENGTH; k-- > 0;)
        n = n << 8 | file[k];
    if (n > max_header || n > bytes - LENGTH)
        return damaged(r,
                       "its header should have %" PRIu64 " bytes, but the file ends after %zu, and "
                       "%" PRIu64 " are the most",
                       n, bytes - LENGTH, max_header);
    r->f->header = json_loadb(r->f->file + LENGTH, (size_t)n, JSON_REJECT_DUPLICATES, &problem);
    if (!r->f->header)
        return damaged(r, "its header is not JSON at byte %d: %s", problem.position, problem.text);
    if (!json_is_object(r->f->header))
        return damaged(r, "its header is not a JSON object");
    r->buffer = r->f->file + LENGTH + n;
    r->size = bytes - LENGTH - (size_t)n;
    return 0;
}

static int check_metadata(const struct reading *r, json_t *meta)
{
    const char *key;
    json_t *value;

    if (!json_is_object(meta))
        return damaged(r, "%s is not an object", metadata_key);
    json_object_foreach(meta, key, value) if (!json_is_string(value)) return damaged(
        r, "the metadata \"%s\" is not text", key);
    return 0;
}

static int read_type(const struct reading *r, const char *name, const json_t *dtype,
                     poise_tensor_type *type)
{
    if (!json_is_string(dtype))
        return damaged(r, "tensor \"%s\" has no dtype that is text", name);
    for (int k = 0; k < TYPES; k++)
        if (strcmp(types[k].name, json_string_value(dtype)) == 0) {
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
    if (tensor_bytes(t, &t->bytes) < 0 || t->bytes != (uint64_t)(to - from))
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
        if (strcmp(name, metadata_key) == 0) {
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
    return json_string_value(json_object_get(json_object_get(f->header, metadata_key), key));
}
