/* plan.h -- where every value of a session lies.  Internal.
 *
 * Time is counted in nodes that are not dead, in their order.  A *block* is a run of bytes of the
 * arena that is alive from one time to another, both included.  Values share a block when one is a
 * view of the other or was computed in its place; blocks share bytes when they are never alive at
 * the same time.
 *
 *   input                a block of its own, alive throughout
 *   parameter            in the store's weight slab
 *   view                 where its input is
 *   in-place operator    out[0] takes over in[0]'s block when nobody reads it, or a view of it,
 *                        afterwards, and it is neither kept nor pinned
 *   pinned gradient      in the store's gradient slab; a view pins what it is a view of.  What
 *                        cannot be there itself (an input, a parameter, a value that is pinned
 *                        already) is copied at the end of the run
 *   other                a block from the node that makes it to the last that reads it, or to the
 *                        end if it is an output
 *
 * Where the batch is cut into lanes (lanes.h) a segment is one moment to the arena: what one lane
 * still reads another may be past.  A value that is apart gets a block of a lane's own memory
 * instead, of a lane's share of its rows, and there time goes node by node.
 */
#ifndef POISE_PLAN_H
#define POISE_PLAN_H

#include "graph.h"
#include "lanes.h"
#include "session.h"

enum { POISE__BLOCK_ALIGN = 64 };

typedef struct poise__block {
    size_t bytes;    /* a multiple of POISE__BLOCK_ALIGN */
    int first, last; /* alive at these times and between */
    size_t offset;   /* in the arena */
} poise__block;

typedef enum poise__where {
    POISE__NOWHERE, /* dead, or forwarded to another value */
    POISE__ARENA,
    POISE__APART, /* in each lane's memory */
    POISE__WEIGHT,
    POISE__GRADIENT
} poise__where;

typedef struct poise__slot {
    poise__where where;
    int index; /* of the block; of the parameter */
} poise__slot;

/* A gradient that is copied into the slab after the last node. */
typedef struct poise__copy {
    poise_value *from;
    int param;
} poise__copy;

typedef struct poise__plan {
    poise__slot *slot; /* [values of the graph] */
    poise__block *block;
    int nblock;
    poise__block *apart; /* in a lane's memory */
    int napart;
    poise__copy *copy;
    int ncopy;
    int inplace;        /* how many nodes compute in place */
    size_t bytes;       /* of the arena */
    size_t apart_bytes; /* of one lane's memory */
} poise__plan;

/* Decide all of it.  o may be NULL.  *p belongs to the caller: poise__plan_done, also after -1. */
int poise__plan_make(const poise_graph *g, const poise_session_options *o, const poise__lanes *l,
                     poise__plan *p, poise_error *err);
void poise__plan_done(poise__plan *p);

/* Give n blocks offsets so that no two that are alive together overlap: by decreasing size, each
 * into the smallest gap that it fits.  *bytes is the end of the last. */
int poise__plan_place(int n, poise__block *block, size_t *bytes, poise_error *err);

#endif
