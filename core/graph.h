/* graph.h -- the static computation graph: values, nodes, gradients, rewrites.
 *
 * A value has a type, a static shape and a name; a node applies one operator to
 * values and makes values.  Nodes are kept in the order of their making, which
 * is a topological order, and every node keeps the place in the spec and the
 * layer it was made for.
 *
 *     poise_graph *g = poise_graph_new(store, &err);
 *     poise_value *x = poise_input(g, "x", POISE_F32, 2, (int64_t[]){32, 8}, &err);
 *     poise_value *w = poise_weight(g, "fc/weight", POISE_DENSE, 2, dims, init, &err);
 *     poise_value *y = poise_relu(g, poise_linear(g, x, w, NULL, &err), &err);   // ops/ops.h
 *
 * A builder that is given NULL for a value that it needs returns NULL and leaves *err alone, so
 * that calls can be chained and checked once at the end.
 *
 * Shapes: B is the batch, and is the first dimension of whatever has one.  Rank 0 does not exist:
 * a scalar is [1].
 *
 * Ownership: the graph owns its nodes, values, names and attributes; the store is borrowed and
 * must outlive it.  Pointers stay valid until poise_graph_free, also after rewrites.
 */
#ifndef POISE_GRAPH_H
#define POISE_GRAPH_H

#include "error.h"
#include "store.h"

typedef enum poise_dtype {
    POISE_F32,
    POISE_I32,
    POISE_F64 /* signals only (norms, Gram matrices): never a tensor of the network */
} poise_dtype;

typedef enum poise_role {
    POISE_COMPUTED, /* made by a node */
    POISE_INPUT,    /* filled by the caller before each run */
    POISE_PARAM     /* lives in the store */
} poise_role;

typedef struct poise_graph poise_graph;
typedef struct poise_node poise_node;
typedef struct poise_op poise_op; /* op.h */

typedef struct poise_value {
    uint32_t id; /* its index in the graph */
    poise_dtype dtype;
    poise_role role;
    int rank;
    int64_t dim[POISE_MAX_RANK];
    const char *name;            /* of an input or parameter, else that of its layer; never NULL */
    poise_node *producer;        /* NULL unless COMPUTED */
    int slot;                    /* which of the producer's outputs */
    int param;                   /* index in the store, -1 unless PARAM */
    struct poise_value *forward; /* after a rewrite: the value that stands for this one, or NULL */
} poise_value;

/* What an operator needs to know besides its inputs.  Two nodes with the same operator, inputs
 * and attributes compute the same value.  Each builder in ops/ops.h says what it keeps where. */
typedef struct poise_attr {
    double f[4];
    int64_t i[8];
    const void *p; /* borrowed by the graph: must outlive it */
} poise_attr;

struct poise_node {
    uint32_t id;
    const poise_op *op;
    int nin, nout;
    poise_value **in;  /* [nin]; an optional input that is absent is NULL */
    poise_value **out; /* [nout] */
    poise_attr attr;
    const char *layer; /* "expert", "tower/click"; never NULL */
    poise_place place;
    int part; /* the builder's own number, for reports (poise_graph_part) */
    int dead; /* removed by a rewrite */
};

POISE_API poise_graph *poise_graph_new(poise_store *store, poise_error *err);
POISE_API void poise_graph_free(poise_graph *g);
POISE_API poise_store *poise_graph_store(const poise_graph *g);

/* Where the nodes made from now on come from.  Both are copied. */
POISE_API int poise_graph_at(poise_graph *g, const char *layer, poise_place place,
                             poise_error *err);

/* Number the nodes made from now on, 0 at first: which part of the work they are.  Core only keeps
 * the number; train/profile.h says what it means. */
POISE_API void poise_graph_part(poise_graph *g, int part);

/* 1: dropout drops and batch norm uses the batch; 0 (the default): neither. */
POISE_API void poise_graph_train(poise_graph *g, int training);
POISE_API int poise_graph_training(const poise_graph *g);

POISE_API poise_value *poise_input(poise_graph *g, const char *name, poise_dtype dtype, int rank,
                                   const int64_t *dim, poise_error *err);
/* A parameter of the store, added to it where it is new (store.h).  The same name and shape again
 * gives the same value. */
POISE_API poise_value *poise_weight(poise_graph *g, const char *name, poise_param_kind kind,
                                    int rank, const int64_t *dim, poise_init init,
                                    poise_error *err);

/* Apply an operator: checks arity and shapes, appends the node.  NULL on failure.  Inputs are
 * copied; in[k] may be NULL where the operator says so. */
POISE_API poise_node *poise_apply(poise_graph *g, const poise_op *op, int nin,
                                  poise_value *const *in, const poise_attr *attr, poise_error *err);

/* Mark a value that the caller will read after a run: it is kept to the end of it. */
POISE_API int poise_graph_output(poise_graph *g, poise_value *v, poise_error *err);
POISE_API int poise_graph_is_output(const poise_graph *g, const poise_value *v);

POISE_API int poise_graph_nodes(const poise_graph *g); /* the number of nodes, dead ones included */
POISE_API poise_node *poise_graph_node(const poise_graph *g, int index);
POISE_API int poise_graph_values(const poise_graph *g);
POISE_API poise_value *poise_graph_value(const poise_graph *g, int index);

/* The value that stands for v after rewrites: v itself where there was none.  NULL gives NULL. */
POISE_API poise_value *poise_resolve(poise_value *v);

POISE_API int64_t poise_value_count(const poise_value *v); /* elements */
POISE_API size_t poise_dtype_size(poise_dtype t);
/* "f32[512, 8, 16]" into buf; returns buf. */
POISE_API const char *poise_value_text(const poise_value *v, char *buf, size_t size);

/* A name in the graph's arena.  NULL when memory is out. */
POISE_API const char *poise_graph_text(poise_graph *g, poise_error *err, const char *fmt, ...)
    POISE_FORMAT(3, 4);

/* ---- gradients: a graph transformation (core/autodiff.c) ----------------------------------- */

/* The gradient of a parameter kept in a TABLE: row rows[k] of the table receives value[k, :].
 * Rows are merged: each occurs once, in ascending order of first use; after the last, rows[k] is
 * -1 and value[k, :] is 0.  For every other value `rows` is NULL and `value` has its shape. */
typedef struct poise_gradient {
    poise_value *value; /* NULL: y does not depend on it */
    poise_value *rows;
} poise_gradient;

/* Append the nodes that compute, for each k < nx,
 *
 *     dx[k] = sum over j < ny of  dy[j] . d y[j] / d x[k]
 *
 * dy[j] has y[j]'s shape; NULL stands for ones.  Only nodes that lie between some x and some y are
 * visited, and the walk stops at every x: where x[0] is computed from x[1], what reaches x[1]
 * through x[0] is not counted.  An x that is among the y's receives its dy itself.
 * Errors: GRADIENT, naming the node, where an operator on the way has no gradient; naming the table,
 * where one is used by two embeddings; where the graph was not told how to add or to make ones
 * (op.h).  After an error the graph holds nodes that nobody reads. */
POISE_API int poise_backward(poise_graph *g, int ny, poise_value *const *y, poise_value *const *dy,
                             int nx, poise_value *const *x, poise_gradient *dx, poise_error *err);

/* ---- rewrites (core/rewrite.c): one function each, run before a session is made ------------ */

/* Merge nodes with the same operator, attributes and inputs.  Returns how many went, or -1.  The
 * values of those that went are forwarded: poise_resolve finds what stands for them. */
POISE_API int poise_rewrite_common(poise_graph *g, poise_error *err);
/* Remove nodes that no output and no side effect depends on.  Returns how many went, or -1. */
POISE_API int poise_rewrite_dead(poise_graph *g, poise_error *err);
/* Let an operator that can do so compute the activation after it as well, where nobody else reads
 * what comes between (op.h, absorb).  Its value then stands for the activation's.  Returns how many
 * nodes went, or -1.  Gradients are to be built before. */
POISE_API int poise_rewrite_epilogue(poise_graph *g, poise_error *err);
/* Let a sum whose second or first term is read by nobody else be computed by what makes that term,
 * onto the other (op.h, onto).  Returns how many nodes went, or -1. */
POISE_API int poise_rewrite_accumulate(poise_graph *g, poise_error *err);

#endif
