#include "expand.h"
#include <stdlib.h>
#include <string.h>
#include "layer.h"
#include "sections.h"

typedef struct writer {
    const poise_model *m;
    const poise_schema *schema;
    poise__arena *a;
    poise_error *err;
} writer;

/* Names of layers are words and slashes, which need no quotes. */
static poise__yaml *name_node(writer *w, const char *name)
{
    int plain = strchr(name, '/') || poise__yaml_plain(name);
    return poise__yaml_scalar(w->a, name, plain, POISE_NOWHERE, w->err);
}

static int put(writer *w, poise__yaml *map, const char *key, poise__yaml *value)
{
    return poise__yaml_append(w->a, map, name_node(w, key), value, w->err);
}

static int put_text(writer *w, poise__yaml *map, const char *key, const char *text)
{
    return text ? put(w, map, key, poise__node_text(w->a, text, w->err)) : 0;
}

typedef struct names {
    writer *w;
    poise__yaml *list;
} names;

static int add_name(void *user, const poise__source *s)
{
    names *n = user;
    poise__yaml *node = NULL;
    if (s->instance)
        node = name_node(n->w, s->instance->name);
    else if (!strchr(s->name, '/'))
        node = poise__node_text(n->w->a, s->name, n->w->err);
    else { /* a feature that could be taken for a layer */
        const char *inner = strncmp(s->name, "features.", 9) == 0 ? s->name + 9 : s->name;
        const char *text = poise__arena_printf(n->w->a, n->w->err, "features.%s", inner);
        node = text ? poise__node_text(n->w->a, text, n->w->err) : NULL;
    }
    return poise__yaml_push(n->w->a, n->list, node, n->w->err);
}

/* One name, or a list of them. */
static poise__yaml *reference_node(writer *w, const poise__instance *i,
                                   const poise__references *refs)
{
    names n = {w, poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err)};
    if (!n.list || poise__sources(w->m, i, refs, add_name, &n) < 0)
        return NULL;
    return n.list->n == 1 ? n.list->item[0] : n.list;
}

static poise__yaml *section_node(writer *w, const poise__instance *i, const poise_section *s,
                                 const void *from, const poise__yaml *written);

/* What a key says, `written` as it was read, with the names of instances in the place of references;
 * `from` is the struct that the section fills. */
static poise__yaml *key_node(writer *w, const poise__instance *i, const poise_key *key,
                             const void *from, const poise__yaml *written)
{
    const void *field = (const char *)from + key->offset;
    if (key->kind == POISE_KEY_REFERENCES)
        return reference_node(w, i, field);
    if (key->kind != POISE_KEY_SECTION)
        return poise__yaml_share(w->a, written, w->err);
    return written->kind == POISE__MAP ? section_node(w, i, key->section, field, written)
                                       : key_node(w, i, &key->section->key[0], field, written);
}

static const poise_key *find_key(const poise_section *s, const char *name)
{
    for (int k = 0; k < s->nkey; k++)
        if (strcmp(s->key[k].name, name) == 0)
            return &s->key[k];
    return NULL;
}

/* The keys of a section as they were written, those that every layer has left out. */
static int put_keys(writer *w, poise__yaml *map, const poise__instance *i, const poise_section *s,
                    const void *from, const poise__yaml *written)
{
    for (size_t k = 0; k < written->n; k++) {
        const poise_key *key = find_key(s, written->key[k]->text);
        if (key && put(w, map, key->name, key_node(w, i, key, from, written->item[k])) < 0)
            return -1;
    }
    return 0;
}

static poise__yaml *section_node(writer *w, const poise__instance *i, const poise_section *s,
                                 const void *from, const poise__yaml *written)
{
    poise__yaml *map = poise__yaml_new(w->a, POISE__MAP, POISE_NOWHERE, w->err);
    return map && put_keys(w, map, i, s, from, written) == 0 ? map : NULL;
}

static poise__yaml *layer_node(writer *w, const poise__instance *i)
{
    poise__yaml *map = poise__yaml_new(w->a, POISE__MAP, POISE_NOWHERE, w->err);
    int bad = i->task >= 0 && put_text(w, map, "task", w->schema->task[i->task].name) < 0;
    if (!bad && i->copies)
        bad = put(w, map, "copies", poise__node_int(w->a, i->copies, w->err)) < 0;
    bad = bad || put_keys(w, map, i, &i->layer->kind->section, i->own, i->keys) < 0;
    return bad ? NULL : map;
}

/* task: instance, of the tasks that have one; 0 or -1. */
static int put_instances(writer *w, poise__yaml *map, const char *key,
                         const poise__instance *const *of)
{
    poise__yaml *tasks = poise__yaml_new(w->a, POISE__MAP, POISE_NOWHERE, w->err);
    int n = 0;
    for (int t = 0; t < w->m->ntask; t++) {
        if (!of[t])
            continue;
        n++;
        if (poise__yaml_append(w->a, tasks, poise__node_text(w->a, w->schema->task[t].name, w->err),
                               name_node(w, of[t]->name), w->err) < 0)
            return -1;
    }
    return n ? put(w, map, key, tasks) : 0;
}

static poise__yaml *model_node(writer *w)
{
    const poise_model *m = w->m;
    poise__yaml *map = poise__yaml_new(w->a, POISE__MAP, POISE_NOWHERE, w->err);
    poise__yaml *network = poise__yaml_new(w->a, POISE__MAP, POISE_NOWHERE, w->err);
    int bad = put_text(w, map, "about", m->about) < 0 || put_text(w, map, "paper", m->paper) < 0 ||
              put_text(w, map, "when", m->when) < 0;
    for (int k = 0; k < m->ninstance && !bad; k++)
        if (!m->instance[k]->idle)
            bad = put(w, network, m->instance[k]->name, layer_node(w, m->instance[k])) < 0;
    if (network)
        network->block = 1;
    bad = bad || put(w, map, "network", network) < 0 ||
          put_instances(w, map, "output", m->output) < 0;
    for (int e = 0; e < POISE__EXTRAS && !bad; e++)
        bad = put_instances(w, map, poise__extra_name[e], m->extra[e]) < 0;
    return bad ? NULL : map;
}

/* ---- the layers of `scope` ---- */

/* Those of its instances that two tasks need stand for a layer. */
static int add_instances(writer *w, const int *shared, const char *layer, poise__yaml *to)
{
    for (int k = 0; k < w->m->ninstance; k++) {
        const poise__instance *i = w->m->instance[k];
        if (shared[k] && strcmp(i->layer->name, layer) == 0 &&
            poise__yaml_push(w->a, to, name_node(w, i->name), w->err) < 0)
            return -1;
    }
    return 0;
}

static int expand_scope(writer *w, const int *shared, poise__yaml *balancer)
{
    poise__yaml *signals = poise__yaml_get(balancer, "signals");
    const poise__yaml *scope = poise__yaml_get(signals, "scope");
    if (!scope || scope->kind != POISE__LIST)
        return 0;
    poise__yaml *list = poise__yaml_new(w->a, POISE__LIST, POISE_NOWHERE, w->err);
    for (size_t i = 0; i < scope->n; i++)
        if (!list || add_instances(w, shared, scope->item[i]->text, list) < 0)
            return -1;
    return poise__yaml_set(w->a, signals, "scope", list, w->err);
}

static int expand_scopes(writer *w, poise__yaml *root)
{
    poise__yaml *balancer = poise__yaml_get(root, "balancer");
    int *shared = poise__arena_alloc(w->a, (size_t)w->m->ninstance, sizeof(*shared), w->err);
    if (!shared || poise__shared_instances(w->m, shared, w->err) < 0)
        return -1;
    if (!balancer || balancer->kind != POISE__LIST)
        return expand_scope(w, shared, balancer);
    int bad = 0;
    for (size_t k = 0; k < balancer->n && !bad; k++)
        bad = expand_scope(w, shared, balancer->item[k]);
    return bad;
}

static char *written(const poise_spec *s, int whole, poise_error *err)
{
    writer w = {s->model, s->schema, poise__arena_new(err), err};
    char *text = NULL;
    if (!w.a)
        return NULL;
    poise__yaml *node = model_node(&w);
    if (node && whole)
        node = poise__spec_node(s, node, w.a, err);
    if (node && whole && expand_scopes(&w, node) < 0)
        node = NULL;
    if (node)
        text = poise__yaml_write(node, 2, err);
    poise__arena_free(w.a);
    return text;
}

char *poise_spec_expanded(const poise_spec *s, poise_error *err)
{
    return written(s, 1, err);
}

char *poise_model_expanded(const poise_spec *s, poise_error *err)
{
    return written(s, 0, err);
}
