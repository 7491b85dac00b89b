/* keys.h -- the keys of the spec language, as tables.
 *
 * A section is one kind of mapping (`train:`, the options of `adam`, a layer of kind mlp).  Its
 * rows say for every key the type, default, range, choices and meaning, and where the value goes.
 * Reading, error messages, writing back (spec.h: poise_spec_resolved), `poise help` and the JSON
 * Schema for editors (json_schema.h) all come from these rows.  A new key needs nothing else, but
 * for one of kind OWN, whose row says in `schema` what may stand there.
 *
 *     for (const poise_section *const *s = poise_spec_sections(); *s; s++)
 *         for (int k = 0; k < (*s)->nkey; k++)
 *             printf("%s %s: %s\n", (*s)->name, (*s)->key[k].name, (*s)->key[k].help);
 *
 * The tables are constant and never freed.
 */
#ifndef POISE_KEYS_H
#define POISE_KEYS_H

#include <stddef.h>
#include "../core/error.h"

typedef enum poise_key_kind {
    POISE_KEY_TEXT,       /* const char * */
    POISE_KEY_INT,        /* int, int64_t or uint64_t, by `size` */
    POISE_KEY_NUMBER,     /* double */
    POISE_KEY_BOOL,       /* int */
    POISE_KEY_CHOICE,     /* int: an index into `choice` */
    POISE_KEY_TEXTS,      /* poise__texts: a list of texts */
    POISE_KEY_INTS,       /* poise__ints: a list of integers, at least one */
    POISE_KEY_CHOICES,    /* poise__ints: indices into `choice`, one or a list */
    POISE_KEY_NUMBERS,    /* poise__numbers: one or a list */
    POISE_KEY_REFERENCES, /* poise__references: what a layer reads, one or a list */
    POISE_KEY_SECTION,    /* the struct of `section`: a mapping, or what its first key may be */
    POISE_KEY_OWN         /* what `read` makes of it; `form` says what may stand there */
} poise_key_kind;

struct poise__reading;
struct poise__yaml;

typedef struct poise_key {
    const char *name; /* "batch" */
    const char *help; /* one line, with the unit */
    poise_key_kind kind;
    int required;
    const char *unless;        /* required, unless that key is in that mapping: "data: generate" */
    const char *initial;       /* the default as the spec would write it; NULL: none */
    double min, max;           /* of integers and numbers, inclusive */
    int open;                  /* 1: min and max themselves are not among the values */
    const char *const *choice; /* NULL-terminated */
    const struct poise_section *section;
    const char *like; /* TEXT: the rule of names.h that it follows */
    /* The keys of the same mapping without which it would do nothing, or beside which: a key, which
     * must say something else than its default ("bins"), or a key and its value ("score: mlp"). */
    const char *needs, *without;
    const char *form;   /* OWN: the type in words */
    const char *schema; /* OWN: the type for a JSON Schema, in the words of json_schema.h */
    /* OWN: where the key `beside` is there too, `beside_schema` in place of `schema`. */
    const char *beside, *beside_schema;
    /* OWN, in place of `schema`: `adam` or {adam: {...}}, of these sections; NULL-terminated.  Where
     * `agrees` is a key beside it, that must be `agreed` of the word, or be left out. */
    const struct poise_section *const *pick;
    const char *agrees, *(*agreed)(const char *word);
    size_t offset, size; /* of the field in the section's struct */
    int (*read)(struct poise__reading *r, const struct poise__yaml *value, void *into); /* OWN */
} poise_key;

typedef struct poise_section {
    const char *name;  /* "train", "optimizer: adam", "mlp" */
    const char *about; /* one line */
    int nkey;
    const poise_key *key;
    /* What a key that is in no row means; NULL: it is an error. */
    int (*other)(struct poise__reading *r, const struct poise__yaml *key,
                 const struct poise__yaml *value, void *into);
    const char *other_help;   /* for `poise help`: what such keys are */
    const char *other_schema; /* their values, in the words of json_schema.h */
    const char *one_of;       /* keys, with blanks between: one must be there, and no two */
    const char *some_of;      /* keys, the same way: at least one must be there */
} poise_section;

/* The sections of run and model files, the top level first; NULL-terminated. */
POISE_API const poise_section *const *poise_spec_sections(void);
/* The kinds of layers ("mlp", "dense", "mixture"): keys of that kind.  And the keys that every
 * layer has ("each", "copies"). */
POISE_API const poise_section *const *poise_layer_kinds(void);
POISE_API const poise_section *poise_layer_keys(void);
/* Among the sections, then the kinds; or NULL. */
POISE_API const poise_section *poise_section_find(const char *name);

/* The type in words: "integer, 1 .. 65536", "relu | tanh", "text"; returns buf. */
POISE_API const char *poise_key_type(const poise_key *k, char *buf, size_t size);
/* Its help, and what it needs or does not go with: "width of the embedding; needs bins". */
POISE_API const char *poise_key_help(const poise_key *k, char *buf, size_t size);

#endif
