/* What layers read: references as written, and what they mean. */
#include <stdio.h>
#include <string.h>
#include "layer.h"
#include "sections.h"

/* ---- reading ---- */

/* What may stand in brackets besides a name. */
static const struct {
    const char *word;
    int instance;
} selections[] = {{"*", POISE__ALL},
                  {"previous", POISE__PREVIOUS},
                  {"earlier", POISE__EARLIER},
                  {"others", POISE__OTHERS}};

/* NAME, NAME[*], NAME[previous] ... or NAME[TASK] */
static int read_reference(poise__reading *r, const poise__yaml *v, poise__reference *ref)
{
    char show[120];
    const char *open = v->kind == POISE__SCALAR ? strchr(v->text, '[') : NULL;
    size_t n = v->kind == POISE__SCALAR ? strlen(v->text) : 0;
    *ref =
        (poise__reference){.place = v->place, .layer = POISE__UNRESOLVED, .instance = POISE__SAME};
    if (n == 0 || poise__yaml_null(v) || open == v->text ||
        (open && (v->text[n - 1] != ']' || open + 2 >= v->text + n)))
        return poise_diagnose(r->diag, v->place,
                              "%s is no reference; it must be features, a layer, LAYER[*] (all "
                              "tasks'), LAYER[TASK] or a feature",
                              poise__yaml_show(v, show, sizeof(show)));
    ref->name = v->text;
    if (!open)
        return 0;
    poise_error err;
    char *name = poise__arena_text(r->arena, v->text, &err);
    if (!name)
        return poise_diagnose_error(r->diag, &err);
    name[open - v->text] = 0;
    name[n - 1] = 0;
    ref->name = name;
    ref->select = name + (open - v->text) + 1;
    return 0;
}

int poise__references_read(poise__reading *r, const poise__yaml *v, poise__references *refs)
{
    size_t n = v->kind == POISE__LIST ? v->n : 1;
    if (n == 0)
        return poise_diagnose(r->diag, v->place, "the list is empty; name at least one layer");
    refs->at = poise__reading_alloc(r, n, sizeof(*refs->at));
    if (!refs->at)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= read_reference(r, v->kind == POISE__LIST ? v->item[i] : v, &refs->at[i]);
    refs->n = (int)n;
    return bad;
}

poise__references *poise__references_in(const poise__layer_kind *kind, void *own, int k)
{
    for (int i = 0; kind && own && i < kind->section.nkey; i++) {
        const poise_key *row = &kind->section.key[i];
        if (row->kind == POISE_KEY_REFERENCES && k-- == 0)
            return (poise__references *)(void *)((char *)own + row->offset);
    }
    return NULL;
}

/* ---- resolving ---- */

static int find_layer(const poise_model *m, const char *name)
{
    for (int k = 0; k < m->nlayer; k++)
        if (strcmp(m->layer[k].name, name) == 0)
            return k;
    return -1;
}

static int find_feature(const poise_schema *s, const char *name)
{
    for (int k = 0; k < s->nfeature; k++)
        if (strcmp(s->feature[k].name, name) == 0)
            return k;
    return -1;
}

static int find_name(const poise__layer *l, const char *name)
{
    for (int k = 0; k < l->names.n; k++)
        if (strcmp(l->names.text[k], name) == 0)
            return k;
    return -1;
}

static int resolve_input(poise__reading *r, const poise_model *m, poise__reference *ref)
{
    const poise_schema *s = r->spec->schema;
    if (strcmp(ref->name, "features") == 0)
        ref->layer = POISE__FEATURES;
    else if ((ref->feature = find_feature(s, ref->name)) >= 0)
        ref->layer = POISE__ONE_FEATURE;
    else if (r->ncolumn < 0 && !r->of_run) /* the data cannot be read, which was said there */
        return -1;
    else {
        const char *known[POISE__MOST_LAYERS + 1] = {"features"};
        for (int k = 0; k < m->nlayer; k++)
            known[k + 1] = m->layer[k].name;
        return poise__unknown(r, ref->place, "there is no layer or feature", ref->name,
                              m->nlayer + 1, known);
    }
    if (!ref->select)
        return 0;
    ref->layer = POISE__UNRESOLVED;
    return poise_diagnose(r->diag, ref->place, "'%s' is an input: it has no '[%s]'", ref->name,
                          ref->select);
}

/* A name goes before a word of the same letters. */
static int find_instance(poise__reading *r, const poise__layer *l, const poise__layer *user,
                         poise__reference *ref)
{
    ref->instance = find_name(l, ref->select);
    for (int k = 0; k < POISE__COUNT(selections) && ref->instance < 0; k++)
        if (strcmp(ref->select, selections[k].word) == 0) {
            ref->instance = selections[k].instance;
            if (ref->instance == POISE__ALL || user->each)
                return 0;
            return poise_diagnose(r->diag, ref->place,
                                  "'%s[%s]' is of the task that reads it, but '%s' is one layer "
                                  "for all; give it each: task",
                                  ref->name, ref->select, user->name);
        }
    if (ref->instance >= 0)
        return 0;
    return poise__task_unknown(r, ref->place, "there is no task", ref->select);
}

static int resolve(poise__reading *r, const poise_model *m, const poise__layer *user,
                   poise__reference *ref)
{
    if (!ref->name)
        return -1;
    int k = strcmp(ref->name, "features") == 0 ? -1 : find_layer(m, ref->name);
    if (k < 0)
        return resolve_input(r, m, ref);
    const poise__layer *l = &m->layer[k];
    if (ref->select && !l->each)
        return poise_diagnose(r->diag, ref->place,
                              "'%s' is one layer for all tasks; leave out '[%s]'", ref->name,
                              ref->select);
    if (ref->select) {
        if (find_instance(r, l, user, ref) < 0)
            return -1;
    } else if (l->each && !user->each)
        return poise_diagnose(r->diag, ref->place,
                              "'%s' is there once per task, but '%s' is one layer for all; write "
                              "'%s[*]', '%s[TASK]', or give '%s' each: task",
                              ref->name, user->name, ref->name, ref->name, user->name);
    ref->layer = k;
    return 0;
}

int poise__references_resolve(poise__reading *r, poise_model *m)
{
    int bad = 0;
    for (int k = 0; k < m->nlayer; k++) {
        const poise__layer *l = &m->layer[k];
        poise__references *refs;
        for (int v = 0; v < l->nown; v++)
            for (int j = 0; (refs = poise__references_in(l->kind, l->own[v], j)) != NULL; j++)
                for (int i = 0; i < refs->n; i++)
                    bad |= resolve(r, m, l, &refs->at[i]);
    }
    return bad;
}

/* ---- what they stand for ---- */

/* Does instance `at` of l belong to what `ref`, read by i, stands for? */
static int selected(const poise__reference *ref, const poise__layer *l, int at,
                    const poise__instance *i)
{
    const poise__texts *own = &i->layer->names;
    int first = i->at, last = i->at; /* of the reader's names, those that are meant */
    if (ref->instance >= 0)
        return ref->instance == at;
    switch (ref->instance) {
    case POISE__ALL:
        return 1;
    case POISE__PREVIOUS:
        first = last = i->at - 1;
        break;
    case POISE__EARLIER:
        first = 0;
        last = i->at - 1;
        break;
    default:
        break;
    }
    int found = 0;
    for (int k = first < 0 ? 0 : first; k <= last; k++)
        found |= strcmp(own->text[k], l->names.text[at]) == 0;
    return ref->instance == POISE__OTHERS ? !found : found;
}

int poise__sources(const poise_model *m, const poise__instance *i, const poise__references *refs,
                   int (*seen)(void *user, const poise__source *s), void *user)
{
    for (int k = 0; k < refs->n; k++) {
        const poise__reference *ref = &refs->at[k];
        poise__source s = {ref->layer, NULL, ref->feature, ref->place, ref->name};
        const poise__layer *l = ref->layer >= 0 ? &m->layer[ref->layer] : NULL;
        for (int t = 0; t < (l ? l->ninstance : 1); t++) {
            if (l && l->each && !selected(ref, l, t, i))
                continue;
            s.instance = l ? &l->instance[t] : NULL;
            int done = seen(user, &s);
            if (done)
                return done;
        }
    }
    return 0;
}

int poise__all_sources(const poise_model *m, const poise__instance *i,
                       int (*seen)(void *user, const poise__source *s), void *user)
{
    const poise__layer *l = i->layer;
    const poise__references *refs;
    for (int v = 0; v < l->nown; v++)
        for (int k = 0; l->own[v] == i->own && (refs = poise__references_in(l->kind, l->own[v], k));
             k++) {
            int done = poise__sources(m, i, refs, seen, user);
            if (done)
                return done;
        }
    return 0;
}

static int count_one(void *user, const poise__source *s)
{
    (void)s;
    ++*(int *)user;
    return 0;
}

int poise__sources_count(const poise_model *m, const poise__instance *i,
                         const poise__references *refs)
{
    int n = 0;
    poise__sources(m, i, refs, count_one, &n);
    return n;
}
