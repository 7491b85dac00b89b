/* schema.h -- what the columns of a table mean: features and tasks.
 *
 * The spec fills the declared part; reading the training rows fills the learnt part (vocabularies,
 * means, deviations).  The whole travels inside the model file, so that scoring sees what training
 * saw.
 *
 * Ownership: a schema owns everything it points to (one arena inside; poise_schema_free).
 */
#ifndef POISE_SCHEMA_H
#define POISE_SCHEMA_H

#include <stdint.h>
#include "../core/error.h"

typedef enum poise_feature_kind { POISE_NUMERIC, POISE_CATEGORICAL } poise_feature_kind;
typedef enum poise_transform { POISE_AS_IS, POISE_LOG1P } poise_transform;

typedef struct poise_feature {
    /* declared */
    const char *name; /* the feature's, which is its column's */
    poise_feature_kind kind;
    poise_place place;
    poise_transform transform; /* numeric: log1p is sign(x) log(1 + |x|) */
    int standardise;           /* numeric: 1 (the default) */
    double missing;            /* numeric: what a missing value counts as, before transform;
                                  NaN (the default): the training mean */
    int64_t dim;               /* categorical: width of the embedding */
    int64_t min_count;         /* categorical: rarer values share the row of unseen ones */
    /* learnt from the training rows */
    double mean, deviation; /* of the transformed value; deviation of a constant is 1 */
    int64_t nvalue;         /* categorical: values in the vocabulary */
    const char **value;     /* [nvalue] ascending by strcmp; value[k] has id k + 1; a missing value
                               is the value "" ; id 0 is "unseen" */
} poise_feature;

typedef enum poise_task_kind { POISE_BINARY, POISE_REGRESSION, POISE_MULTICLASS } poise_task_kind;

typedef struct poise_task {
    const char *name;
    poise_task_kind kind;
    poise_place place;
    const char *label;    /* column */
    const char *positive; /* the text that means 1; NULL: the column holds 0 and 1 (or numbers) */
    const char *when;     /* column; the row counts only where it is 1.  NULL: always.  May name
                             another task: then where that task's label is 1 */
    double huber;         /* regression: delta, 0: squared */
    double loss_weight;   /* fixed factor of the spec, 1 */
    /* learnt */
    double base_rate; /* binary: share of positives among the training rows that count (labelled,
                         `when` holds); regression: their mean; multiclass: 0 */
    int64_t nclass;   /* multiclass: classes; labels are 0 .. nclass - 1 */
} poise_task;

typedef struct poise_schema {
    int nfeature;
    poise_feature *feature; /* in the order of the spec */
    int ntask;
    poise_task *task;
    const char *weight; /* column of the sample weight, NULL: 1 */
    int learnt;
    struct poise__arena *arena;
} poise_schema;

POISE_API poise_schema *poise_schema_new(poise_error *err);
POISE_API void poise_schema_free(poise_schema *s);

/* Number of numeric and of categorical features; rows of a feature's table (nvalue + 1). */
POISE_API int poise_schema_numeric(const poise_schema *s);
POISE_API int poise_schema_categorical(const poise_schema *s);
POISE_API int64_t poise_feature_rows(const poise_feature *f);

/* The id of a text: its place in the vocabulary, 0 where it is not there. */
POISE_API uint32_t poise_feature_id(const poise_feature *f, const char *text);

/* As JSON and back, exactly (numbers round-trip).  The text is malloc'd.  A damaged text is a
 * FORMAT error; nothing in it is trusted. */
POISE_API char *poise_schema_to_json(const poise_schema *s, poise_error *err);
POISE_API poise_schema *poise_schema_from_json(const char *text, poise_error *err);

#endif
