/* settings.h -- texts of a spec to the doubles that a balancer reads.  Internal. */
#ifndef POISE_SETTINGS_H
#define POISE_SETTINGS_H

#include "../core/memory.h"
#include "plugin.h"

/* *out = [nparam] arrays, of 1 value or of T where the row is per task: the defaults, then what the
 * settings say.  A setting without task names sets all T.  In `arena`.
 *
 * SPEC errors, with the place of the text: a name that no parameter has (the nearest is named), a
 * name or a task given twice, a task that does not exist, a value per task where there is one for
 * all, a text that is not of the row's kind or not in its range. */
int poise__settings_read(const poise_balancer *table, uint32_t ntask, const char *const *task,
                         int nsetting, const poise_setting *setting, const double *const **out,
                         poise__arena *arena, poise_error *err);

#endif
