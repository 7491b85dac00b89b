/* memory.c -- checked allocation, and arenas made of chained blocks. */
#define _DEFAULT_SOURCE /* madvise */
#include "memory.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { ALIGN = 16, FIRST_BLOCK = 4096, LAST_BLOCK = 1 << 20 };
enum { LINE = 64, LARGE_PAGE = 1 << 21 };

static int no_memory(size_t count, size_t size, poise_error *err)
{
    return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                      "%zu x %zu bytes were wanted and could not be had", count, size);
}

void *poise__calloc(size_t count, size_t size, poise_error *err)
{
    void *p = NULL;
    if (size == 0 || count <= SIZE_MAX / size)
        p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        no_memory(count, size, err);
    return p;
}

void *poise__grow(void *ptr, size_t *cap, size_t need, size_t size, poise_error *err)
{
    if (ptr && need <= *cap)
        return ptr;
    size_t want = *cap <= SIZE_MAX / 2 ? *cap * 2 : SIZE_MAX;
    if (want < need)
        want = need;
    if (want < 8)
        want = 8;
    if (want > SIZE_MAX / size)
        want = need;
    void *p = want <= SIZE_MAX / size ? realloc(ptr, want * size) : NULL;
    if (!p) {
        no_memory(need, size, err);
        return NULL;
    }
    *cap = want;
    return p;
}

void *poise__alloc_aligned(size_t bytes, poise_error *err)
{
    void *p = NULL;
    if (bytes <= SIZE_MAX - 64) {
        size_t rounded = bytes ? (bytes + 63) / 64 * 64 : 64;
        p = aligned_alloc(64, rounded);
        if (p)
            memset(p, 0, rounded);
    }
    if (!p)
        no_memory(bytes, 1, err);
    return p;
}

/* calloc asks the system for large blocks, and knows that they are zero. */
void *poise__alloc_late(size_t bytes, void **base, poise_error *err)
{
    const size_t align = bytes < 2 * LARGE_PAGE ? LINE : LARGE_PAGE;
    *base = bytes <= SIZE_MAX - align ? calloc(1, bytes + align) : NULL;
    if (!*base) {
        no_memory(bytes, 1, err);
        return NULL;
    }
    return (void *)(((uintptr_t)*base + align - 1) / align * align);
}

void poise__use_often(void *from, size_t bytes)
{
#ifdef MADV_HUGEPAGE
    const uintptr_t first = ((uintptr_t)from + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
    const uintptr_t end = ((uintptr_t)from + bytes) / LARGE_PAGE * LARGE_PAGE;
    if (first < end) /* advice: where it is not taken, pages are small */
        (void)madvise((void *)first, end - first, MADV_HUGEPAGE);
#else
    (void)from;
    (void)bytes;
#endif
}

typedef struct block {
    struct block *next;
    size_t used, size; /* of data */
    alignas(ALIGN) unsigned char data[];
} block;

struct poise__arena {
    block *head; /* the one being filled; full ones follow */
    size_t next; /* size of the next ordinary block */
};

poise__arena *poise__arena_new(poise_error *err)
{
    poise__arena *a = poise__calloc(1, sizeof *a, err);
    if (a)
        a->next = FIRST_BLOCK;
    return a;
}

void poise__arena_free(poise__arena *a)
{
    if (!a)
        return;
    for (block *b = a->head, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

static block *block_new(size_t size)
{
    if (size > SIZE_MAX - sizeof(block))
        return NULL;
    block *b = calloc(1, sizeof *b + size);
    if (b)
        b->size = size;
    return b;
}

void *poise__arena_alloc(poise__arena *a, size_t count, size_t size, poise_error *err)
{
    if ((size && count > SIZE_MAX / size) || count * size > SIZE_MAX - ALIGN) {
        no_memory(count, size, err);
        return NULL;
    }
    size_t bytes = (count * size + ALIGN - 1) / ALIGN * ALIGN;
    if (bytes == 0)
        bytes = ALIGN;
    block *b = a->head;
    if (!b || b->size - b->used < bytes) {
        int large = bytes > a->next / 4; /* a block of its own, behind the one being filled */
        b = block_new(large ? bytes : a->next);
        if (!b) {
            no_memory(count, size, err);
            return NULL;
        }
        if (large && a->head) {
            b->next = a->head->next;
            a->head->next = b;
        } else {
            b->next = a->head;
            a->head = b;
        }
        if (!large && a->next < LAST_BLOCK)
            a->next *= 2;
    }
    void *p = b->data + b->used;
    b->used += bytes;
    return p;
}

char *poise__arena_text(poise__arena *a, const char *text, poise_error *err)
{
    size_t n = strlen(text) + 1;
    char *copy = poise__arena_alloc(a, n, 1, err);
    return copy ? memcpy(copy, text, n) : NULL;
}

char *poise__arena_vprintf(poise__arena *a, poise_error *err, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    char *text = NULL;
    if (n < 0)
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "a text could not be formatted");
    else if ((text = poise__arena_alloc(a, (size_t)n + 1, 1, err)))
        vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

char *poise__arena_printf(poise__arena *a, poise_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *text = poise__arena_vprintf(a, err, fmt, args);
    va_end(args);
    return text;
}
