/* Every allocation of the library fails in turn: each time an error comes back, nothing leaks (the
 * sanitizers' preset looks), and nothing is written to what was not there. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "files.h"

static long countdown = -1; /* allocations until one fails; -1: none does */

static int fails(void)
{
    return countdown >= 0 && countdown-- == 0;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return fails() ? NULL : __real_aligned_alloc(align, n);
}

int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
    return fails() ? 12 : __real_posix_memalign(p, align, n);
}

static const char *path;

static int read_batches(const poise_dataset *d, poise_error *err)
{
    poise_batch b;
    poise_stream *s = poise_stream_new(d, 3, 1, 1, err);
    if (!s)
        return -1;
    long before = countdown;
    while (poise_stream_next(s, &b, err) > 0)
        continue;
    assert_int_equal(countdown, before); /* a step allocates nothing */
    poise_stream_free(s);
    return 0;
}

static int round_trip(const poise_schema *s, const poise_data_spec *d, poise_error *err)
{
    char *text = poise_schema_to_json(s, err);
    poise_schema *r = text ? poise_schema_from_json(text, err) : NULL;
    poise_dataset *scored = r ? poise_dataset_read(d, path, r, 0, err) : NULL;
    poise_dataset_free(scored);
    poise_schema_free(r);
    free(text);
    return scored ? 0 : -1;
}

static int from_file(poise_error *err)
{
    poise_data_spec d = spec_of(path);
    d.test = path;
    d.valid_from = 2;
    d.valid_fraction = 0.5;
    poise_feature feature[2] = {numeric("x"), categorical("c")};
    poise_task task[2] = {binary("t", "y", "1"), binary("r", "x", NULL)};
    task[1].kind = POISE_REGRESSION;
    task[1].when = "y";
    int n, status = -1;
    char **columns = poise_data_columns(&d, &n, err);
    poise_schema *s = columns ? poise_schema_new(err) : NULL;
    if (s) {
        poise_data data;
        s->nfeature = s->ntask = 2;
        s->feature = feature;
        s->task = task;
        s->weight = "w";
        if (poise_data_open(&d, s, &data, err) == 0 && read_batches(data.valid, err) == 0)
            status = round_trip(s, &d, err);
        poise_data_done(&data);
    }
    poise_schema_free(s);
    poise_data_columns_free(columns, n);
    return status;
}

static int from_generator(poise_error *err)
{
    poise_data_spec d = spec_of(NULL);
    d.generate = "funnel";
    d.rows = 20;
    int status = -1;
    poise_data data = {NULL, NULL, NULL};
    poise_schema *s = poise_schema_new(err);
    if (s && poise_generator_schema("funnel", d.place, s, err) == 0 &&
        poise_data_open(&d, s, &data, err) == 0)
        status = read_batches(data.test, err);
    poise_data_done(&data);
    poise_schema_free(s);
    return status;
}

static void fail_each(int (*run)(poise_error *err), long least)
{
    for (long n = 0;; n++) {
        poise_error err = {0};
        countdown = n;
        int status = run(&err);
        int failed = countdown < 0;
        countdown = -1;
        if (!failed) {
            assert_int_equal(status, 0);
            assert_true(n >= least);
            return;
        }
        if (status == 0 || err.code != POISE_E_MEMORY)
            fail_msg("allocation %ld: status %d, %s", n, status, err.message);
    }
}

static void reading_a_file_survives(void **state)
{
    (void)state;
    path = file_text("memory.csv", "x,c,y,w\n1,a,1,1\n2,b,0,1\n3,\"c\n\",1,2\n,d,1,1\n");
    fail_each(from_file, 50);
    unlink(path);
}

static void generating_survives(void **state)
{
    (void)state;
    fail_each(from_generator, 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_a_file_survives),
        cmocka_unit_test(generating_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
