#include "table.h"

#include <math.h>
#include <stdlib.h>

#include "../core/memory.h"
#include "../core/random.h"

int poise__split(int64_t n, double fraction, uint64_t seed, poise_place at, poise__rows *rest,
                 poise__rows *valid, poise_error *err)
{
    int64_t m = (int64_t)llround(fraction * (double)n);
    if (!(fraction > 0 && fraction < 1))
        return poise_fail(err, POISE_E_SPEC, at,
                          "the fraction for validation is %g; it must lie between 0 and 1",
                          fraction);
    if (m < 1 || m >= n)
        return poise_fail(err, POISE_E_DATA, at,
                          "a fraction of %g of %lld rows leaves no row for one of the parts",
                          fraction, (long long)n);
    *valid = (poise__rows){0, poise__calloc((size_t)m, sizeof(int64_t), err)};
    *rest = (poise__rows){0, poise__calloc((size_t)(n - m), sizeof(int64_t), err)};
    if (!valid->row || !rest->row) {
        free(valid->row);
        free(rest->row);
        *valid = *rest = (poise__rows){0, NULL};
        return -1;
    }
    uint64_t stream = poise_random_stream("split");
    for (int64_t i = 0; i < n; i++) {
        uint64_t rank = poise_random_permute(seed, stream, 0, (uint64_t)n, (uint64_t)i);
        poise__rows *part = rank < (uint64_t)m ? valid : rest;
        part->row[part->n++] = i;
    }
    return 0;
}
