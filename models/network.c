/* Layers as written: read, connected, put in order. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "layer.h"
#include "sections.h"

enum { MOST_LAYERS = 1000 };

const char *poise__instance_name(const poise_schema *s, const poise__layer *l, int task, char *buf,
                                 size_t size)
{
    snprintf(buf, size, task < 0 ? "%s" : "%s/%s", l->name, task < 0 ? "" : s->task[task].name);
    return buf;
}

int64_t poise__features_width(const poise_schema *s)
{
    int64_t width = 0;
    for (int k = 0; k < s->nfeature; k++)
        width += s->feature[k].kind == POISE_NUMERIC ? 1 : s->feature[k].dim;
    return width;
}

int64_t poise__task_width(const poise_task *t)
{
    return t->kind == POISE_MULTICLASS ? t->nclass : 1;
}

/* ---- layers ---- */

static int check_layer_name(poise__reading *r, const poise__yaml *key)
{
    const char *c = key->text;
    int ok = isalpha((unsigned char)*c) || *c == '_';
    for (; *c; c++)
        ok &= isalnum((unsigned char)*c) || *c == '_' || *c == '-';
    if (!ok)
        return poise_diagnose(r->diag, key->place,
                              "'%.80s' cannot be a layer's name: letters, digits, _ and - only, a "
                              "letter first",
                              key->text);
    if (strcmp(key->text, "features") == 0 || strcmp(key->text, "embedding") == 0)
        return poise_diagnose(r->diag, key->place,
                              "'%s' cannot be a layer's name: it means the model's input",
                              key->text);
    return 0;
}

/* The kind is the one key of a layer that is a kind's name. */
static const poise__layer_kind *find_kind(poise__reading *r, const poise__yaml *key,
                                          const poise__yaml *v)
{
    const poise__layer_kind *found = NULL;
    const char *known[POISE__KINDS + 2] = {"each", "copies"};
    for (int k = 0; k < POISE__KINDS; k++) {
        const poise__layer_kind *kind = poise__layer_kinds[k];
        known[k + 2] = kind->section.name;
        if (!poise__yaml_get(v, kind->section.name))
            continue;
        if (found) {
            poise_diagnose(r->diag, key->place, "layer '%.80s' is both %s and %s; choose one",
                           key->text, found->section.name, kind->section.name);
            return NULL;
        }
        found = kind;
    }
    if (found)
        return found;
    /* A misspelt kind is found among the words that no kind knows. */
    int unknown = 0;
    for (size_t i = 0; i < v->n; i++) {
        int seen = 0;
        for (int k = 0; k < POISE__KINDS; k++)
            for (int j = 0; j < poise__layer_kinds[k]->section.nkey; j++)
                seen |= strcmp(poise__layer_kinds[k]->section.key[j].name, v->key[i]->text) == 0;
        for (int j = 0; j < poise__layer_section.nkey; j++)
            seen |= strcmp(poise__layer_section.key[j].name, v->key[i]->text) == 0;
        if (seen)
            continue;
        poise__unknown(r, v->key[i]->place, "there is no kind of layer", v->key[i]->text,
                       POISE__KINDS, known + 2);
        unknown = 1;
    }
    if (!unknown)
        poise__unknown(r, key->place, "no key says of what kind is layer", key->text, POISE__KINDS,
                       known + 2);
    return NULL;
}

static int read_layer(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                      poise__layer *l)
{
    char what[120], show[120];
    *l = (poise__layer){.name = key->text, .place = key->place, .kind_at = key->place};
    snprintf(what, sizeof(what), "layer '%.80s'", key->text);
    int bad = check_layer_name(r, key);
    if (v->kind != POISE__MAP)
        return poise_diagnose(r->diag, v->place, "%s is %s; it must be a mapping of keys", what,
                              poise__yaml_show(v, show, sizeof(show)));
    const poise__layer_kind *kind = find_kind(r, key, v);
    if (!kind) {
        l->each = poise__yaml_get(v, "each") != NULL;
        return -1;
    }
    const poise_section *sections[] = {&kind->section, &poise__layer_section};
    snprintf(what, sizeof(what), "%s layer '%.80s'", kind->section.name, key->text);
    if (poise__keys_read_all(r, v, what, 2, sections, l) < 0)
        return -1;
    l->kind = kind;
    return bad;
}

/* ---- references ---- */

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
        const char *known[MOST_LAYERS + 1] = {"features"};
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
    if (ref->select && strcmp(ref->select, "*") == 0)
        ref->task = POISE__ALL_TASKS;
    else if (ref->select) {
        ref->task = poise__task_find(r->spec->schema, ref->select);
        if (ref->task < 0)
            return poise__task_unknown(r, ref->place, "there is no task", ref->select);
    } else if (l->each && !user->each)
        return poise_diagnose(r->diag, ref->place,
                              "'%s' is there once per task, but '%s' is one layer for all; write "
                              "'%s[*]', '%s[TASK]', or give '%s' each: task",
                              ref->name, user->name, ref->name, ref->name, user->name);
    ref->layer = k;
    return 0;
}

static int resolve_all(poise__reading *r, poise_model *m)
{
    int bad = 0;
    for (int k = 0; k < m->nlayer; k++) {
        poise__layer *l = &m->layer[k];
        for (int i = 0; i < l->input.n; i++)
            bad |= resolve(r, m, l, &l->input.at[i]);
        for (int i = 0; i < l->gate.n; i++)
            bad |= resolve(r, m, l, &l->gate.at[i]);
    }
    return bad;
}

/* ---- order ---- */

enum { NEW, OPEN, DONE };

typedef struct walk {
    poise__reading *r;
    poise_model *m;
    int *order, n;
    int *path, depth;
} walk;

static int cycle(walk *w, int back)
{
    char text[400] = "";
    size_t used = 0;
    int from = w->depth;
    while (from > 0 && w->path[from - 1] != back)
        from--;
    for (int k = from - 1; k < w->depth && used < sizeof(text); k++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s -> ",
                                 w->m->layer[w->path[k]].name);
    return poise_diagnose(w->r->diag, w->m->layer[back].place,
                          "layers need each other in a circle: %s%s", text, w->m->layer[back].name);
}

static int visit(walk *w, int k)
{
    poise__layer *l = &w->m->layer[k];
    if (l->state == DONE)
        return 0;
    if (l->state == OPEN)
        return cycle(w, k);
    l->state = OPEN;
    w->path[w->depth++] = k;
    int bad = 0;
    for (int side = 0; side < 2; side++) {
        const poise__references *refs = side ? &l->gate : &l->input;
        for (int i = 0; i < refs->n && !bad; i++)
            if (refs->at[i].layer >= 0)
                bad |= visit(w, refs->at[i].layer);
    }
    w->depth--;
    l->state = DONE;
    w->order[w->n++] = k;
    return bad;
}

/* Sort layers by need and renumber references. */
static int put_in_order(poise__reading *r, poise_model *m)
{
    size_t n = (size_t)m->nlayer;
    walk w = {.r = r, .m = m};
    w.order = poise__reading_alloc(r, n, sizeof(int));
    w.path = poise__reading_alloc(r, n, sizeof(int));
    int *index = poise__reading_alloc(r, n, sizeof(int));
    poise__layer *sorted = poise__reading_alloc(r, n, sizeof(*sorted));
    if (!w.order || !w.path || !index || !sorted)
        return -1;
    int bad = 0;
    for (int k = 0; k < m->nlayer; k++)
        bad |= visit(&w, k);
    if (bad)
        return -1;
    m->ninstance = 0;
    for (int k = 0; k < m->nlayer; k++) {
        sorted[k] = m->layer[w.order[k]];
        index[w.order[k]] = k;
        sorted[k].first = m->ninstance;
        m->ninstance += sorted[k].each ? m->ntask : 1;
    }
    m->layer = sorted;
    m->output = m->output >= 0 ? index[m->output] : -1;
    for (int k = 0; k < m->nlayer; k++)
        for (int side = 0; side < 2; side++) {
            poise__references *refs = side ? &m->layer[k].gate : &m->layer[k].input;
            for (int i = 0; i < refs->n; i++)
                if (refs->at[i].layer >= 0)
                    refs->at[i].layer = index[refs->at[i].layer];
        }
    return 0;
}

/* ---- output ---- */

static int find_output(poise__reading *r, const poise__yaml *node, poise_model *m)
{
    const char *name = m->output_name ? m->output_name : "logit";
    m->output = find_layer(m, name);
    if (m->output < 0 && !m->output_name)
        return poise_diagnose(r->diag, node->place,
                              "no layer is the tasks' output; call one 'logit', or say which with "
                              "output: beside network:");
    if (m->output < 0) {
        const char *known[MOST_LAYERS];
        for (int k = 0; k < m->nlayer; k++)
            known[k] = m->layer[k].name;
        return poise__unknown(r, m->output_at, "output: there is no layer", name, m->nlayer, known);
    }
    const poise__layer *l = &m->layer[m->output];
    if (!l->each)
        return poise_diagnose(r->diag, l->place,
                              "'%s' is the tasks' output: it must say each: task", l->name);
    if (l->copies)
        return poise_diagnose(r->diag, l->place, "'%s' is the tasks' output: it cannot have copies",
                              l->name);
    if (l->kind && l->activation != 0)
        return poise_diagnose(r->diag, l->place,
                              "'%s' is the tasks' output: the losses want it without an activation "
                              "(activation: none, or a dense layer)",
                              l->name);
    return 0;
}

/* Layers are in order of need: from the last to the first, what a used one needs is used. */
static int warn_unused(poise__reading *r, const poise_model *m)
{
    char *used = poise__reading_alloc(r, (size_t)m->nlayer, 1);
    if (!used)
        return -1;
    used[m->output] = 1;
    for (int k = m->nlayer - 1; k >= 0; k--) {
        const poise__layer *l = &m->layer[k];
        if (!used[k])
            poise_warn(r->diag, l->place, "no task needs layer '%s'", l->name);
        for (int i = 0; used[k] && i < l->input.n + l->gate.n; i++) {
            int from = i < l->input.n ? l->input.at[i].layer : l->gate.at[i - l->input.n].layer;
            if (from >= 0)
                used[from] = 1;
        }
    }
    return 0;
}

int poise__network_read(poise__reading *r, const poise__yaml *node, poise_model *m)
{
    char show[120];
    if (node->kind != POISE__MAP || node->n == 0)
        return poise_diagnose(r->diag, node->place,
                              "network is %s; it must be a mapping of layer: {...}",
                              poise__yaml_show(node, show, sizeof(show)));
    if (node->n > MOST_LAYERS)
        return poise_diagnose(r->diag, node->place, "there are %zu layers; at most %d are possible",
                              node->n, MOST_LAYERS);
    m->layer = poise__reading_alloc(r, node->n, sizeof(*m->layer));
    if (!m->layer)
        return -1;
    m->nlayer = (int)node->n;
    m->ntask = r->spec->schema->ntask;
    int bad = 0;
    for (int k = 0; k < m->nlayer; k++)
        bad |= read_layer(r, node->key[k], node->item[k], &m->layer[k]);
    bad |= resolve_all(r, m);
    bad |= find_output(r, node, m);
    if (put_in_order(r, m) < 0)
        return -1;
    poise__shape *shape = poise__reading_alloc(r, (size_t)m->ninstance, sizeof(*shape));
    if (!shape)
        return -1;
    bad |= poise__shapes(m, r->spec->schema, shape, r->diag);
    return bad ? -1 : warn_unused(r, m);
}
