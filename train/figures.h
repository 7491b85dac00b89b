/* figures.h -- how good an engine is on one part of the data.  Internal. */
#ifndef POISE_FIGURES_H
#define POISE_FIGURES_H

#include "engine.h"
#include "trainer.h"

/* Score every row of d and fill figure[t] (the names are borrowed from the schema).  Figures that do
 * not apply, or need a class that is absent, are NaN. */
int poise__figures(poise__engine *e, const poise_dataset *d, poise_task_result *figure,
                   poise_error *err);
/* All NaN, no name. */
void poise__figures_unknown(poise_task_result *f);

/* The number that decides which epoch is best; higher is better.  Where a task's figure is not known
 * (an AUC with one class present) its loss counts instead, with a minus; a mean is of the tasks that
 * have the figure, where none has of their losses.  NaN: not known. */
double poise__monitor(const poise_monitor *m, int ntask, const poise_task_result *figure);

#endif
