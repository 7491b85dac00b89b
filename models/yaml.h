/* yaml.h -- YAML text as a tree with places.  Internal.
 *
 *     poise__yaml *t = poise__yaml_read("census.yaml", arena, diag);
 *     poise__yaml *batch = poise__yaml_get(poise__yaml_get(t, "train"), "batch");
 *     if (poise__yaml_int(batch, &n) < 0) poise_diagnose(diag, batch->place, "...");
 *
 * What is read: one document of scalars, lists and mappings whose keys are scalars; anchors and
 * aliases (an alias becomes a copy of what it names).  Tags, merge keys and several documents are
 * refused.  Bounds: POISE__YAML_BYTES of text, POISE__YAML_DEPTH levels, POISE__YAML_NODES nodes
 * with aliases expanded, POISE__YAML_ANCHORS anchors.
 *
 * Meaning of a plain (unquoted) scalar, decided by who reads it:
 *   integer  12  -3  0x1f  1e6 (whole)      number  0.5  .5  1e-3  and integers
 *   boolean  true  false                    null    nothing, ~, null
 * A quoted scalar is always text.
 *
 * Ownership: nodes and texts live in the arena that was given.
 */
#ifndef POISE_YAML_H
#define POISE_YAML_H

#include "../core/memory.h"
#include "diagnostics.h"

enum {
    POISE__YAML_BYTES = 4 << 20,
    POISE__YAML_DEPTH = 64,
    POISE__YAML_NODES = 100000,
    POISE__YAML_ANCHORS = 1000
};

typedef enum poise__yaml_kind { POISE__SCALAR, POISE__LIST, POISE__MAP } poise__yaml_kind;

typedef struct poise__yaml poise__yaml;
struct poise__yaml {
    poise__yaml_kind kind;
    poise_place place;
    const char *text;   /* scalar; no NUL inside */
    int plain;          /* scalar: 1 unless quoted */
    size_t n, cap;      /* list, mapping: entries */
    poise__yaml **key;  /* mapping: [n] scalars */
    poise__yaml **item; /* [n] */
    int block;          /* mapping: 1: written in block style wherever it stands */
    const char *param;  /* "$experts": it stands where that was written (expression.h); else NULL */
    poise_place param_at; /* where that was written */
    int wrong;            /* it could not be made out, and that was diagnosed: say no more */
};

/* The tree of a file / of a text; `file` is the name that places carry.  NULL when the text is not
 * YAML or goes past a bound: then it was diagnosed; a file that cannot be read at `from`, where it
 * was named.  A key given twice is diagnosed too, but the
 * tree (with both) is returned. */
poise__yaml *poise__yaml_read(const char *path, poise_place from, poise__arena *a,
                              poise_diagnostics *diag);
poise__yaml *poise__yaml_parse(const char *text, size_t size, const char *file, poise__arena *a,
                               poise_diagnostics *diag);

/* Making trees.  NULL or -1 and *err when memory is out; given NULL for a node they do nothing and
 * return NULL or -1, so that calls can be nested.  put replaces the item of an equal key, append does not look. */
poise__yaml *poise__yaml_new(poise__arena *a, poise__yaml_kind kind, poise_place place,
                             poise_error *err);
poise__yaml *poise__yaml_scalar(poise__arena *a, const char *text, int plain, poise_place place,
                                poise_error *err);
/* The same content in a second place: to be read there, not put into. */
poise__yaml *poise__yaml_share(poise__arena *a, const poise__yaml *n, poise_error *err);
int poise__yaml_push(poise__arena *a, poise__yaml *list, poise__yaml *item, poise_error *err);
int poise__yaml_put(poise__arena *a, poise__yaml *map, poise__yaml *key, poise__yaml *item,
                    poise_error *err);
int poise__yaml_append(poise__arena *a, poise__yaml *map, poise__yaml *key, poise__yaml *item,
                       poise_error *err);
/* put with a key text; places are those of the item. */
int poise__yaml_set(poise__arena *a, poise__yaml *map, const char *key, poise__yaml *item,
                    poise_error *err);

/* The first item with that key; NULL if there is none or `map` is not a mapping (or NULL). */
poise__yaml *poise__yaml_get(const poise__yaml *map, const char *key);

/* 1 if both say the same, whatever the order of a mapping's keys; NULL equals NULL alone. */
int poise__yaml_equal(const poise__yaml *a, const poise__yaml *b);

/* What a scalar means: 0, or -1 where it is not that. */
int poise__yaml_int(const poise__yaml *n, int64_t *value);
int poise__yaml_number(const poise__yaml *n, double *value);
int poise__yaml_bool(const poise__yaml *n, int *value);
int poise__yaml_null(const poise__yaml *n); /* 1 if it is null */
int poise__yaml_plain(const char *text);    /* 1 if text written plainly reads as that text */

/* The node as a message shows it: "'abc'", "a list of 3", "a mapping", "empty". */
const char *poise__yaml_show(const poise__yaml *n, char *buf, size_t size);

/* The tree as text (emit.c); malloc'd.  Mappings of the first `blocks` levels in block style. */
char *poise__yaml_write(const poise__yaml *n, int blocks, poise_error *err);

#endif
