/* row_slots.h -- which merged row an id of a table has, while a gradient by rows is summed.
 * Internal.
 *
 * A small table is looked up by id, a large one by hash with linear probing, at most half full.
 */
#ifndef POISE_ROW_SLOTS_H
#define POISE_ROW_SLOTS_H

#include <stdint.h>
#include <string.h>

typedef struct poise__slots {
    int32_t *slot; /* [size], the merged row or -1 */
    uint32_t size; /* a power of two when hashed */
    int direct;
} poise__slots;

/* Slots for `count` ids (at most INT32_MAX / 4) of a table of `height` rows, in `memory` of
 * size * sizeof(int32_t) bytes; memory may be NULL where the size alone is asked for. */
static inline poise__slots poise__slots_of(int64_t count, int64_t height, void *memory)
{
    poise__slots s = {.slot = memory, .size = 16, .direct = height <= 4 * count};
    while (s.size < 2 * count)
        s.size *= 2;
    if (s.direct)
        s.size = (uint32_t)height;
    return s;
}

static inline void poise__slots_clear(const poise__slots *s)
{
    memset(s->slot, 0xff, s->size * sizeof *s->slot);
}

/* Where the merged row of `id` stands; -1 stands there when there is none yet.  rows[k] is the id of
 * merged row k. */
static inline int32_t *poise__slot(const poise__slots *s, int32_t id, const int32_t *rows)
{
    if (s->direct)
        return &s->slot[id];
    uint32_t h = (uint32_t)id * 0x9E3779B1u;
    for (h = (h ^ (h >> 15)) & (s->size - 1);; h = (h + 1) & (s->size - 1))
        if (s->slot[h] < 0 || rows[s->slot[h]] == id)
            return &s->slot[h];
}

#endif
