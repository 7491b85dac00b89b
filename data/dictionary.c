#include "dictionary.h"

#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

/* Ids are i32 in a batch and id 0 is taken. */
enum { TEXTS_MAX = INT32_MAX - 1 };

typedef struct slot {
    uint32_t hash, code; /* code + 1; 0: free */
} slot;

struct poise__dictionary {
    poise__arena *arena;
    const char **text;
    uint32_t *length;
    size_t text_cap, length_cap;
    uint32_t count, last;
    slot *slots;
    size_t mask;
};

poise__dictionary *poise__dictionary_new(poise_error *err)
{
    poise__dictionary *d = poise__calloc(1, sizeof *d, err);
    if (!d)
        return NULL;
    d->mask = 63;
    d->arena = poise__arena_new(err);
    d->slots = d->arena ? poise__calloc(d->mask + 1, sizeof *d->slots, err) : NULL;
    if (!d->slots) {
        poise__dictionary_free(d);
        return NULL;
    }
    return d;
}

void poise__dictionary_free(poise__dictionary *d)
{
    if (!d)
        return;
    poise__arena_free(d->arena);
    free((void *)d->text);
    free(d->length);
    free(d->slots);
    free(d);
}

uint32_t poise__dictionary_count(const poise__dictionary *d)
{
    return d->count;
}

const char *const *poise__dictionary_texts(const poise__dictionary *d)
{
    return d->text;
}

/* Eight bytes at a time; multiplication spreads upwards, the shift brings it down again. */
static uint32_t hash(const char *text, size_t length)
{
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t h = (uint64_t)length * k;
    while (length > 0) {
        uint64_t w = 0;
        size_t n = length < 8 ? length : 8;
        memcpy(&w, text, n);
        h = (h ^ w) * k;
        h ^= h >> 32;
        text += n;
        length -= n;
    }
    return (uint32_t)(h ^ h >> 29);
}

static int widen(poise__dictionary *d, poise_error *err)
{
    size_t mask = d->mask * 2 + 1;
    slot *slots = poise__calloc(mask + 1, sizeof *slots, err);
    if (!slots)
        return -1;
    for (size_t i = 0; i <= d->mask; i++) {
        if (!d->slots[i].code)
            continue;
        size_t at = d->slots[i].hash & mask;
        while (slots[at].code)
            at = (at + 1) & mask;
        slots[at] = d->slots[i];
    }
    free(d->slots);
    d->slots = slots;
    d->mask = mask;
    return 0;
}

static int same(const poise__dictionary *d, uint32_t code, const char *text, size_t length)
{
    return d->length[code] == length && memcmp(d->text[code], text, length) == 0;
}

static int add(poise__dictionary *d, const char *text, size_t length, poise_error *err)
{
    if (d->count >= TEXTS_MAX || length >= UINT32_MAX)
        return poise_fail(err, POISE_E_DATA, POISE_NOWHERE, "more than %d distinct texts",
                          TEXTS_MAX);
    const char **texts =
        poise__grow((void *)d->text, &d->text_cap, (size_t)d->count + 1, sizeof *texts, err);
    if (!texts)
        return -1;
    d->text = texts;
    uint32_t *lengths =
        poise__grow(d->length, &d->length_cap, (size_t)d->count + 1, sizeof *lengths, err);
    if (!lengths)
        return -1;
    d->length = lengths;
    char *copy = poise__arena_alloc(d->arena, length + 1, 1, err);
    if (!copy)
        return -1;
    memcpy(copy, text, length);
    d->text[d->count] = copy;
    d->length[d->count] = (uint32_t)length;
    d->count++;
    return 0;
}

int poise__dictionary_code(poise__dictionary *d, const char *text, size_t length, uint32_t *code,
                           poise_error *err)
{
    /* Neighbouring rows often hold the same text. */
    if (d->count && same(d, d->last, text, length)) {
        *code = d->last;
        return 0;
    }
    if ((size_t)d->count * 2 > d->mask && widen(d, err) < 0)
        return -1;
    uint32_t h = hash(text, length);
    size_t at = h & d->mask;
    while (d->slots[at].code) {
        uint32_t c = d->slots[at].code - 1;
        if (d->slots[at].hash == h && same(d, c, text, length)) {
            *code = d->last = c;
            return 0;
        }
        at = (at + 1) & d->mask;
    }
    if (add(d, text, length, err) < 0)
        return -1;
    d->slots[at] = (slot){h, d->count};
    *code = d->last = d->count - 1;
    return 0;
}
