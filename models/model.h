/* model.h -- a checked model becomes a graph.
 *
 *     poise_network net;
 *     poise_model_build(spec->model, spec->schema, g, batch, &net, &err);
 *
 * A model is layers in order of need; each is a row of the table of layer kinds (layer.h), which
 * also holds the kind's keys, types, ranges, help and build function.
 */
#ifndef POISE_MODEL_H
#define POISE_MODEL_H

#include "../core/graph.h"
#include "../data/schema.h"
#include "spec.h"

/* The network of one graph: what to fill, what to read. */
typedef struct poise_network {
    int64_t batch;
    int ntask;
    poise_value *numeric; /* f32[B, N] input, NULL where the schema has none */
    poise_value *ids;     /* i32[B, F] input, NULL where there is none */
    int nlist;
    poise_value **list;     /* [nlist] i32[B, length] inputs of the list features */
    poise_value **output;   /* [T] logits, a number or a log rate: [B, 1]; of C classes [B, C]; of C
                               grades [B, C - 1] (poise_thresholds) */
    poise_value **label;    /* [T] f32[B] inputs (i32[B] where it is a class) */
    poise_value **weight;   /* [T] f32[B] inputs */
    poise_value **loss;     /* [T] f32[1] */
    poise_value **labelled; /* [T] f32[1]: sum of the weights that counted */
    const char **task;      /* [T] names */
} poise_network;

/* Append the network to g (whose training flag decides about dropout and batch norm) and add its
 * parameters to g's store.  The schema must be learnt (embedding rows).  Arrays of *net are owned
 * by g's arena. */
POISE_API int poise_model_build(const poise_model *m, const poise_schema *s, poise_graph *g,
                                int64_t batch, poise_network *net, poise_error *err);

/* 1 if the instance `name`, which nodes have as their layer, is of a layer of kind mixture.  Internal. */
int poise__model_mixes(const poise_model *m, const char *name);

/* One line per layer for `poise check`: call line(user, name, kind, shape text, parameters,
 * place) in order.  Shapes are those of a batch of B rows, written "B x 8 x 16". */
typedef struct poise_layer_info {
    const char *name, *kind;
    const char *shape;
    int64_t parameters; /* weights and biases of this layer, all copies and tasks */
    int repeats;        /* instances (`each: task`) that some task needs */
    poise_place place;
} poise_layer_info;
POISE_API int poise_model_describe(const poise_model *m, const poise_schema *s,
                                   int (*line)(void *user, const poise_layer_info *l), void *user,
                                   poise_error *err);

/* "mmoe", "zoo/mine.yaml", or "network" where the layers stand in the run file. */
POISE_API const char *poise_model_name(const poise_model *m);
/* Weights of all layers and embeddings (whose rows are known once the schema is learnt); -1 on
 * failure. */
POISE_API int64_t poise_model_weights(const poise_model *m, const poise_schema *s,
                                      poise_error *err);

/* 1 if a layer that some task needs reads the feature; else its table stays as it begins. */
POISE_API int poise_model_reads(const poise_model *m, int feature);

/* Names of the models that can be used by name: NULL-terminated, free with poise_names_free. */
POISE_API char **poise_model_names(poise_error *err);
POISE_API void poise_names_free(char **names);

#endif
