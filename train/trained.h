/* trained.h -- a finished (or stopped) run, opened for scoring.  Internal. */
#ifndef POISE_TRAINED_H
#define POISE_TRAINED_H

#include "engine.h"

typedef struct poise__trained_run {
    poise_spec *spec;     /* from spec.yaml of the folder */
    poise_schema *schema; /* from the model file: what training saw */
    poise__engine engine; /* scores with the best epoch's weights */
} poise__trained_run;

int poise__trained_open(poise__trained_run *r, const char *folder, int threads, poise_error *err);
void poise__trained_close(poise__trained_run *r);

#endif
