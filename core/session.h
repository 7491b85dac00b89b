/* session.h -- a graph made ready to run: a flat list of steps over one arena.
 *
 *     poise_session *s = poise_session_new(g, NULL, &err);
 *     memcpy(poise_session_data(s, x), batch, bytes);
 *     poise_session_run(s, &(poise_run){.seed = 1, .step = k, .threads = 1}, &err);
 *     float loss = *(float *)poise_session_data(s, loss_value);
 *
 * Memory: offsets in the arena are decided by liveness (two values that are never alive together
 * may share bytes); views and in-place operators share their input's bytes; scratch of the steps
 * shares one region.  Inputs and outputs keep their bytes for the whole run.  A parameter's
 * gradient that was handed to poise_session_options.gradient is computed straight into the
 * store's gradient slab; where it cannot be (two parameters with one value, an input or parameter as
 * gradient) a step at the end copies it.  After poise_session_new returns, running allocates nothing.
 *
 * Threads: one session runs on one caller thread at a time; many sessions may run at once.
 * The bits of the result do not depend on run.threads.
 */
#ifndef POISE_SESSION_H
#define POISE_SESSION_H

#include "graph.h"
#include "op.h"

typedef struct poise_session poise_session;

typedef struct poise_session_options {
    int ngradient;
    /* [ngradient] values to be computed into the gradient slab: outputs, if poise_rewrite_dead was
     * run */
    poise_value *const *gradient;
    const int *param; /* [ngradient] of which parameter (store index, DENSE) */
    int no_reuse;     /* 1: every value has its own bytes (for tests and debugging) */
    int64_t rows;     /* of the batch: the first dimension of what goes row by row; 0: no lanes */
    int lanes;        /* slices of the batch that run on their own (lanes.h); 0: chosen, 1: none */
    int threads;      /* 1: that many will run it; the slices, of the same sums, are run together */
} poise_session_options;

/* The graph must outlive the session; it may not be changed any more.  The store must be sealed. */
POISE_API poise_session *poise_session_new(poise_graph *g, const poise_session_options *o,
                                           poise_error *err);
POISE_API void poise_session_free(poise_session *s);

/* Every step in order, until one fails: 0, or -1 with that kernel's error, to which the node's layer,
 * operator and place are added where it has none. */
POISE_API int poise_session_run(poise_session *s, const poise_run *r, poise_error *err);

/* The bytes of an input, an output, a parameter or a pinned gradient; of another computed value
 * only with no_reuse, else NULL. */
POISE_API void *poise_session_data(const poise_session *s, poise_value *v);

/* Time every step of the runs that follow: `now` is a clock in seconds, read once per step and once
 * per run; NULL: stop.  No clock is read otherwise.  Sums start at 0 with each call. */
POISE_API void poise_session_profile(poise_session *s, double (*now)(void));
POISE_API double poise_session_seconds(const poise_session *s, int index); /* of step `index` */

/* Run once more with dry = 1, looking at every value after the step that makes it.  Returns the
 * first node with a NaN or an infinity among its f32 and f64 outputs; *value is that output, or an
 * input or parameter read by the node that is not finite itself.  (Inputs alone are not looked at:
 * a NaN label is a missing label.)  If all outputs are finite, the first node that reads a
 * parameter which is not.  NULL: there is none, or the run failed and err->code is not POISE_OK. */
POISE_API const poise_node *poise_session_find_nonfinite(poise_session *s, const poise_run *r,
                                                         const poise_value **value,
                                                         poise_error *err);

POISE_API int poise_session_steps(const poise_session *s);
POISE_API const poise_kernel *poise_session_step(const poise_session *s, int index);
POISE_API int poise_session_lanes(const poise_session *s);          /* slices; 1: none */
POISE_API size_t poise_session_arena_bytes(const poise_session *s); /* values, without scratch */
POISE_API double poise_session_flops(const poise_session *s);       /* of one run */

#endif
