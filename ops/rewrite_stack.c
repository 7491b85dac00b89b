/* rewrite_stack.c -- small products of one shape as one step (passes.h).
 *
 * A node's level is the length of the longest path to it.  Of nodes on one level none depends on
 * another, and what is made of such nodes alone leaves the graph without a circle; so siblings are
 * looked for within a level.  The nodes are then put in order anew: each where it was, or before the
 * first that needs it.
 */
#include <stdlib.h>
#include <string.h>
#include "../core/graph_parts.h"
#include "affine.h"
#include "each.h"
#include "passes.h"
#include "table.h"

#define MOST_FLOPS 64e6

typedef struct stacking {
    poise_graph *g;
    size_t nnode;    /* before the pass */
    int *level;      /* [nnode] */
    double *flops;   /* [nnode] of a product that may be stacked; 0: no such */
    poise_node **by; /* [nnode] what stands for it, where it is the first */
    int gone;
    poise_error *err;
} stacking;

/* ---- which ---- */

static int weigh(const poise_node *n, double *flops, poise_error *err)
{
    poise_kernel k = {.node = n};
    if (n->op->compile(n, &k, err) < 0)
        return -1;
    *flops = k.flops;
    if (k.done)
        k.done(k.state);
    return 0;
}

static int look(stacking *s)
{
    for (size_t k = 0; k < s->nnode; k++) {
        const poise_node *n = s->g->node[k];
        int level = 0;
        if (n->dead)
            continue;
        for (int i = 0; i < n->nin; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (v && v->producer && s->level[v->producer->id] >= level)
                level = s->level[v->producer->id] + 1;
        }
        s->level[k] = level;
        if (poise__each_of(n->op) && weigh(n, &s->flops[k], s->err) < 0)
            return -1;
    }
    return 0;
}

static int alike(const poise_node *a, const poise_node *b)
{
    if (a->op != b->op || a->nin != b->nin || a->part != b->part ||
        memcmp(&a->attr, &b->attr, sizeof a->attr) != 0)
        return 0;
    for (int i = 0; i < a->nin; i++) {
        const poise_value *x = poise_resolve(a->in[i]), *y = poise_resolve(b->in[i]);
        if (!x != !y || (x && (x->rank != y->rank ||
                               memcmp(x->dim, y->dim, (size_t)x->rank * sizeof *x->dim) != 0)))
            return 0;
    }
    return 1;
}

/* Do two products have one second factor, and zeros at the same places of the first? */
static int joins(const poise_node *a, const poise_node *b)
{
    const poise_node *x = poise_resolve(a->in[0])->producer, *y = poise_resolve(b->in[0])->producer;
    return poise_resolve(a->in[1]) == poise_resolve(b->in[1]) && x && y &&
           x->op == &poise__op_relu_backward && y->op == x->op &&
           poise_resolve(x->in[1]) == poise_resolve(y->in[1]);
}

/* Those alike with which it joins, and then, if they are small, the others. */
static int find(const stacking *s, const poise_node *first, poise_node *of[POISE__EACH])
{
    const int large = s->flops[first->id] > MOST_FLOPS;
    const int most = large ? POISE__AFFINE_JOINED : POISE__EACH;
    int n = 0;
    for (int joined = 1; joined >= large; joined--)
        for (size_t k = first->id; k < s->nnode && n < most; k++) {
            poise_node *other = s->g->node[k];
            if (!other->dead && s->flops[k] > 0 && s->level[k] == s->level[first->id] &&
                alike(first, other) && (other == first || joins(first, other)) == joined)
                of[n++] = other;
        }
    return n;
}

/* ---- making one ---- */

/* How much of the ends of a and b is the same, in whole parts of their names. */
static void common(const char *a, const char *b, size_t *head, size_t *tail)
{
    const size_t na = strlen(a), nb = strlen(b), most = na < nb ? na : nb;
    size_t h = 0, t = 0, h_part = 0, t_part = 0;
    for (; h < most && a[h] == b[h]; h++)
        h_part = a[h] == '/' ? h + 1 : h_part;
    for (; t < most && a[na - 1 - t] == b[nb - 1 - t]; t++)
        t_part = a[na - 1 - t] == '/' ? t + 1 : t_part;
    if (h_part + t_part > most)
        t_part = 0;
    *head = h_part < *head ? h_part : *head;
    *tail = t_part < *tail ? t_part : *tail;
}

/* "tower/a/0" and "tower/b/0" are "tower/ * /0", without the blanks. */
static int begin(const stacking *s, poise_node *const *of, int n)
{
    const char *first = of[0]->layer;
    size_t head = SIZE_MAX, tail = SIZE_MAX;
    int same = 1;
    for (int k = 1; k < n; k++) {
        same = same && strcmp(first, of[k]->layer) == 0;
        common(first, of[k]->layer, &head, &tail);
    }
    const char *name = first;
    if (!same && head + tail > 0)
        name = poise_graph_text(s->g, s->err, "%.*s*%s", (int)head, first,
                                first + strlen(first) - tail);
    poise_graph_part(s->g, of[0]->part);
    return name ? poise_graph_at(s->g, name, of[0]->place, s->err) : -1;
}

static int stack(stacking *s, poise_node *const *of, int n)
{
    const poise_op *op = poise__each_of(of[0]->op);
    const int inputs = poise__each_inputs(op);
    poise_value *in[3 * POISE__EACH] = {NULL};
    poise__each *each = poise__arena_alloc(s->g->arena, 1, sizeof *each, s->err);
    if (!each || begin(s, of, n) < 0)
        return -1;
    *each = (poise__each){of[0]->op, of[0]->attr};
    const poise_attr attr = {.i = {n}, .p = each};
    for (int k = 0; k < n; k++)
        for (int i = 0; i < of[k]->nin; i++)
            in[k * inputs + i] = of[k]->in[i];
    poise_node *made = poise_apply(s->g, op, n * inputs, in, &attr, s->err);
    if (!made)
        return -1;
    for (int k = 0; k < n; k++) {
        poise_value *old = of[k]->out[0], *now = made->out[k];
        of[k]->dead = 1;
        old->forward = now;
        now->name = old->name;
        if (s->g->output[old->id])
            s->g->output[now->id] = 1;
    }
    s->by[of[0]->id] = made;
    s->gone += n - 1;
    return 0;
}

/* ---- the order ---- */

typedef struct order {
    poise_node **node; /* [nnode] the new order so far */
    size_t n;
    unsigned char *there; /* by id: it is in it */
    poise_node **path;    /* [nnode] each needs the next */
} order;

static poise_node *wanted(const order *o, const poise_node *n)
{
    for (int i = 0; i < n->nin; i++) {
        const poise_value *v = poise_resolve(n->in[i]);
        if (v && v->producer && !o->there[v->producer->id])
            return v->producer;
    }
    return NULL;
}

static void put(order *o, poise_node *n)
{
    size_t depth = 0;
    if (o->there[n->id])
        return;
    o->path[depth++] = n;
    while (depth > 0) {
        poise_node *last = o->path[depth - 1], *before = wanted(o, last);
        if (before) {
            o->path[depth++] = before;
        } else {
            o->there[last->id] = 1;
            o->node[o->n++] = last;
            depth--;
        }
    }
}

static int put_in_order(const stacking *s)
{
    poise_graph *g = s->g;
    order o = {.node = poise__calloc(g->nnode, sizeof(*o.node), s->err)};
    o.there = o.node ? poise__calloc(g->nnode, 1, s->err) : NULL;
    o.path = o.there ? poise__calloc(g->nnode, sizeof(*o.path), s->err) : NULL;
    const int status = o.path ? 0 : -1;
    for (size_t k = 0; status == 0 && k < g->nnode; k++) {
        if (k < s->nnode && s->by[k])
            put(&o, s->by[k]);
        put(&o, g->node[k]);
    }
    for (size_t k = 0; status == 0 && k < o.n; k++) {
        g->node[k] = o.node[k];
        g->node[k]->id = (uint32_t)k;
    }
    free(o.node);
    free(o.there);
    free(o.path);
    return status;
}

int poise_rewrite_stack(poise_graph *g, poise_error *err)
{
    stacking s = {.g = g, .nnode = g->nnode, .err = err};
    s.level = poise__calloc(s.nnode + 1, sizeof *s.level, err);
    s.flops = s.level ? poise__calloc(s.nnode + 1, sizeof *s.flops, err) : NULL;
    s.by = s.flops ? poise__calloc(s.nnode + 1, sizeof(*s.by), err) : NULL;
    int status = s.by ? look(&s) : -1;
    for (size_t k = 0; status == 0 && k < s.nnode; k++) {
        poise_node *of[POISE__EACH];
        const int n = !g->node[k]->dead && s.flops[k] > 0 ? find(&s, g->node[k], of) : 0;
        if (n > 1)
            status = stack(&s, of, n);
    }
    if (status == 0 && s.gone > 0)
        status = put_in_order(&s);
    free(s.level);
    free(s.flops);
    free(s.by);
    return status < 0 ? -1 : s.gone;
}
