/* rig.h -- a case as a graph with its gradients, made ready, filled and run. */
#ifndef TESTS_OPS_RIG_H
#define TESTS_OPS_RIG_H

#include "cases.h"
#include "core/session.h"

typedef struct rig {
    const op_case *c;
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    int nin;
    poise_value *in[MAX_INPUTS]; /* NULL where absent */
    poise_node *node;            /* the operator's */
    poise_value *dy;             /* like its output 0; NULL: it has no gradient */
    poise_gradient din[MAX_INPUTS];
    poise_error err;
} rig;

/* The run of every case: a seed and a step that are not 0. */
poise_run rig_run(int threads);

/* Build and fill; 0, or -1 with r->err.  rig_done in either case. */
int rig_make(rig *r, const op_case *c);
void rig_done(rig *r);

/* "linear f32[3, 5] f32[7, 5]" */
const char *rig_text(const rig *r, char *buf, size_t size);

/* Is a gradient asked for input k? */
int rig_wants(const rig *r, int k);

/* Element i of v, whatever its type. */
double rig_at(const rig *r, poise_value *v, int64_t i);

#endif
