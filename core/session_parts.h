/* session_parts.h -- what a session is made of, for session.c and lane_run.c.  Internal. */
#ifndef POISE_SESSION_PARTS_H
#define POISE_SESSION_PARTS_H

#include "lanes.h"
#include "memory.h"
#include "plan.h"
#include "session.h"

typedef struct poise__step {
    poise_kernel kernel;
    const poise_node *node; /* the graph's; kernel.node is a lane's where the step is */
    int segment;      /* POISE__WHOLE: run at once; else by each lane, compiled for its rows */
    size_t partial;   /* of a sum in a segment: where in a lane's partial sums out[0] begins */
    void **in, **out; /* into the pool; of a lane's step those of lane 0, then of lane 1, ... */
    double seconds;   /* of all runs with a clock */
} poise__step;

struct poise_session {
    poise_graph *g; /* borrowed */
    int no_reuse;
    poise__lanes lanes;
    poise__plan plan;
    poise__arena *small; /* nodes and values that the graph does not know: copies, lanes' */
    poise__step *step;
    int nstep;
    void **pool; /* what step.in and step.out point into */
    unsigned char *arena;
    void *arena_base; /* where its memory begins */
    void *scratch;
    unsigned char *apart; /* lanes x apart_bytes: lanes' own values */
    unsigned char *partial, *lane_scratch;
    size_t apart_bytes, partial_bytes, lane_scratch_bytes; /* of one lane, multiples of 64 */
    double flops;
    double (*now)(void);  /* NULL: steps are not timed */
    double *lane_seconds; /* [lanes][nstep] of the run under way; NULL without lanes */
};

/* Where a value lies; in a lane where it is apart. */
void *poise__session_bytes(const poise_session *s, const poise_value *v, int lane);

/* Give the error of step k the node's name and place where it has none: returns -1. */
int poise__session_step_fail(const poise_session *s, int k, poise_error *err);

/* ---- lane_run.c ---- */

/* The same node on a lane's rows: what is cut has rows / count of them. */
const poise_node *poise__lane_node(poise_session *s, const poise_node *n, poise_error *err);
/* Give the sums their places; called when all steps are compiled. */
void poise__lane_partials(poise_session *s);
/* The pointers of a lane's step, from p on: returns what comes after them. */
void **poise__lane_pointers(poise_session *s, poise__step *t, void **p);
/* Steps first to end - 1 by all lanes, and the sums added. */
int poise__lanes_run(poise_session *s, int first, int end, const poise_run *r, poise_error *err);
/* Step k by every lane in turn, without adding sums. */
int poise__lanes_step(poise_session *s, int k, const poise_run *r, poise_error *err);
void poise__lanes_merge(poise_session *s, int first, int end, int threads);

#endif
