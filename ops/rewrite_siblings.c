/* rewrite_siblings.c -- narrow linear maps of one input as one product (passes.h).
 *
 * A new product takes the place of the first sibling where it reads what that reads (y), of the last
 * where it needs something of every sibling (dw, dx); a sibling whose value is read before that stays
 * out.  What does not go row by row of the batch would cut a segment of lanes in two (core/lanes.h):
 * copies of weights are made before everything, the shares of dw as late as possible.
 */
#include <stdlib.h>
#include <string.h>
#include "../core/graph_parts.h"
#include "ops.h"
#include "passes.h"
#include "table.h"

enum { NARROW = 32, MOST = 64 };

typedef struct group {
    int n;
    poise_node *of[MOST];
} group;

typedef struct siblings {
    poise_graph *g;
    int *readers; /* by value */
    int *first;   /* by value: index of the first node that reads it; INT32_MAX */
    int gone;
    poise_error *err;
} siblings;

/* New nodes are of the first one's layer; where the layers differ in their last part, a star. */
static int begin(const siblings *s, const group *m)
{
    const char *first = m->of[0]->layer, *end = strrchr(first, '/');
    int same = 1, alike = end != NULL;

    for (int k = 1; k < m->n; k++) {
        const char *other = m->of[k]->layer;
        same = same && strcmp(first, other) == 0;
        alike = alike && strncmp(first, other, (size_t)(end - first) + 1) == 0;
    }
    poise_graph_part(s->g, m->of[0]->part);
    if (same || !alike)
        return poise_graph_at(s->g, first, m->of[0]->place, s->err);
    const char *all = poise_graph_text(s->g, s->err, "%.*s/*", (int)(end - first), first);
    return all ? poise_graph_at(s->g, all, m->of[0]->place, s->err) : -1;
}

/* `by` stands for the node's output from now on. */
static void replace(siblings *s, poise_node *n, poise_value *by)
{
    poise_value *v = n->out[0];

    n->dead = 1;
    v->forward = by;
    if (s->g->output[v->id])
        s->g->output[by->id] = 1;
    s->gone++;
}

/* Input `i` of every sibling, side by side along an axis. */
static poise_value *beside(const siblings *s, const group *m, int i, int axis)
{
    poise_value *v[MOST];

    for (int k = 0; k < m->n; k++)
        v[k] = poise_resolve(m->of[k]->in[i]);
    return poise_concat(s->g, axis, m->n, v, s->err);
}

/* What stood for each sibling becomes its share of `all` along an axis. */
static int deal_out(siblings *s, const group *m, poise_value *all, int axis)
{
    int64_t at = 0;

    for (int k = 0; all && k < m->n; k++) {
        int64_t size = m->of[k]->out[0]->dim[axis];
        poise_value *share = poise_slice(s->g, all, axis, at, at + size, s->err);
        if (!share)
            return -1;
        replace(s, m->of[k], share);
        at += size;
    }
    return all ? 0 : -1;
}

static int narrow(const poise_value *v)
{
    return v && v->rank == 2 && v->dim[1] <= NARROW;
}

static int given(const poise_value *v) /* there from the beginning */
{
    return v && v->role != POISE_COMPUTED;
}

/* ---- y ---- */

static int may_be_stacked(const poise_node *n)
{
    return !n->dead && n->op == &poise__op_linear && narrow(n->out[0]) &&
           given(poise_resolve(n->in[1])) && (n->nin < 3 || given(poise_resolve(n->in[2])));
}

static int stack_outputs(siblings *s, poise_node *first)
{
    group m = {0};
    const poise_value *x = poise_resolve(first->in[0]);

    for (size_t k = first->id; k < s->g->nnode && m.n < MOST; k++) {
        poise_node *n = s->g->node[k];
        if (may_be_stacked(n) && n->nin == first->nin && poise_resolve(n->in[0]) == x &&
            memcmp(&n->attr, &first->attr, sizeof n->attr) == 0)
            m.of[m.n++] = n;
    }
    if (m.n < 2 || m.of[0] != first)
        return 0;
    size_t made = s->g->nnode;
    if (begin(s, &m) < 0)
        return -1;
    poise_value *w = beside(s, &m, 1, 0), *b = first->nin > 2 ? beside(s, &m, 2, 0) : NULL;
    if (!w || (first->nin > 2 && !b))
        return -1;
    poise__graph_settle(s->g, made, 0);
    made = s->g->nnode;
    const size_t at = first->id;
    const poise_node *y = poise_apply(s->g, first->op, first->nin,
                                      (poise_value *[]){first->in[0], w, b}, &first->attr, s->err);
    if (!y || deal_out(s, &m, y->out[0], 1) < 0)
        return -1;
    poise__graph_settle(s->g, made, at);
    return 0;
}

/* ---- dw ---- */

static int stack_weights(siblings *s, poise_node *first)
{
    group m = {0}, kept = {0};
    const poise_value *x = poise_resolve(first->in[1]);

    for (size_t k = first->id; k < s->g->nnode && m.n < MOST; k++) {
        poise_node *n = s->g->node[k];
        if (!n->dead && n->op == &poise__op_linear_weights && narrow(poise_resolve(n->in[0])) &&
            poise_resolve(n->in[1]) == x)
            m.of[m.n++] = n;
    }
    const uint32_t last = m.n ? m.of[m.n - 1]->id : 0;
    for (int k = 0; k < m.n; k++)
        if (s->first[m.of[k]->out[0]->id] > (int)last)
            kept.of[kept.n++] = m.of[k];
    if (kept.n < 2)
        return 0;
    const poise_node *reader = NULL; /* of the first share that anybody reads */
    for (int k = 0; k < kept.n; k++) {
        const int at = s->first[kept.of[k]->out[0]->id];
        if (at < INT32_MAX && (!reader || at < (int)reader->id))
            reader = s->g->node[at];
    }
    size_t made = s->g->nnode;
    if (begin(s, &kept) < 0)
        return -1;
    poise_value *dy = beside(s, &kept, 0, 1);
    const poise_node *dw =
        dy ? poise_apply(s->g, first->op, 2, (poise_value *[]){dy, first->in[1]}, NULL, s->err)
           : NULL;
    if (!dw)
        return -1;
    poise__graph_settle(s->g, made, last);
    made = s->g->nnode;
    if (deal_out(s, &kept, dw->out[0], 0) < 0)
        return -1;
    if (reader)
        poise__graph_settle(s->g, made, reader->id);
    return 0;
}

/* ---- dx ---- */

/* The terms of a sum: products dy w with narrow dy that nobody else reads, and others. */
typedef struct sum {
    group product;
    poise_value *factor[MOST]; /* of the products, in a weighted sum */
    int n;
    poise_value *other[MOST], *weight[MOST];
} sum;

static poise_node *product(const siblings *s, const poise_value *v)
{
    poise_node *n = v->producer;

    return n && !n->dead && n->op == &poise__op_linear_data && s->readers[v->id] == 1 &&
                   narrow(poise_resolve(n->in[0])) && given(poise_resolve(n->in[1]))
               ? n
               : NULL;
}

static int add_term(const siblings *s, sum *t, poise_value *v, poise_value *factor)
{
    poise_node *n = product(s, v);

    if (n && t->product.n < MOST) {
        int at = t->product.n++; /* in the order of their weights, as the outputs are stacked */
        for (; at > 0 &&
               poise_resolve(t->product.of[at - 1]->in[1])->id > poise_resolve(n->in[1])->id;
             at--) {
            t->product.of[at] = t->product.of[at - 1];
            t->factor[at] = t->factor[at - 1];
        }
        t->product.of[at] = n;
        t->factor[at] = factor;
        return 1;
    }
    if (t->n == MOST)
        return 0;
    t->other[t->n] = v;
    t->weight[t->n++] = factor;
    return 1;
}

/* The terms of a tree of additions of which the inner sums have no other reader; 0: too many. */
static int terms_of(const siblings *s, const poise_node *n, sum *t)
{
    for (int i = 0; i < 2; i++) {
        poise_value *v = poise_resolve(n->in[i]);
        const poise_node *inner = v->producer;
        if (inner && !inner->dead && inner->op == &poise__op_add && s->readers[v->id] == 1) {
            if (!terms_of(s, inner, t))
                return 0;
        } else if (!add_term(s, t, v, NULL)) {
            return 0;
        }
    }
    return 1;
}

/* The products of a sum as one. */
static poise_value *one_product(siblings *s, sum *t, poise_value *w)
{
    poise_value *dy[MOST];
    group *m = &t->product;

    for (int k = 0; k < m->n; k++) {
        dy[k] = poise_resolve(m->of[k]->in[0]);
        if (t->factor[k] && !(dy[k] = poise_scale_by(s->g, dy[k], t->factor[k], s->err)))
            return NULL;
    }
    poise_value *all = poise_concat(s->g, 1, m->n, dy, s->err);
    const poise_node *dx = all && w ? poise_apply(s->g, &poise__op_linear_data, 2,
                                                  (poise_value *[]){all, w}, NULL, s->err)
                                    : NULL;
    return dx ? dx->out[0] : NULL;
}

static int stack_sum(siblings *s, poise_node *n)
{
    sum t = {0};
    const int weighted = n->op == &poise__op_weighted_sum;
    const int terms = weighted ? n->nin / 2 : 0;

    for (int k = 0; k < terms; k++)
        if (!add_term(s, &t, poise_resolve(n->in[k]), poise_resolve(n->in[terms + k])))
            return 0;
    if (!weighted && !terms_of(s, n, &t))
        return 0;
    if (t.product.n < 2)
        return 0;
    size_t made = s->g->nnode;
    if (begin(s, &t.product) < 0)
        return -1;
    poise_value *w = beside(s, &t.product, 1, 0);
    poise__graph_settle(s->g, made, 0);
    made = s->g->nnode;
    const size_t at = n->id;
    poise_graph_part(s->g, n->part);
    poise_value *dx = w ? one_product(s, &t, w) : NULL;
    if (dx && weighted && t.n > 0)
        dx = poise_add(s->g, dx, poise_weighted_sum(s->g, t.n, t.weight, t.other, s->err), s->err);
    for (int k = 0; dx && !weighted && k < t.n; k++)
        dx = poise_add(s->g, dx, t.other[k], s->err);
    if (!dx)
        return -1;
    for (int k = 0; k < t.product.n; k++)
        t.product.of[k]->dead = 1;
    replace(s, n, dx);
    s->gone += t.product.n - 1;
    poise__graph_settle(s->g, made, at);
    return 0;
}

/* ---- the pass ---- */

static int count_readers(siblings *s)
{
    const poise_graph *g = s->g;

    free(s->readers);
    free(s->first);
    s->readers = poise__readers(g, s->err);
    s->first = s->readers ? poise__calloc(g->nvalue, sizeof *s->first, s->err) : NULL;
    if (!s->first)
        return -1;
    for (size_t k = 0; k < g->nvalue; k++)
        s->first[k] = INT32_MAX;
    for (size_t k = g->nnode; k-- > 0;)
        for (int i = 0; i < g->node[k]->nin && !g->node[k]->dead; i++)
            if (g->node[k]->in[i])
                s->first[poise_resolve(g->node[k]->in[i])->id] = (int)k;
    return 0;
}

typedef int stacking(siblings *s, poise_node *n);

/* Stack wherever there is an `op`: siblings from the first on; sums from the last back, so that the
 * whole of one comes before its parts.  Readers are counted anew after each, since nodes move. */
static int everywhere(siblings *s, const poise_op *op, int forwards, stacking *stack)
{
    if (count_readers(s) < 0)
        return -1;
    for (size_t k = forwards ? 0 : s->g->nnode; forwards ? k < s->g->nnode : k > 0;) {
        poise_node *node = s->g->node[forwards ? k : k - 1];
        const int gone = s->gone;
        if (!node->dead && node->op == op &&
            (stack(s, node) < 0 || (s->gone != gone && count_readers(s) < 0)))
            return -1;
        k = forwards ? (size_t)node->id + 1 : node->id; /* it may have moved */
    }
    return 0;
}

int poise_rewrite_siblings(poise_graph *g, poise_error *err)
{
    siblings s = {.g = g, .err = err};
    int status = everywhere(&s, &poise__op_linear, 1, stack_outputs);

    if (status == 0)
        status = everywhere(&s, &poise__op_linear_weights, 1, stack_weights);
    if (status == 0)
        status = everywhere(&s, &poise__op_weighted_sum, 0, stack_sum);
    if (status == 0)
        status = everywhere(&s, &poise__op_add, 0, stack_sum);
    free(s.readers);
    free(s.first);
    if (status == 0 && s.gone > 0) /* copies side by side that were made twice */
        status = poise_rewrite_common(g, err);
    return status < 0 ? -1 : s.gone;
}
