/* sections.h -- the sections of a run file, and who reads them.  Internal.
 *
 * Each read function takes the section's node (NULL where the file has none), fills its part of
 * r->spec, diagnoses everything wrong, and returns 0, or -1 where its part cannot be used.
 */
#ifndef POISE_SECTIONS_H
#define POISE_SECTIONS_H

#include "reading.h"

extern const poise_section poise__run_section;
extern const poise_section poise__data_section, poise__format_section, poise__valid_section;
extern const poise_section poise__numeric_section, poise__categorical_section;
extern const poise_section poise__list_section, poise__count_section, poise__ignore_section,
    poise__feature_section;
extern const poise_section poise__task_section, poise__label_section;
extern const poise_section poise__bce_section, poise__focal_section, poise__softmax_section;
extern const poise_section poise__huber_section;
extern const poise_section poise__sgd_section, poise__adam_section;
extern const poise_section poise__adamw_section, poise__adagrad_section;
/* Lists of sections to pick from end with NULL.
 * As poise_loss_kind, from the first on; they fill a poise_loss. */
extern const poise_section *const poise__loss_sections[POISE_LOSS_KINDS];
extern const poise_section *const poise__optimizer_sections[5]; /* as poise_optimizer_kind */
extern const poise_section poise__train_section;
extern const poise_section poise__schedule_section, poise__cosine_section, poise__step_section;
extern const poise_section poise__exponential_section, poise__tuning_section;
extern const poise_section *const poise__decay_sections[4]; /* as poise_decay, from COSINE on */
extern const poise_section poise__balancer_section, poise__signals_section;
extern const poise_section poise__weights_section;
extern const char *const poise__scopes[];   /* as poise_scope, but for the layers */
extern const char *const poise__initials[]; /* first, base_rate */
extern const poise_section poise__model_section, poise__model_file_section;
extern const poise_section poise__param_section;

/* `version: 1`.  check diagnoses one that is newer than is known: what else stands in such a file is
 * not judged.  0 or -1. */
int poise__version_read(poise__reading *r, const poise__yaml *v, void *into);
int poise__version_check(poise__reading *r, const poise__yaml *root);

/* A feature as its part of the file says it. */
typedef struct poise__feature_keys {
    poise_feature feature; /* first: the sections' fields are the feature's */
    int kind;              /* as poise_feature_kind; the last is "ignore" */
    int ignore;
    poise__texts column; /* `column:`; none: the feature's name is the column's, or a pattern */
    poise_place column_at;
    poise__texts counted; /* of missing_count: columns and patterns; none: all that are read */
} poise__feature_keys;

/* spec->data, r->column, and the sample weight's column. */
int poise__read_data(poise__reading *r, const poise__yaml *node);
/* spec->schema->task.  NULL: those of the generator, which the schema has already. */
int poise__read_tasks(poise__reading *r, const poise__yaml *node);
int poise__read_features(poise__reading *r, const poise__yaml *node);
/* 1 if what no layer, feature or group is called may be one of `features:` that was diagnosed. */
int poise__feature_wrong(const poise__reading *r, const char *name);
/* A task's label; its mask, once all tasks are known.  0, or -1 after a diagnosis. */
int poise__read_label(poise__reading *r, const poise__yaml *v, poise_task *t);
int poise__check_when(poise__reading *r, const poise__yaml *v, int t);
/* Warn of two tasks that learn the same from the same rows, once all are known (twins.c).  0 or -1. */
int poise__warn_twins(poise__reading *r);
/* Warn of features that read a task's label, once it is known which of them a layer reads. */
void poise__warn_answers(poise__reading *r);
/* The columns that a task's label is of; with `all` those of its mask and weight too (a mask's may
 * be a task's name). */
void poise__task_columns(poise__reading *r, const poise_task *t, int all,
                         void (*seen)(void *user, const char *column), void *user);
/* What stands beside a feature's name.  0, or -1 after a diagnosis. */
int poise__read_kind(poise__reading *r, const char *name, const poise__yaml *v,
                     poise__feature_keys *k);
/* Whose tables the schema's features use, once all are known; complete 0: some could not be read.  0,
 * or -1 after diagnoses. */
int poise__read_tables(poise__reading *r, int complete);
int poise__read_model(poise__reading *r, const poise__yaml *node);
int poise__read_balancer(poise__reading *r, const poise__yaml *node);
int poise__read_train(poise__reading *r, const poise__yaml *node);
/* `adam` or {adam: {...}}; `what` is the key. */
int poise__read_optimizer(poise__reading *r, const poise__yaml *v, const char *what,
                          poise_optimizer_spec *o);
int poise__read_tuning(poise__reading *r, const poise__yaml *v, poise_train_spec *t);
/* Warn where a balancer of the schedule begins after the last epoch. */
void poise__check_schedule(poise__reading *r);

/* `data: {format: ...}` as its section sees it. */
typedef struct poise__format {
    const char *separator, *strip;
    int quoted;
    poise__texts missing, header; /* header.n is 0: in the file */
} poise__format;

/* The index of a column, of a task; -1: there is none. */
int poise__column_find(const poise__reading *r, const char *name);
int poise__task_find(const poise_schema *s, const char *name);
/* After a diagnosis of what the task's kind does not allow: where the loss says the kind, a note. */
void poise__note_kind(poise_diagnostics *diag, const poise_task *t);
/* A loss as a word, or {word: {...}}, into *l. */
int poise__read_loss(poise__reading *r, const poise__yaml *v, poise_loss *l);
/* Diagnose a column that is not there, where the columns are known.  0 or -1. */
int poise__column_check(poise__reading *r, poise_place place, const char *what, const char *name);
/* Diagnose a word that is not a task. */
int poise__task_unknown(poise__reading *r, poise_place place, const char *what, const char *name);
/* 1 if `name` matches a pattern of '*' (any text) and '?' (one character). */
int poise__glob_match(const char *pattern, const char *name);
/* 1 if it matches a parameter's name, or the part of it before a '/': "expert" and "expert/0" both
 * match "expert/0/weight".  ... or may match that of something in `name`. */
int poise__glob_names(const char *pattern, const char *name);
int poise__glob_may_name(const char *pattern, const char *name);

/* A run file's text, or with text NULL the file at `path`: what poise_spec_read does. */
poise_spec *poise__spec_parse(const char *path, const char *text, size_t size, int noverride,
                              const poise_override *override, poise_diagnostics *diag);

/* The whole spec as a tree, with `model` in place of its own (NULL: its own, with its parameters'
 * values).  NULL when memory is out. */
poise__yaml *poise__spec_node(const poise_spec *s, poise__yaml *model, struct poise__arena *a,
                              poise_error *err);

/* Apply overrides to the root of a run file. */
int poise__overrides(poise__reading *r, poise__yaml *root, int n, const poise_override *o);

#endif
