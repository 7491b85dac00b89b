/* parallel.c -- parts of a problem over libgomp's threads.
 *
 * libgomp is called by its functions, so that any compiler can build this file and there is one
 * OpenMP runtime in the process: the one that oneDNN uses.  Inside a region oneDNN sees
 * omp_in_parallel() and stays on its thread.
 */
#include "parallel.h"

void GOMP_parallel(void (*fn)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
int omp_get_max_threads(void);
void omp_set_num_threads(int n);

/* ThreadSanitizer does not see libgomp's barriers: tell it of the fork and of the join. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define TSAN 1
#endif
#ifdef TSAN
void __tsan_acquire(void *address);
void __tsan_release(void *address);
#define ACQUIRE(address) __tsan_acquire(address)
#define RELEASE(address) __tsan_release(address)
#else
#define ACQUIRE(address) ((void)(address))
#define RELEASE(address) ((void)(address))
#endif

typedef struct job {
    int parts;
    void (*fn)(int part, void *arg);
    void *arg;
    char fork, join; /* addresses for the sanitizer */
} job;

static void team(void *data)
{
    job *j = data;
    ACQUIRE(&j->fork);
    int64_t from, to;
    poise__part(j->parts, omp_get_num_threads(), 1, omp_get_thread_num(), &from, &to);
    for (int64_t part = from; part < to; part++)
        j->fn((int)part, j->arg);
    RELEASE(&j->join);
}

int poise__threads_hold(void)
{
    int old = omp_get_max_threads();
    if (old != 1)
        omp_set_num_threads(1);
    return old;
}

void poise__threads_release(int old)
{
    if (old != 1)
        omp_set_num_threads(old);
}

void poise__parallel(int parts, int threads, void (*fn)(int part, void *arg), void *arg)
{
    if (threads <= 1 || parts <= 1) {
        int old = poise__threads_hold();
        for (int part = 0; part < parts; part++)
            fn(part, arg);
        poise__threads_release(old);
        return;
    }
    job j = {.parts = parts, .fn = fn, .arg = arg};
    RELEASE(&j.fork);
    GOMP_parallel(team, &j, (unsigned)(threads < parts ? threads : parts), 0);
    ACQUIRE(&j.join);
}

void poise__part(int64_t n, int parts, int64_t align, int k, int64_t *from, int64_t *to)
{
    int64_t units = n / align + (n % align != 0);
    int64_t each = units / parts, more = units % parts; /* the first `more` parts have one more */
    int64_t a = each * k + (k < more ? k : more);
    int64_t b = a + each + (k < more);
    *from = a < units ? a * align : n;
    *to = b < units ? b * align : n;
}
