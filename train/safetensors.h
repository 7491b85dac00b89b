/* safetensors.h -- the file format of weights and of a run's state.
 *
 *   1. u64, little endian: N, the bytes of the header
 *   2. N bytes of JSON: {"__metadata__": {text: text}, name: {"dtype", "shape", "data_offsets"}}
 *   3. the buffer, to the end of the file; data_offsets are relative to its beginning
 *
 * Written: the header is padded with spaces so that the buffer starts at a multiple of 64 and every
 * tensor too; to NAME.tmp, synced, renamed, and the folder synced.  Read: everything is checked
 * before it is used (shared/onednn.md lists what is refused).
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

POISE_API int poise_safetensors_write(const char *path, int ntensor, const poise_tensor *tensor,
                                      int nmeta, const poise_metadata *meta, poise_error *err);

typedef struct poise_safetensors poise_safetensors; /* a file read into memory */
POISE_API poise_safetensors *poise_safetensors_read(const char *path, poise_error *err);
POISE_API void poise_safetensors_free(poise_safetensors *f);
POISE_API int poise_safetensors_count(const poise_safetensors *f);
POISE_API const poise_tensor *poise_safetensors_at(const poise_safetensors *f, int k);
POISE_API const poise_tensor *poise_safetensors_find(const poise_safetensors *f, const char *name);
POISE_API const char *poise_safetensors_meta(const poise_safetensors *f, const char *key);

#endif
