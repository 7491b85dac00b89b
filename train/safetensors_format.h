/* safetensors_format.h -- what writer and reader of the format must agree on.  Internal. */
#ifndef POISE_SAFETENSORS_FORMAT_H
#define POISE_SAFETENSORS_FORMAT_H

#include "safetensors.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors buffers are little endian, and so must the machine be"
#endif

enum {
    POISE__HEADER_LENGTH = 8,      /* bytes that say how long the header is */
    POISE__HEADER_MAX = 100000000, /* bytes of the longest header that readers take */
    POISE__HEADER_ALIGN = 64,      /* where our buffers start */
    POISE__TENSOR_TYPES = 5
};
#define POISE__METADATA_KEY "__metadata__"

/* Indexed by poise_tensor_type. */
extern const struct poise__tensor_type {
    const char *name; /* "F32" */
    size_t size;
} poise__tensor_types[POISE__TENSOR_TYPES];

/* product(shape) * size into *bytes: 0, or -1 where a dimension is negative or it overflows.  Type
 * and rank must be right. */
int poise__tensor_bytes(const poise_tensor *t, size_t *bytes);

#endif
