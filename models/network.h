/* network.h -- a model between its file and its graph.  Internal.
 *
 * A layer that is written once may stand for several: `each: task` makes one instance per task,
 * `copies: E` makes one instance that is a stack of E.  Instances are numbered over the whole
 * model in order of need: instance k needs instances below k only.
 *
 *   shape      value of an instance
 *   stack 0    [B, width]
 *   stack E    [B, E, width]
 *
 * Ownership: a model lives in the arena of the spec that it was read with.
 */
#ifndef POISE_NETWORK_H
#define POISE_NETWORK_H

#include "../core/graph.h"
#include "../core/search.h"
#include "model.h"
#include "reading.h"

enum { POISE__FEATURES = -1, POISE__ONE_FEATURE = -2, POISE__UNRESOLVED = -3 }; /* .layer */
enum { POISE__SAME_TASK = -1, POISE__ALL_TASKS = -2 };                          /* .task */
enum { POISE__WIDTH_OF_TASK = 0 }; /* `dense: task`: as wide as the task's output must be */

/* "features", "age", "expert", "tower" (the same task's), "tower[*]", "tower[click]" */
typedef struct poise__reference {
    const char *name, *select; /* select: what stands in brackets, or NULL */
    poise_place place;
    int layer; /* index of a layer, or POISE__FEATURES ... */
    int task;  /* index of a task, or POISE__SAME_TASK ... */
    int feature;
} poise__reference;

typedef struct poise__references {
    int n;
    poise__reference *at;
} poise__references;

typedef struct poise__layer_kind poise__layer_kind; /* layer.h */

typedef struct poise__layer {
    const char *name;
    poise_place place;
    const poise__layer_kind *kind; /* NULL: it was wrong, and diagnosed */
    int each;                      /* 1: one instance per task */
    int64_t copies;                /* 0: no stack */
    poise__ints units;             /* of mlp; of dense one, maybe POISE__WIDTH_OF_TASK */
    int activation, norm;          /* activation.h, POISE__NORM_... */
    double dropout;
    poise__references input; /* concatenated; of a mixture: the experts */
    poise__references gate;  /* of a mixture: concatenated */
    poise_place kind_at;     /* of the value of its kind's key: units, experts */
    int first;               /* its first instance */
    int state;               /* of the walk that orders */
} poise__layer;

struct poise_model {
    const char *name; /* "mmoe", "./m.yaml", or "network" when it stands in the run file */
    const char *about, *paper, *when;
    poise_place place;
    const char *output_name;
    poise_place output_at;
    int output; /* index of the output layer */
    int nlayer;
    poise__layer *layer; /* in order of need, and of the file where that is free */
    int ntask, ninstance;
    const poise__yaml *params;  /* as used, defaults overridden; NULL: none */
    const poise__yaml *network; /* as written, $names in it */
};

/* Where models that are called by name lie. */
extern const poise__search poise__model_search;

/* The shape of an instance.  width 0: not known (yet), and not to be complained about. */
typedef struct poise__shape {
    int64_t stack, width;
    int64_t parameters; /* weights and biases */
} poise__shape;

/* What a reference of an instance stands for, one after the other. */
typedef struct poise__source {
    int layer;    /* POISE__FEATURES, POISE__ONE_FEATURE or a layer's index */
    int instance; /* of a layer */
    int feature;
    poise_place place;
    const char *name;
} poise__source;

/* Call seen for every source of the references as seen from an instance for `task` (-1: none).
 * Stops when it returns non-zero, and returns that. */
int poise__sources(const poise_model *m, const poise__references *refs, int task,
                   int (*seen)(void *user, const poise__source *s), void *user);

/* shared[k] is 1 where two tasks need an instance of layer k, by inputs or gates; [m->nlayer], of a
 * model without errors.  0, or -1 when there is no memory. */
int poise__shared_layers(const poise_model *m, int *shared, poise_error *err);

/* Read layers from the mapping `network:` (parameters already in place): kinds and keys, then
 * references, cycles, order, output.  0, or -1. */
int poise__network_read(poise__reading *r, const poise__yaml *node, poise_model *m);

/* Shapes of all instances, diagnosing what does not fit: `shape` has m->ninstance entries.  0, or
 * -1.  Widths that depend on data not yet read are left 0. */
int poise__shapes(const poise_model *m, const poise_schema *s, poise__shape *shape,
                  poise_diagnostics *diag);

/* Width of everything: numeric features and embeddings side by side. */
int64_t poise__features_width(const poise_schema *s);
/* How wide a task's output is: 1, or its classes (0: not known yet). */
int64_t poise__task_width(const poise_task *t);
/* "tower/click", "expert": into buf. */
const char *poise__instance_name(const poise_schema *s, const poise__layer *l, int task, char *buf,
                                 size_t size);

#endif
