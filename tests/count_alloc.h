/* count_alloc.h -- how many times the process has asked for memory; and making it run out.
 *
 * Include it in the one source of a test program: it defines malloc and its relatives in front of
 * the C library's for all that is linked into the program, Poise included.  What a shared library asks
 * for goes past it, so that a refusal meets Poise alone.  With COUNT_ALLOC_ALL defined before, it
 * defines them for the whole process: oneDNN, libgomp, the strategies, the C library itself.
 *
 *     long before = count_alloc();
 *     poise_session_run(s, &run, &err);
 *     assert_int_equal(count_alloc() - before, 0);
 *
 *     count_alloc_fail(3);                 // the fourth request from now is refused, once
 *     s = poise_session_new(g, NULL, &err);
 *     count_alloc_fail(-1);                // none is
 *
 * count_alloc_live() is how many are held: equal before and after says that nothing leaked.
 *
 * COUNT_ALLOC is 0 where that cannot be done (sanitizers bring their own allocator; another C
 * library than glibc): count_alloc() is then always 0, and a test that needs it calls skip().
 */
#ifndef COUNT_ALLOC_H
#define COUNT_ALLOC_H

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define COUNT_ALLOC 1
#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef COUNT_ALLOC
#define COUNT_ALLOC 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#undef COUNT_ALLOC
#define COUNT_ALLOC 0
#endif
#endif

static atomic_long count_alloc_calls, count_alloc_held, count_alloc_left = -1;

static inline long count_alloc(void)
{
    return atomic_load(&count_alloc_calls);
}

static inline long count_alloc_live(void)
{
    return atomic_load(&count_alloc_held);
}

static inline void count_alloc_fail(long after)
{
    atomic_store(&count_alloc_left, after);
}

/* The linker lets shared libraries see what is not hidden. */
#ifdef COUNT_ALLOC_ALL
#define COUNT_ALLOC_SEEN __attribute__((visibility("default")))
#else
#define COUNT_ALLOC_SEEN
#endif

#if COUNT_ALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t align, size_t size);
void __libc_free(void *ptr);
void *memalign(size_t align, size_t size);

/* Count a request; 1: it is to be refused. */
static inline int count_alloc_refuse(void)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return atomic_load(&count_alloc_left) >= 0 && atomic_fetch_sub(&count_alloc_left, 1) == 0;
}

static inline void *count_alloc_hold(void *p)
{
    if (p)
        atomic_fetch_add(&count_alloc_held, 1);
    return p;
}

COUNT_ALLOC_SEEN void *malloc(size_t size)
{
    return count_alloc_refuse() ? NULL : count_alloc_hold(__libc_malloc(size));
}

COUNT_ALLOC_SEEN void *calloc(size_t count, size_t size)
{
    return count_alloc_refuse() ? NULL : count_alloc_hold(__libc_calloc(count, size));
}

COUNT_ALLOC_SEEN void *realloc(void *ptr, size_t size)
{
    if (count_alloc_refuse())
        return NULL;
    void *p = __libc_realloc(ptr, size);
    return ptr ? p : count_alloc_hold(p);
}

COUNT_ALLOC_SEEN void *memalign(size_t align, size_t size)
{
    return count_alloc_refuse() ? NULL : count_alloc_hold(__libc_memalign(align, size));
}

COUNT_ALLOC_SEEN void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

COUNT_ALLOC_SEEN int posix_memalign(void **ptr, size_t align, size_t size)
{
    void *p = memalign(align, size);
    if (!p)
        return ENOMEM;
    *ptr = p;
    return 0;
}

COUNT_ALLOC_SEEN void free(void *ptr)
{
    if (ptr)
        atomic_fetch_sub(&count_alloc_held, 1);
    __libc_free(ptr);
}
#endif

#endif
