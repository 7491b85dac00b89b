/* rate.h -- the learning rate over the steps.
 *
 * A schedule is a factor of every optimiser's rate and a function of the step's number alone, so that
 * a resumed run has the same rates.  With t the step from 0, W the warm-up and s = t - W:
 *
 *   warm-up      (t + 1) / W                                 while t < W; then
 *   none         1
 *   cosine       to + (1 - to) (1 + cos(pi s / S)) / 2       while s < S, then `to`
 *   step         factor ^ floor(s / every)
 *   exponential  factor ^ (s / every)
 *
 * S is the schedule's own `steps`, else what the run has left after its warm-up.  They are PyTorch's
 * LinearLR(1 / W, 1, W - 1), CosineAnnealingLR(S, to rate), StepLR(every, factor) and ExponentialLR,
 * one after the other as SequentialLR has them; tests/train compares.
 */
#ifndef POISE_RATE_H
#define POISE_RATE_H

#include "../models/spec.h"

/* run: the number of steps of the whole run, for a cosine that goes to its end. */
POISE_API double poise_rate_factor(const poise_rate_schedule *s, uint64_t step, uint64_t run);

#endif
