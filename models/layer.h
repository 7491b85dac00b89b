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

#include "../ops/ops.h"
#include "network.h"

/* Shapes of the instances before the one that is asked about. */
typedef struct poise__shaper {
    const poise_model *model;
    const poise_schema *schema;
    const poise__shape *shape;
    poise_diagnostics *diag;
} poise__shaper;

/* A list feature in the graph, and one whose table others use too; all NULL of another. */
typedef struct poise__list_value {
    poise_value *ids;    /* i32[B, L], -1 where the list has ended (ops.h: poise_list_mask); NULL of
                            what is no list */
    poise_value *items;  /* [B, L, D]; there where a layer of a kind with `items` reads it */
    poise_value *pooled; /* [B, D]; of what is no list its embedding */
} poise__list_value;

/* The graph while it is built. */
typedef struct poise__builder {
    const poise_model *model;
    const poise_schema *schema;
    const poise__shape *shape;
    poise_graph *g;
    poise_error *err;
    int64_t batch;
    poise_value *numeric, *embedded, *pooled; /* [B, N]; [B, sum D] of ids with tables to
                                                 themselves, of what `list` has; or NULL */
    poise_value *features;                    /* the three side by side */
    poise__list_value *list;                  /* [nfeature] */
    poise_value **weight;                     /* [T] sample weights of the tasks */
    poise_value *counts;                      /* poise__row_counts */
    poise_value **instance;                   /* [ninstance] */
    poise_value *ids;                         /* i32[B, F] */
    poise_value **log_p; /* [ninstance] the logarithm of what is a probability; else NULL */
} poise__builder;

struct poise__layer_kind {
    poise_section section; /* name, help and keys; the key of the same name is its main one */
    size_t own;            /* bytes of the struct that the keys fill */
    int copies; /* 1: it may have `copies`; of the others what they read may be a stack */
    int items;  /* 1: a list feature that it reads by itself it takes item by item, from
                              poise__builder.list, not pooled */
    /* What of its keys does not go together, where each of them can be read: told also when another
     * one cannot.  0 or -1 after a diagnosis.  NULL: they always do. */
    int (*agree)(poise__reading *r, const poise__layer *l, const void *own);
    /* Fill *out for an instance; 0 or -1 after a diagnosis. */
    int (*shape)(const poise__shaper *c, const poise__instance *i, poise__shape *out);
    /* Append the instance; NULL and *err on failure. */
    poise_value *(*build)(poise__builder *b, const poise__instance *i);
    /* What its keys must say where it is the tasks' output; 0 or -1 after a diagnosis.  NULL: it can
     * be that as it is. */
    int (*output)(poise__reading *r, const poise__instance *i);
};

/* The table of kinds: poise__mlp_kind is in mlp.c and so on. */
#define POISE__LAYER_KINDS(X) \
    X(mlp)                    \
    X(dense)                  \
    X(mixture)                \
    X(mask)                   \
    X(concat)                 \
    X(add)                    \
    X(subtract)               \
    X(multiply)               \
    X(scale)                  \
    X(function)               \
    X(reciprocal)             \
    X(softmax)                \
    X(dropout)                \
    X(stop_gradient)          \
    X(constant)               \
    X(layer_norm)             \
    X(batch_norm)             \
    X(probability)            \
    X(logit)                  \
    X(blend)                  \
    X(cross_stitch)           \
    X(sluice)                 \
    X(attention)              \
    X(cross)                  \
    X(factorisation_machine)  \
    X(bilinear)               \
    X(squeeze_excitation)     \
    X(embedding)              \
    X(target_attention)

#define X(name) extern const poise__layer_kind poise__##name##_kind;
POISE__LAYER_KINDS(X)
#undef X
enum {
#define X(name) POISE__KIND_##name,
    POISE__LAYER_KINDS(X)
#undef X
        POISE__KINDS
};
extern const poise__layer_kind *const poise__layer_kinds[POISE__KINDS];

/* The kind of a layer as written: the one key of it that is a kind's name, and no option of another
 * kind that is there (dropout may be a kind, and is an option of mlp).  NULL: there is none; *other:
 * a second that is there too, else NULL. */
const poise__layer_kind *poise__layer_kind_of(const poise__yaml *v,
                                              const poise__layer_kind **other);
/* 1 if a key of the section has that name. */
int poise__section_has(const poise_section *s, const char *name);

extern const poise_section poise__layer_section; /* each, task, copies, override */
extern const char *const poise__override_kept[]; /* keys that an override cannot hold */
extern const int poise__override_nkept;

/* Sections inside layers: of `gate`. */
extern const poise_section poise__gate_section, poise__mask_gate_section;

/* ---- what kinds share (inputs.c) ---- */

/* Of `stack` below: as deep as what is read, whatever that is; the layer has no copies of its own. */
enum { POISE__ANY_STACK = -1 };

/* The shape of references side by side.  A stack stands alone, and only where `stack` (copies) is
 * as deep.  `what` is "input" or "gate". */
int poise__concat_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                        const poise__references *refs, int64_t stack, poise__shape *out);
/* Of references that are equally wide and equally deep; narrow: some may be 1 wide. 
 * `what` is the kind's name. */
int poise__equal_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                       const poise__references *refs, int narrow, poise__shape *out);
/* Experts of a mixture: their number and width. */
int poise__experts_shape(const poise__shaper *c, const poise__instance *i,
                         const poise__references *refs, poise__shape *out);
/* The same as values: [B, W] (or one stack [B, E, W]); stacks [B, E, W], at most `most`. */
poise_value *poise__concat_value(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs);
int poise__expert_values(poise__builder *b, const poise__instance *i, const poise__references *refs,
                         int most, poise_value **out);
/* One source, one feature, as it is. */
poise_value *poise__source_value(poise__builder *b, const poise__source *s);
poise_value *poise__feature_value(poise__builder *b, int feature);
/* Every source as it is, in order; [poise__sources_count]. */
int poise__source_values(poise__builder *b, const poise__instance *i, const poise__references *refs,
                         int most, poise_value **out);
/* Is a feature among what an input stands for: `features`, a group, itself? */
int poise__source_has(const poise_model *m, const poise__source *s, int feature);
/* How many sources references have. */
int poise__sources_count(const poise_model *m, const poise__instance *i,
                         const poise__references *refs);

/* f32 [B], 0 for rows that no task counts, in a graph that trains: batch norm leaves them out.
 * Into *counts; NULL in one that does not train.  0 or -1. */
int poise__row_counts(poise__builder *b, poise_value **counts);

/* Rows of tables start normal, with this deviation. */
#define POISE__EMBEDDING_DEVIATION 0.05

/* ---- features as values (inputs.c, tables.c) ---- */

/* How many columns feature k has of b->numeric, b->ids, b->embedded. */
typedef int64_t poise__width_fn(const poise_schema *s, int k);
poise__width_fn poise__numeric_width, poise__ids_width, poise__embedded_width;
/* The columns of features [n], ascending, of x, which has those of all, into piece [n]: as few as they
 * come in.  How many; -1 on failure. */
int poise__pieces(poise__builder *b, poise_value *x, poise__width_fn *width, int n,
                  const int *feature, poise_value **piece);
/* The same as one value; NULL on failure.  One of the features has such columns. */
poise_value *poise__columns(poise__builder *b, poise_value *x, poise__width_fn *width, int n,
                            const int *feature);

/* The features that look rows up, and where. */
typedef struct poise__tables {
    const poise__instance
        *of;     /* the layer whose tables they are; NULL: those that all layers share */
    int64_t dim; /* their width; 0: each feature's own */
    int n;
    const int *feature; /* [n] indices in the schema, ascending */
} poise__tables;

/* Embeddings of the features: *embedded [B, sum D] of the ids whose table none of the others uses
 * (NULL: there are none), value[k] of lists and of the others.  value [nfeature] has the ids of lists.
 * 0 or -1. */
int poise__tables_look_up(poise__builder *b, const poise__tables *t, poise_value **embedded,
                          poise__list_value *value);
/* 1 where no feature before k among features [n] uses the table that k uses, which has one. */
int poise__table_first(const poise_schema *s, int n, const int *feature, int k);
/* How the items of a list feature become one. */
poise_pool poise__pool(const poise_feature *f);

/* The parameter PATH/NAME. */
poise_value *poise__parameter(poise__builder *b, const char *path, const char *name,
                              poise_param_kind kind, int rank, const int64_t *dim, poise_init init);
/* x to `units` outputs, one map per copy where stack > 0: parameters PATH/weight, PATH/bias. */
poise_value *poise__linear(poise__builder *b, poise_value *x, const char *path, int64_t stack,
                           int64_t in, int64_t units, int activation);
/* Dense layers one after the other, each with the activation: PATH/0, PATH/1, ...  `parameters`
 * counts theirs for an input of `in`, 0 where that is not known. */
poise_value *poise__hidden(poise__builder *b, poise_value *x, const char *path,
                           const poise__ints *units, int activation);
int64_t poise__hidden_parameters(const poise__ints *units, int64_t in);

/* Normalisation of [B, W] or each copy of [B, E, W]: PATH/gamma, PATH/beta, ... (norm.c). */
poise_value *poise__layer_norm(poise__builder *b, poise_value *x, const char *path);
poise_value *poise__batch_norm(poise__builder *b, poise_value *x, const char *path);
/* Dropout whose stream is named after `path`. */
poise_value *poise__dropped(poise__builder *b, poise_value *x, double rate, const char *path);

/* ---- fields: what is read as vectors (fields.c) ---- */

/* Each feature, each copy of a stack and each layer is one. */
typedef struct poise__fields {
    int64_t n, width, total; /* width of each, 0 where they differ; total 0: not known */
} poise__fields;

/* 0 or -1 after a diagnosis; `equal`: they must be equally wide.  `what` is the kind's name. */
int poise__fields_shape(const poise__shaper *c, const poise__instance *i, const char *what,
                        const poise__references *refs, int equal, poise__fields *out);
/* Side by side, [B, total], and their widths: [n], malloc'd. */
poise_value *poise__fields_value(poise__builder *b, const poise__instance *i,
                                 const poise__references *refs, poise__fields *f, int64_t **width);

#endif
