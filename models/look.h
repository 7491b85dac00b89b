/* look.h -- what is legal in a spec but, seen beside the data, surely wrong. */
#ifndef POISE_LOOK_H
#define POISE_LOOK_H

#include "../data/dataset.h"
#include "spec.h"

/* Go over the rows once and warn, at the task's place, of a task whose rows all have the same label
 * and of one for which no row counts (no label, or its `when` never holds).  `part` 1: the rows are
 * the first of more, and the warnings say so.  (Of all rows, the second is an error when they are
 * read: no training is possible.)  0, or -1 with *err. */
POISE_API int poise_spec_look(const poise_spec *s, const poise_dataset *rows, int part,
                              poise_diagnostics *diag, poise_error *err);

/* The same of all training rows that `d` has, a file's: of them the labels are read and nothing else,
 * so that it costs little more than to go over the text.  *rows is how many.  0, or -1 with *err, as it
 * would be when they are trained on. */
POISE_API int poise_spec_look_labels(const poise_spec *s, const poise_data_spec *d, int64_t *rows,
                                     poise_diagnostics *diag, poise_error *err);

/* Warn of a pattern of train.tuning that is of no parameter because those before it match all that it
 * matches, and diagnose the first that matches none, as the training would.  The features must have
 * learnt their vocabularies, be it from a few rows.  0, or -1 after a diagnosis. */
POISE_API int poise_spec_look_tuning(const poise_spec *s, poise_diagnostics *diag);

#endif
