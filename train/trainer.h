/* trainer.h -- one training run, from a checked spec to a run folder.
 *
 *     poise_result r;
 *     poise_train(spec, &(poise_train_options){.out = "runs/mine"}, &r, &err);
 *     printf("%s auc %.4f\n", r.task[0].name, r.task[0].figure[POISE_AUC]);
 *     poise_result_done(&r);
 *
 * The folder receives spec.yaml (resolved), log.jsonl, result.json, model.safetensors (the best
 * epoch's weights and the learnt schema) and state.safetensors (everything a resume needs).
 */
#ifndef POISE_TRAINER_H
#define POISE_TRAINER_H

#include "../models/spec.h"
#include "profile.h"

typedef struct poise_progress {
    int epoch, epochs; /* epoch counts from 0 */
    uint64_t step, steps;
    double samples_per_second, seconds_left;
    int ntask;
    const char *const *task;
    const double *loss, *weight; /* [T]: the last step's */
    int ended;                   /* 1: the end of an epoch */
    /* Then the validation figures, [T], where there are validation rows; else NULL, and monitor NaN. */
    const struct poise_task_result *figure;
    double monitor;
    int best;         /* 1: the best epoch so far */
    const char *note; /* a line from the balancer or the trainer to show, else NULL */
    int run; /* of a comparison: which of its runs, from 0: all seeds of its first row, ... */
} poise_progress;

/* Called with the signals of every step that the balancer sees, the number of groups that
 * group_gram has, and the weights that are used: [nweight], T or one row of T per group. */
typedef void poise_train_record(void *user, const poise_signals *in, int ngroup,
                                const double *weight, int nweight);

/* For a handler of SIGSEGV: what runs, and what a resume would go on from. */
typedef struct poise_train_where {
    poise_balance_where balance;
    const char *volatile out; /* the run folder that holds a checkpoint; NULL: none yet */
    volatile uint64_t step;   /* the checkpoint's */
} poise_train_where;

typedef struct poise_train_options {
    const char *out; /* run folder; made if it is not there */
    int resume; /* 1: continue from out's state.safetensors; a comparison: from its compare.json */
    /* Called some times a second; non-zero stops the run after a checkpoint (code STOPPED). */
    int (*progress)(void *user, const poise_progress *p);
    void *user;
    poise_train_record *record; /* NULL: nothing is recorded */
    void *record_user;
    /* 1: look between steps whether the balancer's file was built anew, and go on with what it holds
     * now, its state kept where version and size are the same.  One that is refused is told in a
     * note, and the old one stays. */
    int watch_balancer;
    poise_profile *profile;   /* where the time goes; NULL: it is not measured */
    poise_train_where *where; /* kept up to date; NULL: nobody asks */
    /* Stop as if asked to after this many steps in all; 0: never.  For tests. */
    uint64_t stop_after;
} poise_train_options;

typedef struct poise_task_result {
    const char *name;
    poise_task_kind kind;
    double figure[POISE_FIGURE_COUNT]; /* NaN where it does not apply */
    double auc_best_possible;          /* NaN where it is not known */
    double weight;                     /* the balancer's last */
} poise_task_result;

typedef struct poise_result {
    const char *balancer; /* its id */
    uint64_t seed;
    int epochs, best_epoch; /* run; best counts from 1; 0 of an evaluation */
    double samples_per_second, seconds, seconds_per_epoch;
    const char *part; /* "test", "valid" or "train": where the figures come from */
    int ntask;
    poise_task_result *task;
    struct poise__arena *arena;
} poise_result;

POISE_API int poise_train(const poise_spec *spec, const poise_train_options *o, poise_result *r,
                          poise_error *err);
POISE_API void poise_result_done(poise_result *r);

/* Figures of a trained run on one part of its data ("train", "valid", "test"). */
POISE_API int poise_evaluate(const char *run, const char *part, int threads, poise_result *r,
                             poise_error *err);
/* Score a file: CSV with a header, one column of predictions per task (probabilities for binary
 * tasks), a line per row of the file, in its order. */
POISE_API int poise_predict(const char *run, const char *data, const char *out, int threads,
                            int64_t *rows, poise_error *err);

/* result.json's text (see docs/commands.md), malloc'd. */
POISE_API char *poise_result_json(const poise_result *r, poise_error *err);

/* Models x strategies, each with seeds seed, seed + 1, ...: the table that people publish. */
typedef struct poise_compare_row {
    const char *model;    /* its name; of a path the file's; name_2 for a second one */
    const char *balancer; /* in the same way; a schedule's are joined by + */
    int64_t weights;      /* of the model, embeddings too */
    double *mean, *std;   /* [T] of the task's figure */
    double mean_std;      /* mean of std over the tasks compared by AUC; where none is, over all */
    double seconds_per_epoch;
} poise_compare_row;
typedef struct poise_comparison {
    int ntask, repeat;
    uint64_t seed;         /* of each row's first run */
    int nmodel, nbalancer; /* as asked for; nbalancer 0: each spec's own */
    int nrow;              /* finished: all strategies of the first model, of the second, ... */
    const char **task;
    poise_figure *figure;  /* [T] what the task is compared by: poise_figure_headline */
    double *best_possible; /* [T], of an AUC; NaN unknown */
    poise_compare_row *row;
    struct poise__arena *arena;
} poise_comparison;
/* compare.json is written at the beginning and after every row.  On failure *c holds the rows that were
 * finished; poise_comparison_done in any case.
 *
 * With o->resume the folder has a comparison of the same models, strategies, repeats and seed (SPEC:
 * another) that was stopped or killed: runs that ended are taken as they are, one that had begun goes
 * on, the others are trained.  Every run that began must be of the settings that are asked for, but for
 * the number of threads. */
POISE_API int poise_compare(const poise_spec *spec, int nbalancer, const char *const *balancer,
                            int repeat, const poise_train_options *o, poise_comparison *c,
                            poise_error *err);
/* The same of several specs that differ in their model: same tasks, same seed. */
POISE_API int poise_compare_models(int nmodel, const poise_spec *const *spec, int nbalancer,
                                   const char *const *balancer, int repeat,
                                   const poise_train_options *o, poise_comparison *c,
                                   poise_error *err);
POISE_API void poise_comparison_done(poise_comparison *c);
POISE_API char *poise_comparison_json(const poise_comparison *c, poise_error *err);

/* Whether a strategy has a use for every option of the spec that says something else than its default:
 * a scope is of gradients, an initial loss of those that look at it.  0, or -1 with the option named. */
POISE_API int poise_balancer_options_check(const poise_balance *b,
                                           const poise_balancer_spec *options, poise_error *err);

#endif
