/* reading.h -- turning a tree into structs by the tables of keys.h.  Internal.
 *
 *     poise_train_spec t = {0};
 *     poise__keys_read(r, node, "train", &poise__train_section, &t);
 *
 * Everything wrong is diagnosed at its own place and reading goes on, so that one reading finds all
 * errors.  A function returns 0, or -1 where what it was to fill cannot be used.
 */
#ifndef POISE_READING_H
#define POISE_READING_H

#include "keys.h"
#include "spec.h"
#include "yaml.h"

typedef struct poise__texts {
    int n;
    const char *const *text;
} poise__texts;

typedef struct poise__ints {
    int n;
    const int64_t *value;
} poise__ints;

typedef struct poise__numbers {
    int n;
    const double *value;
} poise__numbers;

/* What a layer reads: "features", "age", "expert", "tower" (the instance of the same name),
 * "tower[*]", "tower[click]", "tower[previous]", "tower[earlier]", "tower[others]". */
typedef struct poise__reference {
    const char *name, *select; /* select: what stands in brackets, or NULL */
    poise_place place;
    int layer;    /* index of a layer, or POISE__FEATURES ... (network.h) */
    int instance; /* which of that layer's, or POISE__SAME, POISE__ALL, ... */
    int feature;
} poise__reference;

typedef struct poise__references {
    int n;
    poise__reference *at;
} poise__references;

/* One reading of a spec. */
typedef struct poise__reading {
    poise__arena *arena; /* the spec's: everything that is read lives here */
    poise_diagnostics *diag;
    const char *folder; /* of the run file: what its paths are relative to; "" for the current */
    poise_spec *spec;   /* being filled, in the order data, features and tasks, model, ... */
    int model_read;     /* 1: the network of spec->model is without errors */
    int layers_read;    /* 1: the names of its layers and their instances are known */
    int unnamed;        /* 1: the name of one of its layers cannot be told, which was diagnosed */
    char *untyped;      /* [ntask] 1: the type of the task cannot be told, likewise; NULL: none */
    const poise__yaml *features; /* as written; NULL: none */
    int valid_misspelt;          /* 1: data has what seems to be meant for `valid` */
    int features_wrong;          /* 1: some of them are not in the schema, likewise */
    poise_spec_options options;
    int patterns; /* 1: a feature's key is one */
    int of_run;   /* 1: a run's spec.yaml, which names every feature; no file is opened */
    int resolved; /* 1: it was written by poise_spec_resolved, maybe by an older poise: a key that does
                     nothing is no error */
    int ncolumn; /* of the data; -1 where they are not known */
    char **column;
    int column_owned; /* 1: to be freed with poise_data_columns_free; 0: the arena's */
} poise__reading;

#define POISE__INTO(type, field) .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)
#define POISE__COUNT(a)          ((int)(sizeof(a) / sizeof((a)[0])))
#define POISE__ROWS(table)       .nkey = POISE__COUNT(table), .key = (table)

/* Memory from the spec's arena; NULL after a diagnosis. */
void *poise__reading_alloc(poise__reading *r, size_t count, size_t size);
/* `path` against the run file's folder (absolute paths as they are); NULL after a diagnosis. */
const char *poise__reading_path(poise__reading *r, const char *path);

/* Fill `into` from a mapping by one or more sections, each with its struct: defaults first, then
 * what the mapping says.  `what` names it in messages.  NULL for the node: defaults only. */
int poise__keys_read(poise__reading *r, const poise__yaml *node, const char *what,
                     const poise_section *s, void *into);
int poise__keys_read_all(poise__reading *r, const poise__yaml *node, const char *what, int nsection,
                         const poise_section *const *s, void *const *into);
/* 1 where a key that no section has seems to be meant for `name`: that it is unknown says enough. */
int poise__misspelt(const poise__yaml *node, int nsection, const poise_section *const *s,
                    const char *name);
/* One value by one row. */
int poise__key_read(poise__reading *r, const poise_key *k, const poise__yaml *value, void *into);

/* Diagnose keys of a mapping that do nothing beside, or without, others, and what is missing of the
 * sections' one_of and some_of (keys_fit.c).  0 or -1. */
int poise__keys_fit(poise__reading *r, const poise__yaml *node, const char *what, int nsection,
                    const poise_section *const *s);
/* The row of a key in n sections, or NULL; *section (unless NULL) is the index of its section. */
const poise_key *poise__key_find(int n, const poise_section *const *s, const char *name,
                                 int *section);
/* "score: mlp" -> the key into buf, and what must be its value; NULL: anything but its default. */
const char *poise__key_condition(const char *text, char *buf, size_t size);
/* 1 if a key of a struct does nothing as the struct is, by `needs` and `without`. */
int poise__key_idle(poise__arena *a, const poise_section *s, const poise_key *k, const void *from);
/* The next of words with blanks between, into buf: what follows it, or NULL past the last. */
const char *poise__word_next(const char *words, char *buf, size_t size);

/* One reference or a list of them, not yet resolved (references.c). */
int poise__references_read(poise__reading *r, const poise__yaml *v, poise__references *refs);

/* `adam` or `{adam: {...}}`: which of n sections is meant, -1 after a diagnosis; *inner is the
 * mapping, or NULL. */
int poise__keys_pick(poise__reading *r, const poise__yaml *node, const char *what, int n,
                     const poise_section *const *s, const poise__yaml **inner);

/* "'exprets' is not a ...; the nearest is 'experts'": the message of an unknown word.  `known` may
 * hold NULLs.  Returns -1. */
int poise__unknown(poise__reading *r, poise_place place, const char *what, const char *word, int n,
                   const char *const *known);

/* " (for $experts)" where the value stands for a parameter, else "". */
const char *poise__via(const poise__yaml *n, char *buf, size_t size);
/* After a diagnosis of such a value: a note that shows where the parameter is used. */
void poise__note_use(poise__reading *r, const poise__yaml *n);

/* Write back: a mapping of every key whose field says something, OWN keys left out. */
poise__yaml *poise__keys_write(poise__arena *a, const poise_section *s, const void *from,
                               poise_error *err);
/* One field of it; NULL with *skip set where it says nothing or is of a kind that is not written. */
poise__yaml *poise__key_write(poise__arena *a, const poise_key *k, const char *field, int *skip,
                              poise_error *err);
/* Nodes of values; `text` is quoted where it must be. */
poise__yaml *poise__node_text(poise__arena *a, const char *text, poise_error *err);
poise__yaml *poise__node_int(poise__arena *a, int64_t v, poise_error *err);
poise__yaml *poise__node_number(poise__arena *a, double v, poise_error *err);
poise__yaml *poise__node_map(poise__arena *a, poise_error *err);

#endif
