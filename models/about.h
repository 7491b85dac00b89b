/* about.h -- what a model file says of itself, without a run.
 *
 *     poise_model_about *m = poise_model_about_read("mmoe", diag);
 *     printf("%s: %s\n", m->name, m->about);
 *     for (int k = 0; k < m->nparameter; k++)
 *         printf("%s: %s\n", m->parameter[k].name, m->parameter[k].type);
 *
 * Ownership: it owns everything that it points to; poise_model_about_free.
 */
#ifndef POISE_ABOUT_H
#define POISE_ABOUT_H

#include "diagnostics.h"

typedef struct poise_parameter_about {
    const char *name;
    const char *type;    /* "integer, 1 .. 64", "list of integers" */
    const char *initial; /* the default as YAML; NULL: every run must say it */
    const char *help;    /* NULL: none */
    const char *schema;  /* what a value may be, as a JSON Schema, with help and default */
    poise_place place;   /* where it was introduced */
} poise_parameter_about;

typedef struct poise_model_about {
    const char *name;
    const char *about, *paper, *when; /* NULL: it says none */
    int nfile;
    const char *const *file; /* [nfile] its own first, then what each extends */
    int nparameter;
    const poise_parameter_about *parameter; /* [nparameter] */
    const char *network;                    /* the layers as YAML, what it extends worked in */
    const char *losses; /* output:, row_weight: and penalty: as YAML; "" where it says none */
    struct poise__arena *arena;
} poise_model_about;

/* `use` is what stands in a run's model: a name, or a path.  NULL after a diagnosis. */
POISE_API poise_model_about *poise_model_about_read(const char *use, poise_diagnostics *diag);
POISE_API void poise_model_about_free(poise_model_about *m);

#endif
