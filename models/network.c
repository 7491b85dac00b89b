/* Layers as written: read, connected, put in order. */
#include <stdio.h>
#include <string.h>
#include "layer.h"
#include "names.h"
#include "sections.h"

enum { MOST_INSTANCES = 20000 };

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

static int read_layer(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                      const poise_model *m, poise__layer *l)
{
    *l = (poise__layer){.name = key->text, .place = key->place, .wrong = -1};
    int bad =
        key->wrong ? -1 : poise__name_check(r, poise__name_find("layer"), key->place, key->text);
    r->unnamed |= key->wrong;
    l->wrong = poise__instances_read(r, key, v, m, l) < 0 || bad ? -1 : 0;
    return l->wrong;
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
    poise__references *refs;
    for (int v = 0; v < l->nown; v++)
        for (int j = 0; (refs = poise__references_in(l->kind, l->own[v], j)) != NULL; j++)
            for (int i = 0; i < refs->n && !bad; i++)
                if (refs->at[i].layer >= 0 && refs->at[i].instance != POISE__PREVIOUS &&
                    refs->at[i].instance != POISE__EARLIER) /* order.c sees to those */
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
    for (int k = 0; k < m->nlayer; k++) {
        renumber(&m->layer[k], index);
        for (int i = 0; i < m->layer[k].ninstance; i++)
            m->layer[k].instance[i].layer = &m->layer[k];
    }
    return poise__instances_order(r, m);
}

/* ---- output ---- */

static int check_output(poise__reading *r, const poise__instance *i)
{
    if (i->copies)
        return poise_diagnose(r->diag, i->layer->place,
                              "'%s' is the tasks' output: it cannot have copies", i->layer->name);
    return !i->layer->wrong && i->layer->kind->output ? i->layer->kind->output(r, i) : 0;
}

/* `output: {click: ctr, buy: "last[buy]"}` */
static int read_outputs(poise__reading *r, poise_model *m)
{
    const poise__yaml *map = m->outputs;
    const poise_schema *s = r->spec->schema;
    int bad = 0, untold = 0;
    for (size_t k = 0; k < map->n; k++) {
        int t = poise__task_find(s, map->key[k]->text);
        if (t < 0 && map->key[k]->wrong) { /* it may be any task */
            bad = untold = -1;
            continue;
        }
        if (t < 0) {
            bad = untold = poise__task_unknown(r, map->key[k]->place, "output: there is no task",
                                               map->key[k]->text);
            continue;
        }
        m->output[t] = poise__output_resolve(r, m, "output", map->item[k], t);
        if (!m->output[t] || check_output(r, m->output[t]) < 0)
            bad = -1;
    }
    for (int t = 0; t < s->ntask && !untold; t++)
        if (!poise__yaml_get(map, s->task[t].name))
            bad = poise_diagnose(r->diag, map->place, "output names no layer for task '%s'",
                                 s->task[t].name);
    return bad;
}

/* One layer for all tasks: that of output:, or the one called logit. */
static int find_outputs(poise__reading *r, const poise__yaml *node, poise_model *m)
{
    char show[120], via[80];
    if (m->outputs && m->outputs->wrong)
        return -1;
    if (m->outputs && (m->outputs->kind != POISE__SCALAR || poise__yaml_null(m->outputs))) {
        poise_diagnose(r->diag, m->outputs->place,
                       "output is %s%s; it must be a layer, or a mapping of task: layer",
                       poise__yaml_show(m->outputs, show, sizeof(show)),
                       poise__via(m->outputs, via, sizeof(via)));
        poise__note_use(r, m->outputs);
        return -1;
    }
    const char *name = m->outputs ? m->outputs->text : "logit";
    const char *known[POISE__MOST_LAYERS];
    const poise__layer *l = NULL;
    for (int k = 0; k < m->nlayer; k++) {
        known[k] = m->layer[k].name;
        if (strcmp(name, known[k]) == 0)
            l = &m->layer[k];
    }
    if ((!l && r->unnamed) || (l && l->unnamed))
        return -1;
    if (!l && m->outputs)
        return poise__unknown(r, m->outputs->place, "output: there is no layer", name, m->nlayer,
                              known);
    if (!l)
        return poise_diagnose(r->diag, node->place,
                              "no layer is the tasks' output; call one 'logit', or say which with "
                              "output: beside network:");
    if (!l->each && !(l->task && m->ntask == 1))
        return poise_diagnose(r->diag, l->place,
                              "'%s' is the tasks' output: it must say each: task", l->name);
    int bad = 0;
    for (int i = 0; i < l->ninstance; i++)
        if (l->instance[i].task >= 0) {
            m->output[l->instance[i].task] = &l->instance[i];
            bad |= check_output(r, &l->instance[i]);
        }
    for (int t = 0; t < m->ntask; t++)
        if (!m->output[t])
            bad = poise_diagnose(r->diag, l->place,
                                 "'%s' is the tasks' output, but there is none of it for task '%s'",
                                 l->name, r->spec->schema->task[t].name);
    return bad;
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
    m->ntask = r->spec->schema->ntask;
    m->untyped = r->untyped;
    m->layer = poise__reading_alloc(r, node->n, sizeof(*m->layer));
    m->output = poise__reading_alloc(r, (size_t)m->ntask, sizeof(*m->output));
    if (!m->layer || !m->output)
        return -1;
    m->nlayer = (int)node->n;
    int bad = 0, ninstance = 0;
    for (int k = 0; k < m->nlayer; k++) {
        bad |= read_layer(r, node->key[k], node->item[k], m, &m->layer[k]);
        ninstance += m->layer[k].ninstance;
        if (m->layer[k].ninstance < (m->layer[k].each ? m->layer[k].names.n : 1))
            return -1; /* memory is out */
        if (ninstance > MOST_INSTANCES)
            return poise_diagnose(
                r->diag, m->layer[k].place,
                "the layers up to '%.80s' come to more than %d; a model has fewer",
                m->layer[k].name, MOST_INSTANCES);
    }
    r->layers_read = !r->unnamed;
    for (int k = 0; k < m->nlayer; k++)
        r->layers_read &= !m->layer[k].unnamed;
    bad |= poise__references_resolve(r, m);
    bad |= m->outputs && m->outputs->kind == POISE__MAP ? read_outputs(r, m)
                                                        : find_outputs(r, node, m);
    bad |= poise__extras_read(r, m);
    if (put_in_order(r, m) < 0)
        return -1;
    poise__shape *shape = poise__reading_alloc(r, (size_t)m->ninstance, sizeof(*shape));
    if (!shape)
        return -1;
    bad |= poise__shapes(m, r->spec->schema, shape, r->diag);
    return bad ? -1 : poise__find_unused(r, m);
}
