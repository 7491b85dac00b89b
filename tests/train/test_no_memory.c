/* Every allocation made to fail in turn: an error comes back, nothing leaks, no file is harmed. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "tests/count_alloc.h"
#include "train/metrics.h"
#include "train/optimizer.h"
#include "train/safetensors.h"

static char folder[] = "/tmp/poise-memory-XXXXXX";
static char path[64];

static const float weights[4] = {1, 2, 3, 4};
static const poise_tensor tensors[] = {
    {"bytes", POISE_TENSOR_U8, 1, {3}, "abc", 3},
    {"weights", POISE_TENSOR_F32, 2, {2, 2}, weights, 16},
};
static const poise_metadata meta[] = {{"format", "poise"}, {"spec", "a: 1"}};

static int write_tensors(poise_error *err)
{
    return poise_safetensors_write(path, 2, tensors, 2, meta, err);
}

static int read_tensors(poise_error *err)
{
    poise_safetensors *f = poise_safetensors_read(path, err);
    int status = f ? 0 : -1;

    poise_safetensors_free(f);
    return status;
}

static poise_store *store;

static int make_optimizer(poise_error *err)
{
    poise_optimizer_spec spec = {POISE_ADAM, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999,
                                 .eps = 1e-8};
    poise_optimizer *o = poise_optimizer_new(&spec, store, err);
    int status = o ? 0 : -1;

    poise_optimizer_free(o);
    return status;
}

static int measure(poise_error *err)
{
    double auc;

    return poise_auc(4, weights, (const float[]){0, 1, 0, 1}, NULL, &auc, err);
}

/* jansson calls some of its own failures a damaged text. */
static const struct life {
    const char *name;
    int (*live)(poise_error *err);
    int format_too;
    long least; /* allocations in it */
} lives[] = {
    {"writing tensors", write_tensors, 0, 20},
    {"reading tensors", read_tensors, 1, 20},
    {"an optimiser", make_optimizer, 0, 3},
    {"an area under a curve", measure, 0, 2},
};

static void every_allocation_may_fail(void **state)
{
    poise_error err = {0};

    (void)state;
    if (!COUNT_ALLOC)
        skip();
    assert_int_equal(write_tensors(&err), 0);
    for (size_t k = 0; k < sizeof lives / sizeof *lives; k++) {
        long refused = 0;

        for (int done = 0; !done; refused++) {
            long live = count_alloc_live();

            err = (poise_error){0};
            count_alloc_fail(refused);
            done = lives[k].live(&err) == 0;
            count_alloc_fail(-1);
            if (!done && err.code != POISE_E_MEMORY &&
                !(lives[k].format_too && err.code == POISE_E_FORMAT))
                fail_msg("%s: allocation %ld failed and the error is \"%s\"", lives[k].name,
                         refused, err.message);
            if (count_alloc_live() != live)
                fail_msg("%s: allocation %ld failed and %ld blocks leaked", lives[k].name, refused,
                         count_alloc_live() - live);
            assert_int_equal(read_tensors(&err), 0);
        }
        if (refused <= lives[k].least)
            fail_msg("%s: only %ld allocations", lives[k].name, refused);
    }
}

static int setup(void **state)
{
    poise_error err = {0};
    int64_t n = 100;

    (void)state;
    json_set_alloc_funcs(malloc, free); /* this program's, which count_alloc.h defines */
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/t.safetensors", folder);
    store = poise_store_new(&err);
    return poise_store_add(store, "w", POISE_DENSE, 1, &n, (poise_init){.kind = POISE_INIT_ZERO},
                           POISE_NOWHERE, &err) < 0 ||
                   poise_store_seal(store, 1, &err) < 0
               ? -1
               : 0;
}

static int teardown(void **state)
{
    (void)state;
    poise_store_free(store);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

    return cmocka_run_group_tests(tests, setup, teardown);
}
