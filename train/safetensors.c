/* safetensors.c -- the types, and the writer. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "file.h"
#include "safetensors_format.h"

const struct poise__tensor_type poise__tensor_types[POISE__TENSOR_TYPES] = {
    [POISE_TENSOR_F32] = {"F32", 4}, [POISE_TENSOR_F64] = {"F64", 8},
    [POISE_TENSOR_I32] = {"I32", 4}, [POISE_TENSOR_I64] = {"I64", 8},
    [POISE_TENSOR_U8] = {"U8", 1},
};

size_t poise_tensor_size(poise_tensor_type t)
{
    return (unsigned)t < POISE__TENSOR_TYPES ? poise__tensor_types[t].size : 0;
}

int poise__tensor_bytes(const poise_tensor *t, size_t *bytes)
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

/* How many bytes the UTF-8 character at `s` has (RFC 3629, no surrogates); 0: it is none. */
static int character(const unsigned char *s)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
    uint32_t code = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0;

    for (int k = 1; k < n; k++) {
        if (s[k] >> 6 != 2)
            return 0;
        code = code << 6 | (s[k] & 0x3fu);
    }
    return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

static int is_text(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    int n = 1;

    if (!s)
        return 0;
    for (; *s && n; s += n)
        n = character(s);
    return n != 0;
}

static int check_tensor(const char *path, const poise_tensor *t, poise_error *err)
{
    size_t bytes = 0;

    if (!is_text(t->name) || strcmp(t->name, POISE__METADATA_KEY) == 0)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "%s: a tensor cannot be called \"%s\"; it needs a name in UTF-8", path,
                          t->name ? t->name : "");
    if (poise_tensor_size(t->type) == 0 || t->rank < 0 || t->rank > POISE_MAX_RANK)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "%s: tensor \"%s\" has type %d and rank %d; there are %d types and up to "
                          "%d dimensions",
                          path, t->name, (int)t->type, t->rank, POISE__TENSOR_TYPES,
                          (int)POISE_MAX_RANK);
    if (poise__tensor_bytes(t, &bytes) < 0 || bytes != t->bytes || (bytes && !t->data))
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "%s: tensor \"%s\" comes with %zu bytes, its shape makes %zu", path,
                          t->name, t->bytes, bytes);
    return 0;
}

/* All tensors and texts by themselves, and that their bytes can be counted. */
static int check(const char *path, int n, const poise_tensor *t, int nmeta,
                 const poise_metadata *meta, poise_error *err)
{
    size_t left = INT64_MAX < SIZE_MAX ? (size_t)INT64_MAX : SIZE_MAX;

    for (int k = 0; k < n; k++) {
        if (check_tensor(path, &t[k], err) < 0)
            return -1;
        if (t[k].bytes > left)
            return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%s: the tensors are too large",
                              path);
        left -= t[k].bytes;
    }
    for (int k = 0; k < nmeta; k++)
        if (!is_text(meta[k].key) || !is_text(meta[k].value))
            return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                              "%s: metadata %d, \"%s\", is not UTF-8", path, k,
                              meta[k].key ? meta[k].key : "");
    return 0;
}

static int no_memory(const char *path, poise_error *err)
{
    return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "%s: no memory for the header", path);
}

/* Put `value` (its reference is taken) where no value is yet: 0, or -1 with *err. */
static int put(json_t *object, const char *key, json_t *value, const char *path, poise_error *err)
{
    if (json_object_get(object, key)) {
        json_decref(value);
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%s: there are two \"%s\"", path, key);
    }
    return json_object_set_new(object, key, value) < 0 ? no_memory(path, err) : 0;
}

/* A tensor's entry of the header; NULL when memory is out. */
static json_t *entry(const poise_tensor *t, size_t begin)
{
    json_t *shape = json_array();

    for (int k = 0; k < t->rank; k++)
        if (json_array_append_new(shape, json_integer(t->dim[k])) < 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", poise__tensor_types[t->type].name, "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)(begin + t->bytes));
}

static json_t *make_json(const char *path, int n, const poise_tensor *const *order, int nmeta,
                         const poise_metadata *meta, poise_error *err)
{
    json_t *header = json_object(), *texts = json_object();
    size_t begin = 0;
    int status = nmeta ? put(header, POISE__METADATA_KEY, json_incref(texts), path, err) : 0;

    for (int k = 0; k < nmeta && status == 0; k++)
        status = put(texts, meta[k].key, json_string(meta[k].value), path, err);
    for (int k = 0; k < n && status == 0; begin += order[k++]->bytes)
        status = put(header, order[k]->name, entry(order[k], begin), path, err);
    json_decref(texts);
    if (status == 0 && !header)
        status = no_memory(path, err);
    if (status == 0)
        return header;
    json_decref(header);
    return NULL;
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

/* The header's text, padded to where the buffer may start; malloc'd.  Written into a buffer that is
 * large enough: json_dumps, which grows its own, leaves keys out when memory is short. */
static char *make_header(const char *path, const json_t *json, size_t *bytes, poise_error *err)
{
    enum { AT = POISE__HEADER_LENGTH, ALIGN = POISE__HEADER_ALIGN };
    size_t length = json_dumpb(json, NULL, 0, JSON_COMPACT);
    char *text;

    if (length == 0) {
        no_memory(path, err);
        return NULL;
    }
    if (length > POISE__HEADER_MAX - ALIGN) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "%s: the header has %zu bytes; no reader takes more than %d", path, length,
                   POISE__HEADER_MAX);
        return NULL;
    }
    *bytes = (AT + length + ALIGN - 1) / ALIGN * ALIGN - AT;
    text = poise__calloc(*bytes, 1, err);
    if (!text)
        return NULL;
    memset(text, ' ', *bytes);
    if (json_dumpb(json, text, length, JSON_COMPACT) != length) {
        no_memory(path, err);
        free(text);
        return NULL;
    }
    return text;
}

int poise_safetensors_write(const char *path, int ntensor, const poise_tensor *tensor, int nmeta,
                            const poise_metadata *meta, poise_error *err)
{
    const poise_tensor **order = poise__calloc((size_t)ntensor, sizeof *order, err);
    poise__piece *piece = order ? poise__calloc((size_t)ntensor + 2, sizeof *piece, err) : NULL;
    unsigned char length[POISE__HEADER_LENGTH];
    json_t *json = NULL;
    char *header = NULL;
    size_t bytes;
    int status = -1;

    if (!piece || check(path, ntensor, tensor, nmeta, meta, err) < 0)
        goto done;
    arrange(ntensor, tensor, order);
    json = make_json(path, ntensor, order, nmeta, meta, err);
    header = json ? make_header(path, json, &bytes, err) : NULL;
    if (!header)
        goto done;
    for (int k = 0; k < POISE__HEADER_LENGTH; k++)
        length[k] = (unsigned char)((uint64_t)bytes >> 8 * k & 0xff);
    piece[0] = (poise__piece){length, sizeof length};
    piece[1] = (poise__piece){header, bytes};
    for (int k = 0; k < ntensor; k++)
        piece[k + 2] = (poise__piece){order[k]->data, order[k]->bytes};
    status = poise__file_replace(path, ntensor + 2, piece, err);
done:
    json_decref(json);
    free(header);
    free(piece);
    free(order);
    return status;
}
