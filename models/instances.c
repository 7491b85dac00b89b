/* One layer as written becomes its instances: names, and keys that differ. */
#include <stdio.h>
#include <string.h>
#include "expression.h"
#include "layer.h"
#include "sections.h"

poise__yaml *poise__keys_over(poise__arena *a, const poise__yaml *base, const poise__yaml *more,
                              poise_error *err)
{
    poise__yaml *to = poise__yaml_new(a, POISE__MAP, base->place, err);
    for (size_t i = 0; to && i < base->n; i++) {
        const poise__yaml *over = poise__yaml_get(more, base->key[i]->text);
        if (!over && poise__yaml_append(a, to, base->key[i], base->item[i], err) < 0)
            return NULL;
        for (size_t j = 0; over && j < more->n; j++)
            if (more->item[j] == over && !poise__yaml_null(over) &&
                poise__yaml_append(a, to, more->key[j], more->item[j], err) < 0)
                return NULL;
    }
    for (size_t j = 0; to && j < more->n; j++)
        if (!poise__yaml_get(base, more->key[j]->text) && !poise__yaml_null(more->item[j]) &&
            poise__yaml_append(a, to, more->key[j], more->item[j], err) < 0)
            return NULL;
    return to;
}

/* ---- kinds ---- */

int poise__section_has(const poise_section *s, const char *word)
{
    for (int j = 0; j < s->nkey; j++)
        if (strcmp(s->key[j].name, word) == 0)
            return 1;
    return 0;
}

/* A misspelt kind is found among the words that no kind knows. */
static int is_key(const char *word)
{
    for (int k = 0; k < POISE__KINDS; k++)
        if (poise__section_has(&poise__layer_kinds[k]->section, word))
            return 1;
    return poise__section_has(&poise__layer_section, word);
}

const poise__layer_kind *poise__layer_kind_of(const poise__yaml *v, const poise__layer_kind **other)
{
    const poise__layer_kind *found = NULL;
    *other = NULL;
    for (int k = 0; k < POISE__KINDS; k++) {
        const poise__layer_kind *kind = poise__layer_kinds[k];
        if (!poise__yaml_get(v, kind->section.name) ||
            (found && poise__section_has(&found->section, kind->section.name)))
            continue;
        if (found && !poise__section_has(&kind->section, found->section.name)) {
            *other = kind;
            return found;
        }
        found = kind;
    }
    return found;
}

int poise__removed_check(poise__reading *r, const char *layer, const poise__yaml *patch,
                         const poise__yaml *inherited)
{
    const poise__layer_kind *other, *kind = poise__layer_kind_of(inherited, &other);
    const char *known[64];
    char what[160];
    int bad = 0, n = 0;
    if (!kind)
        return 0;
    const poise_section *const sections[] = {&kind->section, &poise__layer_section};
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < sections[i]->nkey && n < POISE__COUNT(known); k++)
            known[n++] = sections[i]->key[k].name;
    (void)snprintf(what, sizeof(what), "%s layer '%.80s' has no key", kind->section.name, layer);
    for (size_t k = 0; k < patch->n; k++) {
        const char *name = patch->key[k]->text;
        if (poise__yaml_null(patch->item[k]) && !poise__yaml_get(inherited, name) &&
            !poise__section_has(&kind->section, name) &&
            !poise__section_has(&poise__layer_section, name))
            bad = poise__unknown(r, patch->key[k]->place, what, name, n, known);
    }
    return bad;
}

static const poise__layer_kind *find_kind(poise__reading *r, const poise__yaml *key,
                                          const poise__yaml *v)
{
    const poise__layer_kind *other, *found = poise__layer_kind_of(v, &other);
    const char *known[POISE__KINDS];
    for (int k = 0; k < POISE__KINDS; k++)
        known[k] = poise__layer_kinds[k]->section.name;
    if (other) {
        poise_diagnose(r->diag, key->place, "layer '%.80s' is both %s and %s; choose one",
                       key->text, found->section.name, other->section.name);
        return NULL;
    }
    if (found)
        return found;
    int unknown = 0;
    for (size_t i = 0; i < v->n; i++)
        if (!is_key(v->key[i]->text)) {
            poise__unknown(r, v->key[i]->place, "there is no kind of layer", v->key[i]->text,
                           POISE__KINDS, known);
            unknown = 1;
        }
    if (!unknown)
        poise_diagnose(
            r->diag, key->place,
            "layer '%.80s' has no kind: a key must say it, such as mlp, dense or mixture "
            "(poise help layer has all)",
            key->text);
    return NULL;
}

/* ---- names ---- */

static int make_instances(poise__reading *r, poise__layer *l)
{
    int n = l->each ? l->names.n : 1;
    l->instance = poise__reading_alloc(r, (size_t)n, sizeof(*l->instance));
    if (!l->instance)
        return -1;
    for (int k = 0; k < n; k++) {
        poise__instance *i = &l->instance[k];
        poise_error err;
        *i = (poise__instance){.layer = l, .name = l->name, .at = k, .kind_at = l->place};
        i->of = l->each ? l->names.text[k] : l->task;
        i->task = i->of ? poise__task_find(r->spec->schema, i->of) : -1;
        if (l->each)
            i->name = poise__arena_printf(r->arena, &err, "%s/%s", l->name, i->of);
        if (!i->name)
            return poise_diagnose_error(r->diag, &err);
        l->ninstance = k + 1;
    }
    return 0;
}

/* `each` and `task` come first: the other keys are read for every name. */
static int read_names(poise__reading *r, const poise__yaml *v, poise__layer *l)
{
    int bad = 0;
    for (int k = 0; k < poise__layer_section.nkey; k++) {
        const poise_key *row = &poise__layer_section.key[k];
        const poise__yaml *value = poise__yaml_get(v, row->name);
        if (value && (strcmp(row->name, "each") == 0 || strcmp(row->name, "task") == 0))
            bad |= poise__key_read(r, row, value, l);
    }
    return bad;
}

/* ---- keys ---- */

typedef struct keys_reading {
    poise__reading *r;
    const char *what; /* "mlp layer 'tower'" */
    const poise__layer_kind *kind;
    poise__layer *l;
} keys_reading;

/* A block of keys from a mapping; *l is a layer to read the rest into. */
static void *read_block(keys_reading *k, const poise__yaml *v, poise__layer *l, int *bad)
{
    void *own = poise__reading_alloc(k->r, 1, k->kind->own);
    const poise_section *sections[] = {&k->kind->section, &poise__layer_section};
    void *into[] = {own, l};
    if (!own || poise__keys_read_all(k->r, v, k->what, 2, sections, into) < 0)
        *bad = -1;
    if (own && k->kind->agree && k->kind->agree(k->r, k->l, own) < 0)
        *bad = -1;
    return own;
}

static void give(poise__instance *i, const poise__layer *from, const void *own,
                 const poise__yaml *keys)
{
    const poise__yaml *kind = poise__yaml_get(keys, i->layer->kind->section.name);
    i->own = own;
    i->copies = from->copies;
    i->keys = keys;
    i->kind_at = kind ? kind->place : i->layer->place;
}

/* A mapping of keys without values: what it is laid over loses them. */
static poise__yaml *without(poise__reading *r, poise_place place, int n, const char *const *key)
{
    poise_error err;
    poise__yaml *none = poise__yaml_scalar(r->arena, "", 1, place, &err);
    poise__yaml *map = none ? poise__yaml_new(r->arena, POISE__MAP, place, &err) : NULL;
    for (int k = 0; map && k < n; k++)
        if (poise__yaml_set(r->arena, map, key[k], none, &err) < 0)
            map = NULL;
    if (!map)
        poise_diagnose_error(r->diag, &err);
    return map;
}

/* The mapping of one name: $each in its place, overridden keys in theirs. */
static const poise__yaml *keys_of(keys_reading *k, const poise__yaml *v, const poise__yaml *params,
                                  const char *name, int *bad)
{
    poise_error err;
    const poise__yaml *over = poise__yaml_get(k->l->overrides, name);
    if (over && over->kind == POISE__MAP) {
        const poise__yaml *drop = without(k->r, over->place, poise__override_nkept,
                                          poise__override_kept); /* which was diagnosed */
        over = drop ? poise__keys_over(k->r->arena, over, drop, &err) : NULL;
        v = over ? poise__keys_over(k->r->arena, v, over, &err) : NULL;
        if (!v && drop)
            poise_diagnose_error(k->r->diag, &err);
    }
    if (!v || !poise__needs_each(v))
        return v;
    poise__scope *s = poise__reading_alloc(k->r, 1, sizeof(*s));
    if (!s)
        return NULL;
    s->params = params;
    s->each = name;
    return poise__evaluate(k->r, v, s, bad);
}

static int read_keys(keys_reading *k, const poise__yaml *v, const poise_model *m)
{
    poise__layer *l = k->l;
    poise_error err;
    int bad = 0, own_ones = poise__needs_each(v);
    const poise__yaml *over = poise__yaml_get(v, "override");
    l->own = poise__reading_alloc(k->r, (size_t)l->ninstance + 1, sizeof(*l->own));
    if (!l->own)
        return -1;
    if (over) {
        int at = poise__layer_section.nkey - 1;
        bad |= poise__key_read(k->r, &poise__layer_section.key[at], over, l);
        for (size_t i = 0; over->kind == POISE__MAP && i < over->n; i++)
            if (over->item[i]->kind == POISE__MAP)
                bad |= poise__removed_check(k->r, l->name, over->item[i], v);
        const char *const itself[] = {"override"};
        const poise__yaml *drop = without(k->r, over->place, 1, itself);
        if (!drop)
            return -1;
        if (!(v = poise__keys_over(k->r->arena, v, drop, &err)))
            return poise_diagnose_error(k->r->diag, &err);
    }
    if (!own_ones)
        l->own[l->nown++] = read_block(k, v, l, &bad);
    for (int j = 0; j < l->ninstance; j++) {
        poise__instance *i = &l->instance[j];
        if (!own_ones && !poise__yaml_get(l->overrides, i->of ? i->of : "")) {
            give(i, l, l->own[0], v);
            continue;
        }
        poise__layer rest = *l; /* what its own keys say beside those of its kind */
        rest.copies = 0;
        const poise__yaml *keys = keys_of(k, v, m->params, i->of, &bad);
        if (!keys)
            return -1;
        l->own[l->nown] = read_block(k, keys, &rest, &bad);
        if (!l->own[l->nown])
            return -1;
        give(i, &rest, l->own[l->nown++], keys);
    }
    return bad;
}

int poise__instances_read(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                          const poise_model *m, poise__layer *l)
{
    char what[120], show[120];
    int bad = read_names(r, v, l);
    l->unnamed = bad != 0;
    if (make_instances(r, l) < 0)
        return -1;
    if (v->kind != POISE__MAP)
        return poise_diagnose(r->diag, v->place,
                              "layer '%.80s' is %s; it must be a mapping of keys", key->text,
                              poise__yaml_show(v, show, sizeof(show)));
    l->kind = find_kind(r, key, v);
    if (!l->kind)
        return -1;
    if (!l->each && !l->task && !l->unnamed && poise__needs_each(v))
        return poise_diagnose(r->diag, key->place,
                              "layer '%.80s' uses $each, the name of one of several, but it has no "
                              "each",
                              key->text);
    snprintf(what, sizeof(what), "%s layer '%.80s'", l->kind->section.name, key->text);
    return read_keys(&(keys_reading){r, what, l->kind, l}, v, m) < 0 || bad ? -1 : 0;
}
