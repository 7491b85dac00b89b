/* profile.h -- where the time of a training step goes: by part of the step and by layer.
 *
 *     poise_profile *p = poise_profile_new(clock, &err);
 *     poise_train(spec, &(poise_train_options){.out = "runs/mine", .profile = p}, &r, &err);
 *     for (int k = 0; k < poise_profile_layers(p); k++) ... poise_profile_layer_at(p, k) ...
 *     poise_profile_free(p);
 *
 * The library has no clock of its own: it is handed one that counts seconds, and reads it before and
 * after every operator.  Where there is no profile no clock is read.
 *
 *   forward           the network and its losses
 *   task backward     each task's own pass, down to the layers in scope and to the cut (signals.h)
 *   signals           norms and Gram matrices, the balancer, losses after the update
 *   shared backward   weighted sums, and the one pass for all tasks
 *   update            looking for NaN, clipping, the optimiser
 *   data              taking the next batch (waiting for it, where it is prepared meanwhile), and
 *                     copying it into the graph's inputs
 */
#ifndef POISE_PROFILE_H
#define POISE_PROFILE_H

#include <stdint.h>
#include "../core/session.h"

#define POISE_PARTS(X)           \
    X(FORWARD, "forward")        \
    X(TASK, "task backward")     \
    X(SIGNALS, "signals")        \
    X(SHARED, "shared backward") \
    X(UPDATE, "update")          \
    X(DATA, "data")

typedef enum poise_part {
#define X(name, text) POISE_PART_##name,
    POISE_PARTS(X)
#undef X
        POISE_PART_COUNT
} poise_part;

POISE_API const char *poise_part_name(poise_part part); /* "task backward" */

/* What the operators of one layer took.  A layer that fills several lines of a spec is several. */
typedef struct poise_profile_layer {
    const char
        *name; /* as in the spec, with what its builder appended: "expert/0", "tower/click" */
    poise_place place;
    double flops;                     /* of all steps; matrix products only */
    double seconds[POISE_PART_COUNT]; /* of all steps */
} poise_profile_layer;

typedef struct poise_profile {
    double (*now)(void);
    uint64_t steps;
    double seconds[POISE_PART_COUNT]; /* of all steps; what the layers took included */
    /* private */
    poise_profile_layer *layer;
    size_t nlayer, room;
    uint64_t collected; /* steps that the layers hold */
    struct poise__arena *arena;
} poise_profile;

POISE_API poise_profile *poise_profile_new(double (*now)(void), poise_error *err);
POISE_API void poise_profile_free(poise_profile *p);
/* The layers, in the order of their first operator; valid when the training has ended. */
POISE_API int poise_profile_layers(const poise_profile *p);
POISE_API const poise_profile_layer *poise_profile_layer_at(const poise_profile *p, int index);

/* ---- internal ---- */

/* The time, 0 without a profile. */
double poise__profile_now(const poise_profile *p);
/* The time since *from is part `part`'s; *from is now. */
void poise__profile_add(poise_profile *p, poise_part part, double *from);
/* Add what a session's steps took since poise_session_profile, in `steps` training steps.  `probe`:
 * all of it is a signal.  A layer for which there is no memory is counted in the parts alone. */
void poise__profile_collect(poise_profile *p, const poise_session *s, uint64_t steps, int probe);

#endif
