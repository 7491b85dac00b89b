/* parallel.h -- work split into a fixed number of parts.  Internal.
 *
 * The number of parts is a function of the problem alone, so that the bits of a result do not
 * depend on how many threads there are; each part runs on one thread, and a BLAS called in it
 * sees one thread.
 */
#ifndef POISE_PARALLEL_H
#define POISE_PARALLEL_H

#include <stdint.h>

/* Call fn(part, arg) for every part in [0, parts), on at most `threads` threads. */
void poise__parallel(int parts, int threads, void (*fn)(int part, void *arg), void *arg);

/* Until release, a BLAS called on this thread outside a parallel region uses one thread too. */
int poise__threads_hold(void);
void poise__threads_release(int held);

/* Ask for the cache line at p, which will be read soon. */
static inline void poise__prefetch(const void *p)
{
#ifdef __GNUC__
    __builtin_prefetch(p);
#else
    (void)p;
#endif
}

/* Part k of n elements in `parts` parts whose bounds are multiples of `align`: [*from, *to). */
void poise__part(int64_t n, int parts, int64_t align, int k, int64_t *from, int64_t *to);

#endif
