/* Structs back into trees, by the same tables. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "reading.h"

poise__yaml *poise__node_text(poise__arena *a, const char *text, poise_error *err)
{
    return poise__yaml_scalar(a, text, poise__yaml_plain(text), POISE_NOWHERE, err);
}

poise__yaml *poise__node_int(poise__arena *a, int64_t v, poise_error *err)
{
    char text[32];
    snprintf(text, sizeof(text), "%" PRId64, v);
    return poise__yaml_scalar(a, text, 1, POISE_NOWHERE, err);
}

/* The shortest decimal that reads back to the same double. */
poise__yaml *poise__node_number(poise__arena *a, double v, poise_error *err)
{
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        double back = strtod(text, NULL);
        if (memcmp(&back, &v, sizeof(v)) == 0)
            break;
    }
    return poise__yaml_scalar(a, text, 1, POISE_NOWHERE, err);
}

poise__yaml *poise__node_map(poise__arena *a, poise_error *err)
{
    return poise__yaml_new(a, POISE__MAP, POISE_NOWHERE, err);
}

static poise__yaml *texts(poise__arena *a, const poise__texts *t, poise_error *err)
{
    poise__yaml *list = poise__yaml_new(a, POISE__LIST, POISE_NOWHERE, err);
    for (int k = 0; k < t->n; k++)
        if (poise__yaml_push(a, list, poise__node_text(a, t->text[k], err), err) < 0)
            return NULL;
    return list;
}

static int64_t load_int(const poise_key *k, const char *field)
{
    int64_t v;
    int small;
    if (k->size == sizeof(small)) {
        memcpy(&small, field, sizeof(small));
        return small;
    }
    memcpy(&v, field, sizeof(v));
    return v;
}

poise__yaml *poise__key_write(poise__arena *a, const poise_key *k, const char *field, int *skip,
                              poise_error *err)
{
    *skip = 0;
    switch (k->kind) {
    case POISE_KEY_TEXT: {
        const char *text;
        memcpy(&text, field, sizeof(text));
        *skip = !text;
        return text ? poise__node_text(a, text, err) : NULL;
    }
    case POISE_KEY_INT:
        return poise__node_int(a, load_int(k, field), err);
    case POISE_KEY_NUMBER: {
        double v;
        memcpy(&v, field, sizeof(v));
        return poise__node_number(a, v, err);
    }
    case POISE_KEY_BOOL: {
        int v;
        memcpy(&v, field, sizeof(v));
        return poise__yaml_scalar(a, v ? "true" : "false", 1, POISE_NOWHERE, err);
    }
    case POISE_KEY_CHOICE: {
        int v;
        memcpy(&v, field, sizeof(v));
        return poise__node_text(a, k->choice[v], err);
    }
    case POISE_KEY_TEXTS: {
        poise__texts t;
        memcpy(&t, field, sizeof(t));
        *skip = t.n == 0;
        return t.n ? texts(a, &t, err) : NULL;
    }
    case POISE_KEY_INTS:
    case POISE_KEY_CHOICES:
    case POISE_KEY_NUMBERS:
    case POISE_KEY_SECTION:
    case POISE_KEY_REFERENCES:
    case POISE_KEY_OWN:
        break;
    }
    *skip = 1;
    return NULL;
}

poise__yaml *poise__keys_write(poise__arena *a, const poise_section *s, const void *from,
                               poise_error *err)
{
    poise__yaml *map = poise__node_map(a, err);
    for (int k = 0; map && k < s->nkey; k++) {
        int skip;
        if (poise__key_idle(a, s, &s->key[k], from))
            continue;
        poise__yaml *v =
            poise__key_write(a, &s->key[k], (const char *)from + s->key[k].offset, &skip, err);
        if (!skip && poise__yaml_set(a, map, s->key[k].name, v, err) < 0)
            return NULL;
    }
    return map;
}
