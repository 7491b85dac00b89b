/* graph.c -- building a graph: values, parameters, nodes. */
#include "graph_parts.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

poise_graph *poise_graph_new(poise_store *store, poise_error *err)
{
    poise_graph *g = poise__calloc(1, sizeof *g, err);
    if (g && !(g->arena = poise__arena_new(err))) {
        free(g);
        g = NULL;
    }
    if (g) {
        g->store = store;
        g->layer = "";
    }
    return g;
}

void poise_graph_free(poise_graph *g)
{
    if (!g)
        return;
    poise__arena_free(g->arena);
    free(g->node);
    free(g->value);
    free(g->output);
    free(g->param);
    free(g);
}

poise_store *poise_graph_store(const poise_graph *g)
{
    return g->store;
}

int poise_graph_at(poise_graph *g, const char *layer, poise_place place, poise_error *err)
{
    const char *name = g->layer;
    if (strcmp(layer, name) != 0 && !(name = poise__arena_text(g->arena, layer, err)))
        return -1;
    if (place.file && g->place.file && strcmp(place.file, g->place.file) == 0)
        place.file = g->place.file;
    else if (place.file && !(place.file = poise__arena_text(g->arena, place.file, err)))
        return -1;
    g->layer = name;
    g->place = place;
    return 0;
}

void poise_graph_part(poise_graph *g, int part)
{
    g->part = part;
}

void poise_graph_train(poise_graph *g, int training)
{
    g->training = training;
}

int poise_graph_training(const poise_graph *g)
{
    return g->training;
}

void poise_graph_sum_with(poise_graph *g, const poise_op *add)
{
    g->sum = add;
}

void poise_graph_ones_with(poise_graph *g, const poise_op *fill)
{
    g->fill = fill;
}

/* ---- values ---- */

size_t poise_dtype_size(poise_dtype t)
{
    return t == POISE_F64 ? 8 : 4;
}

static const char *dtype_name(poise_dtype t)
{
    switch (t) {
    case POISE_F32:
        return "f32";
    case POISE_I32:
        return "i32";
    case POISE_F64:
        return "f64";
    }
    return NULL;
}

int64_t poise_value_count(const poise_value *v)
{
    int64_t n = 1;
    for (int k = 0; k < v->rank; k++)
        n *= v->dim[k];
    return n;
}

const char *poise_value_text(const poise_value *v, char *buf, size_t size)
{
    if (size == 0)
        return buf;
    const char *type = dtype_name(v->dtype);
    size_t at = (size_t)snprintf(buf, size, "%s[", type ? type : "?");
    for (int k = 0; k < v->rank && at < size; k++)
        at += (size_t)snprintf(buf + at, size - at, k ? ", %lld" : "%lld", (long long)v->dim[k]);
    if (at < size)
        snprintf(buf + at, size - at, "]");
    return buf;
}

/* Is the shape one that memory can be had for?  NULL, or what is wrong with it in buf. */
static const char *bad_shape(const poise_value *v, char *buf, size_t size)
{
    if (!dtype_name(v->dtype)) {
        snprintf(buf, size, "has the unknown type %d", (int)v->dtype);
        return buf;
    }
    if (v->rank < 1 || v->rank > POISE_MAX_RANK) {
        snprintf(buf, size, "has %d dimensions; 1 to %d are possible", v->rank,
                 (int)POISE_MAX_RANK);
        return buf;
    }
    int64_t room = (int64_t)((SIZE_MAX < INT64_MAX ? SIZE_MAX : INT64_MAX) / 16);
    for (int k = 0; k < v->rank; k++) {
        if (v->dim[k] < 1) {
            snprintf(buf, size, "has dimension %d of %lld; it must be 1 or more", k,
                     (long long)v->dim[k]);
            return buf;
        }
        room /= v->dim[k];
        if (room == 0) {
            snprintf(buf, size, "is larger than this machine can address; make it smaller");
            return buf;
        }
    }
    return NULL;
}

int poise__graph_owns(const poise_graph *g, const poise_value *v)
{
    return v->id < g->nvalue && g->value[v->id] == v;
}

/* Room for n more values, so that adding them cannot fail. */
static int reserve(poise_graph *g, size_t n, poise_error *err)
{
    if (g->nvalue + n > INT32_MAX / 2 || g->nnode >= INT32_MAX / 2)
        return poise_fail(err, POISE_E_MEMORY, g->place, "the graph has too many nodes");
    poise_value **value =
        poise__grow(g->value, &g->value_cap, g->nvalue + n, sizeof(*g->value), err);
    if (!value)
        return -1;
    g->value = value;
    unsigned char *output = poise__grow(g->output, &g->output_cap, g->nvalue + n, 1, err);
    if (!output)
        return -1;
    g->output = output;
    return 0;
}

static void append_value(poise_graph *g, poise_value *v)
{
    v->id = (uint32_t)g->nvalue;
    g->value[g->nvalue] = v;
    g->output[g->nvalue] = 0;
    g->nvalue++;
}

static poise_value *new_value(poise_graph *g, const char *name, poise_error *err)
{
    poise_value *v = poise__arena_alloc(g->arena, 1, sizeof *v, err);
    if (v) {
        v->name = name;
        v->param = -1;
    }
    return v;
}

/* An input or a parameter. */
static poise_value *new_leaf(poise_graph *g, const char *name, poise_role role, poise_dtype dtype,
                             int rank, const int64_t *dim, poise_error *err)
{
    poise_value *v = new_value(g, poise__arena_text(g->arena, name, err), err);
    if (!v || !v->name)
        return NULL;
    v->role = role;
    v->dtype = dtype;
    v->rank = rank;
    if (rank >= 1 && rank <= POISE_MAX_RANK)
        memcpy(v->dim, dim, (size_t)rank * sizeof *dim);
    char why[160];
    if (bad_shape(v, why, sizeof why)) {
        poise_fail(err, POISE_E_SHAPE, g->place, "\"%s\" %s", name, why);
        return NULL;
    }
    if (reserve(g, 1, err) < 0)
        return NULL;
    append_value(g, v);
    return v;
}

poise_value *poise_input(poise_graph *g, const char *name, poise_dtype dtype, int rank,
                         const int64_t *dim, poise_error *err)
{
    return new_leaf(g, name, POISE_INPUT, dtype, rank, dim, err);
}

poise_value *poise_weight(poise_graph *g, const char *name, poise_param_kind kind, int rank,
                          const int64_t *dim, poise_init init, poise_error *err)
{
    int index = poise_store_add(g->store, name, kind, rank, dim, init, g->place, err);
    if (index < 0)
        return NULL;
    size_t old = g->param_cap;
    poise_value **param =
        poise__grow(g->param, &g->param_cap, (size_t)index + 1, sizeof(*g->param), err);
    if (!param)
        return NULL;
    g->param = param;
    for (; old < g->param_cap; old++)
        param[old] = NULL;
    if (!param[index]) {
        poise_value *v = new_leaf(g, name, POISE_PARAM, POISE_F32, rank, dim, err);
        if (!v)
            return NULL;
        v->param = index;
        param[index] = v;
    }
    return param[index];
}

poise_value *poise_resolve(poise_value *v)
{
    while (v && v->forward)
        v = v->forward;
    return v;
}

/* ---- nodes ---- */

int poise__is_view(const poise_node *n)
{
    return (n->op->flags & POISE_OP_VIEW) != 0;
}

poise_value *poise__view_root(poise_value *v)
{
    v = poise_resolve(v);
    while (v && v->producer && poise__is_view(v->producer))
        v = poise_resolve(v->producer->in[0]);
    return v;
}

size_t poise__value_bytes(const poise_value *v)
{
    return (size_t)poise_value_count(v) * poise_dtype_size(v->dtype);
}

int poise_node_fail(const poise_node *n, poise_code code, poise_error *err, const char *fmt, ...)
{
    char text[sizeof err->message];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return poise_fail(err, code, n->place, "%s%s%s: %s", n->layer, *n->layer ? ", " : "",
                      n->op->name, text);
}

static int check_arity(const poise_node *n, poise_error *err)
{
    const poise_op *op = n->op;
    if (n->nin >= op->min_in && (op->max_in < 0 || n->nin <= op->max_in))
        return 0;
    if (op->max_in < 0)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%d inputs were given; %d or more are wanted",
                               n->nin, op->min_in);
    if (op->max_in == op->min_in)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%d inputs were given; %d are wanted", n->nin,
                               op->min_in);
    return poise_node_fail(n, POISE_E_SHAPE, err, "%d inputs were given; %d to %d are wanted",
                           n->nin, op->min_in, op->max_in);
}

/* What the operator's shape rule has set. */
static int check_outputs(const poise_node *n, poise_error *err)
{
    char why[160], a[80], b[80];
    for (int k = 0; k < n->nout; k++)
        if (bad_shape(n->out[k], why, sizeof why))
            return poise_node_fail(n, POISE_E_SHAPE, err, "output %d %s", k, why);
    if (!poise__is_view(n))
        return 0;
    if (n->nin < 1 || n->nout != 1 || !n->in[0])
        return poise_node_fail(n, POISE_E_SHAPE, err, "a view needs an input and one output");
    if (n->in[0]->dtype != n->out[0]->dtype ||
        poise_value_count(n->in[0]) != poise_value_count(n->out[0]))
        return poise_node_fail(n, POISE_E_SHAPE, err,
                               "%s cannot be seen as %s: the elements differ "
                               "in number or type",
                               poise_value_text(n->in[0], a, sizeof a),
                               poise_value_text(n->out[0], b, sizeof b));
    return 0;
}

/* The node with its arrays and unnumbered outputs, not yet part of the graph. */
static poise_node *new_node(poise_graph *g, const poise_op *op, int nin, poise_value *const *in,
                            const poise_attr *attr, poise_error *err)
{
    poise_node *n = poise__arena_alloc(g->arena, 1, sizeof *n, err);
    if (!n)
        return NULL;
    n->op = op;
    n->nin = nin;
    n->nout = op->nout > 0 ? op->nout : attr ? (int)attr->i[0] : 0;
    n->layer = g->layer;
    n->part = g->part;
    n->place = g->place;
    if (attr)
        n->attr = *attr;
    n->in = poise__arena_alloc(g->arena, (size_t)(nin > 0 ? nin : 0), sizeof(*n->in), err);
    n->out = poise__arena_alloc(g->arena, (size_t)n->nout, sizeof(*n->out), err);
    if (!n->in || !n->out)
        return NULL;
    for (int k = 0; k < nin; k++)
        n->in[k] = poise_resolve(in[k]);
    for (int k = 0; k < n->nout; k++) {
        poise_value *v = new_value(g, g->layer, err);
        if (!v)
            return NULL;
        v->role = POISE_COMPUTED;
        v->producer = n;
        v->slot = k;
        n->out[k] = v;
    }
    return n;
}

poise_node *poise_apply(poise_graph *g, const poise_op *op, int nin, poise_value *const *in,
                        const poise_attr *attr, poise_error *err)
{
    poise_node *n = new_node(g, op, nin, in, attr, err);
    if (!n || check_arity(n, err) < 0)
        return NULL;
    for (int k = 0; k < nin; k++) {
        if (n->in[k] && !poise__graph_owns(g, n->in[k])) {
            poise_node_fail(n, POISE_E_SHAPE, err, "input %d is a value of another graph", k);
            return NULL;
        }
    }
    if (op->shape(n, err) < 0 || check_outputs(n, err) < 0)
        return NULL;
    poise_node **node = poise__grow(g->node, &g->node_cap, g->nnode + 1, sizeof(*node), err);
    if (!node)
        return NULL;
    g->node = node;
    if (reserve(g, (size_t)n->nout, err) < 0)
        return NULL;
    n->id = (uint32_t)g->nnode;
    g->node[g->nnode++] = n;
    for (int k = 0; k < n->nout; k++)
        append_value(g, n->out[k]);
    return n;
}

static void reverse(poise_node **a, size_t n)
{
    for (size_t i = 0; i < n / 2; i++) {
        poise_node *t = a[i];
        a[i] = a[n - 1 - i];
        a[n - 1 - i] = t;
    }
}

void poise__graph_settle(poise_graph *g, size_t first, size_t at)
{
    if (at >= first)
        return;
    reverse(g->node + at, first - at); /* a rotation by three reversals */
    reverse(g->node + first, g->nnode - first);
    reverse(g->node + at, g->nnode - at);
    for (size_t k = at; k < g->nnode; k++)
        g->node[k]->id = (uint32_t)k;
}

int poise_graph_output(poise_graph *g, poise_value *v, poise_error *err)
{
    v = poise_resolve(v);
    if (!v || !poise__graph_owns(g, v))
        return poise_fail(err, POISE_E_SHAPE, g->place,
                          "what is to be an output is not a value of this graph");
    g->output[v->id] = 1;
    return 0;
}

int poise_graph_is_output(const poise_graph *g, const poise_value *v)
{
    while (v && v->forward)
        v = v->forward;
    return v && poise__graph_owns(g, v) && g->output[v->id];
}

int poise_graph_nodes(const poise_graph *g)
{
    return (int)g->nnode;
}

poise_node *poise_graph_node(const poise_graph *g, int index)
{
    return g->node[index];
}

int poise_graph_values(const poise_graph *g)
{
    return (int)g->nvalue;
}

poise_value *poise_graph_value(const poise_graph *g, int index)
{
    return g->value[index];
}

const char *poise_graph_text(poise_graph *g, poise_error *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    const char *text = poise__arena_vprintf(g->arena, err, fmt, args);
    va_end(args);
    return text;
}
