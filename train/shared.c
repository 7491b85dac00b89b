#include "shared.h"

#include <stdlib.h>
#include "../core/memory.h"
#include "signals.h"

int poise__trained(const poise_graph *g, const poise_value *v)
{
    return v->role == POISE_PARAM &&
           poise_store_at(poise_graph_store(g), v->param)->kind != POISE_STATE;
}

static int merged(int a, int b)
{
    return a == POISE__NOBODY ? b : b == POISE__NOBODY || a == b ? a : POISE__SHARED;
}

static int walkable(const poise_node *n)
{
    return !n->dead && !(n->op->flags & POISE_OP_STOP);
}

/* From the losses to what they depend on. */
static void find_owners(const poise_graph *g, poise__reach *r)
{
    for (int k = poise_graph_nodes(g) - 1; k >= 0; k--) {
        const poise_node *n = poise_graph_node(g, k);
        if (!walkable(n))
            continue;
        int owner = POISE__NOBODY;
        for (int o = 0; o < n->nout; o++)
            owner = merged(owner, r->value[n->out[o]->id]);
        r->node[k] = owner;
        for (int i = 0; i < n->nin; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (v)
                r->value[v->id] = merged(r->value[v->id], owner);
        }
    }
}

/* From the parameters to what depends on them. */
static void find_active(const poise_graph *g, poise__reach *r)
{
    for (int k = 0; k < poise_graph_values(g); k++)
        r->active[k] = (unsigned char)poise__trained(g, poise_graph_value(g, k));
    for (int k = 0; k < poise_graph_nodes(g); k++) {
        const poise_node *n = poise_graph_node(g, k);
        int active = 0;
        for (int i = 0; i < n->nin; i++)
            if (n->in[i])
                active |= r->active[poise_resolve(n->in[i])->id];
        if (walkable(n) && active)
            for (int o = 0; o < n->nout; o++)
                r->active[n->out[o]->id] = 1;
    }
}

static int shared_parameter(const poise_graph *g, const poise__reach *r, const poise_value *v)
{
    return v && poise__trained(g, v) && r->value[v->id] == POISE__SHARED;
}

/* A shared parameter is of the last layer when no path from it to a loss meets another node with a
 * shared matrix.  Vectors (the scale and shift of a normalisation) do not make a layer of their
 * own: they belong to the one before them. */
static int find_last(const poise_graph *g, poise__reach *r, poise_error *err)
{
    size_t nvalue = (size_t)poise_graph_values(g), nnode = (size_t)poise_graph_nodes(g);
    unsigned char *passes = poise__calloc(nvalue, 1, err); /* by value: a path meets a layer */
    unsigned char *layer = poise__calloc(nnode, 1, err);
    unsigned char *barred = poise__calloc(nvalue, 1, err);
    int status = passes && layer && barred ? 0 : -1;

    for (int k = poise_graph_nodes(g) - 1; status == 0 && k >= 0; k--) {
        const poise_node *n = poise_graph_node(g, k);
        if (!walkable(n) || r->node[k] == POISE__NOBODY)
            continue;
        int beyond = 0;
        for (int o = 0; o < n->nout; o++)
            beyond |= passes[n->out[o]->id];
        for (int i = 0; i < n->nin; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            layer[k] |= shared_parameter(g, r, v) && v->rank >= 2;
        }
        for (int i = 0; i < n->nin; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (!v)
                continue;
            passes[v->id] |= (unsigned char)(beyond | layer[k]);
            if (shared_parameter(g, r, v)) {
                r->last[v->id] = 1;
                barred[v->id] |= (unsigned char)beyond;
            }
        }
    }
    for (size_t k = 0; status == 0 && k < nvalue; k++)
        r->last[k] &= !barred[k];
    free(passes);
    free(layer);
    free(barred);
    return status;
}

int poise__reach_find(const poise_graph *g, int ntask, poise_value *const *loss, poise__reach *r,
                      poise_error *err)
{
    size_t nvalue = (size_t)poise_graph_values(g), nnode = (size_t)poise_graph_nodes(g);

    *r = (poise__reach){
        .value = poise__calloc(nvalue, sizeof *r->value, err),
        .node = poise__calloc(nnode, sizeof *r->node, err),
        .active = poise__calloc(nvalue, 1, err),
        .last = poise__calloc(nvalue, 1, err),
    };
    if (!r->value || !r->node || !r->active || !r->last) {
        poise__reach_done(r);
        return -1;
    }
    for (size_t k = 0; k < nvalue; k++)
        r->value[k] = POISE__NOBODY;
    for (size_t k = 0; k < nnode; k++)
        r->node[k] = POISE__NOBODY;
    for (int t = 0; t < ntask; t++) {
        int *owner = &r->value[poise_resolve(loss[t])->id];
        *owner = ntask == 1 ? POISE__SHARED : merged(*owner, t);
    }
    find_owners(g, r);
    find_active(g, r);
    if (find_last(g, r, err) < 0) {
        poise__reach_done(r);
        return -1;
    }
    return 0;
}

void poise__reach_done(poise__reach *r)
{
    free(r->value);
    free(r->node);
    free(r->active);
    free(r->last);
    *r = (poise__reach){0};
}

static int by_number(const void *a, const void *b)
{
    const int *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int poise_find_shared(const poise_graph *g, int ntask, poise_value *const *loss, poise_shared *out,
                      poise_error *err)
{
    poise__reach r;
    size_t n = (size_t)poise_store_count(poise_graph_store(g));

    *out = (poise_shared){0};
    if (poise__reach_find(g, ntask, loss, &r, err) < 0)
        return -1;
    out->shared = poise__calloc(n, sizeof *out->shared, err);
    out->last = poise__calloc(n, sizeof *out->last, err);
    if (!out->shared || !out->last) {
        poise_shared_done(out);
        poise__reach_done(&r);
        return -1;
    }
    for (int k = 0; k < poise_graph_values(g); k++) {
        const poise_value *v = poise_graph_value(g, k);
        if (shared_parameter(g, &r, v)) {
            out->shared[out->nshared++] = v->param;
            if (r.last[k])
                out->last[out->nlast++] = v->param;
        }
    }
    qsort(out->shared, (size_t)out->nshared, sizeof *out->shared, by_number);
    qsort(out->last, (size_t)out->nlast, sizeof *out->last, by_number);
    poise__reach_done(&r);
    return 0;
}

void poise_shared_done(poise_shared *s)
{
    free(s->shared);
    free(s->last);
    *s = (poise_shared){0};
}
