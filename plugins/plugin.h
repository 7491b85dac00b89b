/* plugin.h -- loading balancers, and running one.
 *
 * A poise_plugin is a loaded shared object whose table was checked; it is never unloaded.  A
 * poise_balance is one balancer at work: its context, its checked parameters, its state.
 *
 *     poise_plugin *p = poise_plugin_load("gradnorm", &err);        // or "./mine.so"
 *     poise_balance *b = poise_balance_new(p, 2, names, seed, nset, set, &sink, &err);
 *     poise_balance_step(b, &signals, weight, &err);                // [T], checked
 *
 * Ownership: the caller frees both; what _get functions return is borrowed.
 */
#ifndef POISE_PLUGIN_H
#define POISE_PLUGIN_H

#include "../core/error.h"
#include "balancer.h"

typedef struct poise_plugin poise_plugin;
typedef struct poise_balance poise_balance;

/* A name is looked for as NAME.so in the folders of POISE_BALANCER_PATH, then where Poise's own
 * lie; what holds a '/' or ends in ".so" is a path.  Every failure is one PLUGIN error that names
 * the file and what is wrong with it: not there (with the nearest known name), not a shared
 * object, no poise_balancer_v1, a truncated table, an unknown need or flag, a bad parameter row. */
POISE_API poise_plugin *poise_plugin_load(const char *name_or_path, poise_error *err);
/* One that is part of the program itself: the table is checked like any other; `name` stands for
 * the path in messages. */
POISE_API poise_plugin *poise_plugin_of(const poise_balancer *table, const char *name,
                                        poise_error *err);
/* What lies at the same path now, after it was built anew, as another plugin. */
POISE_API poise_plugin *poise_plugin_again(const poise_plugin *old, poise_error *err);
POISE_API void poise_plugin_free(poise_plugin *p); /* the object itself stays loaded */
POISE_API const poise_balancer *poise_plugin_get(const poise_plugin *p);
POISE_API const char *poise_plugin_path(const poise_plugin *p);
/* The k-th parameter's row, whatever the stride of the plugin's table. */
POISE_API const poise_param *poise_plugin_param(const poise_plugin *p, uint32_t k);

/* "grad_norm" for POISE_GRAD_NORM: one bit; NULL where this host does not give that signal. */
POISE_API const char *poise_signal_name(uint32_t bit);

/* Call seen(user, name, path) for every balancer that can be found, each name once, in order.
 * Stops when seen returns non-zero, and returns that. */
POISE_API int poise_plugin_list(int (*seen)(void *user, const char *name, const char *path),
                                void *user, poise_error *err);

/* A setting as the spec or the command line wrote it: one text, or one per task (then `task[k]`
 * names the task of text[k]; a task not named keeps the default). */
typedef struct poise_setting {
    const char *name;
    poise_place place;
    int n;
    const char *const *task; /* NULL: one text for all */
    const char *const *text; /* [n] */
    const poise_place *at;   /* [n] places of the texts; NULL: `place` */
} poise_setting;

/* Which function of a balancer runs now: written around every call, so that a handler of SIGSEGV
 * in the same thread can say what crashed. */
typedef struct poise_balance_where {
    const char *volatile id;       /* the balancer's; valid while the plugin is loaded */
    const char *volatile callback; /* "step"; NULL: none runs */
    volatile uint64_t step;        /* the step of the last call that had one */
} poise_balance_where;

/* Where a balancer's note() and metric() go; all may be NULL. */
typedef struct poise_balance_sink {
    void (*note)(void *user, const char *text);
    void (*metric)(void *user, const char *key, int32_t task, double value);
    void *user;
    poise_balance_where *where; /* the caller's; it outlives the balance */
} poise_balance_sink;

/* Checks the settings against the plugin's parameters (unknown: the nearest one is named; kind;
 * range; per task or not), makes and initialises the state.  SPEC errors carry the setting's
 * place; the plugin must outlive it. */
POISE_API poise_balance *poise_balance_new(poise_plugin *p, uint32_t ntask, const char *const *task,
                                           uint64_t seed, int nsetting,
                                           const poise_setting *setting,
                                           const poise_balance_sink *sink, poise_error *err);
POISE_API void poise_balance_free(poise_balance *b);
POISE_API const poise_plugin *poise_balance_plugin(const poise_balance *b);

/* needs | wants that this host can give */
POISE_API uint32_t poise_balance_signals(const poise_balance *b);

/* One step: `weight` receives the plugin's answer.  A failure, a weight that is not finite or is
 * negative without POISE_SIGNED, or a state written past its end is a PLUGIN error that names the
 * plugin, the task and the step; weight is then as it was. */
POISE_API int poise_balance_step(poise_balance *b, const poise_signals *in, double *weight,
                                 poise_error *err);
POISE_API const double *poise_balance_weight(const poise_balance *b); /* the last ones */

/* ---- groups and elements (version 1.1 of balancer.h) ---- */

/* Name the parameter groups (copied) and make the state anew for them.  Before the first step; a
 * balance starts with one group called "shared". */
POISE_API int poise_balance_groups(poise_balance *b, uint32_t n, const char *const *name,
                                   poise_error *err);
/* How many weights a step gives: T, or G * T with POISE_GROUP_WEIGHTS.  `weight` below and in
 * poise_balance_step and poise_balance_restore has that many. */
POISE_API uint32_t poise_balance_weights(const poise_balance *b);

/* 1 if the balancer has edit() or blend(): it then works on slices of the task gradients. */
POISE_API int poise_balance_by_element(const poise_balance *b);
/* Floats it keeps per element. */
POISE_API uint32_t poise_balance_keep(const poise_balance *b);
/* Its edit() on one slice: fills out[T][n]; without an edit() a copy.  Errors as of a step. */
POISE_API int poise_balance_edit(poise_balance *b, const poise_signals *in, const poise_stretch *s,
                                 float *const *out, poise_error *err);
/* Its blend(): fills out[n]; without one the sum over t of weight[t] grad[t], of the slice's group
 * where weights are by group. */
POISE_API int poise_balance_blend(poise_balance *b, const poise_signals *in, const poise_stretch *s,
                                  const double *weight, float *out, poise_error *err);

/* The flat state to put into a checkpoint, and its version.  The weights are part of a checkpoint
 * too: they are what the plugin sees on entry. */
POISE_API const void *poise_balance_state(const poise_balance *b, size_t *size, uint32_t *version);
/* Restore both; an older version goes through the plugin's migrate, another size is refused. */
POISE_API int poise_balance_restore(poise_balance *b, uint32_t version, const void *state,
                                    size_t size, const double *weight, poise_error *err);

#endif
