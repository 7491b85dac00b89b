/* store.h -- parameters by name, in contiguous slabs.
 *
 * A store outlives the graphs and sessions that use it: the training graph and
 * the evaluation graph of one model share one store.  It has
 *
 *   weights    one slab, every parameter at a multiple of 64 bytes
 *   gradients  a slab with the same offsets, of the dense trainable parameters
 *   moments    the optimiser's slabs with the same offsets; made by train/
 *
 * Parameters come in three kinds, laid out one kind after the other:
 *
 *   DENSE   trained, has a dense gradient            [0, dense_count)
 *   STATE   not trained (batch norm's running mean)  [dense_count, state_end)
 *   TABLE   embedding rows; gradients by touched row [state_end, count)
 *
 *     poise_store *s = poise_store_new(&err);
 *     poise_store_add(s, "expert/weight", POISE_DENSE, 2, (int64_t[]){16, 8}, init, &err);
 *     poise_store_seal(s, seed, &err);     // lays out the slabs and initialises
 *
 * Tables are drawn late: a row when an embedding first reads it (poise__store_rows), the rest when
 * somebody asks for the table or for all weights.  The bits do not depend on when.  Undrawn rows are
 * zero and have never been touched, so that a large table costs nothing before it is used.  Until
 * all is drawn (poise_store_draw) one session of the store may run at a time.
 *
 * Ownership: the store owns names and slabs; pointers stay valid until _free.
 */
#ifndef POISE_STORE_H
#define POISE_STORE_H

#include <stdint.h>
#include "error.h"

enum { POISE_MAX_RANK = 4 };

typedef enum poise_param_kind { POISE_DENSE, POISE_STATE, POISE_TABLE } poise_param_kind;

/* How a parameter starts.  Every element is drawn from its own position of the stream named
 * after the parameter, so that no two units, experts or layers start equal. */
typedef enum poise_init_kind {
    POISE_INIT_ZERO,
    POISE_INIT_CONSTANT, /* value */
    POISE_INIT_UNIFORM,  /* in [-value, value] */
    POISE_INIT_NORMAL,   /* mean 0, deviation value */
    POISE_INIT_HE,       /* uniform, bound sqrt(6 / fan_in): before relu (He et al., 2015) */
    POISE_INIT_GLOROT,   /* uniform, bound sqrt(6 / (fan_in + fan_out)) (Glorot, Bengio, 2010) */
    POISE_INIT_SPIKE     /* value at element `at`; the others share 1 - value equally */
} poise_init_kind;

typedef struct poise_init {
    poise_init_kind kind;
    double value;
    int64_t fan_in, fan_out; /* of HE and GLOROT */
    int64_t at;              /* of SPIKE */
} poise_init;

typedef struct poise_parameter {
    const char *name; /* "tower/click/1/weight" */
    poise_param_kind kind;
    int rank;
    int64_t dim[POISE_MAX_RANK];
    int64_t count; /* elements */
    size_t offset; /* of the first element, in floats, into the slabs */
    poise_init init;
    poise_place place; /* of the layer in the spec */
} poise_parameter;

typedef struct poise_store poise_store;

POISE_API poise_store *poise_store_new(poise_error *err);
POISE_API void poise_store_free(poise_store *s);

/* Add a parameter; returns its index in order of addition (its handle), -1 on failure: a name
 * taken, a bad shape, a sealed store.  If the name exists with the same kind and shape in a sealed
 * or unsealed store, its index is returned: this is how a second graph binds to the first one's
 * parameters. */
POISE_API int poise_store_add(poise_store *s, const char *name, poise_param_kind kind, int rank,
                              const int64_t *dim, poise_init init, poise_place place,
                              poise_error *err);
POISE_API int poise_store_find(const poise_store *s, const char *name); /* -1: none */

/* Lay out the slabs, zero the gradients, draw the initial weights of all but the tables.  Once. */
POISE_API int poise_store_seal(poise_store *s, uint64_t seed, poise_error *err);
POISE_API int poise_store_sealed(const poise_store *s);

POISE_API int poise_store_count(const poise_store *s);
POISE_API const poise_parameter *poise_store_at(const poise_store *s, int index);
POISE_API float *poise_store_weight(poise_store *s, int index);   /* draws what is left of it */
POISE_API float *poise_store_gradient(poise_store *s, int index); /* NULL unless DENSE */

/* The slabs.  Sizes in floats, padding included (padding is zero and stays zero). */
POISE_API float *poise_store_weights(poise_store *s); /* draws what is left */
POISE_API float *poise_store_gradients(poise_store *s);
POISE_API size_t poise_store_size(const poise_store *s);       /* all kinds */
POISE_API size_t poise_store_dense_size(const poise_store *s); /* the DENSE prefix */

/* Draw all rows of all tables that are not drawn yet. */
POISE_API void poise_store_draw(poise_store *s);
/* Rows of a table that have not been drawn yet. */
POISE_API int64_t poise_store_undrawn(const poise_store *s, int index);

/* ---- internal ---- */

/* Where a parameter lies, the slab; nothing is drawn. */
float *poise__store_place(poise_store *s, int index);
float *poise__store_slab(poise_store *s);
/* Draw the rows id[0], id[stride], ... (n of them) of a table where they are not drawn yet; those
 * that are not in the table are passed over.  Several tables may be drawn at a time. */
void poise__store_rows(poise_store *s, int index, int64_t n, const int32_t *id, int64_t stride);
/* All rows count as drawn: the caller fills the weights. */
void poise__store_filled(poise_store *s);

#endif
