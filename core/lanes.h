/* lanes.h -- which steps run slice by slice of the batch.  Internal.
 *
 * A batch of B rows is cut into a fixed number of *lanes* of B / count rows.  A *segment* is a run of
 * steps that a lane takes from its first to its last without waiting for another lane: one fork and
 * one join for all of it, on rows that stay in a core's cache.  What a step may be:
 *
 *   by rows   row r of its outputs depends on row r of some inputs (POISE_OP_ROWS, op.h).  A value
 *             that only such steps of its own segment read is *apart*: each lane keeps its rows of
 *             it in memory of its own, which is used again as soon as the lane is done with it
 *   a sum     over the rows (POISE_OP_SUMS): a weight's gradient.  Each lane makes its own; at the
 *             end of the segment they are added in the order of the lanes
 *   whole     everything else.  It ends the segment, as does a step that reads a sum, or all rows of a
 *             value, made in the segment
 *
 * How many lanes there are depends on the graph alone, never on the number of threads: the bits of
 * a result are the same on any.  The rule (poise__lanes_choose):
 *
 *     the most lanes of 8, 4, 2 so that    B is a multiple of 4 times them,
 *                                          a lane has LANE_ROWS rows or more,
 *                                          a lane has LANE_FLOPS of work or more, and
 *                                          adding the sums takes at most MERGE_SHARE of the time
 *
 * else none: then every step is cut into parts by its operator (ops/kernel.h).
 *
 * One thread gains nothing from lanes and would pay for them: weights packed for every lane, sums
 * written and added.  Where one thread is all there will be (poise_session_options.threads) the steps
 * see the whole batch, and a sum is taken slice by slice (poise_kernel.slice): in the same order, so
 * of the same bits.
 */
#ifndef POISE_LANES_H
#define POISE_LANES_H

#include "graph.h"
#include "session.h"

enum { POISE__LANES = 8, POISE__LANES_MOST = 16, POISE__WHOLE = -1 };

typedef struct poise__lanes {
    int slices;   /* of the batch, whose sums are added; 1: none */
    int count;    /* of them that run on their own: all, or 1: none */
    int64_t rows; /* of the batch */
    int nsegment;
    int *segment;         /* [nodes] which one, or POISE__WHOLE; views and dead nodes: WHOLE */
    unsigned char *apart; /* [values] */
} poise__lanes;

/* The number of lanes that o asks for or the rule gives, and the segments.  o may be NULL: none.  *l
 * belongs to the caller: poise__lanes_done, also after -1. */
int poise__lanes_choose(const poise_graph *g, const poise_session_options *o, poise__lanes *l,
                        poise_error *err);
void poise__lanes_done(poise__lanes *l);

/* 1 if a lane sees only its own rows of input i. */
int poise__lane_cuts(const poise_node *n, int i, int64_t rows);

#endif
