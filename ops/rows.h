/* rows.h -- kernels that walk the rows of values [rows, width], cut by rows.  Internal. */
#ifndef POISE_ROWS_H
#define POISE_ROWS_H

#include "kernel.h"

/* What a part does: rows [from, to) of the node. */
typedef void poise__rows_fn(const poise__job *j, const poise__vector *v, int64_t from, int64_t to,
                            int64_t width);

/* `width` is the last dimension of in[0], rows what is above it. */
int poise__rows_compile(poise_kernel *k, poise__rows_fn *fn, poise_error *err);
/* The same, cut by columns: fn gets columns [from, to) and the width. */
int poise__columns_compile(poise_kernel *k, poise__rows_fn *fn, poise_error *err);

#endif
