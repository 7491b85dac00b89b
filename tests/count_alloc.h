/* count_alloc.h -- how many times the process has asked for memory.
 *
 * Include it in the one source of a test program: it defines malloc and its relatives in front of
 * the C library's, so calls from every library of the process are counted.
 *
 *     long before = count_alloc();
 *     poise_session_run(s, &run, &err);
 *     assert_int_equal(count_alloc() - before, 0);
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

static atomic_long count_alloc_calls;

static inline long count_alloc(void)
{
    return atomic_load(&count_alloc_calls);
}

#if COUNT_ALLOC
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *ptr, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *memalign(size_t align, size_t size);

void *malloc(size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *ptr, size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return __libc_realloc(ptr, size);
}

void *memalign(size_t align, size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return __libc_memalign(align, size);
}

void *aligned_alloc(size_t align, size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    return __libc_memalign(align, size);
}

int posix_memalign(void **ptr, size_t align, size_t size)
{
    atomic_fetch_add(&count_alloc_calls, 1);
    void *p = __libc_memalign(align, size);
    if (!p)
        return ENOMEM;
    *ptr = p;
    return 0;
}
#endif

#endif
