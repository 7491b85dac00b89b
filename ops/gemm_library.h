/* gemm_library.h -- what the backends that call a library share.  Internal.
 *
 * A library computes c = A B or c += A B: what is added goes into c before, the activation over c
 * after.
 */
#ifndef POISE_GEMM_LIBRARY_H
#define POISE_GEMM_LIBRARY_H

#include "gemm.h"

/* c = what is added; does nothing where that is c itself, or nothing.  Returns 1 if c is to be added to. */
int poise__gemm_before(const poise__gemm *g);
/* c = map(act(c)) */
void poise__gemm_after(const poise__gemm *g);

/* "library NAME refused a product of ... with status ..." : returns -1. */
int poise__gemm_refused(const poise__gemm *g, const char *library, int status, poise_error *err);

#endif
