/* run_fixture.h -- a small spec, a folder for its runs, and every strategy that there is. */
#ifndef POISE_TEST_RUN_FIXTURE_H
#define POISE_TEST_RUN_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "train/engine.h"
#include "train/file.h"
#include "train/run.h"
#include "train/trainer.h"

/* Dropout, embeddings, a short last batch, rows without some label. */
static const char SPEC[] = "data: {generate: funnel, rows: 1500, seed: 3}\n"
                           "model:\n"
                           "  use: mmoe\n"
                           "  experts: 3\n"
                           "  units: [8, 6]\n"
                           "  tower: [4]\n"
                           "  dropout: 0.2\n"
                           "balancer: equal\n"
                           "train: {batch: 128, epochs: 3, seed: 5, threads: 1}\n";

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "run-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

static inline poise_spec *read_spec(int n, const poise_override *set)
{
    poise_error err;
    char text[POISE_ERROR_TEXT];
    poise_diagnostics *d = poise_diagnostics_new(&err);
    const char *path = in_folder("spec.yaml");

    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){SPEC, sizeof SPEC - 1}, &err), 0);
    poise_spec *s = poise_spec_read(path, n, set, d);
    if (!s)
        fail_msg("%s", poise_diagnostics_text(d, 0, text, sizeof text));
    poise_diagnostics_free(d);
    return s;
}

static inline int train_into(const poise_spec *s, const char *out, int resume, uint64_t stop_after,
                             poise_error *err)
{
    poise_result r;
    poise_train_options o = {.out = in_folder(out), .resume = resume, .stop_after = stop_after};
    int status = poise_train(s, &o, &r, err);
    if (status < 0 && err->code != POISE_E_STOPPED && err->code != POISE_E_FORMAT)
        print_message("%s: %s\n", out, err->message);
    poise_result_done(&r);
    return status;
}

static inline void same_file(const char *a, const char *b, const char *name)
{
    char path[256];
    size_t m, n;
    poise_error err = {0};

    snprintf(path, sizeof path, "%s/%s", in_folder(a), name);
    char *x = poise__file_read(path, &m, &err);
    snprintf(path, sizeof path, "%s/%s", in_folder(b), name);
    char *y = poise__file_read(path, &n, &err);
    assert_string_equal(err.message, "");
    if (m != n || memcmp(x, y, m) != 0)
        fail_msg("%s of %s and of %s differ", name, a, b);
    free(x);
    free(y);
}

/* Every strategy that there is. */
enum { MOST = 100 };
static char strategies[MOST][64];
static int nstrategy;

static inline int note_strategy(void *user, const char *name, const char *path)
{
    (void)user, (void)path;
    assert_true(nstrategy < MOST && strlen(name) < 64);
    strcpy(strategies[nstrategy++], name);
    return 0;
}

static inline void find_strategies(void)
{
    poise_error err;
    if (nstrategy == 0)
        assert_int_equal(poise_plugin_list(note_strategy, NULL, &err), 0);
    assert_true(nstrategy >= 5);
}

#endif
