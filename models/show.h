/* show.h -- the network of a spec, drawn.
 *
 *     char *tree = poise_show_tree(spec, &err);    // for a terminal, UTF-8
 *     char *dot = poise_show_dot(spec, &err);      // for graphviz: dot -Tsvg
 *
 * Both say for every layer its shape, its weights and which tasks need it.  Nothing is built and no
 * data is needed; what the schema has not learnt yet (rows of embeddings, classes of a multiclass
 * task) is shown as "?".
 *
 * Ownership: the text is malloc'd.  NULL and *err when memory is out.
 */
#ifndef POISE_SHOW_H
#define POISE_SHOW_H

#include "spec.h"

/* Features first; a layer stands under the last of the layers that it reads, what else it reads is
 * named beside it.  Layers of every task are one line. */
POISE_API char *poise_show_tree(const poise_spec *s, poise_error *err);

/* A node for every layer of every task, in the colour of the task that needs it: stripes where some
 * do, grey where all do.  Every edge is labelled with its key unless that is the layer's input. */
POISE_API char *poise_show_dot(const poise_spec *s, poise_error *err);

/* 1 if the shapes of the network depend on the data (a multiclass task whose classes are not
 * counted yet). */
POISE_API int poise_show_needs_data(const poise_spec *s);

#endif
