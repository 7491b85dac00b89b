/* network.h -- a model between its file and its graph.  Internal.
 *
 * A layer that is written once may stand for several instances: `each: task` makes one per task,
 * `each: [a, b]` one per name; `override` gives some of them other keys.  `copies: E` makes one
 * instance that is a stack of E.  Instances are numbered over the whole model in order of need:
 * instance k needs instances below k only.
 *
 *   shape      value of an instance
 *   stack 0    [B, width]
 *   stack E    [B, E, width]
 *
 * What only one kind of layer has (units, gate, ...) is in a struct of that kind, filled by its
 * table of keys.  Of it the rest of the code knows the references: keys of kind
 * POISE_KEY_REFERENCES, found through the table.
 *
 * Ownership: a model lives in the arena of the spec that it was read with.
 */
#ifndef POISE_NETWORK_H
#define POISE_NETWORK_H

#include "../core/graph.h"
#include "../core/search.h"
#include "model.h"
#include "reading.h"

enum {
    POISE__FEATURES = -1,
    POISE__ONE_FEATURE = -2,
    POISE__GROUP = -3,
    POISE__UNRESOLVED = -4
}; /* .layer */
enum {
    POISE__SAME = -1,     /* of the same name */
    POISE__ALL = -2,      /* [*] */
    POISE__PREVIOUS = -3, /* [previous]: the one before that of the same name, or none */
    POISE__EARLIER = -4,  /* [earlier]: all before it */
    POISE__OTHERS = -5    /* [others]: all but it */
};                        /* .instance */
enum { POISE__MOST_LAYERS = 1000 };
/* What a task's loss may have besides its output (extras.c). */
enum {
    POISE__ROW_WEIGHT, /* what its rows' losses are multiplied by */
    POISE__PENALTY,    /* what is added to it, in the mean over its rows */
    POISE__EXTRAS
};
extern const char *const poise__extra_name[POISE__EXTRAS];

typedef struct poise__layer_kind poise__layer_kind; /* layer.h */
typedef struct poise__layer poise__layer;

typedef struct poise__instance {
    const poise__layer *layer;
    const char *name;        /* "expert", "tower/click": what its parameters' names begin with */
    const char *of;          /* "click": its name in `each`, or the task it is for; NULL: none */
    int at;                  /* which of its layer's */
    int task;                /* index of the task it is for; -1: of none */
    int id;                  /* its number in the model */
    int64_t copies;          /* 0: no stack */
    int idle;                /* 1: no task needs it; it is not built and has no weights */
    const void *own;         /* the kind's keys as they are for it: a struct of the kind */
    const poise__yaml *keys; /* the mapping that they were read from */
    poise_place kind_at;     /* of the value of its kind's key: units, experts */
} poise__instance;

struct poise__layer {
    const char *name;
    poise_place place;
    const poise__layer_kind *kind; /* NULL: not known, and diagnosed */
    int wrong;                     /* its keys cannot all be used, which was diagnosed */
    int each;                      /* 1: one instance per name */
    int of_tasks;                  /* 1: the names are all tasks */
    poise__texts names;
    int unnamed; /* the names, or its task, cannot all be told, which was diagnosed */
    int64_t copies;
    const char *task;             /* `task: click`; NULL: none */
    const poise__yaml *overrides; /* name: keys; NULL: none */
    int nown;                     /* blocks of the kind's keys that its instances have */
    void **own;
    int ninstance;
    poise__instance *instance;
    int state; /* of the walk that orders */
};

/* Features that are read together: features.user. */
typedef struct poise__group {
    const char *name;
    poise_place place;
    int n;
    const int *feature; /* [n] indices in the schema, ascending */
} poise__group;

typedef struct poise__groups {
    int n;
    poise__group *at;
} poise__groups;

int poise__group_find(const poise__groups *g, const char *name); /* -1: there is none */

struct poise_model {
    const char *name; /* "mmoe", "./m.yaml", or "network" when it stands in the run file */
    poise_place place;
    const char *about, *paper, *when;
    /* as written, $names in it, what it extends worked in; NULL: none */
    const poise__yaml *declared; /* parameters */
    const poise__yaml *network;
    const poise__yaml *written_output, *written_extras[POISE__EXTRAS];
    const poise__yaml *removed; /* name: null, of layers that an extending file took away */
    /* as it is */
    const poise__yaml *params;      /* name: value */
    const poise__yaml *outputs;     /* `output:`: a layer, or task: layer; NULL: logit */
    const poise__instance **output; /* [ntask] the instances that are the tasks' outputs */
    const poise__yaml *extras[POISE__EXTRAS];     /* as `output`; NULL: none */
    const poise__instance **extra[POISE__EXTRAS]; /* [ntask] each; NULL: the task has none */
    int nlayer;
    poise__layer *layer;         /* in order of need, and of the file where that is free */
    const poise__groups *groups; /* the spec's */
    const char *read; /* [nfeature] 1: a layer that some task needs reads it; NULL: all are read */
    const char *untyped; /* [ntask] 1: its type cannot be told, which was diagnosed; NULL: none */
    int ntask, ninstance;
    const poise__instance **instance; /* in order of need */
};

/* Where models that are called by name lie. */
extern const poise__search poise__model_search;

/* The shape of an instance.  width 0: not known (yet), and not to be complained about. */
typedef struct poise__shape {
    int64_t stack, width;
    int64_t parameters; /* weights and biases */
    int probability;    /* 1: within 0 .. 1, and its logarithm is had (the kind probability) */
} poise__shape;

/* "B x 8 x 16", into buf; returns buf. */
const char *poise__shape_text(const poise__shape *s, char *buf, size_t size);

/* What a reference of an instance stands for, one after the other. */
typedef struct poise__source {
    int layer;                       /* POISE__FEATURES, POISE__ONE_FEATURE or a layer's index */
    const poise__instance *instance; /* of a layer; else NULL */
    int feature;                     /* index of one feature, or of a group */
    poise_place place;
    const char *name;
} poise__source;

/* Call seen for every source of the references as seen from an instance.  Stops when it returns
 * non-zero, and returns that. */
int poise__sources(const poise_model *m, const poise__instance *i, const poise__references *refs,
                   int (*seen)(void *user, const poise__source *s), void *user);
/* The same over all the references of the instance: inputs, gates, ... */
int poise__all_sources(const poise_model *m, const poise__instance *i,
                       int (*seen)(void *user, const poise__source *s), void *user);

/* The k-th list of references in a block of a kind's keys; NULL past the last. */
poise__references *poise__references_in(const poise__layer_kind *kind, void *own, int k);
/* The key of the layer that it stands under: "input", "gate"; NULL past the last. */
const char *poise__references_key(const poise__layer_kind *kind, int k);

/* Find what every reference of every layer means.  0, or -1 after a diagnosis. */
int poise__references_resolve(poise__reading *r, poise_model *m);
/* The instance that `task: "name[...]"` under output: (or `key`) means for a task; NULL after a
 * diagnosis. */
const poise__instance *poise__output_resolve(poise__reading *r, const poise_model *m,
                                             const char *key, const poise__yaml *v, int task);
/* Find the instances of m->extras, once those of the outputs are known.  0, or -1. */
int poise__extras_read(poise__reading *r, poise_model *m);
/* The k-th instance that a task's loss is made of, its output first; NULL past the last. */
const poise__instance *poise__needed_by(const poise_model *m, int task, int k);
/* Diagnose a value of the parameter `name` that is no input: features, a feature, a group. */
int poise__input_check(poise__reading *r, const poise__yaml *v, const char *name);

/* A layer's instances, with their keys (instances.c). */
int poise__instances_read(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                          const poise_model *m, poise__layer *l);

/* shared[k] is 1 where two tasks need an instance of layer k, by whatever it reads; [m->nlayer], of a
 * model without errors.  0, or -1 when there is no memory. */
int poise__shared_layers(const poise_model *m, int *shared, poise_error *err);
/* The same of every instance: [m->ninstance]. */
int poise__shared_instances(const poise_model *m, int *shared, poise_error *err);

/* Put instances in order of need (order.c); layers are in order but for [previous] and [earlier]. */
int poise__instances_order(poise__reading *r, poise_model *m);

/* Read layers from the mapping `network:` (parameters already in place): kinds and keys, then
 * references, cycles, order, output.  0, or -1. */
int poise__network_read(poise__reading *r, const poise__yaml *node, poise_model *m);

/* Shapes of all instances, diagnosing what does not fit: `shape` has m->ninstance entries.  0, or
 * -1.  Widths that depend on data not yet read are left 0. */
int poise__shapes(const poise_model *m, const poise_schema *s, poise__shape *shape,
                  poise_diagnostics *diag);

/* The mapping that `more` makes of `base`: its keys added or in their place, a null one removes.
 * NULL when there is no memory. */
poise__yaml *poise__keys_over(poise__arena *a, const poise__yaml *base, const poise__yaml *more,
                              poise_error *err);
/* Diagnose the keys without a value in `patch`, of a layer of that name, that its kind cannot have and
 * `inherited` has not: they take nothing away.  0 or -1. */
int poise__removed_check(poise__reading *r, const char *layer, const poise__yaml *patch,
                         const poise__yaml *inherited);

/* In a model without errors: find the instances that are idle; warn of layers that no task needs and of
 * features that no layer reads.  0, or -1 when there is no memory. */
int poise__find_unused(poise__reading *r, poise_model *m);

/* Width of everything: numeric features and embeddings side by side. */
int64_t poise__features_width(const poise_schema *s);
/* How wide a task's output is: 1, or its classes (0: not known yet). */
int64_t poise__task_width(const poise_task *t);

#endif
