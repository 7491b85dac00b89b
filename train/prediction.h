/* prediction.h -- from a row of a task's output to what a user reads.  Internal. */
#ifndef POISE_PREDICTION_H
#define POISE_PREDICTION_H

#include "../data/schema.h"

/* Of z[0 .. width):
 *
 *   binary       the probability, sigmoid(z)
 *   regression   the number, z
 *   multiclass   the likeliest class
 *   ordinal      the expected grade, the sum of P(label > k): a number to sort by
 *   count        the rate, e^z */
double poise__prediction(poise_task_kind kind, const float *z, int64_t width);

#endif
