#include "groups.h"
#include <string.h>
#include "names.h"
#include "sections.h"

/* ---- as written ---- */

static const poise__yaml *members_of(const poise__yaml *v)
{
    return v->kind == POISE__MAP && v->n == 1 ? poise__yaml_get(v, "group") : NULL;
}

static int add_feature(poise__reading *r, poise__yaml *flat, poise__yaml *key, poise__yaml *item)
{
    poise_error err;
    for (size_t k = 0; k < flat->n; k++)
        if (strcmp(flat->key[k]->text, key->text) == 0)
            return poise_diagnose(r->diag, key->place,
                                  "feature '%.80s' is named twice; the first is at %u:%u",
                                  key->text, flat->key[k]->place.line, flat->key[k]->place.column);
    return poise__yaml_append(r->arena, flat, key, item, &err) < 0
               ? poise_diagnose_error(r->diag, &err)
               : 0;
}

static int open_group(poise__reading *r, poise__yaml *flat, const poise__yaml *key,
                      const poise__yaml *members)
{
    char show[120];
    int bad = poise__name_check(r, poise__name_find("group"), key->place, key->text);
    if (members->kind == POISE__SCALAR || members->n == 0)
        return poise_diagnose(r->diag, members->place,
                              "group '%.80s' is %s; it must be a mapping of features, or a list of "
                              "the names of some",
                              key->text, poise__yaml_show(members, show, sizeof(show)));
    for (size_t j = 0; members->kind == POISE__MAP && j < members->n; j++)
        bad |= members_of(members->item[j])
                   ? poise_diagnose(r->diag, members->key[j]->place,
                                    "group '%.80s' stands in group '%.80s'; list what it shares "
                                    "with others: {group: [...]}",
                                    members->key[j]->text, key->text)
                   : add_feature(r, flat, members->key[j], members->item[j]);
    return bad;
}

const poise__yaml *poise__groups_open(poise__reading *r, const poise__yaml *node,
                                      poise__groups_text *text, int *bad)
{
    poise_error err;
    poise__yaml *flat = poise__yaml_new(r->arena, POISE__MAP, node->place, &err);
    text->n = 0;
    text->key = poise__reading_alloc(r, node->n, sizeof(poise__yaml *));
    text->members = poise__reading_alloc(r, node->n, sizeof(poise__yaml *));
    if (!flat || !text->key || !text->members) {
        *bad = flat ? -1 : poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    for (size_t i = 0; i < node->n; i++) {
        const poise__yaml *members = members_of(node->item[i]);
        if (!members)
            *bad |= add_feature(r, flat, node->key[i], node->item[i]);
        else if (open_group(r, flat, node->key[i], members) < 0)
            *bad = -1;
        else {
            text->key[text->n] = node->key[i];
            text->members[text->n++] = members;
        }
    }
    return flat;
}

/* ---- what is in them ---- */

static int same_place(poise_place a, poise_place b)
{
    return a.line == b.line && a.column == b.column && a.file && b.file &&
           strcmp(a.file, b.file) == 0;
}

/* 1 if an entry of a group means the feature: named in the group, or by its name. */
static int means(const poise__yaml *members, size_t j, const poise_feature *f)
{
    if (members->kind == POISE__MAP) /* a feature keeps the place of its name or pattern */
        return same_place(members->key[j]->place, f->place);
    return members->item[j]->kind == POISE__SCALAR &&
           poise__glob_match(members->item[j]->text, f->name);
}

static int no_feature(poise__reading *r, const poise__yaml *key, const poise__yaml *entry)
{
    const poise_schema *s = r->spec->schema;
    const char **known = poise__reading_alloc(r, (size_t)s->nfeature, sizeof(*known));
    char show[120];
    if (!known)
        return -1;
    if (entry->kind != POISE__SCALAR)
        return poise_diagnose(r->diag, entry->place,
                              "group '%.80s' lists %s; it must be the name of a feature", key->text,
                              poise__yaml_show(entry, show, sizeof(show)));
    if (poise__feature_wrong(r, entry->text))
        return -1; /* which is told of it, or of a pattern that may make it */
    for (int f = 0; f < s->nfeature; f++)
        known[f] = s->feature[f].name;
    return poise__unknown(r, entry->place, "there is no feature", entry->text, s->nfeature, known);
}

static int read_group(poise__reading *r, const poise__yaml *key, const poise__yaml *members,
                      poise__group *g)
{
    const poise_schema *s = r->spec->schema;
    int *feature = poise__reading_alloc(r, (size_t)s->nfeature, sizeof(*feature)), bad = 0;
    char *found = poise__reading_alloc(r, members->n, 1);
    if (!feature || !found)
        return -1;
    *g = (poise__group){.name = key->text, .place = key->place, .feature = feature};
    for (int f = 0; f < s->nfeature; f++) {
        int in = 0;
        for (size_t j = 0; j < members->n; j++)
            if (means(members, j, &s->feature[f]))
                in = found[j] = 1;
        if (in)
            feature[g->n++] = f;
        if (strcmp(s->feature[f].name, key->text) == 0)
            bad = poise_diagnose(r->diag, key->place,
                                 "'%.80s' is a feature too; a group needs a name of its own",
                                 key->text);
    }
    for (size_t j = 0; members->kind == POISE__LIST && j < members->n; j++)
        if (!found[j])
            bad = no_feature(r, key, members->item[j]);
    if (g->n == 0 && !bad && !r->features_wrong)
        bad = poise_diagnose(r->diag, key->place, "group '%.80s' has no feature", key->text);
    return bad;
}

int poise__groups_read(poise__reading *r, const poise__groups_text *text)
{
    poise__groups *groups = poise__reading_alloc(r, 1, sizeof(*groups));
    if (!groups || text->n == 0)
        return groups ? 0 : -1;
    groups->at = poise__reading_alloc(r, (size_t)text->n, sizeof(*groups->at));
    if (!groups->at)
        return -1;
    int bad = 0;
    for (int k = 0; k < text->n; k++)
        bad |= read_group(r, text->key[k], text->members[k], &groups->at[groups->n++]);
    if (!r->features_wrong)
        r->spec->groups = groups;
    return bad;
}

int poise__group_find(const poise__groups *g, const char *name)
{
    for (int k = 0; g && k < g->n; k++)
        if (strcmp(g->at[k].name, name) == 0)
            return k;
    return -1;
}
