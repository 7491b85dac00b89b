/* column_sum.h -- the gradient of what is added to every row.  Internal. */
#ifndef POISE_COLUMN_SUM_H
#define POISE_COLUMN_SUM_H

#include "../core/op.h"

/* *dx = dy summed over all but its last `keep` dimensions. */
int poise__column_sum(poise_graph *g, poise_value *dy, int keep, poise_gradient *dx,
                      poise_error *err);

#endif
