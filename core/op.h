/* op.h -- what an operator is.  The table of all of them is ops/table.c.
 *
 * Core knows operators through this struct alone: it names none of them.
 */
#ifndef POISE_OP_H
#define POISE_OP_H

#include "graph.h"

enum {
    /* out[0] may be written over in[0] (same size; each element read before it is written, or
     * the kernel copes with out[0] == in[0]). */
    POISE_OP_INPLACE = 1 << 0,
    /* out[0] is in[0] seen with another shape: no step, no copy.  Same type and elements. */
    POISE_OP_VIEW = 1 << 1,
    /* Calls out or changes state: never merged, never removed. */
    POISE_OP_EFFECT = 1 << 2,
    /* No gradient flows through it, by definition (stop-gradient, the balancer). */
    POISE_OP_STOP = 1 << 3,
    /* Reads tables by row, and draws the rows that it reads (poise__store_rows).  A table that any
     * other operator reads is drawn whole when the session is made. */
    POISE_OP_TABLES = 1 << 4,
    /* Row r of every output depends on row r of the inputs in `by_row` and on whole others, and
     * the kernel looks at shapes, not at where its rows lie in the batch (but for poise_run.row). */
    POISE_OP_ROWS = 1 << 5,
    /* Every output is a sum over the rows of the inputs in `by_row`, in f32: of every poise_kernel.slice
     * rows first, then of those sums in their order. */
    POISE_OP_SUMS = 1 << 6
};

/* What a run hands to every kernel. */
typedef struct poise_run {
    uint64_t seed;
    uint64_t step; /* position of dropout and the like */
    int threads;   /* >= 1: how many poise__parallel may use */
    int dry;       /* 1: a diagnostic run; kernels with effects repeat their last answer */
    int64_t row;   /* where in the batch the values' first row lies: above 0 in a lane (lanes.h) */
    void *user;    /* whoever runs the session's own */
    struct poise_store *store; /* the graph's; set by the session */
} poise_run;

/* One compiled node.  compile() fills `run`, and what it needs; the session sets the pointers. */
typedef struct poise_kernel poise_kernel;
struct poise_kernel {
    /* Compute out from in.  `scratch` has the bytes asked for, 64-aligned.  0 or -1 with *err. */
    int (*run)(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
               const poise_run *r, poise_error *err);
    size_t scratch;
    /* Set before compile: how many rows a sum (POISE_OP_SUMS) is first taken of; 0: of all. */
    int64_t slice;
    void *state;               /* owned by the kernel: primitives, tables; allocated in compile */
    void (*done)(void *state); /* frees it; may be NULL */
    const char *impl;          /* "dnnl:sgemm", "own": for reports and for the test that nothing
                                 hot runs on a reference implementation */
    double flops;              /* multiply-adds count two; 0 where it does not matter */
    const poise_node *node;
};

struct poise_op {
    const char *name;    /* "linear" */
    const char *formula; /* "y[B, O] = x[B, I] w[O, I]' + b[O]" */
    int min_in, max_in;  /* arity; max_in -1: any number */
    int nout;            /* 0: as many as the attribute i[0] says, 1 or more */
    unsigned flags;
    uint32_t
        by_row; /* ROWS and SUMS: bit k for input k; UINT32_MAX: all.  One number is never cut */
    /* Check the inputs and attributes of n; set dtype, rank and dim of every n->out[k]. */
    int (*shape)(poise_node *n, poise_error *err);
    /* Append the nodes of the backward pass.  dout[k] is NULL where output k has no gradient (not
     * all are NULL); want[k] says for which inputs a gradient is wanted; set din[k] (left NULL:
     * zero).  For an embedding table set din[k].rows too.  NULL: the operator has no gradient. */
    int (*backward)(poise_graph *g, const poise_node *n, poise_value *const *dout, const int *want,
                    poise_gradient *din, poise_error *err);
    /* Prepare n to run.  Called once for each session.  NULL for a VIEW.  On failure it has freed
     * what it made: k->done is then not called. */
    int (*compile)(const poise_node *n, poise_kernel *k, poise_error *err);
    /* `reader` alone reads out[0] of n, element by element: let n compute what it computes, by
     * changing n->attr, and return 1; 0 where it cannot.  NULL: never.  (poise_rewrite_epilogue) */
    int (*absorb)(poise_node *n, const poise_node *reader);
    /* The operator that is z + this, of inputs z and those of this one, with the same attributes;
     * NULL: there is none.  (poise_rewrite_accumulate) */
    const poise_op *onto;
};

/* An error at the node's place that begins with its layer and operator: returns -1. */
POISE_API int poise_node_fail(const poise_node *n, poise_code code, poise_error *err,
                              const char *fmt, ...) POISE_FORMAT(4, 5);

/* What autodiff makes nodes of itself, as core knows no operator by name.
 *
 *   sum_with   add: two inputs of one shape, their sum; no attributes
 *   ones_with  fill: no inputs; every element is attr.f[0]; attr.i[0] is the rank, attr.i[1..4] the
 *              dimensions */
POISE_API void poise_graph_sum_with(poise_graph *g, const poise_op *add);
POISE_API void poise_graph_ones_with(poise_graph *g, const poise_op *fill);

#endif
