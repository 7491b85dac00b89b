/* A parameter whose default is outside of its range. */
#include "../ones.h"

static const poise_param params[] = {
    {"rate", "a rate", POISE_REAL, 0, 2, 0, 1, NULL},
};
ONES(parameter, .param = params, .nparam = POISE_COUNT(params))
