/* spec.h -- a run file, read and checked.
 *
 * The text is parsed by libyaml into a tree with places (yaml.h), checked against the tables of
 * keys and layer kinds (keys.h, layer.h), and becomes this struct.  All errors of a file are
 * collected (diagnostics.h) before reading fails.
 *
 * Ownership: the spec owns everything it points to; poise_spec_free.
 */
#ifndef POISE_SPEC_H
#define POISE_SPEC_H

#include "../core/error.h"
#include "../data/dataset.h"
#include "../data/schema.h"
#include "../plugins/plugin.h"
#include "diagnostics.h"
#include "monitor.h"

typedef enum poise_optimizer_kind {
    POISE_SGD,
    POISE_ADAM,
    POISE_ADAMW,
    POISE_ADAGRAD
} poise_optimizer_kind;

typedef struct poise_optimizer_spec {
    poise_optimizer_kind kind;
    double rate;              /* learning rate; adam 1e-3 */
    double beta1, beta2, eps; /* adam, adamw: 0.9, 0.999, 1e-8; adagrad: eps 1e-10 */
    double momentum;          /* sgd: 0 */
    double weight_decay;      /* L2 for sgd, adam and adagrad; decoupled for adamw */
    int by_row;               /* adagrad: 1: one sum of squares for each row of a table */
} poise_optimizer_spec;

/* The learning rate over the steps, as a factor of every optimiser's rate (train/rate.h). */
typedef enum poise_decay {
    POISE_DECAY_NONE,
    POISE_COSINE,
    POISE_STEP,
    POISE_EXPONENTIAL
} poise_decay;
typedef struct poise_rate_schedule {
    int64_t warmup; /* steps */
    poise_decay decay;
    int64_t steps; /* cosine: of its way down; 0: to the end of the run */
    double to;     /* cosine: the factor at its end */
    int64_t every; /* step, exponential: steps for which, ... */
    double factor; /* ... by which */
} poise_rate_schedule;

/* Settings of the parameters that a pattern matches. */
typedef struct poise_tuning {
    const char *pattern;
    poise_place place;
    double rate; /* times the learning rate */
    double l2;   /* in place of the optimiser's weight decay; below 0: as that says */
} poise_tuning;

/* Which rewrites of the graph run. */
typedef enum poise_spec_passes { POISE_SPEC_PASSES_ALL, POISE_SPEC_PASSES_NONE } poise_spec_passes;

typedef struct poise_train_spec {
    int64_t batch;            /* 512 */
    int epochs;               /* 10 */
    int patience;             /* early stopping: epochs without a better monitor; 0: none */
    uint64_t seed;            /* 1 */
    int threads;              /* 0: all processors where a step is large, else one */
    int lanes;                /* slices of a batch that run on their own; 0: chosen, 1: none */
    poise_monitor monitor;    /* mean auc */
    int64_t log_every;        /* steps between lines of log.jsonl; 0: chosen */
    poise_spec_passes passes; /* rewrites of the graph */
    int64_t checkpoint_every; /* steps between checkpoints inside an epoch; 0: one per epoch */
    poise_optimizer_spec optimizer;
    int own_embeddings; /* 1: embedding tables have an optimiser of their own */
    poise_optimizer_spec embeddings;
    poise_rate_schedule schedule;
    double clip;  /* bound on the L2 norm of all gradients together; 0: none */
    int diagnose; /* 1: experts, gates and gradients are looked at after every epoch */
    int ntuning;
    const poise_tuning *tuning; /* the first that matches a parameter counts */
} poise_train_spec;

/* What gradient norms and Gram matrices are of. */
typedef enum poise_scope {
    POISE_SCOPE_LAST,           /* the last shared layer */
    POISE_SCOPE_ALL,            /* all that is shared */
    POISE_SCOPE_REPRESENTATION, /* the shared layers' outputs, instead of their parameters */
    POISE_SCOPE_LAYERS          /* the shared layers that `layer` names */
} poise_scope;

/* What a loss is compared with by strategies that look at its progress. */
typedef enum poise_initial {
    POISE_INITIAL_FIRST,    /* the first loss of the task */
    POISE_INITIAL_MEAN,     /* the mean of its losses in the first `initial_steps` steps */
    POISE_INITIAL_BASE_RATE /* the loss of predicting the label's rate: its entropy */
} poise_initial;

typedef enum poise_normalise {
    POISE_NORMALISE_NONE,
    POISE_NORMALISE_SUM, /* the weights sum to 1 */
    POISE_NORMALISE_MEAN /* their mean is 1: they sum to T */
} poise_normalise;

/* One entry of `balancer:`: a strategy, its settings, and what the host does around it. */
typedef struct poise_balancer_spec {
    const char *use; /* a name, or a path already resolved against the spec's folder */
    poise_place place;
    int nsetting;
    const poise_setting *setting;
    poise_scope scope;        /* of norms and Gram; last */
    int nlayer;               /* POISE_SCOPE_LAYERS: 1 or more; else 0 */
    const char *const *layer; /* [nlayer] names of the model's layers, none twice */
    poise_initial initial;    /* first */
    int64_t initial_steps;    /* POISE_INITIAL_MEAN: 1 or more; else 0 */
    int shared_only;          /* -1: as the plugin says, 0, 1 */
    poise_normalise normalise;
    int64_t every; /* steps that a weighting is used for, 1 or more; 1 */
    double smooth; /* a in [0, 1): w_k = a w_{k-1} + (1 - a) of what the strategy says; 0: off */
    double
        clip; /* bound on the L2 norm of the combined gradient of the shared parameters; 0: none */
    int epochs; /* of a schedule: how long this entry weighs; 0: to the end */
} poise_balancer_spec;

typedef struct poise_model poise_model; /* model.h: parameters resolved, layers checked */

typedef struct poise_spec {
    const char *path; /* of the run file */
    const char *name; /* its file name without folder and ending */
    poise_data_spec data;
    poise_schema *schema;               /* declared part */
    const struct poise__groups *groups; /* of features; NULL: none */
    poise_model *model;
    poise_balancer_spec balancer;     /* the first phase */
    int nphase;                       /* of the schedule; 1 without one */
    const poise_balancer_spec *phase; /* [nphase]; epochs is 0 in the last alone */
    poise_train_spec train;
    struct poise__arena *arena;
} poise_spec;

/* `--set KEY=VALUE`: KEY is a path of keys ("train.epochs", "model.experts"), VALUE is YAML.  A key
 * given to a scalar short form opens it: model: mmoe becomes {use: mmoe, experts: VALUE}. */
typedef struct poise_override {
    const char *key, *value;
} poise_override;

/* NULL when the file is wrong; then `diag` holds every error of it.  Warnings may be there too
 * when it is right. */
POISE_API poise_spec *poise_spec_read(const char *path, int noverride,
                                      const poise_override *override, poise_diagnostics *diag);
/* More that may be asked of a reading; all 0: nothing. */
typedef struct poise_spec_options {
    /* Adds to what is wrong, so that what the caller knows of strategies is reported with everything
     * else: called once, when all has been read.  In the spec are the tasks that are right, maybe
     * none, and, of the balancers and their settings, those that are right; the rest may be
     * anything. */
    void (*also)(void *user, const poise_spec *s, poise_diagnostics *diag);
    void *user;
    /* 1: the files with the rows need not be there, unless a feature is a pattern over columns that
     * only they name.  For what looks at the network alone. */
    int without_rows;
    /* What the first override is called where something is wrong with it, as "--models mmoe"; it begins
     * with "--".  NULL: "--set KEY=VALUE". */
    const char *first_override;
} poise_spec_options;
POISE_API poise_spec *poise_spec_read_with(const char *path, int noverride,
                                           const poise_override *override,
                                           const poise_spec_options *options,
                                           poise_diagnostics *diag);
/* The same for a spec that poise_spec_resolved wrote: it names every feature, so the files with the
 * rows are not looked at and need not be there.  What the model learnt of them is in its file. */
POISE_API poise_spec *poise_spec_read_run(const char *path, poise_diagnostics *diag);
POISE_API void poise_spec_free(poise_spec *s);

/* The whole spec with defaults and overrides filled in and the model file inlined, as YAML that
 * reads back to the same spec; paths absolute.  malloc'd. */
POISE_API char *poise_spec_resolved(const poise_spec *s, poise_error *err);

#endif
