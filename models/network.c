/* Layers as written: read, connected, put in order. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "layer.h"
#include "sections.h"

int64_t poise__features_width(const poise_schema *s)
{
    int64_t width = 0;
    for (int k = 0; k < s->nfeature; k++)
        width += poise_feature_width(&s->feature[k]);
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

/* A word may name a kind, and be a key of another: dropout is a key of an mlp. */
static int is_key_of(const poise__layer_kind *kind, const char *word)
{
    for (int j = 0; j < kind->section.nkey; j++)
        if (strcmp(kind->section.key[j].name, word) == 0)
            return 1;
    return 0;
}

/* The kind is the one key of a layer that is a kind's name, and no key of another that is there. */
static const poise__layer_kind *find_kind(poise__reading *r, const poise__yaml *key,
                                          const poise__yaml *v)
{
    const poise__layer_kind *found = NULL;
    const char *known[POISE__KINDS + 2] = {"each", "copies"};
    for (int k = 0; k < POISE__KINDS; k++) {
        const poise__layer_kind *kind = poise__layer_kinds[k];
        known[k + 2] = kind->section.name;
        if (!poise__yaml_get(v, kind->section.name) ||
            (found && is_key_of(found, kind->section.name)))
            continue;
        if (found && !is_key_of(kind, found->section.name)) {
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
            seen |= is_key_of(poise__layer_kinds[k], v->key[i]->text);
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

/* One instance, or one per name; each has the layer's keys. */
static int make_instances(poise__reading *r, poise__layer *l)
{
    l->ninstance = l->each ? l->names.n : 1;
    l->instance = poise__reading_alloc(r, (size_t)l->ninstance, sizeof(*l->instance));
    if (!l->instance)
        return -1;
    for (int k = 0; k < l->ninstance; k++) {
        poise__instance *i = &l->instance[k];
        *i = (poise__instance){.layer = l, .name = l->name, .at = k, .task = -1};
        i->own = l->nown ? l->own[0] : NULL;
        if (!l->each)
            continue;
        poise_error err;
        i->task = poise__task_find(r->spec->schema, l->names.text[k]);
        i->name = poise__arena_printf(r->arena, &err, "%s/%s", l->name, l->names.text[k]);
        if (!i->name)
            return poise_diagnose_error(r->diag, &err);
    }
    return 0;
}

static int read_keys(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                     poise__layer *l)
{
    char what[120];
    const poise__layer_kind *kind = find_kind(r, key, v);
    const poise__yaml *each = poise__yaml_get(v, poise__layer_section.key[0].name);
    if (!kind) /* its instances are there all the same, for those who refer to them */
        return each ? (poise__key_read(r, &poise__layer_section.key[0], each, l), -1) : -1;
    void *own = poise__reading_alloc(r, 1, kind->own);
    void **list = poise__reading_alloc(r, 1, sizeof(*list));
    if (!own || !list)
        return -1;
    const poise_section *sections[] = {&kind->section, &poise__layer_section};
    void *into[] = {own, l};
    snprintf(what, sizeof(what), "%s layer '%.80s'", kind->section.name, key->text);
    l->kind_at = poise__yaml_get(v, kind->section.name)->place;
    list[0] = own;
    l->own = list;
    l->nown = 1;
    l->kind = kind;
    return poise__keys_read_all(r, v, what, 2, sections, into);
}

static int read_layer(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                      poise__layer *l)
{
    char show[120];
    *l = (poise__layer){.name = key->text, .place = key->place, .kind_at = key->place, .wrong = -1};
    int bad = check_layer_name(r, key);
    if (v->kind != POISE__MAP)
        bad = poise_diagnose(r->diag, v->place, "layer '%.80s' is %s; it must be a mapping of keys",
                             key->text, poise__yaml_show(v, show, sizeof(show)));
    else
        bad |= l->wrong = read_keys(r, key, v, l);
    return make_instances(r, l) < 0 || bad ? -1 : 0;
}

static int find_layer(const poise_model *m, const char *name)
{
    for (int k = 0; k < m->nlayer; k++)
        if (strcmp(m->layer[k].name, name) == 0)
            return k;
    return -1;
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

/* What reads tasks before its own is in order by the tasks, not by the layers. */
static int looks_back(const poise__reference *ref)
{
    return ref->instance == POISE__PREVIOUS || ref->instance == POISE__EARLIER;
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
    poise__references *refs;
    for (int v = 0; v < l->nown; v++)
        for (int j = 0; (refs = poise__references_in(l->kind, l->own[v], j)) != NULL; j++)
            for (int i = 0; i < refs->n && !bad; i++)
                if (refs->at[i].layer >= 0 && !looks_back(&refs->at[i]))
                    bad |= visit(w, refs->at[i].layer);
    w->depth--;
    l->state = DONE;
    w->order[w->n++] = k;
    return bad;
}

/* layer[k] has become the layer index[k]: references follow. */
static void renumber(poise__layer *l, const int *index)
{
    poise__references *refs;
    for (int v = 0; v < l->nown; v++)
        for (int j = 0; (refs = poise__references_in(l->kind, l->own[v], j)) != NULL; j++)
            for (int i = 0; i < refs->n; i++)
                if (refs->at[i].layer >= 0)
                    refs->at[i].layer = index[refs->at[i].layer];
}

enum { NOT_YET = -1 }; /* the id of an instance that has no number */

static int needs_more(void *user, const poise__source *s)
{
    (void)user;
    return s->instance && s->instance->id == NOT_YET;
}

/* The instances that have all they need, in the order of the layers, until all have; where layers
 * read earlier tasks, that takes as many rounds as there are tasks. */
static int number_instances(poise__reading *r, poise_model *m)
{
    int n = 0, before;
    for (int k = 0; k < m->nlayer; k++)
        for (int i = 0; i < m->layer[k].ninstance; i++, n++) {
            m->layer[k].instance[i].layer = &m->layer[k];
            m->layer[k].instance[i].id = NOT_YET;
        }
    m->instance = poise__reading_alloc(r, (size_t)n, sizeof(*m->instance));
    if (!m->instance)
        return -1;
    m->ninstance = 0;
    do {
        before = m->ninstance;
        for (int k = 0; k < m->nlayer; k++)
            for (int i = 0; i < m->layer[k].ninstance; i++) {
                poise__instance *x = &m->layer[k].instance[i];
                if (x->id != NOT_YET || poise__all_sources(m, x, needs_more, NULL))
                    continue;
                x->id = m->ninstance;
                m->instance[m->ninstance++] = x;
            }
    } while (m->ninstance > before);
    for (int k = 0; k < m->nlayer && m->ninstance < n; k++)
        for (int i = 0; i < m->layer[k].ninstance; i++)
            if (m->layer[k].instance[i].id == NOT_YET)
                return poise_diagnose(r->diag, m->layer[k].place,
                                      "'%s' needs itself, by way of what it reads of earlier tasks",
                                      m->layer[k].instance[i].name);
    return 0;
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
    for (int k = 0; k < m->nlayer; k++) {
        sorted[k] = m->layer[w.order[k]];
        index[w.order[k]] = k;
    }
    m->layer = sorted;
    m->output = m->output >= 0 ? index[m->output] : -1;
    for (int k = 0; k < m->nlayer; k++)
        renumber(&m->layer[k], index);
    return number_instances(r, m);
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
        const char *known[POISE__MOST_LAYERS];
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
    return !l->wrong && l->kind->output ? l->kind->output(r, l, l->own[0]) : 0;
}

int poise__network_read(poise__reading *r, const poise__yaml *node, poise_model *m)
{
    char show[120];
    if (node->kind != POISE__MAP || node->n == 0)
        return poise_diagnose(r->diag, node->place,
                              "network is %s; it must be a mapping of layer: {...}",
                              poise__yaml_show(node, show, sizeof(show)));
    if (node->n > POISE__MOST_LAYERS)
        return poise_diagnose(r->diag, node->place, "there are %zu layers; at most %d are possible",
                              node->n, POISE__MOST_LAYERS);
    m->layer = poise__reading_alloc(r, node->n, sizeof(*m->layer));
    if (!m->layer)
        return -1;
    m->nlayer = (int)node->n;
    m->ntask = r->spec->schema->ntask;
    int bad = 0;
    for (int k = 0; k < m->nlayer; k++)
        bad |= read_layer(r, node->key[k], node->item[k], &m->layer[k]);
    bad |= poise__references_resolve(r, m);
    bad |= find_output(r, node, m);
    if (put_in_order(r, m) < 0)
        return -1;
    poise__shape *shape = poise__reading_alloc(r, (size_t)m->ninstance, sizeof(*shape));
    if (!shape)
        return -1;
    bad |= poise__shapes(m, r->spec->schema, shape, r->diag);
    return bad ? -1 : poise__warn_unused(r, m);
}
