/* checkpoint.h -- what a run keeps on disk.  Internal.
 *
 *   model.safetensors   every parameter by name; metadata "poise.schema" (JSON) and "poise.spec"
 *                       (YAML): all that scoring needs; "poise.checksum" of the parameters,
 *                       which must be right where it is there
 *   state.safetensors   everything a resume needs, so that the resumed run's bits are those of one
 *                       that was never stopped:
 *                         weights [size], optimizer/NAME [...]   the slabs; not before the first
 *                         step: they are what the seed gives
 *                         balancer/state [bytes], balancer/weight [T] (or [G * T])
 *                         balancer/keep [K * elements], of one that works element by element
 *                         host/memory (host.h), host/weight
 *                         position [7], figures [3]
 *                       metadata "balancer" (id), "balancer.version", "fingerprint"
 */
#ifndef POISE_CHECKPOINT_H
#define POISE_CHECKPOINT_H

#include "engine.h"

/* Where a run is. */
typedef struct poise__position {
    uint32_t epoch;  /* the next batch's */
    int64_t batch;   /* its index in the epoch */
    uint64_t step;   /* steps done */
    int best_epoch;  /* from 1; 0: none yet */
    int since_best;  /* epochs */
    int phase;       /* of the schedule */
    int64_t samples; /* trained on, in all */
    double best;     /* monitor of the best epoch */
    double seconds;  /* all of the run's */
    double trained;  /* of these, in training steps */
} poise__position;

/* A number that tells two settings apart that would train differently: epochs, threads and how
 * often things are written do not count. */
int poise__fingerprint(const poise_spec *spec, const poise_data *data, uint64_t *fingerprint,
                       poise_error *err);

int poise__state_write(const char *folder, const poise__engine *e, const poise__position *p,
                       uint64_t fingerprint, poise_error *err);
/* The phase of the schedule that a stopped run is in: which balancer its state is of. */
int poise__state_phase(const char *folder, int nphase, int *phase, poise_error *err);
/* Refused when the file is damaged, of another model, or its fingerprint is another. */
int poise__state_read(const char *folder, poise__engine *e, poise__position *p,
                      uint64_t fingerprint, poise_error *err);

int poise__model_write(const char *folder, const poise__engine *e, poise_error *err);
/* Every parameter of the store must be there with its shape. */
int poise__model_read(const char *folder, poise_store *s, poise_error *err);
/* The schema that the folder's model was trained with. */
poise_schema *poise__model_schema(const char *folder, poise_error *err);

#endif
