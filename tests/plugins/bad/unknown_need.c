/* Needs a signal that no host of version 1.0 gives. */
#include "../ones.h"

ONES(unknown_need, .needs = POISE_LOSS | 1u << 20)
