/* finite.c -- is every gradient a number? */
#include <string.h>
#include "optimizer.h"

/* On the bits: the comparison stays vectorised, and no option about floating point changes it. */
int poise_finite(int64_t n, const float *x)
{
    enum { BLOCK = 4096 };

    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t to = n - from < BLOCK ? n : from + BLOCK;
        uint32_t bad = 0;

        for (int64_t i = from; i < to; i++) {
            uint32_t bits;

            memcpy(&bits, &x[i], sizeof bits);
            bad |= (bits & 0x7f800000u) == 0x7f800000u;
        }
        if (bad)
            return 0;
    }
    return 1;
}

int poise_gradients_finite(poise_store *s, int *param)
{
    if (poise_finite((int64_t)poise_store_dense_size(s), poise_store_gradients(s)))
        return 1;
    for (int k = 0; k < poise_store_count(s); k++) {
        const float *g = poise_store_gradient(s, k);

        if (g && !poise_finite(poise_store_at(s, k)->count, g)) {
            *param = k;
            return 0;
        }
    }
    return 1; /* only padding was touched */
}
