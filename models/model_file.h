/* model_file.h -- the text of a model: its file, and those that it extends.  Internal.
 *
 *     extends: mmoe                        a model's name, or a path relative to this file
 *     params: {experts: 16, rank: 4}       another default, a new parameter; null removes one
 *     network:
 *       deep:   {mlp: [64], input: features}          a new layer
 *       tower:  {each: task, dense: 8, input: mix}    with a kind: in the inherited one's place
 *       expert: {input: deep, norm: }                 without: keys added, replaced, taken away
 *       spare:                                        null: taken away
 *
 * A key that is an option of the inherited layer's kind is that option, also where it is a kind's
 * name: `tower: {dropout: 0.3}` changes an mlp.
 */
#ifndef POISE_MODEL_FILE_H
#define POISE_MODEL_FILE_H

#include "reading.h"

typedef struct poise__model_text {
    const char *about, *paper, *when;
    const poise__yaml *params, *network, *output, *row_weight, *penalty; /* NULL: none */
    const poise__yaml *removed; /* name: null, of layers; NULL: none */
    int partial;                /* 1: there may be more parameters, in what could not be read */
    int chain;                  /* files that it is made of */
    const char **file;          /* [chain] the model's own first */
} poise__model_text;

/* The model that `node` is: the mapping of a model file, which stands in `file` (NULL: the run's).
 * 0; -1 after a diagnosis, and then what could be made out is there. */
int poise__model_text_read(poise__reading *r, const poise__yaml *node, const char *file,
                           poise__model_text *text);
/* Put `more` (NULL: nothing) over what is inherited: t->params, or t->network and t->removed
 * (extends.c).  0, or -1 after a diagnosis. */
int poise__extend_params(poise__reading *r, poise__model_text *t, const poise__yaml *more);
int poise__extend_network(poise__reading *r, poise__model_text *t, const poise__yaml *more);
/* The tree of the file that a name or a path means, and its path; what stands in `from` (NULL: the
 * run file) named it.  NULL after a diagnosis. */
const poise__yaml *poise__model_open(poise__reading *r, const char *use, const char *from,
                                     poise_place place, const char **file);

#endif
