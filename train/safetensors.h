/* safetensors.h -- the file format of weights and of a run's state.
 *
 *   1. u64, little endian: N, the bytes of the header
 *   2. N bytes of JSON: {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets"}}
 *   3. the buffer, to the end of the file; data_offsets [begin, end) are relative to its beginning;
 *      the tensors fill it without overlap or gap
 *
 * Written: the tensors with the largest elements first, else in the given order, so that each lies
 * at a multiple of its element's size; the header is padded with spaces so that the buffer starts
 * at a multiple of 64.  The file is written to path.tmp, synced, renamed, the folder synced.
 *
 * Read: everything is checked before it is used.  A FORMAT error, naming the file and the tensor:
 *
 *   - a file shorter than 8 + N, or N over 100,000,000
 *   - a header that is not a JSON object in UTF-8, or names something twice
 *   - metadata that is not text; an entry without the three keys, or with other kinds of values
 *   - a dtype that is not one of F32, F64, I32, I64, U8; more than POISE_MAX_RANK dimensions
 *   - product(shape) * size that overflows or is not end - begin
 *   - tensors that overlap, leave a gap, reach past the file, or end before it
 *
 * Format: https://github.com/huggingface/safetensors.  Little-endian machines only.
 *
 *     poise_safetensors *f = poise_safetensors_read("model.safetensors", &err);
 *     const poise_tensor *w = poise_safetensors_find(f, "logit/click/weight");
 */
#ifndef POISE_SAFETENSORS_H
#define POISE_SAFETENSORS_H

#include <stdint.h>
#include "../core/error.h"
#include "../core/store.h"

typedef enum poise_tensor_type {
    POISE_TENSOR_F32,
    POISE_TENSOR_F64,
    POISE_TENSOR_I32,
    POISE_TENSOR_I64,
    POISE_TENSOR_U8
} poise_tensor_type;

/* Bytes of one element; 0 for what is no type. */
POISE_API size_t poise_tensor_size(poise_tensor_type t);

typedef struct poise_tensor {
    const char *name;
    poise_tensor_type type;
    int rank; /* 0: a scalar */
    int64_t dim[POISE_MAX_RANK];
    const void *data;
    size_t bytes;
} poise_tensor;

typedef struct poise_metadata {
    const char *key, *value;
} poise_metadata;

/* Write a whole file.  Everything is borrowed during the call; `bytes` must be what type and shape
 * make.  SPEC: a tensor that is not right, a name given twice, a text that is not UTF-8; SYSTEM:
 * the file cannot be written (then an old file is untouched). */
POISE_API int poise_safetensors_write(const char *path, int ntensor, const poise_tensor *tensor,
                                      int nmeta, const poise_metadata *meta, poise_error *err);

typedef struct poise_safetensors poise_safetensors; /* a file read into memory */

/* SYSTEM: it cannot be read; FORMAT: see above; MEMORY. */
POISE_API poise_safetensors *poise_safetensors_read(const char *path, poise_error *err);
POISE_API void poise_safetensors_free(poise_safetensors *f);

/* The tensors in the order of the buffer; borrowed from f.  Their data is aligned for their type. */
POISE_API int poise_safetensors_count(const poise_safetensors *f);
POISE_API const poise_tensor *poise_safetensors_at(const poise_safetensors *f, int k);
/* NULL where there is none of that name. */
POISE_API const poise_tensor *poise_safetensors_find(const poise_safetensors *f, const char *name);
POISE_API const char *poise_safetensors_meta(const poise_safetensors *f, const char *key);

#endif
