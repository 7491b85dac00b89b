/* feed.h -- a strategy fed with made-up losses and gradients, by a small host of its own.
 *
 * A feed has T tasks and 12 shared parameters in two groups of 5 and 7.  Losses, losses after the
 * update and gradients come from an integer hash of (step, task, what) that losses.py computes as
 * well.  feed_step does what training does: signals, edit, signals of what edit made, step, blend. */
#ifndef FEED_H
#define FEED_H

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

enum { FEED_TASKS = 20, FEED_GROUPS = 2, FEED_ELEMENTS = 12, FEED_SPLIT = 5, FEED_EPOCH = 10 };

typedef float feed_rows[FEED_TASKS][FEED_ELEMENTS];

typedef struct feed {
    poise_plugin *plugin;
    poise_balance *balance;
    uint32_t ntask, nkeep;
    const uint32_t *task; /* [T] the task whose numbers slot t gets; NULL: t */
    size_t slice;         /* elements in a slice; 0: a whole group */
    int backwards;        /* slices in reverse order */
    double has;           /* probability of a label; 1 */

    poise_signals in; /* points at the arrays below */
    double labelled[FEED_TASKS], loss[FEED_TASKS], loss_init[FEED_TASKS], loss_after[FEED_TASKS],
        grad_norm[FEED_TASKS], kpi[FEED_TASKS], rate[1];
    double gram[FEED_TASKS * FEED_TASKS], group_gram[FEED_GROUPS * FEED_TASKS * FEED_TASKS];
    feed_rows grad, edited, keep; /* what a checkpoint holds of the elements: keep */
    double weight[FEED_GROUPS * FEED_TASKS];
    float direction[FEED_ELEMENTS];
} feed;

/* In (0, 1). */
static inline double feed_number(uint64_t step, uint32_t t, uint32_t which)
{
    uint64_t x = step * 0x9E3779B97F4A7C15u + t * 0xBF58476D1CE4E5B9u + which * 0x94D049BB133111EBu;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return ((double)(x >> 12) + 0.5) / 4503599627370496.0; /* 2^52 */
}

static inline double feed_loss(uint64_t k, uint32_t t)
{
    return (0.3 + 0.2 * t) / (1 + 0.03 * (t + 1) * (double)k) * (0.8 + 0.4 * feed_number(k, t, 2));
}

/* The words of a setting, apart from its name: "1" for all tasks, or "1,2,3". */
typedef struct feed_setting {
    char text[512];
    const char *word[FEED_TASKS];
    int n;
} feed_setting;

static inline void feed_words(feed_setting *s, const char *text)
{
    snprintf(s->text, sizeof s->text, "%s", text);
    s->n = 0;
    for (char *at = s->text; at && s->n < FEED_TASKS;) {
        s->word[s->n++] = at;
        at = strchr(at, ',');
        if (at)
            *at++ = 0;
    }
}

/* `settings`: "name=value name=v0,v1,..."; a list gives slot t what is task t's.  `task` as in the
 * struct.  On failure NULL and the message in err. */
static inline feed *feed_try(const char *name, uint32_t ntask, const char *settings,
                             const uint32_t *task, poise_error *err)
{
    static const char *const names[FEED_TASKS] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                                  "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
    static const char *const groups[FEED_GROUPS] = {"expert", "gate"};
    char path[512], copy[1024];
    feed_setting words[6];
    const char *text[6][FEED_TASKS];
    poise_setting setting[6];
    int n = 0;
    feed *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_in_range(ntask, 1, FEED_TASKS);
    snprintf(copy, sizeof copy, "%s", settings ? settings : "");
    for (char *at = strtok(copy, " \n"); at && n < 6; at = strtok(NULL, " \n"), n++) {
        char *value = strchr(at, '=');
        assert_non_null(value);
        *value++ = 0;
        feed_words(&words[n], value);
        for (int k = 0; k < words[n].n; k++)
            text[n][k] = words[n].word[words[n].n > 1 && task ? (int)task[k] : k];
        setting[n] = (poise_setting){.name = at, .n = words[n].n, .text = text[n]};
        if (words[n].n > 1)
            setting[n].task = names;
    }
    snprintf(path, sizeof path, "%s/balancers/%s.so", TEST_BUILD, name);
    f->plugin = poise_plugin_load(path, err);
    if (f->plugin)
        f->balance = poise_balance_new(f->plugin, ntask, names, 7, n, setting, NULL, err);
    if (!f->balance || poise_balance_groups(f->balance, FEED_GROUPS, groups, err) < 0) {
        poise_balance_free(f->balance);
        poise_plugin_free(f->plugin);
        free(f);
        return NULL;
    }
    f->ntask = ntask;
    f->task = task;
    f->has = 1;
    f->nkeep = poise_balance_keep(f->balance);
    f->rate[0] = 0.1;
    assert_in_range(f->nkeep, 0, FEED_TASKS);
    f->in = (poise_signals){.size = sizeof f->in,
                            .labelled = f->labelled,
                            .loss = f->loss,
                            .loss_init = f->loss_init,
                            .grad_norm = f->grad_norm,
                            .gram = f->gram,
                            .kpi = f->kpi,
                            .loss_after = f->loss_after,
                            .rate = f->rate,
                            .group_gram = f->group_gram};
    return f;
}

static inline feed *feed_new(const char *name, uint32_t ntask, const char *settings)
{
    poise_error err = {0};
    feed *f = feed_try(name, ntask, settings, NULL, &err);
    if (!f)
        fail_msg("%s: %s", name, err.message);
    return f;
}

static inline void feed_free(feed *f)
{
    poise_balance_free(f->balance);
    poise_plugin_free(f->plugin);
    free(f);
}

/* norms and Gram matrices of some rows */
static inline void feed_measure(feed *f, feed_rows rows)
{
    uint32_t n = f->ntask;
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; b < n; b++) {
            double sum[FEED_GROUPS] = {0, 0};
            for (int i = 0; i < FEED_ELEMENTS; i++)
                sum[i >= FEED_SPLIT] += (double)rows[a][i] * (double)rows[b][i];
            f->group_gram[a * n + b] = sum[0];
            f->group_gram[n * n + a * n + b] = sum[1];
            f->gram[a * n + b] = sum[0] + sum[1];
            if (a == b)
                f->grad_norm[a] = sqrt(sum[0] + sum[1]);
        }
}

/* The numbers of step k.  A task without labels has NaN in every signal, and no gradient. */
static inline void feed_fill(feed *f, uint64_t k)
{
    for (uint32_t t = 0; t < f->ntask; t++) {
        uint32_t task = f->task ? f->task[t] : t;
        int has = feed_number(k, task, 0) < f->has;
        int had = k && feed_number(k - 1, task, 0) < f->has;
        f->labelled[t] = has ? 1 : 0;
        f->loss[t] = has ? feed_loss(k, task) : (double)NAN;
        f->loss_init[t] = feed_loss(0, task);
        f->loss_after[t] =
            had ? feed_loss(k - 1, task) * (0.85 + 0.2 * feed_number(k, task, 5)) : (double)NAN;
        f->kpi[t] = has ? feed_number(k, task, 4) : (double)NAN;
        for (uint32_t i = 0; i < FEED_ELEMENTS; i++)
            f->grad[t][i] =
                has ? (float)((2 * feed_number(k, task, 10 + i) - 1) * (0.5 + 0.3 * task) +
                              0.2 * (2 * feed_number(k, 99, 10 + i) - 1))
                    : 0;
    }
    f->in.step = k;
    f->in.epoch = (uint32_t)(k / FEED_EPOCH);
    feed_measure(f, f->grad);
    for (uint32_t t = 0; t < f->ntask; t++)
        if (!(f->labelled[t] > 0))
            f->grad_norm[t] = (double)NAN;
}

/* Call edit (weight NULL) or blend on elements [first, first + n) of a group. */
static inline int feed_slice(feed *f, size_t first, size_t n, uint32_t group, const double *weight,
                             poise_error *err)
{
    const float *grad[FEED_TASKS];
    float *keep[FEED_TASKS], *out[FEED_TASKS];
    uint32_t flags = poise_plugin_get(f->plugin)->flags;

    for (uint32_t t = 0; t < f->ntask; t++) {
        grad[t] = (weight && !(flags & POISE_EDIT_SIGNALS) ? f->edited : f->grad)[t] + first;
        keep[t] = f->keep[t] + first;
        out[t] = f->edited[t] + first;
    }
    poise_stretch s = {sizeof s, group, first, n, grad, keep};
    return weight ? poise_balance_blend(f->balance, &f->in, &s, weight, f->direction + first, err)
                  : poise_balance_edit(f->balance, &f->in, &s, out, err);
}

static inline int feed_slices(feed *f, const double *weight, poise_error *err)
{
    static const size_t from[] = {0, FEED_SPLIT}, to[] = {FEED_SPLIT, FEED_ELEMENTS};
    for (uint32_t k = 0; k < FEED_GROUPS; k++) {
        uint32_t g = f->backwards ? FEED_GROUPS - 1 - k : k;
        size_t size = f->slice ? f->slice : to[g] - from[g];
        size_t count = (to[g] - from[g] + size - 1) / size;
        for (size_t j = 0; j < count; j++) {
            size_t first = from[g] + (f->backwards ? count - 1 - j : j) * size;
            size_t n = first + size < to[g] ? size : to[g] - first;
            if (feed_slice(f, first, n, g, weight, err) < 0)
                return -1;
        }
    }
    return 0;
}

/* One step with the signals that the arrays hold. */
static inline int feed_try_step(feed *f, poise_error *err)
{
    if (feed_slices(f, NULL, err) < 0)
        return -1;
    if (poise_plugin_get(f->plugin)->edit)
        feed_measure(f, f->edited);
    if (poise_balance_step(f->balance, &f->in, f->weight, err) < 0)
        return -1;
    return feed_slices(f, f->weight, err);
}

static inline void feed_go(feed *f)
{
    poise_error err = {0};
    if (feed_try_step(f, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void feed_step(feed *f, uint64_t k)
{
    feed_fill(f, k);
    feed_go(f);
}

static inline void feed_near(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%s is %.17g, not %.17g", what, got, want);
}

#endif
