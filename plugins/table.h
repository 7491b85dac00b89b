/* table.h -- what a balancer says of itself, checked and brought to this host's layout.  Internal.
 *
 * A balancer may have been built with an older or a newer minor version of balancer.h, so its
 * structs may be shorter or longer than ours and its parameter rows may have another stride.  The
 * copy that poise__table_read makes has our layout: fields it did not have are zero.
 */
#ifndef POISE_TABLE_H
#define POISE_TABLE_H

#include "../core/memory.h"
#include "plugin.h"

/* The signals that this host gives: one row each. */
typedef struct poise__signal {
    uint32_t bit;
    const char *name; /* "grad_norm": as in poise_signals and in messages */
    size_t offset;    /* of its pointer in poise_signals */
} poise__signal;

extern const poise__signal poise__signals[]; /* ends with bit 0 */

uint32_t poise__signals_known(void); /* all bits */

/* Check `theirs`, which the object at `path` returned, and copy it with its rows into `ours`; the
 * rows go into `arena`, texts stay the object's.  Refused, with a PLUGIN error that begins with the
 * path: a table shorter than up to `step`, rows shorter than up to `max`, needs and flags that are
 * not known, a name that breaks its pattern, a row of unknown kind, with an empty range, with a
 * default outside of it, without choices, or with a name that another row has. */
int poise__table_read(const poise_balancer *theirs, const char *path, poise_balancer *ours,
                      poise__arena *arena, poise_error *err);

/* NULL where `value` suits the row, else what it must be: "a number in [0, 10]", written to buf. */
const char *poise__param_want(const poise_param *row, double value, char *buf, size_t size);

/* Number of words of a POISE_CHOICE. */
uint32_t poise__param_choices(const poise_param *row);

#endif
