/* params.h -- the parameters of a model file.  Internal.
 *
 *     params:  {experts: 8, units: [256, 128]}     defaults, which also say the type
 *     network: {expert: {copies: $experts, mlp: $units, input: features}}
 *     model:   {use: mmoe, experts: 16}            in the run file
 *
 * A value takes the default's type: an integer stays an integer, a number may be whole, a list is a
 * list of what the default lists (of any length from 1).  "$name" stands for the whole value,
 * "$name[0]" for an entry of a list, "$name[0][1]" for an entry of an entry.
 */
#ifndef POISE_PARAMS_H
#define POISE_PARAMS_H

#include "reading.h"

/* The mapping of all parameters with their values: `defaults` (may be NULL) overridden by `given`
 * (may be NULL).  NULL after a diagnosis that leaves nothing to go on with; *bad is set to -1 by
 * any diagnosis. */
poise__yaml *poise__params_read(poise__reading *r, const poise__yaml *defaults,
                                const poise__yaml *given, const char *model, int *bad);

/* A copy of the tree with every $name replaced; warns of parameters that are never used. */
poise__yaml *poise__params_apply(poise__reading *r, const poise__yaml *tree,
                                 const poise__yaml *params, int *bad);

#endif
