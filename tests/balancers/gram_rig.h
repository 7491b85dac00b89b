/* gram_rig.h -- one strategy on given Gram matrices, and the matrices that they are tried on. */
#ifndef GRAM_RIG_H
#define GRAM_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <poise/balancer_math.h>

#include "plugins/plugin.h"

enum { GRAM_TASKS = 20, GRAM_COLUMNS = 40, GRAM_MATRICES = 240 };

typedef struct gram_rig {
    poise_plugin *plugin;
    poise_balance *balance;
    uint32_t ntask;
    poise_signals in; /* points at the arrays below */
    double labelled[GRAM_TASKS], loss[GRAM_TASKS], gram[GRAM_TASKS * GRAM_TASKS],
        half_gram[GRAM_TASKS * GRAM_TASKS];
    double weight[GRAM_TASKS];
    poise_error error; /* of the last step */
} gram_rig;

/* "c=0.5 rescale=none" or "": at most 4 parameters, the same for all tasks. */
static inline gram_rig *gram_new(const char *name, const char *parameters, uint32_t ntask)
{
    static const char *const names[GRAM_TASKS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                                  "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
    char text[256], path[512], *rest = text;
    const char *value[4];
    poise_setting setting[4];
    int n = 0;
    poise_error err = {0};
    gram_rig *r = calloc(1, sizeof *r);

    assert_non_null(r);
    snprintf(text, sizeof text, "%s", parameters);
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL; n++) {
        assert_true(n < 4);
        char *equals = strchr(word, '=');
        *equals = 0;
        value[n] = equals + 1;
        setting[n] = (poise_setting){.name = word, .n = 1, .text = &value[n]};
    }
    snprintf(path, sizeof path, "%s/balancers/%s.so", TEST_BUILD, name);
    r->plugin = poise_plugin_load(path, &err);
    if (!r->plugin)
        fail_msg("%s", err.message);
    r->ntask = ntask;
    r->balance = poise_balance_new(r->plugin, ntask, names, 7, n, setting, NULL, &err);
    if (!r->balance)
        fail_msg("%s", err.message);
    for (uint32_t t = 0; t < ntask; t++)
        r->labelled[t] = r->loss[t] = 1;
    r->in = (poise_signals){.size = sizeof r->in,
                            .labelled = r->labelled,
                            .loss = r->loss,
                            .gram = r->gram,
                            .half_gram = r->half_gram};
    return r;
}

static inline void gram_free(gram_rig *r)
{
    poise_balance_free(r->balance);
    poise_plugin_free(r->plugin);
    free(r);
}

/* 0, or -1 with r->error. */
static inline int gram_try(gram_rig *r)
{
    int rc = poise_balance_step(r->balance, &r->in, r->weight, &r->error);
    r->in.step++;
    return rc;
}

static inline void gram_step(gram_rig *r)
{
    if (gram_try(r) < 0)
        fail_msg("%s", r->error.message);
}

/* A step of a new rig on g[ntask, ntask], which is the half Gram too. */
static inline void gram_weights(const char *name, const char *parameters, uint32_t ntask,
                                const double *g, double *weight)
{
    gram_rig *r = gram_new(name, parameters, ntask);
    memcpy(r->gram, g, ntask * ntask * sizeof *g);
    memcpy(r->half_gram, g, ntask * ntask * sizeof *g);
    gram_step(r);
    memcpy(weight, r->weight, ntask * sizeof *weight);
    gram_free(r);
}

/* Gradients, one a row of a[GRAM_TASKS][GRAM_COLUMNS]. */
typedef struct gram_gradients {
    uint32_t ntask;
    size_t columns;
    double a[GRAM_TASKS][GRAM_COLUMNS];
} gram_gradients;

/* Matrix k < GRAM_MATRICES: 2 to 20 tasks, and in turn well-conditioned; leaning one way; square;
 * of half the rank; Pareto-stationary (the last row is minus a sum of the others); of rows between
 * 1/16 and 16 times as long.  `salt` makes another one of the same kind.  from_torchjd.py makes the
 * same ones. */
static inline void gram_matrix(uint32_t k, uint32_t salt, gram_gradients *m)
{
    uint64_t seed = 1000 * salt + k;
    size_t t = 2 + k % 19, kind = k % 6;
    const size_t columns[6] = {t + 20, GRAM_COLUMNS, t, 1 + t / 2, t + 5, t + 3};

    m->ntask = (uint32_t)t;
    m->columns = columns[kind];
    for (size_t i = 0; i < t; i++)
        for (size_t j = 0; j < m->columns; j++) {
            m->a[i][j] = 2 * poise_math_uniform(seed, i, j) - 1;
            if (kind == 1)
                m->a[i][j] += 2 * poise_math_uniform(seed, 99, j) - 1;
            if (kind == 5)
                m->a[i][j] *= ldexp(1, 2 * ((int)(i % 5) - 2));
        }
    for (size_t j = 0; kind == 4 && j < m->columns; j++) {
        m->a[t - 1][j] = 0;
        for (size_t i = 0; i + 1 < t; i++)
            m->a[t - 1][j] -= m->a[i][j] * ((double)(i + 1) / (double)t);
    }
}

/* g[ntask, ntask] = <rows of x, rows of y> */
static inline void gram_products(const gram_gradients *x, const gram_gradients *y, double *g)
{
    for (size_t i = 0; i < x->ntask; i++)
        for (size_t j = 0; j < x->ntask; j++)
            g[i * x->ntask + j] = poise_math_dot(x->a[i], y->a[j], x->columns);
}

#endif
