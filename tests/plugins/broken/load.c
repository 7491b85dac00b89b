/* It needs a signal that no host gives. */
#include "../ones.h"

ONES(load, .needs = 1u << 20)
