/* dataset.h -- rows in memory, and a stream of batches over them.
 *
 *     poise_data d;                                     // train, valid and test of one spec
 *     poise_data_open(&spec->data, schema, &d, &err);   // reads files or generates; learns schema
 *     poise_stream *s = poise_stream_new(d.train, 512, 1, seed, &err);
 *     poise_stream_seek(s, epoch, batch, &err);
 *     while ((n = poise_stream_next(s, &batch, &err)) > 0) ...
 *
 * The interface is a stream so that a data set larger than memory can stand behind it later.
 *
 * Ownership: _new/_open own, _free/_done free; a batch borrows the stream's buffers until the next
 * call on that stream.
 */
#ifndef POISE_DATASET_H
#define POISE_DATASET_H

#include "schema.h"

/* What the spec's `data:` says.  Strings are borrowed from the spec. */
typedef struct poise_data_spec {
    poise_place place;
    /* files; paths are already resolved against the spec's folder.  NULL: there is none */
    const char *train, *valid, *test;
    poise_place train_at, valid_at, test_at;
    /* valid taken from another part: `valid: {from: test, fraction: 0.5, seed: 0}` */
    int valid_from; /* 0: no, 1: from train, 2: from test */
    double valid_fraction;
    uint64_t valid_seed;
    /* format of delimited text */
    const char *separator; /* "," ; one or several bytes */
    int header_in_file;    /* 1 (the default): the first line of every file names the columns */
    int ncolumn;           /* else: */
    const char *const *column;
    const char *strip; /* suffix cut from every line, NULL: none */
    int quoted;        /* 1 (the default): fields may be "quoted", "" inside is one quote */
    int nmissing;      /* texts that mean "missing"; the empty field always does */
    const char *const *missing;
    int64_t limit; /* read at most this many rows of each file; 0: all */
    /* or a generator */
    const char *generate; /* "funnel", NULL: files */
    int64_t rows;         /* training rows; validation and test have rows / 10 each, at least 1 */
    uint64_t seed;
} poise_data_spec;

typedef struct poise_dataset poise_dataset;

typedef struct poise_data {
    poise_dataset *train, *valid, *test; /* NULL where the spec has none */
} poise_data;

/* Read or generate all parts and encode them.  The schema is learnt from the training rows that are
 * left when validation rows have been taken from them; one that is learnt already is used as it
 * is.  Fails with code
 *   SYSTEM  a file cannot be opened or read (at its place in the spec)
 *   DATA    a file is not of the format, a column is not there, or a cell does not hold what its
 *           column needs: file and line, err->column the byte of the line where the cell starts,
 *           the column's name and the cell's text, cut to 60 bytes, in the message.  So is a part
 *           without rows, a task without labels and a `positive` that no training row has.
 *   SPEC    parts that contradict each other */
POISE_API int poise_data_open(const poise_data_spec *d, poise_schema *s, poise_data *out,
                              poise_error *err);
POISE_API void poise_data_done(poise_data *d);

/* Names of the columns of the first file (of the generator): *n of them; free with
 * poise_data_columns_free.  What `poise check` and globs look at. */
POISE_API char **poise_data_columns(const poise_data_spec *d, int *n, poise_error *err);
POISE_API void poise_data_columns_free(char **columns, int n);

/* One file under a schema that was learnt before, all its rows whatever d->limit is: for predict
 * and eval.  Columns are found by name and may stand in another order.  `labels` 0: columns of
 * tasks and weights may be absent and are not read; labels are NaN, weights 0.  No rows is no
 * error. */
POISE_API poise_dataset *poise_dataset_read(const poise_data_spec *d, const char *path,
                                            const poise_schema *s, int labels, poise_error *err);
POISE_API void poise_dataset_free(poise_dataset *d);
POISE_API int64_t poise_dataset_rows(const poise_dataset *d);
/* True probability per row of task t where a generator knows it, else NULL: of the label itself, or
 * given `when` where the task has one.  The AUC of it is the best that any model can reach. */
POISE_API const float *poise_dataset_truth(const poise_dataset *d, int task);
/* The names of the generator's own features and tasks (declared into an empty schema when a spec
 * says `generate:` and declares no features/tasks itself). */
POISE_API int poise_generator_schema(const char *name, poise_place place, poise_schema *s,
                                     poise_error *err);
POISE_API const char *const *poise_generators(void); /* NULL-terminated names */

typedef struct poise_batch {
    int64_t rows;         /* real rows, <= the stream's batch size; the rest is padding */
    const int64_t *row;   /* [B] index in the data set; -1 for padding */
    float *numeric;       /* [B, N] standardised; 0 for padding */
    int32_t *ids;         /* [B, F]; 0 for padding */
    float *const *label;  /* [T][B]; NaN where the row has none */
    float *const *weight; /* [T][B]; 0 for padding, unlabelled and masked (`when`) rows */
    int32_t *const *list; /* [list features][B, length]; -1 where a row's list has ended */
} poise_batch;

typedef struct poise_stream poise_stream;

/* batch >= 1 rows; shuffle 0: in order.  Epoch e is shuffled by (seed, e) alone. */
POISE_API poise_stream *poise_stream_new(const poise_dataset *d, int64_t batch, int shuffle,
                                         uint64_t seed, poise_error *err);
POISE_API void poise_stream_free(poise_stream *s);
POISE_API int64_t poise_stream_batches(const poise_stream *s); /* per epoch */
/* Go to batch `index` of `epoch`. */
POISE_API void poise_stream_seek(poise_stream *s, uint32_t epoch, int64_t index);
/* The next batch of the epoch: its rows, 0 at the end of the epoch, -1 with *err.  Allocates
 * nothing. */
POISE_API int64_t poise_stream_next(poise_stream *s, poise_batch *b, poise_error *err);

#endif
