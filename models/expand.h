/* expand.h -- a model with nothing left to work out.
 *
 *     char *text = poise_spec_expanded(spec, &err);
 *
 * Parameters are replaced by their values, arithmetic by its result; what a model extends is worked
 * in; `each` and `override` have become a layer per instance, called "tower/click" as its parameters
 * are; references name the layers that are meant; what no task needs is left out.  `copies` stay: a stack is
 * one layer.
 *
 *     tower: {each: task, mlp: $tower, input: mix}     network of mmoe.yaml
 *     tower/click: {task: click, mlp: [64], input: mix/click}
 *     tower/buy: {task: buy, mlp: [64], input: mix/buy}
 *
 * The text is a spec itself, of the same network node by node, and its own expansion.
 */
#ifndef POISE_EXPAND_H
#define POISE_EXPAND_H

#include "spec.h"

/* The run with its model expanded, paths absolute: a run file.  malloc'd; NULL and *err when memory
 * is out. */
POISE_API char *poise_spec_expanded(const poise_spec *s, poise_error *err);
/* The model alone: a model file. */
POISE_API char *poise_model_expanded(const poise_spec *s, poise_error *err);

#endif
