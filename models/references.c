/* What layers read: references as written, and what they mean. */
#include <stdio.h>
#include <string.h>
#include "layer.h"
#include "sections.h"

/* ---- reading ---- */

/* NAME, NAME[*], NAME[TASK], ... */
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

/* The k-th list in a section's struct, those of sections inside it included; *k counts down. */
static poise__references *list_in(const poise_section *s, char *own, int *k)
{
    for (int i = 0; i < s->nkey; i++) {
        const poise_key *row = &s->key[i];
        if (row->kind == POISE_KEY_REFERENCES && (*k)-- == 0)
            return (poise__references *)(void *)(own + row->offset);
        poise__references *found =
            row->kind == POISE_KEY_SECTION ? list_in(row->section, own + row->offset, k) : NULL;
        if (found)
            return found;
    }
    return NULL;
}

poise__references *poise__references_in(const poise__layer_kind *kind, void *own, int k)
{
    return kind && own ? list_in(&kind->section, own, &k) : NULL;
}

const char *poise__references_key(const poise__layer_kind *kind, int k)
{
    for (int i = 0; i < kind->section.nkey; i++) {
        const poise_key *row = &kind->section.key[i];
        int lists = row->kind == POISE_KEY_REFERENCES;
        for (int j = 0; row->kind == POISE_KEY_SECTION && j < row->section->nkey; j++)
            lists += row->section->key[j].kind == POISE_KEY_REFERENCES;
        if (k < lists)
            return row->name;
        k -= lists;
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

/* What an input is: features, features.GROUP, features.NAME, NAME.  -1 where there is none. */
static int find_input(const poise__reading *r, const char *name, poise__reference *ref)
{
    const poise_schema *s = r->spec->schema;
    const char *inner = strncmp(name, "features.", 9) == 0 ? name + 9 : NULL;
    if (strcmp(name, "features") == 0) {
        ref->layer = POISE__FEATURES;
        return 0;
    }
    if (inner && (ref->feature = poise__group_find(r->spec->groups, inner)) >= 0) {
        ref->layer = POISE__GROUP;
        return 0;
    }
    ref->feature = find_feature(s, name);
    if (ref->feature < 0 && inner)
        ref->feature = find_feature(s, inner);
    if (ref->feature < 0)
        return -1;
    ref->layer = POISE__ONE_FEATURE;
    return 0;
}

/* The nearest group or feature. */
static int no_inner(poise__reading *r, poise_place place, const char *what, const char *inner)
{
    const poise_schema *s = r->spec->schema;
    const poise__groups *groups = r->spec->groups;
    int n = 0, ngroup = groups ? groups->n : 0;
    const char **known = poise__reading_alloc(r, (size_t)(ngroup + s->nfeature), sizeof(*known));
    if (!known)
        return -1;
    for (int k = 0; k < ngroup; k++)
        known[n++] = groups->at[k].name;
    for (int k = 0; k < s->nfeature; k++)
        known[n++] = s->feature[k].name;
    return poise__unknown(r, place, what, inner, n, known);
}

static const char no_group[] = "there is no group of features, and no feature,";

static int no_input(poise__reading *r, const poise_model *m, const poise__reference *ref)
{
    const poise_schema *schema = r->spec->schema;
    if ((r->ncolumn < 0 && !r->of_run && !r->spec->data.generate) || r->unnamed ||
        poise__feature_wrong(r, ref->name))
        return -1; /* which was said there */
    if (strncmp(ref->name, "features.", 9) == 0)
        return no_inner(r, ref->place, no_group, ref->name + 9);
    if (poise__group_find(r->spec->groups, ref->name) >= 0)
        return poise_diagnose(r->diag, ref->place, "'%s' is a group of features; write features.%s",
                              ref->name, ref->name);
    for (size_t k = 0; m->removed && k < m->removed->n; k++)
        if (strcmp(m->removed->key[k]->text, ref->name) == 0) {
            poise_diagnose(r->diag, ref->place, "there is no layer '%s' any more", ref->name);
            poise_diagnose_note(r->diag, m->removed->key[k]->place, "it is taken away here");
            return -1;
        }
    int n = 0;
    const char **known =
        poise__reading_alloc(r, (size_t)(m->nlayer + schema->nfeature + 1), sizeof(*known));
    if (!known)
        return -1;
    known[n++] = "features";
    for (int k = 0; k < m->nlayer; k++)
        known[n++] = m->layer[k].name;
    for (int k = 0; k < schema->nfeature; k++)
        known[n++] = schema->feature[k].name;
    return poise__unknown(r, ref->place, "there is no layer or feature", ref->name, n, known);
}

int poise__input_check(poise__reading *r, const poise__yaml *v, const char *name)
{
    poise__reference ref = {.name = v->text, .place = v->place};
    char what[200];
    if (find_input(r, v->text, &ref) == 0 || (r->ncolumn < 0 && !r->spec->data.generate) ||
        poise__feature_wrong(r, v->text))
        return 0;
    if (strncmp(v->text, "features.", 9) == 0)
        return no_inner(r, v->place, no_group, v->text + 9);
    (void)snprintf(what, sizeof(what), "parameter '%.80s': there is no feature", name);
    return no_inner(r, v->place, what, v->text);
}

static int resolve_input(poise__reading *r, const poise_model *m, poise__reference *ref)
{
    if (find_input(r, ref->name, ref) < 0)
        return no_input(r, m, ref);
    if (!ref->select)
        return 0;
    ref->layer = POISE__UNRESOLVED;
    return poise_diagnose(r->diag, ref->place, "'%s' is an input: it has no '[%s]'", ref->name,
                          ref->select);
}

/* "once per task", "for user, item" */
static const char *there(const poise__layer *l, char *buf, size_t size)
{
    size_t used = (size_t)snprintf(buf, size, "for ");
    for (int k = 0; k < l->names.n && used < size; k++)
        used += (size_t)snprintf(buf + used, size - used, k ? ", %s" : "%s", l->names.text[k]);
    return buf;
}

/* The words in brackets that are no name. */
static int relation(const char *select)
{
    static const struct {
        const char *word;
        int means;
    } rows[] = {{"*", POISE__ALL},
                {"previous", POISE__PREVIOUS},
                {"earlier", POISE__EARLIER},
                {"others", POISE__OTHERS}};
    for (int k = 0; k < POISE__COUNT(rows); k++)
        if (strcmp(rows[k].word, select) == 0)
            return rows[k].means;
    return POISE__SAME;
}

/* What stands in brackets. */
static int resolve_select(poise__reading *r, const poise__layer *l, poise__reference *ref)
{
    char what[200];
    if (!l->each)
        return poise_diagnose(r->diag, ref->place,
                              "'%s' is one layer for all tasks; leave out '[%s]'", ref->name,
                              ref->select);
    ref->instance = find_name(l, ref->select);
    if (ref->instance >= 0)
        return 0;
    ref->instance = relation(ref->select);
    if (ref->instance != POISE__SAME)
        return 0;
    if (l->of_tasks && poise__task_find(r->spec->schema, ref->select) < 0)
        return poise__task_unknown(r, ref->place, "there is no task", ref->select);
    snprintf(what, sizeof(what), "'%.80s' is not there for", ref->name);
    return poise__unknown(r, ref->place, what, ref->select, l->names.n, l->names.text);
}

/* A layer that is there for several names, read from one that is not there for the same. */
static int check_names(poise__reading *r, const poise__layer *user, const poise__layer *l,
                       const poise__reference *ref)
{
    char names[300];
    if (!user->each && !user->task) {
        if (ref->select)
            return poise_diagnose(r->diag, ref->place,
                                  "'%s[%s]' is of the task that reads it, but '%s' is one layer "
                                  "for all; give it each: task",
                                  ref->name, ref->select, user->name);
        if (l->of_tasks)
            return poise_diagnose(r->diag, ref->place,
                                  "'%s' is there once per task, but '%s' is one layer for all; "
                                  "write '%s[*]', '%s[TASK]', or give '%s' each: task",
                                  ref->name, user->name, ref->name, ref->name, user->name);
        return poise_diagnose(r->diag, ref->place,
                              "'%s' is there %s, but '%s' is one layer; write '%s[*]' or "
                              "'%s[NAME]'",
                              ref->name, there(l, names, sizeof(names)), user->name, ref->name,
                              ref->name);
    }
    int n = user->each ? user->names.n : 1;
    for (int k = 0; k < n; k++) {
        const char *name = user->each ? user->names.text[k] : user->task;
        if (find_name(l, name) < 0)
            return poise_diagnose(r->diag, ref->place,
                                  "'%s' is there %s, but not for '%s', for which '%s' needs it; "
                                  "write '%s[*]' or '%s[NAME]'",
                                  ref->name, there(l, names, sizeof(names)), name, user->name,
                                  ref->name, ref->name);
    }
    return 0;
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
    if (l->unnamed || (l->each && user->unnamed)) /* which was said there */
        return -1;
    if (ref->select && resolve_select(r, l, ref) < 0)
        return -1;
    if (l->each && ref->instance < 0 && ref->instance != POISE__ALL &&
        check_names(r, user, l, ref) < 0)
        return -1;
    ref->layer = k;
    return 0;
}

const poise__instance *poise__output_resolve(poise__reading *r, const poise_model *m,
                                             const char *key, const poise__yaml *v, int task)
{
    poise__reference ref;
    poise__layer user = {.name = key, .task = r->spec->schema->task[task].name};
    if (v->wrong || read_reference(r, v, &ref) < 0 || resolve(r, m, &user, &ref) < 0)
        return NULL;
    const poise__layer *l = ref.layer >= 0 ? &m->layer[ref.layer] : NULL;
    if (!l || (l->each && ref.instance < 0 && ref.instance != POISE__SAME)) {
        poise_diagnose(r->diag, v->place, "%s of a task is one layer, but '%.80s' is %s", key,
                       v->text, l ? "several" : "an input");
        return NULL;
    }
    int at = !l->each ? 0 : ref.instance >= 0 ? ref.instance : find_name(l, user.task);
    return at >= 0 && at < l->ninstance ? &l->instance[at] : NULL; /* NULL: it cannot be read */
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

/* The instances of a layer that a reference means, as [from, to) but `skip`. */
static void range(const poise__layer *l, const poise__reference *ref, const char *of, int *from,
                  int *to, int *skip)
{
    int own = ref->instance < 0 && ref->instance != POISE__ALL ? find_name(l, of) : -1;
    *from = 0;
    *to = l->ninstance;
    *skip = ref->instance == POISE__OTHERS ? own : -1;
    switch (ref->instance) {
    case POISE__ALL:
    case POISE__OTHERS:
        return;
    case POISE__EARLIER:
        *to = own;
        return;
    case POISE__PREVIOUS:
        *from = own > 0 ? own - 1 : 0;
        *to = own;
        return;
    default:
        *from = ref->instance >= 0 ? ref->instance : own;
        *to = *from + 1;
    }
}

int poise__sources(const poise_model *m, const poise__instance *i, const poise__references *refs,
                   int (*seen)(void *user, const poise__source *s), void *user)
{
    for (int k = 0; k < refs->n; k++) {
        const poise__reference *ref = &refs->at[k];
        poise__source s = {ref->layer, NULL, ref->feature, ref->place, ref->name};
        const poise__layer *l = ref->layer >= 0 ? &m->layer[ref->layer] : NULL;
        int from = 0, to = 1, skip = -1;
        if (l && l->each)
            range(l, ref, i->of, &from, &to, &skip);
        for (int t = from; t < to; t++) {
            if (t == skip || (l && t >= l->ninstance)) /* of a layer that cannot be read: none */
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
