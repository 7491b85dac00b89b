/* Instances in order of need.
 *
 * Layers are in that order already, but for [previous] and [earlier]: by those a layer may read
 * others of itself, or of a layer that reads it.  So the walk goes over instances, deepest needs
 * first, beginning in the layers' order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "network.h"

enum { MOST_EDGES = 1000000 };

typedef struct edges {
    const poise__instance **to;
    size_t n, cap;
    poise_error *err;
} edges;

static int add_edge(void *user, const poise__source *s)
{
    edges *e = user;
    if (!s->instance)
        return 0;
    if (e->n == MOST_EDGES)
        return -1;
    const poise__instance **to = poise__grow(e->to, &e->cap, e->n + 1, sizeof(*to), e->err);
    if (!to)
        return -1;
    e->to = to;
    e->to[e->n++] = s->instance;
    return 0;
}

enum { NEW, OPEN, DONE };

typedef struct walk {
    poise__reading *r;
    const poise__instance **all; /* [n] as the layers have them; .id is the index here */
    size_t *first;               /* [n + 1] the edges of each */
    size_t *next;                /* [n] the edge to look at */
    char *state;                 /* [n] */
    int *path, depth;            /* [n] */
    const poise__instance **order;
    int n, done;
    edges edges;
} walk;

static int cycle(walk *w, int back)
{
    char text[400] = "";
    size_t used = 0;
    int from = w->depth - 1;
    while (from > 0 && w->path[from] != back)
        from--;
    for (int k = from; k < w->depth && used < sizeof(text); k++)
        used +=
            (size_t)snprintf(text + used, sizeof(text) - used, "%s -> ", w->all[w->path[k]]->name);
    return poise_diagnose(w->r->diag, w->all[back]->layer->place,
                          "layers need each other in a circle: %s%s", text, w->all[back]->name);
}

static int visit(walk *w, int root)
{
    w->depth = 0;
    w->path[w->depth++] = root;
    w->state[root] = OPEN;
    while (w->depth > 0) {
        int k = w->path[w->depth - 1];
        if (w->next[k] < w->first[k + 1]) {
            int to = w->edges.to[w->next[k]++]->id;
            if (w->state[to] == OPEN)
                return cycle(w, to);
            if (w->state[to] == NEW) {
                w->state[to] = OPEN;
                w->path[w->depth++] = to;
            }
            continue;
        }
        w->state[k] = DONE;
        w->order[w->done++] = w->all[k];
        w->depth--;
    }
    return 0;
}

static int find_edges(walk *w, const poise_model *m)
{
    poise_error err = {0};
    w->edges.err = &err;
    for (int k = 0; k < w->n; k++) {
        w->first[k] = w->next[k] = w->edges.n;
        if (poise__all_sources(m, w->all[k], add_edge, &w->edges) < 0)
            return w->edges.n == MOST_EDGES
                       ? poise_diagnose(w->r->diag, w->all[k]->layer->place,
                                        "the layers up to '%s' read %d others in all; a model has "
                                        "fewer",
                                        w->all[k]->name, MOST_EDGES)
                       : poise_diagnose_error(w->r->diag, &err);
    }
    w->first[w->n] = w->edges.n;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const poise__instance *const *)a)->name,
                  (*(const poise__instance *const *)b)->name);
}

/* Parameters of "a" are called "a/0/weight" and so on: there can be no layer "a/0" beside it. */
static int check_path(walk *w, const poise__instance **sorted, const poise__instance *i)
{
    char name[300];
    poise__instance key = {.name = name};
    const poise__instance *wanted = &key;
    for (const char *slash = strchr(i->name, '/'); slash && !i->layer->wrong;
         slash = strchr(slash + 1, '/')) {
        (void)snprintf(name, sizeof(name), "%.*s", (int)(slash - i->name), i->name);
        if (bsearch(&wanted, sorted, (size_t)w->n, sizeof(*sorted), by_name))
            return poise_diagnose(w->r->diag, i->layer->place,
                                  "'%s' lies inside layer '%s', which is there too; call one of "
                                  "them otherwise",
                                  i->name, name);
    }
    return 0;
}

/* A layer may be called what an instance of another is called. */
static int check_names(walk *w)
{
    poise_error err;
    const poise__instance **sorted = poise__calloc((size_t)w->n + 1, sizeof(*sorted), &err);
    if (!sorted)
        return poise_diagnose_error(w->r->diag, &err);
    memcpy(sorted, w->all, (size_t)w->n * sizeof(*sorted));
    qsort(sorted, (size_t)w->n, sizeof(*sorted), by_name);
    int bad = 0;
    for (int k = 1; k < w->n; k++)
        if (strcmp(sorted[k - 1]->name, sorted[k]->name) == 0)
            bad = poise_diagnose(w->r->diag, sorted[k]->layer->place,
                                 "two layers come to the name '%s'", sorted[k]->name);
    for (int k = 0; k < w->n; k++)
        bad |= check_path(w, sorted, sorted[k]);
    free(sorted);
    return bad;
}

int poise__instances_order(poise__reading *r, poise_model *m)
{
    walk w = {.r = r};
    for (int k = 0; k < m->nlayer; k++)
        w.n += m->layer[k].ninstance;
    size_t n = (size_t)w.n;
    w.all = poise__reading_alloc(r, n, sizeof(*w.all));
    w.first = poise__reading_alloc(r, n + 1, sizeof(*w.first));
    w.next = poise__reading_alloc(r, n, sizeof(*w.next));
    w.state = poise__reading_alloc(r, n, 1);
    w.path = poise__reading_alloc(r, n, sizeof(*w.path));
    w.order = poise__reading_alloc(r, n, sizeof(*w.order));
    if (!w.all || !w.first || !w.next || !w.state || !w.path || !w.order)
        return -1;
    for (int k = 0, at = 0; k < m->nlayer; k++)
        for (int i = 0; i < m->layer[k].ninstance; i++) {
            m->layer[k].instance[i].id = at;
            w.all[at++] = &m->layer[k].instance[i];
        }
    int bad = check_names(&w) < 0 || find_edges(&w, m) < 0;
    for (int k = 0; k < w.n && !bad; k++)
        if (w.state[k] == NEW)
            bad = visit(&w, k);
    free(w.edges.to);
    if (bad)
        return -1;
    m->ninstance = w.n;
    m->instance = w.order;
    for (int k = 0; k < w.n; k++)
        w.next[w.order[k]->id] = (size_t)k;
    for (int k = 0; k < m->nlayer; k++)
        for (int i = 0; i < m->layer[k].ninstance; i++)
            m->layer[k].instance[i].id = (int)w.next[m->layer[k].instance[i].id];
    return 0;
}
