/* check_parts.h -- what the checks of check_*.c share: signals, a balancer at work, findings.
 * Internal.
 *
 *     signals   check_signals.c   a step's losses and gradients under one kind of weather
 *     rig       check_rig.c       state, weights and element-wise hooks of one balancer, called
 *                                 directly: nothing stands between a check and the plugin
 *     checks    check_runs.c, check_same.c, check_table.c, check_object.c
 */
#ifndef POISE_CHECK_PARTS_H
#define POISE_CHECK_PARTS_H

#include "../core/memory.h"
#include "check.h"

enum {
    POISE__CHECK_TASKS = 64,
    POISE__CHECK_GROUPS = 3,
    POISE__CHECK_ELEMENTS = 96, /* of all groups together; more than there are tasks */
    POISE__CHECK_WEIGHTS = POISE__CHECK_TASKS * POISE__CHECK_GROUPS
};

/* ---- signals ---- */

typedef enum poise__losses {
    POISE__LOSS_ORDINARY,
    POISE__LOSS_ZERO,
    POISE__LOSS_TINY,
    POISE__LOSS_HUGE,
    POISE__LOSS_EQUAL,
    POISE__LOSS_DOMINATED
} poise__losses;

typedef enum poise__gradients {
    POISE__GRAD_ORDINARY,
    POISE__GRAD_ZERO,
    POISE__GRAD_ONE_ZERO,
    POISE__GRAD_SAME,
    POISE__GRAD_OPPOSITE,
    POISE__GRAD_TWO_DIRECTIONS,
    POISE__GRAD_ORTHOGONAL,
    POISE__GRAD_DOMINATED,
    POISE__GRAD_TINY,
    POISE__GRAD_HUGE
} poise__gradients;

typedef enum poise__labels {
    POISE__LABELS_ALL,
    POISE__LABELS_SOME,  /* each task in two of three steps */
    POISE__LABELS_FIRST, /* task 0 alone, ever */
    POISE__LABELS_LATE,  /* none at all in the first three steps */
} poise__labels;

typedef struct poise__weather {
    const char *name; /* "losses of 0" */
    poise__losses loss;
    poise__gradients gradient;
    poise__labels labels;
    double absent;     /* what the signals of a task without labels hold */
    uint32_t withheld; /* signals that are NULL although the balancer wants them */
    int gaps;          /* step numbers jump */
} poise__weather;

/* The signals of one step: a function of (weather, ntask, ngroup, k). */
typedef struct poise__feed {
    double labelled[POISE__CHECK_TASKS], loss[POISE__CHECK_TASKS], loss_init[POISE__CHECK_TASKS],
        grad_norm[POISE__CHECK_TASKS], kpi[POISE__CHECK_TASKS], loss_after[POISE__CHECK_TASKS],
        rate[1];
    double gram[POISE__CHECK_TASKS * POISE__CHECK_TASKS];
    double group_gram[POISE__CHECK_GROUPS * POISE__CHECK_TASKS * POISE__CHECK_TASKS];
    double half_gram[POISE__CHECK_TASKS * POISE__CHECK_TASKS];
    float grad[POISE__CHECK_TASKS][POISE__CHECK_ELEMENTS];
    float half[2][POISE__CHECK_TASKS][POISE__CHECK_ELEMENTS];
} poise__feed;

/* Elements [first, end) of group g of ngroup. */
void poise__feed_group(uint32_t g, uint32_t ngroup, uint32_t *first, uint32_t *end);
/* Fill `feed` with step k, and *in with pointers to the signals in `signals`; the rest is NULL. */
void poise__feed_make(poise__feed *feed, const poise__weather *w, uint32_t ntask, uint32_t ngroup,
                      uint64_t k, uint32_t signals, poise_signals *in);
/* grad_norm, gram and group_gram of feed->grad. */
void poise__feed_products(poise__feed *feed, const poise__weather *w, uint32_t ntask,
                          uint32_t ngroup);

/* ---- findings ---- */

typedef struct poise__checking {
    poise_check_report *report;
    poise_plugin *plugin;
    const poise_balancer *table;
} poise__checking;

/* Add a finding, with the report's scene; one whose text is there already is dropped. */
void poise__find(poise_check_report *r, poise_check_kind kind, const char *fmt, ...)
    POISE_FORMAT(3, 4);
/* What is tried from now on. */
void poise__scene(poise_check_report *r, const char *fmt, ...) POISE_FORMAT(2, 3);

/* ---- a balancer at work ---- */

typedef enum poise__end {
    POISE__DONE,
    POISE__REFUSED, /* it failed, with a message */
    POISE__WRONG    /* what came back breaks the contract */
} poise__end;

/* A block between guards.  Fenced: it ends at a page that cannot be touched. */
typedef struct poise__fenced {
    unsigned char *base, *data;
    size_t size, bytes; /* of the data, of the mapping */
} poise__fenced;

typedef struct poise__rig_options {
    uint32_t ntask;
    uint32_t param; /* the parameter that differs from its default, or nparam for none */
    double value;
    const poise__weather *weather;
    int fenced;     /* guards are looked at, and pages behind and of the inputs are closed */
    uint32_t slice; /* elements per slice of edit() and blend(); 0: a whole group */
    int backwards;  /* slices from the last to the first */
    int quiet;      /* no scene and callback in the report: for a second thread */
} poise__rig_options;

typedef struct poise__rig {
    poise_host host; /* first: what the balancer hands back leads here */
    char message[POISE_CHECK_TEXT];
    int failed;
    poise_check_report *report; /* NULL: quiet */
    const poise_balancer *table;
    poise__rig_options o;
    poise_context context;
    uint32_t signals, nweight, nkeep;
    poise__fenced state, weight, out, feed, keep;
    poise__fenced param;
    const double **param_at;
    double seconds; /* spent in the balancer */
} poise__rig;

/* What a refusal with a message is: a failure on ordinary input, a warning on an absurd one, or, as
 * POISE_CHECK_NOTE, nothing where another check tells it. */
typedef poise_check_kind poise__refusal;

/* NULL after the reason was added to the findings: no memory, or a state_size or init that failed. */
poise__rig *poise__rig_new(poise__checking *c, const poise__rig_options *o, poise__refusal refusal);
void poise__rig_free(poise__rig *r);

/* Step k: edit, step, blend.  rig->message says what was wrong. */
poise__end poise__rig_step(poise__rig *r, uint64_t k);

/* Steps [from, to).  What goes wrong is a finding.  1 if all steps were done. */
int poise__rig_run(poise__rig *r, uint64_t from, uint64_t to, poise__refusal refusal);

/* The state as migrate() makes it of an old one. */
poise__end poise__rig_migrate(poise__rig *r, uint32_t from, const void *old, size_t size);

/* What a checkpoint holds, from one rig to another that was made alike. */
void poise__rig_copy(poise__rig *to, const poise__rig *from);

/* A number that differs where the weights (and blended gradients), or the state (and the kept
 * numbers), differ in any bit. */
uint64_t poise__rig_weights_hash(const poise__rig *r);
uint64_t poise__rig_state_hash(const poise__rig *r);

/* The task counts that the balancer takes: fills n[5], returns how many. */
int poise__task_counts(const poise_balancer *b, uint32_t n[5]);
/* The nearest to `wish` that it takes. */
uint32_t poise__tasks(const poise_balancer *b, uint32_t wish);

/* Call check(c, user, k, x) for the defaults (k is nparam) and for every other value of every
 * parameter that is worth trying: minimum, maximum, each choice. */
void poise__each_param(poise__checking *c, const void *user,
                       void (*check)(poise__checking *c, const void *user, uint32_t k, double x));

extern const poise__weather poise__ordinary;

/* ---- the checks: one function a row of check.c's table ---- */

void poise__check_load(poise__checking *c);
void poise__check_texts(poise__checking *c);
void poise__check_exports(poise__checking *c);
void poise__check_imports(poise__checking *c);
void poise__check_globals(poise__checking *c);
void poise__check_tasks(poise__checking *c);
void poise__check_parameters(poise__checking *c);
void poise__check_long_run(poise__checking *c);
void poise__check_losses(poise__checking *c);
void poise__check_gradients(poise__checking *c);
void poise__check_unlabelled(poise__checking *c);
void poise__check_withheld(poise__checking *c);
void poise__check_bounds(poise__checking *c);
void poise__check_repeat(poise__checking *c);
void poise__check_resume(poise__checking *c);
void poise__check_interleaved(poise__checking *c);
void poise__check_threads(poise__checking *c);
void poise__check_slices(poise__checking *c);
void poise__check_migrate(poise__checking *c);
void poise__check_speed(poise__checking *c);

#endif
