/* plan_place.c -- offsets for blocks with lifetimes: best fit by decreasing size. */
#include "memory.h"
#include "plan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Larger first; then the earlier one, so that equal graphs get equal plans. */
static int by_size(const void *pa, const void *pb)
{
    const poise__block *a = *(poise__block *const *)pa, *b = *(poise__block *const *)pb;
    if (a->bytes != b->bytes)
        return a->bytes > b->bytes ? -1 : 1;
    if (a->first != b->first)
        return a->first < b->first ? -1 : 1;
    return (a > b) - (a < b);
}

/* The offset of the smallest gap that b fits into, among the blocks placed so far (ascending
 * offsets) that are alive together with it. */
static size_t best_gap(const poise__block *b, size_t n, poise__block *const *placed)
{
    size_t end = 0, best = SIZE_MAX, best_size = SIZE_MAX;
    for (size_t k = 0; k < n; k++) {
        const poise__block *p = placed[k];
        if (p->last < b->first || b->last < p->first)
            continue;
        if (p->offset > end && p->offset - end >= b->bytes && p->offset - end < best_size) {
            best = end;
            best_size = p->offset - end;
        }
        if (p->offset + p->bytes > end)
            end = p->offset + p->bytes;
    }
    return best == SIZE_MAX ? end : best;
}

int poise__plan_place(int n, poise__block *block, size_t *bytes, poise_error *err)
{
    *bytes = 0;
    size_t count = (size_t)n;
    poise__block **order = poise__calloc(count, sizeof(*order), err);
    poise__block **placed = order ? poise__calloc(count, sizeof(*placed), err) : NULL;
    int status = placed ? 0 : -1;
    for (size_t k = 0; k < count && status == 0; k++)
        order[k] = &block[k];
    if (status == 0 && count)
        qsort(order, count, sizeof(*order), by_size);
    for (size_t k = 0; k < count && status == 0; k++) {
        poise__block *b = order[k];
        b->offset = best_gap(b, k, placed);
        if (b->bytes > SIZE_MAX / 2 || b->offset > SIZE_MAX / 2 - b->bytes) {
            status = poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                                "the values of the graph need more memory than this machine can "
                                "address; make the batch or the layers smaller");
            break;
        }
        if (b->offset + b->bytes > *bytes)
            *bytes = b->offset + b->bytes;
        size_t at = k; /* keep `placed` in order of offsets */
        while (at > 0 && placed[at - 1]->offset > b->offset)
            at--;
        memmove(placed + at + 1, placed + at, (k - at) * sizeof(*placed));
        placed[at] = b;
    }
    free(order);
    free(placed);
    return status;
}
