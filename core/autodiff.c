/* autodiff.c -- gradients as more nodes of the same graph.
 *
 * Forwards: mark what depends on an x.  Backwards: nodes in reverse order, each handed the sum of
 * what its readers contributed.  Contributions are added in the order of their arrival, as they
 * arrive, so the sum is the same for the same graph.
 */
#include "graph_parts.h"

#include <stdlib.h>
#include <string.h>

typedef struct walk {
    poise_graph *g;
    unsigned char *depends; /* [nvalue] on an x (an x itself included) */
    unsigned char *is_x;    /* [nvalue] */
    poise_gradient *grad;   /* [nvalue] */
    poise_error *err;
} walk;

/* Where to say that something is wrong: at the node that makes v, or the leaf's name. */
static int fail_at(const poise_value *v, poise_error *err, const char *what)
{
    if (v->producer)
        return poise_node_fail(v->producer, POISE_E_GRADIENT, err, "%s", what);
    return poise_fail(err, POISE_E_GRADIENT, POISE_NOWHERE, "\"%s\": %s", v->name, what);
}

static int same_shape(const poise_value *a, const poise_value *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim) == 0;
}

static poise_value *sum(walk *w, poise_value *a, poise_value *b)
{
    if (!w->g->sum) {
        poise_fail(w->err, POISE_E_GRADIENT, w->g->place,
                   "two gradients are to be added and the graph was not told with which operator; "
                   "call poise_graph_sum_with first");
        return NULL;
    }
    poise_node *n = poise_apply(w->g, w->g->sum, 2, (poise_value *[]){a, b}, NULL, w->err);
    return n ? n->out[0] : NULL;
}

/* Add a contribution to the gradient of v. */
static int contribute(walk *w, poise_value *v, poise_gradient d)
{
    poise_gradient *have = &w->grad[v->id];
    if (d.rows || have->rows) {
        if (have->value)
            return fail_at(v, w->err,
                           "two gradients of one table cannot be added; use it in one embedding");
        if (!w->is_x[v->id])
            return fail_at(v, w->err,
                           "a gradient by rows belongs to a table, which is not "
                           "computed; look rows up in a parameter");
    } else if (have->value) {
        d.value = sum(w, have->value, d.value);
    }
    *have = d;
    return d.value ? 0 : -1;
}

static poise_value *ones(walk *w, const poise_value *like)
{
    if (!w->g->fill) {
        fail_at(like, w->err,
                "its gradient is to start from ones and the graph was not told how "
                "to make them; call poise_graph_ones_with first");
        return NULL;
    }
    if (like->producer) {
        w->g->layer = like->producer->layer;
        w->g->place = like->producer->place;
    }
    poise_attr attr = {.f = {1.0}, .i = {like->rank}};
    memcpy(attr.i + 1, like->dim, (size_t)like->rank * sizeof *like->dim);
    poise_node *n = poise_apply(w->g, w->g->fill, 0, NULL, &attr, w->err);
    return n ? n->out[0] : NULL;
}

static void mark_dependence(walk *w, size_t nnode)
{
    for (size_t k = 0; k < nnode; k++) {
        const poise_node *n = w->g->node[k];
        if (n->dead || (n->op->flags & POISE_OP_STOP))
            continue;
        int depends = 0;
        for (int i = 0; i < n->nin && !depends; i++)
            depends = n->in[i] && w->depends[poise_resolve(n->in[i])->id];
        for (int o = 0; o < n->nout && depends; o++)
            if (n->out[o]->dtype == POISE_F32)
                w->depends[n->out[o]->id] = 1;
    }
}

static int seed(walk *w, int ny, poise_value *const *y, poise_value *const *dy)
{
    for (int j = 0; j < ny; j++) {
        poise_value *v = poise_resolve(y[j]);
        if (!v || !poise__graph_owns(w->g, v))
            return poise_fail(w->err, POISE_E_GRADIENT, w->g->place,
                              "y[%d] is not a value of this graph", j);
        if (v->dtype != POISE_F32)
            return fail_at(v, w->err, "only f32 values have gradients");
        if (!w->depends[v->id])
            continue;
        poise_value *d = dy ? poise_resolve(dy[j]) : NULL;
        char a[80], b[80];
        if (d && !same_shape(d, v))
            return poise_fail(w->err, POISE_E_GRADIENT, w->g->place,
                              "dy[%d] is %s and y[%d] is %s; the two must be alike", j,
                              poise_value_text(d, a, sizeof a), j,
                              poise_value_text(v, b, sizeof b));
        if (!d && !(d = ones(w, v)))
            return -1;
        if (contribute(w, v, (poise_gradient){d, NULL}) < 0)
            return -1;
    }
    return 0;
}

/* The backward rule of n, given the gradients of its outputs: contributes to its inputs. */
static int apply_rule(walk *w, const poise_node *n, poise_value *const *dout, const int *want,
                      poise_gradient *din)
{
    if (!n->op->backward)
        return poise_node_fail(n, POISE_E_GRADIENT, w->err,
                               "this operator has no gradient, and one is needed here; end the "
                               "path with stop_gradient or choose another operator");
    if (n->op->backward(w->g, n, dout, want, din, w->err) < 0)
        return -1;
    for (int i = 0; i < n->nin; i++) {
        if (!want[i] || !din[i].value)
            continue;
        poise_value *v = poise_resolve(n->in[i]);
        char a[80], b[80];
        if (!din[i].rows && !same_shape(din[i].value, v))
            return poise_node_fail(n, POISE_E_GRADIENT, w->err,
                                   "its rule made a gradient %s for input %d, which is %s",
                                   poise_value_text(din[i].value, a, sizeof a), i,
                                   poise_value_text(v, b, sizeof b));
        if (contribute(w, v, din[i]) < 0)
            return -1;
    }
    return 0;
}

static int visit(walk *w, const poise_node *n)
{
    if (n->dead || (n->op->flags & POISE_OP_STOP))
        return 0;
    size_t nin = (size_t)n->nin, nout = (size_t)n->nout;
    int any_out = 0, any_in = 0, status = -1;
    poise_value **dout = poise__calloc(nout, sizeof(*dout), w->err);
    int *want = dout ? poise__calloc(nin, sizeof *want, w->err) : NULL;
    poise_gradient *din = want ? poise__calloc(nin, sizeof *din, w->err) : NULL;
    if (din) {
        for (size_t o = 0; o < nout; o++)
            if (!w->is_x[n->out[o]->id] && (dout[o] = w->grad[n->out[o]->id].value))
                any_out = 1;
        for (size_t i = 0; i < nin; i++)
            any_in |= want[i] = n->in[i] && w->depends[poise_resolve(n->in[i])->id];
        if (!any_out || !any_in) {
            status = 0;
        } else {
            w->g->layer = n->layer;
            w->g->place = n->place;
            status = apply_rule(w, n, dout, want, din);
        }
    }
    free(dout);
    free(want);
    free(din);
    return status;
}

static int mark_targets(walk *w, int nx, poise_value *const *x)
{
    for (int k = 0; k < nx; k++) {
        poise_value *v = poise_resolve(x[k]);
        if (!v || !poise__graph_owns(w->g, v))
            return poise_fail(w->err, POISE_E_GRADIENT, w->g->place,
                              "x[%d] is not a value of this graph", k);
        if (v->dtype != POISE_F32)
            return fail_at(v, w->err, "only f32 values have gradients");
        w->is_x[v->id] = w->depends[v->id] = 1;
    }
    return 0;
}

int poise_backward(poise_graph *g, int ny, poise_value *const *y, poise_value *const *dy, int nx,
                   poise_value *const *x, poise_gradient *dx, poise_error *err)
{
    size_t nvalue = g->nvalue, nnode = g->nnode;
    walk w = {.g = g, .err = err};
    int status = -1;
    const char *layer = g->layer;
    poise_place place = g->place;

    w.depends = poise__calloc(nvalue, 1, err);
    w.is_x = w.depends ? poise__calloc(nvalue, 1, err) : NULL;
    w.grad = w.is_x ? poise__calloc(nvalue, sizeof *w.grad, err) : NULL;
    if (!w.grad || mark_targets(&w, nx, x) < 0)
        goto done;
    mark_dependence(&w, nnode);
    if (seed(&w, ny, y, dy) < 0)
        goto done;
    for (size_t k = nnode; k-- > 0;)
        if (visit(&w, g->node[k]) < 0)
            goto done;
    for (int k = 0; k < nx; k++)
        dx[k] = w.grad[poise_resolve(x[k])->id];
    status = 0;
done:
    g->layer = layer;
    g->place = place;
    free(w.depends);
    free(w.is_x);
    free(w.grad);
    return status;
}
