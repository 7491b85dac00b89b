/* memory.h -- allocation with checked sizes, and arenas.  Internal.
 *
 * An arena holds many small things that live and die together (a graph, a spec,
 * a schema): allocate from it freely, free it once.  Memory from it is zeroed
 * and aligned to 16 bytes.
 */
#ifndef POISE_MEMORY_H
#define POISE_MEMORY_H

#include <stdarg.h>
#include <stddef.h>
#include "error.h"

/* count * size zeroed bytes; NULL and *err when the product overflows or memory is out.
 * A count of 0 gives a unique pointer that may be freed. */
void *poise__calloc(size_t count, size_t size, poise_error *err);

/* Grow ptr (of *cap elements of `size` bytes) so that it holds `need` elements, at least
 * doubling.  Returns the new pointer and updates *cap; on failure NULL, ptr still valid. */
void *poise__grow(void *ptr, size_t *cap, size_t need, size_t size, poise_error *err);

/* Zeroed memory aligned to 64 bytes (a cache line, an AVX-512 vector); free with free(). */
void *poise__alloc_aligned(size_t bytes, poise_error *err);

/* The same for large blocks that may never be used whole: where the system hands out zeroed pages,
 * untouched ones cost neither time nor memory.  *base is what to free(). */
void *poise__alloc_late(size_t bytes, void **base, poise_error *err);

/* Of such a block, [from, from + bytes) will be used whole, again and again: the system may use its
 * large pages for it.  With pages of 4 KiB, a matrix whose rows are 8 KiB apart needs a page a row,
 * more than the processor knows by heart. */
void poise__use_often(void *from, size_t bytes);

typedef struct poise__arena poise__arena;

poise__arena *poise__arena_new(poise_error *err);
void poise__arena_free(poise__arena *a); /* NULL is fine */
void *poise__arena_alloc(poise__arena *a, size_t count, size_t size, poise_error *err);
char *poise__arena_text(poise__arena *a, const char *text, poise_error *err); /* a copy */
char *poise__arena_printf(poise__arena *a, poise_error *err, const char *fmt, ...)
    POISE_FORMAT(3, 4);
char *poise__arena_vprintf(poise__arena *a, poise_error *err, const char *fmt, va_list args);

#endif
