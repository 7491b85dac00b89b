/* rig.h -- one strategy's shared object at work, for the tests of balancers/. */
#ifndef RIG_H
#define RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

enum { RIG_TASKS = 17 };

typedef struct rig {
    poise_plugin *plugin;
    poise_balance *balance;
    poise_signals in; /* points at the arrays below */
    double labelled[RIG_TASKS], loss[RIG_TASKS], loss_init[RIG_TASKS], grad_norm[RIG_TASKS],
        gram[RIG_TASKS * RIG_TASKS], kpi[RIG_TASKS];
    double weight[RIG_TASKS];
} rig;

/* What a parameter is set to for all tasks; at most 4 of them, then a NULL name. */
typedef struct rig_set {
    const char *name, *text;
} rig_set;

static inline void rig_point(rig *r)
{
    r->in = (poise_signals){.size = sizeof r->in,
                            .labelled = r->labelled,
                            .loss = r->loss,
                            .loss_init = r->loss_init,
                            .grad_norm = r->grad_norm,
                            .gram = r->gram,
                            .kpi = r->kpi};
}

/* Every task labelled, loss 1, loss_init 1, norm 1, kpi 0.5. */
static inline rig *rig_new(const char *name, uint32_t ntask, const rig_set *set)
{
    static const char *const names[RIG_TASKS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i",
                                                 "j", "k", "l", "m", "n", "o", "p", "q"};
    poise_setting setting[4];
    int n = 0;
    char path[512];
    poise_error err = {0};
    rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    for (; set && set[n].name; n++)
        setting[n] = (poise_setting){.name = set[n].name, .n = 1, .text = &set[n].text};
    snprintf(path, sizeof path, "%s/balancers/%s.so", TEST_BUILD, name);
    r->plugin = poise_plugin_load(path, &err);
    if (!r->plugin)
        fail_msg("%s", err.message);
    r->balance = poise_balance_new(r->plugin, ntask, names, 7, n, setting, NULL, &err);
    if (!r->balance)
        fail_msg("%s", err.message);
    for (uint32_t t = 0; t < ntask; t++) {
        r->labelled[t] = r->loss[t] = r->loss_init[t] = r->grad_norm[t] = 1;
        r->kpi[t] = 0.5;
    }
    rig_point(r);
    return r;
}

static inline void rig_free(rig *r)
{
    poise_balance_free(r->balance);
    poise_plugin_free(r->plugin);
    free(r);
}

static inline void rig_step(rig *r)
{
    poise_error err = {0};
    if (poise_balance_step(r->balance, &r->in, r->weight, &err) < 0)
        fail_msg("%s", err.message);
    r->in.step++;
}

static inline void rig_fails(rig *r, const char *message)
{
    poise_error err = {0};
    assert_int_equal(poise_balance_step(r->balance, &r->in, r->weight, &err), -1);
    assert_int_equal(err.code, POISE_E_PLUGIN);
    assert_string_equal(err.message, message);
}

static inline void rig_near(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%s is %.17g, not %.17g", what, got, want);
}

/* The sum of n numbers. */
static inline double rig_sum(const double *x, uint32_t n)
{
    double sum = 0;
    for (uint32_t t = 0; t < n; t++)
        sum += x[t];
    return sum;
}

#endif
