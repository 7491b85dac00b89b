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

typedef enum poise_feature_kind {
    POISE_NUMERIC,       /* a number: itself, its bin, whether it is missing */
    POISE_CATEGORICAL,   /* one value of a vocabulary */
    POISE_MISSING_COUNT, /* how many of some columns are missing in the row: a number */
    POISE_LIST           /* any number of values of a vocabulary */
} poise_feature_kind;
#define POISE_FEATURE_KINDS "numeric", "categorical", "missing_count", "list"

typedef enum poise_transform {
    POISE_AS_IS,
    POISE_LOG1P, /* sign(x) log(1 + |x|) */
    POISE_SQRT   /* sign(x) sqrt(|x|) */
} poise_transform;
#define POISE_TRANSFORMS "none", "log1p", "sqrt"

typedef enum poise_pooling { POISE_POOLED_MEAN, POISE_POOLED_SUM, POISE_POOLED_MAX } poise_pooling;
#define POISE_POOLINGS "mean", "sum", "max"

/* What a feature gives the network, side by side:
 *
 *     numeric, missing_count   [the number] [1 where it is missing] [the embedding of its bin]
 *     categorical              [the embedding of its value]
 *     list                     [the embeddings of its values, pooled]; also one by one
 *
 * A vocabulary and its table may be those of another feature (`table`): an item and the items seen
 * before it.  It is learnt from the columns of all its users, and what is learnt points to the same
 * memory in each of them.
 *
 * Fields that are 0 ask for nothing, so a number as it comes is {name, POISE_NUMERIC}. */
typedef struct poise_feature {
    /* declared */
    const char *name;
    const char *column; /* what it is read from, also by other features; NULL: the name */
    poise_feature_kind kind;
    poise_place place;
    /* numeric, missing_count; in this order: clip, transform, bins, standardise */
    int clip; /* 1: to [low, high] */
    double low, high;
    poise_transform transform;
    int standardise; /* 1 (the spec's default): (x - mean) / deviation */
    double missing;  /* what a missing value counts as, before all else; NaN (the spec's default):
                        the training mean */
    int indicator;   /* 1: a second number, 1 where the value is missing, else 0 */
    int64_t bins;    /* 0, or at most this many bins, each a row of a table */
    int bin_only;    /* 1: the number itself is left out */
    int64_t dim;     /* width of the embedding: categorical, list, and of bins */
    /* categorical, list */
    int64_t min_count; /* rarer values share the row of unseen ones */
    const char *table; /* the feature whose vocabulary and table it uses, with their min_count and
                             dim; it has its own.  NULL: its own */
    poise_place table_at; /* of that name */
    /* list */
    const char *separator; /* between two values of a cell */
    int64_t length;        /* values kept of a cell, 1 or more */
    int keep_last;         /* 0: its first ones; 1: its last */
    poise_pooling pool;
    /* missing_count */
    int ncounted;
    const char **counted; /* [ncounted] columns */
    int users; /* how many other features use its table; poise__schema_tables counts them */
    /* learnt from the training rows */
    double mean, deviation; /* of the transformed value; deviation of a constant is 1 */
    int64_t nedge;          /* bins that came out of it, less one */
    double *edge;           /* [nedge] ascending, of the transformed value: x is in bin
                               1 + (number of edges <= x); bin 0 is "missing" */
    int64_t nvalue;         /* categorical, list: values in the vocabulary */
    const char **value;     /* [nvalue] ascending by strcmp; value[k] has id k + 1; a missing value
                               is the value "", in a list no value; id 0 is "unseen" */
} poise_feature;

typedef enum poise_task_kind {
    POISE_BINARY,     /* 0 or 1 */
    POISE_REGRESSION, /* a number */
    POISE_MULTICLASS, /* a class 0 .. C - 1 */
    POISE_ORDINAL,    /* a class 0 .. C - 1 whose order means something: a grade */
    POISE_COUNT       /* how often, 0 or more */
} poise_task_kind;
#define POISE_TASK_KINDS "binary", "regression", "multiclass", "ordinal", "count"

/* Every loss: enum, name, the kind of task it is for.  A kind's first is its usual one. */
#define POISE_LOSSES(X)                                                           \
    X(BCE, "bce", POISE_BINARY)             /* binary cross entropy on logits */  \
    X(FOCAL, "focal", POISE_BINARY)         /* rows that are right count less */  \
    X(SQUARED, "squared", POISE_REGRESSION) /* (x - label)^2 */                   \
    X(HUBER, "huber", POISE_REGRESSION)     /* linear beyond delta */             \
    X(SOFTMAX, "softmax", POISE_MULTICLASS) /* softmax cross entropy */           \
    X(ORDINAL, "ordinal", POISE_ORDINAL)    /* cumulative links and thresholds */ \
    X(POISSON, "poisson", POISE_COUNT)      /* likelihood of a count */

typedef enum poise_loss_kind {
    POISE_LOSS_USUAL, /* the first of the task's kind, at its defaults */
#define X(loss, name, kind) POISE_LOSS_##loss,
    POISE_LOSSES(X)
#undef X
        POISE_LOSS_KINDS
} poise_loss_kind;

/* The formulas are in ops/ops.h. */
typedef struct poise_loss {
    poise_loss_kind kind;
    double smoothing;       /* bce, softmax; 0 */
    double positive_weight; /* bce; 1 */
    double gamma;           /* focal; 2 */
    double alpha;           /* focal: positives weigh alpha, negatives 1 - alpha; 0: both 1 */
    double delta;           /* huber; 1 */
} poise_loss;

typedef struct poise_task {
    const char *name;
    poise_task_kind kind;
    poise_place place;
    poise_place kind_at;  /* of the loss, where that and no type says the kind; else nowhere */
    const char *label;    /* column; or, of a binary task, a condition (data/condition.h) */
    int label_tests;      /* 1: it is a condition */
    const char *positive; /* the text that means 1; NULL: the column holds 0 and 1 (or numbers) */
    const char *when;     /* column; the row counts only where it is 1.  NULL: always.  May name
                             another task: then where that task's label is 1.  Or a condition */
    int when_tests;       /* 1: it is a condition */
    const char *weight;   /* column of the task's sample weight, times the run's; NULL: 1 */
    poise_loss loss;
    double loss_weight; /* fixed factor of the spec, 1 */
    /* learnt */
    double base_rate; /* binary: share of positives among the training rows that count (labelled,
                         `when` holds); regression, count: their mean; multiclass, ordinal: 0 */
    int64_t nclass;   /* multiclass, ordinal: classes; labels are 0 .. nclass - 1 */
    int64_t rows;     /* that count, among those learnt from; not kept in a file */
} poise_task;

/* 1 where the label is a class: multiclass and ordinal. */
POISE_API int poise_task_classed(const poise_task *t);
/* The task's loss, its kind never USUAL. */
POISE_API poise_loss poise_task_loss(const poise_task *t);
/* Of a loss: its name, the kind of task that it is for. */
POISE_API const char *poise_loss_name(poise_loss_kind k);
POISE_API poise_task_kind poise_loss_task(poise_loss_kind k);

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

/* What a feature takes of a batch: columns of `numeric` (0 .. 2), columns of `ids` (0 or 1: it has
 * a table); and what the schema's features take together. */
POISE_API int poise_feature_numbers(const poise_feature *f);
POISE_API int poise_feature_ids(const poise_feature *f);
POISE_API int poise_schema_numeric(const poise_schema *s);
POISE_API int poise_schema_categorical(const poise_schema *s);
POISE_API int poise_schema_lists(const poise_schema *s); /* features of kind list */
/* Rows of a feature's table, once learnt (0 without one): values or bins, and row 0. */
POISE_API int64_t poise_feature_rows(const poise_feature *f);
/* How wide it is in the network: its numbers and its embedding. */
POISE_API int64_t poise_feature_width(const poise_feature *f);
/* The feature whose table feature k uses: k itself, or the one that it names. */
POISE_API int poise_feature_owner(const poise_schema *s, int k);
/* 1 where no other feature uses the table that it uses. */
POISE_API int poise_feature_alone(const poise_feature *f);
/* The column it is read from. */
POISE_API const char *poise_feature_column(const poise_feature *f);

/* The id of a text: its place in the vocabulary, 0 where it is not there. */
POISE_API uint32_t poise_feature_id(const poise_feature *f, const char *text);
/* The number after clip and transform (NaN stays), and its bin: 0 for NaN, else 1 .. nedge + 1. */
POISE_API double poise_feature_number(const poise_feature *f, double x);
POISE_API uint32_t poise_feature_bin(const poise_feature *f, double transformed);

/* Features that name a `table` are given what its owner has of declared and learnt, and owners count
 * their users.  Every name must be an owner's. */
void poise__schema_tables(poise_schema *s);

enum { POISE__SCHEMA_VERSION = 2 }; /* of the JSON */

/* As JSON and back, exactly (numbers round-trip).  The text is malloc'd.  A damaged text is a
 * FORMAT error; nothing in it is trusted. */
POISE_API char *poise_schema_to_json(const poise_schema *s, poise_error *err);
POISE_API poise_schema *poise_schema_from_json(const char *text, poise_error *err);

#endif
