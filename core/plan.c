/* plan.c -- liveness: from the graph to blocks, and who lives in which. */
#include "plan.h"
#include "graph_parts.h"

#include <stdlib.h>

typedef struct planner {
    const poise_graph *g;
    poise__plan *p;
    int no_reuse;
    int end; /* the time after the last node */
    const poise__lanes *lanes;
    int *from, *to; /* [times] of the segment that the time is in; of itself outside */
    int *last_use;  /* [values] when it is read last; -1: never, end: it is kept */
    int *pin;       /* [values] the parameter into whose gradient it is computed, -1: none */
    poise_error *err;
} planner;

static int is_apart(const planner *w, const poise_value *v)
{
    return w->lanes->count > 1 && w->lanes->apart[v->id];
}

static poise__block *block_of(const planner *w, poise__slot slot)
{
    return slot.where == POISE__APART ? &w->p->apart[slot.index] : &w->p->block[slot.index];
}

static void new_block(planner *w, const poise_value *v, int first, int last)
{
    const size_t align = POISE__BLOCK_ALIGN;
    if (is_apart(w, v)) {
        size_t bytes = poise__value_bytes(v) / (size_t)w->lanes->count;
        w->p->slot[v->id] = (poise__slot){POISE__APART, w->p->napart};
        w->p->apart[w->p->napart++] = (poise__block){
            .bytes = (bytes + align - 1) / align * align, .first = first, .last = last};
        return;
    }
    poise__block b = {.bytes = (poise__value_bytes(v) + align - 1) / align * align,
                      .first = w->from[first],
                      .last = w->to[last]};
    if (w->no_reuse) {
        b.first = 0;
        b.last = w->end;
    }
    w->p->slot[v->id] = (poise__slot){POISE__ARENA, w->p->nblock};
    w->p->block[w->p->nblock++] = b;
}

/* v joins a block, which lives at least as long as v is read. */
static void join(planner *w, const poise_value *v, poise__slot slot, int now)
{
    w->p->slot[v->id] = slot;
    if (slot.where != POISE__ARENA && slot.where != POISE__APART)
        return;
    poise__block *b = block_of(w, slot);
    int last = w->last_use[v->id] > now ? w->last_use[v->id] : now;
    if (slot.where == POISE__ARENA)
        last = w->to[last];
    if (b->last < last)
        b->last = last;
}

/* May n write out[0] over in[0]?  Every view of in[0] made so far is in its block and has moved
 * the block's end; a view still to be made reads in[0] and so has moved it too. */
static int overwrites(const planner *w, const poise_node *n, int now)
{
    if (w->no_reuse || !(n->op->flags & POISE_OP_INPLACE) || n->nin < 1 || !n->in[0])
        return 0;
    const poise_value *in = poise_resolve(n->in[0]), *out = n->out[0];
    poise__slot s = w->p->slot[in->id];
    if ((s.where != POISE__ARENA && s.where != POISE__APART) || block_of(w, s)->last > now ||
        w->pin[out->id] >= 0 || poise__value_bytes(in) != poise__value_bytes(out) ||
        (s.where == POISE__APART) != is_apart(w, out))
        return 0;
    for (int i = 1; i < n->nin; i++) {
        poise__slot other = {POISE__NOWHERE, 0};
        if (n->in[i])
            other = w->p->slot[poise_resolve(n->in[i])->id];
        if (other.where == s.where && other.index == s.index)
            return 0;
    }
    return 1;
}

static void place_outputs(planner *w, const poise_node *n, int now)
{
    int first = 0;
    if (poise__is_view(n) || overwrites(w, n, now)) {
        w->p->inplace += !poise__is_view(n);
        join(w, n->out[0], w->p->slot[poise_resolve(n->in[0])->id], now);
        first = 1;
    }
    for (int o = first; o < n->nout; o++) {
        const poise_value *v = n->out[o];
        int last = w->last_use[v->id] > now ? w->last_use[v->id] : now;
        if (w->pin[v->id] >= 0)
            w->p->slot[v->id] = (poise__slot){POISE__GRADIENT, w->pin[v->id]};
        else
            new_block(w, v, now, last);
    }
}

/* One entry of options.gradient: pinned, or put on the list of copies. */
static int pin_gradient(planner *w, poise_value *v, int param, unsigned char *taken)
{
    const poise_store *store = w->g->store;
    if (!v || !poise__graph_owns(w->g, v))
        return poise_fail(w->err, POISE_E_GRADIENT, POISE_NOWHERE,
                          "a gradient that is to be computed is not a value of this graph");
    if (param < 0 || param >= poise_store_count(store) ||
        poise_store_at(store, param)->kind != POISE_DENSE)
        return poise_fail(w->err, POISE_E_GRADIENT, POISE_NOWHERE,
                          "a gradient is to go to parameter %d, which is not a dense parameter of "
                          "the store",
                          param);
    const poise_parameter *p = poise_store_at(store, param);
    char text[80];
    if (v->dtype != POISE_F32 || poise_value_count(v) != p->count)
        return poise_fail(w->err, POISE_E_GRADIENT, p->place,
                          "the gradient of \"%s\" is %s; %lld elements of f32 are wanted", p->name,
                          poise_value_text(v, text, sizeof text), (long long)p->count);
    if (v->producer && v->producer->dead)
        return poise_node_fail(v->producer, POISE_E_GRADIENT, w->err,
                               "it makes the gradient of \"%s\" and was removed; mark the gradient "
                               "as an output before poise_rewrite_dead",
                               p->name);
    if (taken[param]++)
        return poise_fail(w->err, POISE_E_GRADIENT, p->place,
                          "two gradients are given for \"%s\"; add them first", p->name);
    poise_value *root = poise__view_root(v);
    if (root->role == POISE_COMPUTED && w->pin[root->id] < 0)
        w->pin[root->id] = param;
    else
        w->p->copy[w->p->ncopy++] = (poise__copy){v, param};
    return 0;
}

static int pin_gradients(planner *w, const poise_session_options *o)
{
    unsigned char *taken = poise__calloc((size_t)poise_store_count(w->g->store), 1, w->err);
    w->p->copy = taken ? poise__calloc((size_t)o->ngradient, sizeof *w->p->copy, w->err) : NULL;
    int status = w->p->copy ? 0 : -1;
    for (int k = 0; k < o->ngradient && status == 0; k++)
        status = pin_gradient(w, poise_resolve(o->gradient[k]), o->param[k], taken);
    free(taken);
    return status;
}

/* Fills last_use and end. */
static void find_last_uses(planner *w)
{
    const poise_graph *g = w->g;
    for (size_t k = 0; k < g->nvalue; k++)
        w->last_use[k] = w->pin[k] = -1;
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        if (n->dead)
            continue;
        for (int i = 0; i < n->nin; i++)
            if (n->in[i])
                w->last_use[poise_resolve(n->in[i])->id] = w->end;
        w->end++;
    }
    for (size_t k = 0; k < g->nvalue; k++)
        if (g->output[k])
            w->last_use[k] = w->end;
}

/* Every time's segment. */
static int find_times(planner *w)
{
    w->from = poise__calloc((size_t)w->end + 1, sizeof *w->from, w->err);
    w->to = w->from ? poise__calloc((size_t)w->end + 1, sizeof *w->to, w->err) : NULL;
    if (!w->to)
        return -1;
    for (int t = 0; t <= w->end; t++)
        w->from[t] = w->to[t] = t;
    int now = 0, first = 0, open = POISE__WHOLE;
    for (size_t k = 0; k < w->g->nnode && w->lanes->count > 1; k++) {
        if (w->g->node[k]->dead)
            continue;
        int segment = w->lanes->segment[k];
        if (poise__is_view(w->g->node[k]) && open >= 0)
            segment = open; /* a view makes no step: the segment may go on after it */
        if (segment != open)
            first = now;
        open = segment;
        for (int t = first; open >= 0 && t <= now; t++) {
            w->from[t] = first;
            w->to[t] = now;
        }
        now++;
    }
    return 0;
}

static void place_values(planner *w)
{
    const poise_graph *g = w->g;
    for (size_t k = 0; k < g->nvalue; k++) {
        const poise_value *v = g->value[k];
        if (v->role == POISE_INPUT)
            new_block(w, v, 0, w->end);
        else if (v->role == POISE_PARAM)
            w->p->slot[k] = (poise__slot){POISE__WEIGHT, v->param};
    }
    int now = 0;
    for (size_t k = 0; k < g->nnode; k++)
        if (!g->node[k]->dead)
            place_outputs(w, g->node[k], now++);
}

int poise__plan_make(const poise_graph *g, const poise_session_options *o, const poise__lanes *l,
                     poise__plan *p, poise_error *err)
{
    *p = (poise__plan){0};
    planner w = {.g = g, .p = p, .no_reuse = o && o->no_reuse, .lanes = l, .err = err};
    int status = -1;
    p->slot = poise__calloc(g->nvalue, sizeof *p->slot, err);
    p->block = p->slot ? poise__calloc(g->nvalue, sizeof *p->block, err) : NULL;
    p->apart = p->block ? poise__calloc(g->nvalue, sizeof *p->apart, err) : NULL;
    w.last_use = p->apart ? poise__calloc(g->nvalue, sizeof *w.last_use, err) : NULL;
    w.pin = w.last_use ? poise__calloc(g->nvalue, sizeof *w.pin, err) : NULL;
    if (w.pin) {
        find_last_uses(&w);
        status = o && o->ngradient > 0 ? pin_gradients(&w, o) : 0;
    }
    if (status == 0)
        status = find_times(&w);
    if (status == 0) {
        place_values(&w);
        status = poise__plan_place(p->nblock, p->block, &p->bytes, err);
    }
    if (status == 0)
        status = poise__plan_place(p->napart, p->apart, &p->apart_bytes, err);
    free(w.from);
    free(w.to);
    free(w.last_use);
    free(w.pin);
    return status;
}

void poise__plan_done(poise__plan *p)
{
    free(p->slot);
    free(p->block);
    free(p->apart);
    free(p->copy);
    *p = (poise__plan){0};
}
