/* layer.h -- the table of layer kinds.  Internal.
 *
 * A kind is one row: its keys, its shape rule, its build function.  A new kind is a file with these
 * and its name in POISE__LAYER_KINDS.  Its keys fill a struct that only that file knows, of `own`
 * bytes; an instance holds it in `own`:
 *
 *     typedef struct scale_keys { poise__references input; double by; } scale_keys;
 *     const scale_keys *k = i->own;
 *
 * Keys of kind POISE_KEY_REFERENCES say what it reads: they are resolved, ordered and shown without
 * more being said.
 */
#ifndef POISE_LAYER_H
#define POISE_LAYER_H

#include "network.h"

/* Shapes of the instances before the one that is asked about. */
typedef struct poise__shaper {
    const poise_model *model;
    const poise_schema *schema;
    const poise__shape *shape;
    poise_diagnostics *diag;
} poise__shaper;

/* A list feature in the graph; all NULL of another. */
typedef struct poise__list_value {
    poise_value *ids;    /* i32[B, L], -1 where the list has ended (ops.h: poise_list_mask) */
    poise_value *items;  /* [B, L, D]; NULL unless a layer of a kind with `items` reads it */
    poise_value *pooled; /* [B, D] */
} poise__list_value;

/* The graph while it is built. */
typedef struct poise__builder {
    const poise_model *model;
    const poise_schema *schema;
    const poise__shape *shape;
    poise_graph *g;
    poise_error *err;
    int64_t batch;
    poise_value *numeric, *embedded, *pooled; /* [B, N]; [B, sum D] of ids, of lists; or NULL */
    poise_value *features;                    /* the three side by side */
    poise__list_value *list;                  /* [nfeature] */
    poise_value **weight;                     /* [T] sample weights of the tasks */
    poise_value *counts;                      /* poise__row_counts */
    poise_value **instance;                   /* [ninstance] */
} poise__builder;

struct poise__layer_kind {
    poise_section section; /* name, help and keys; the key of the same name is its main one */
    size_t own;            /* bytes of the struct that the keys fill */
    int items;             /* 1: a list feature that it reads by itself it takes item by item, from
                              poise__builder.list, not pooled */
    /* Fill *out for an instance; 0 or -1 after a diagnosis. */
    int (*shape)(const poise__shaper *c, const poise__instance *i, poise__shape *out);
    /* Append the instance; NULL and *err on failure. */
    poise_value *(*build)(poise__builder *b, const poise__instance *i);
    /* What its keys must say where it is the tasks' output; 0 or -1 after a diagnosis.  NULL: it can
     * be that as it is. */
    int (*output)(poise__reading *r, const poise__instance *i);
};

/* The table of kinds: poise__mlp is in mlp.c and so on. */
#define POISE__LAYER_KINDS(X) X(mlp) X(dense) X(mixture)

#define X(name) extern const poise__layer_kind poise__##name;
POISE__LAYER_KINDS(X)
#undef X
enum {
#define X(name) POISE__KIND_##name,
    POISE__LAYER_KINDS(X)
#undef X
        POISE__KINDS
};
extern const poise__layer_kind *const poise__layer_kinds[POISE__KINDS];

extern const poise_section poise__layer_section; /* each, task, copies, override */

/* ---- what kinds share (inputs.c) ---- */

/* The shape of references side by side.  A stack stands alone, and only where `stack` (copies) is
 * as deep.  `what` is "input" or "gate". */
int poise__concat_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                        const poise__references *refs, int64_t stack, poise__shape *out);
/* Experts of a mixture: their number and width. */
int poise__experts_shape(const poise__shaper *c, const poise__instance *i,
                         const poise__references *refs, poise__shape *out);
/* The same as values: [B, W] (or one stack [B, E, W]); stacks [B, E, W], at most `most`. */
poise_value *poise__concat_value(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs);
int poise__expert_values(poise__builder *b, const poise__instance *i, const poise__references *refs,
                         int most, poise_value **out);
/* How many sources references have. */
int poise__sources_count(const poise_model *m, const poise__instance *i,
                         const poise__references *refs);

/* f32 [B], 0 for rows that no task counts, in a graph that trains: batch norm leaves them out.
 * Into *counts; NULL in one that does not train.  0 or -1. */
int poise__row_counts(poise__builder *b, poise_value **counts);

/* Rows of tables start normal, with this deviation. */
#define POISE__EMBEDDING_DEVIATION 0.05

/* The inputs and embeddings of list features: b->list, b->pooled, net->list (lists.c).  0 or -1. */
int poise__build_lists(poise__builder *b, poise_network *net);

/* x to `units` outputs, one map per copy where stack > 0: parameters PATH/weight, PATH/bias. */
poise_value *poise__linear(poise__builder *b, poise_value *x, const char *path, int64_t stack,
                           int64_t in, int64_t units, int activation);

#endif
