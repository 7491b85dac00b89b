/* What an extending file makes of the parameters and layers below it. */
#include <string.h>
#include "layer.h"
#include "model_file.h"
#include "params.h"

static int put(poise__reading *r, poise__yaml *map, poise__yaml *key, poise__yaml *item)
{
    poise_error err;
    return poise__yaml_put(r->arena, map, key, item, &err) < 0 ? poise_diagnose_error(r->diag, &err)
                                                               : 0;
}

static poise__yaml *copied(poise__reading *r, const poise__yaml *map, poise_place place)
{
    poise_error err;
    poise__yaml *to = poise__yaml_new(r->arena, POISE__MAP, place, &err);
    for (size_t k = 0; to && map && k < map->n; k++)
        if (poise__yaml_append(r->arena, to, map->key[k], map->item[k], &err) < 0)
            to = NULL;
    if (!to)
        poise_diagnose_error(r->diag, &err);
    return to;
}

static void take_away(poise__yaml *map, const char *key)
{
    size_t k = 0;
    while (k < map->n && strcmp(map->key[k]->text, key) != 0)
        k++;
    for (; k + 1 < map->n; k++) {
        map->key[k] = map->key[k + 1];
        map->item[k] = map->item[k + 1];
    }
    map->n -= map->n > 0;
}

/* The key stays where it was introduced. */
static void change(poise__yaml *map, const char *key, poise__yaml *item)
{
    for (size_t k = 0; k < map->n; k++)
        if (strcmp(map->key[k]->text, key) == 0)
            map->item[k] = item;
}

/* `name:` with nothing takes an inherited one away. */
static int removes(poise__reading *r, const char *what, const poise__yaml *inherited,
                   const poise__yaml *key, const poise__yaml *item)
{
    const char *known[POISE__MOST_LAYERS];
    int n = 0;
    if (item->kind != POISE__SCALAR || !poise__yaml_null(item))
        return 0;
    if (poise__yaml_get(inherited, key->text))
        return 1;
    for (size_t k = 0; inherited && k < inherited->n && n < POISE__MOST_LAYERS; k++)
        known[n++] = inherited->key[k]->text;
    return poise__unknown(r, key->place, what, key->text, n, known);
}

int poise__extend_params(poise__reading *r, poise__model_text *t, const poise__yaml *more)
{
    int bad = 0;
    if (!more)
        return 0;
    poise__yaml *to = copied(r, t->params, more->place);
    for (size_t k = 0; to && k < more->n; k++) {
        poise__yaml *key = more->key[k], *item = more->item[k];
        const poise__yaml *old = poise__yaml_get(t->params, key->text);
        int gone = removes(r, "what is extended has no parameter", t->params, key, item);
        if (gone > 0)
            take_away(to, key->text);
        else if (gone < 0)
            bad = -1;
        else if (!old)
            bad |= put(r, to, key, item);
        else {
            poise__yaml *merged = poise__param_merge(r, key, old, item);
            if (merged)
                change(to, key->text, merged);
            else
                bad = -1;
        }
    }
    t->params = to;
    return to ? bad : -1;
}

/* 1 if the patch gives a kind of its own.  An option of the inherited kind is that option, also where
 * it is a kind's name. */
static int has_kind(const poise__yaml *patch, const poise__yaml *inherited)
{
    const poise__layer_kind *other, *was = poise__layer_kind_of(inherited, &other);
    for (int k = 0; k < POISE__KINDS; k++) {
        const poise__layer_kind *kind = poise__layer_kinds[k];
        const poise__yaml *value = poise__yaml_get(patch, kind->section.name);
        if (value && !poise__yaml_null(value) &&
            (!was || kind == was || !poise__section_has(&was->section, kind->section.name)))
            return 1;
    }
    return 0;
}

static int merge_layer(poise__reading *r, poise__model_text *t, poise__yaml *to, poise__yaml *key,
                       poise__yaml *item)
{
    poise_error err;
    const poise__yaml *old = poise__yaml_get(t->network, key->text);
    int gone = removes(r, "what is extended has no layer", t->network, key, item);
    if (gone < 0)
        return -1;
    if (gone) {
        take_away(to, key->text);
        poise__yaml *removed = copied(r, t->removed, key->place);
        t->removed = removed;
        return removed ? put(r, removed, key, item) : -1;
    }
    if (!old || old->kind != POISE__MAP || item->kind != POISE__MAP || has_kind(item, old))
        return put(r, to, key, item);
    int bad = poise__removed_check(r, key->text, item, old);
    poise__yaml *merged = poise__keys_over(r->arena, old, item, &err);
    if (!merged)
        return poise_diagnose_error(r->diag, &err);
    change(to, key->text, merged);
    return bad;
}

int poise__extend_network(poise__reading *r, poise__model_text *t, const poise__yaml *more)
{
    int bad = 0;
    if (!more)
        return 0;
    poise__yaml *to = copied(r, t->network, more->place);
    for (size_t k = 0; to && k < more->n; k++)
        bad |= merge_layer(r, t, to, more->key[k], more->item[k]);
    t->network = to;
    return to ? bad : -1;
}
