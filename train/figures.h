/* figures.h -- how good an engine is on one part of the data.  Internal. */
#ifndef POISE_FIGURES_H
#define POISE_FIGURES_H

#include "engine.h"
#include "trainer.h"

/* Score every row of d and fill figure[t] (name, auc, logloss, rmse, auc_best_possible; the names
 * are borrowed from the schema).  Figures that do not apply, or need a class that is absent, are
 * NaN. */
int poise__figures(poise__engine *e, const poise_dataset *d, poise_task_result *figure,
                   poise_error *err);

/* The number that decides which epoch is best; higher is better.  `monitor` is as the spec has it:
 * "mean auc", "mean logloss", "TASK auc", "TASK logloss".  For a task without an AUC (a regression,
 * several classes, one class present) its negative loss counts instead; a mean leaves out tasks
 * that no row has a label of.  NaN: not known. */
double poise__monitor(const char *monitor, int ntask, const poise_task_result *figure);

#endif
