/* graph_parts.h -- what a graph is made of, for the files of core/ that transform it.  Internal.
 *
 * Everything that a graph holds lives in its arena; the arrays below are indices into it.
 */
#ifndef POISE_GRAPH_PARTS_H
#define POISE_GRAPH_PARTS_H

#include "graph.h"
#include "memory.h"
#include "op.h"

struct poise_graph {
    poise_store *store; /* borrowed */
    poise__arena *arena;
    poise_node **node; /* [nnode] in topological order */
    size_t nnode, node_cap;
    poise_value **value; /* [nvalue] */
    size_t nvalue, value_cap;
    unsigned char *output; /* [nvalue] 1: read by the caller after a run */
    size_t output_cap;
    poise_value **param; /* [param_cap] by store index; NULL: not used by this graph */
    size_t param_cap;
    const char *layer; /* of the nodes made from now on */
    poise_place place;
    int part;
    int training;
    const poise_op *sum, *fill; /* what autodiff adds and seeds with; NULL: not told */
};

/* 1 if v is a value of g. */
int poise__graph_owns(const poise_graph *g, const poise_value *v);

/* The nodes from index `first` on, made last, take their place before the node at index `at`, whose
 * inputs are all that they may read.  Nodes are numbered anew. */
void poise__graph_settle(poise_graph *g, size_t first, size_t at);

/* How often live nodes read each value, an output once more: [nvalue], the caller's; NULL when memory
 * is out. */
int *poise__readers(const poise_graph *g, poise_error *err);

/* 1 if the node makes no step of its own: out[0] is in[0] under another shape. */
int poise__is_view(const poise_node *n);

/* The value whose bytes v shows: what v is forwarded to, and behind its views.  NULL gives NULL. */
poise_value *poise__view_root(poise_value *v);

/* Elements times the size of one. */
size_t poise__value_bytes(const poise_value *v);

#endif
