/* shape.c -- checks of inputs, shapes of outputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "shape.h"

static const char *const types[] = {[POISE_F32] = "f32", [POISE_I32] = "i32", [POISE_F64] = "f64"};

int poise__want(const poise_node *n, int k, const char *what, poise_dtype dtype, int rank,
                poise_error *err)
{
    char text[96];
    if (k >= n->nin || n->in[k] == NULL)
        return poise_node_fail(n, POISE_E_SHAPE, err, "input %d (%s) is missing", k, what);
    const poise_value *v = n->in[k];
    if (v->dtype != dtype)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%s is %s; its type must be %s", what,
                               poise_value_text(v, text, sizeof text), types[dtype]);
    if (rank != 0 && v->rank != rank)
        return poise_node_fail(n, POISE_E_SHAPE, err, "%s is %s; it must have %d dimension%s", what,
                               poise_value_text(v, text, sizeof text), rank, rank == 1 ? "" : "s");
    return 0;
}

int poise__want_dim(const poise_node *n, int k, const char *what, int axis, int64_t size,
                    const char *why, poise_error *err)
{
    char text[96];
    if (n->in[k]->dim[axis] == size)
        return 0;
    return poise_node_fail(n, POISE_E_SHAPE, err, "%s is %s; its dimension %d must be %lld, %s",
                           what, poise_value_text(n->in[k], text, sizeof text), axis,
                           (long long)size, why);
}

int poise__want_same(const poise_node *n, int k, const char *what, int j, const char *other,
                     poise_error *err)
{
    char text[96], wanted[96];
    const poise_value *a = n->in[k], *b = n->in[j];
    if (a->dtype == b->dtype && a->rank == b->rank &&
        memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0)
        return 0;
    return poise_node_fail(n, POISE_E_SHAPE, err, "%s is %s but %s is %s; they must be the same",
                           what, poise_value_text(a, text, sizeof text), other,
                           poise_value_text(b, wanted, sizeof wanted));
}

int poise__want_count(const poise_node *n, int k, const char *what, int64_t count, const char *why,
                      poise_error *err)
{
    char text[96];
    if (poise_value_count(n->in[k]) == count)
        return 0;
    return poise_node_fail(n, POISE_E_SHAPE, err, "%s is %s; it must have %lld element%s, %s", what,
                           poise_value_text(n->in[k], text, sizeof text), (long long)count,
                           count == 1 ? "" : "s", why);
}

int poise__want_shape(const poise_node *n, int at, int64_t *count, poise_error *err)
{
    const int64_t rank = n->attr.i[at], *dim = &n->attr.i[at + 1];
    if (rank < 1 || rank > POISE_MAX_RANK)
        return poise_node_fail(n, POISE_E_SHAPE, err, "a shape of %lld dimensions; 1 to %d exist",
                               (long long)rank, POISE_MAX_RANK);
    *count = 1;
    for (int d = 0; d < rank; d++) {
        if (dim[d] < 1 || *count > INT64_MAX / 16 / dim[d])
            return poise_node_fail(n, POISE_E_SHAPE, err,
                                   "dimension %d of the shape is %lld; it must be 1 or more, and "
                                   "the whole must fit memory",
                                   d, (long long)dim[d]);
        *count *= dim[d];
    }
    return 0;
}

poise_attr poise__attr_shape(int rank, const int64_t *dim)
{
    poise_attr a = {.i = {rank}};
    for (int d = 0; d < rank && rank <= POISE_MAX_RANK; d++)
        a.i[1 + d] = dim[d];
    return a;
}

void poise__out(poise_node *n, int k, poise_dtype dtype, int rank, const int64_t *dim)
{
    poise_value *v = n->out[k];
    v->dtype = dtype;
    v->rank = rank;
    for (int d = 0; d < POISE_MAX_RANK; d++)
        v->dim[d] = d < rank ? dim[d] : 0;
}

void poise__out_like(poise_node *n, int k, const poise_value *v)
{
    poise__out(n, k, v->dtype, v->rank, v->dim);
}

int poise__shape_like_first(poise_node *n, poise_error *err)
{
    if (poise__want(n, 0, "x", POISE_F32, 0, err) < 0)
        return -1;
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

int poise__shape_all_equal(poise_node *n, poise_error *err)
{
    char what[32];
    for (int k = 0; k < n->nin; k++) {
        snprintf(what, sizeof what, "input %d", k);
        if (poise__want(n, k, what, POISE_F32, 0, err) < 0 ||
            poise__want_same(n, k, what, 0, "input 0", err) < 0)
            return -1;
    }
    poise__out_like(n, 0, n->in[0]);
    return 0;
}

int64_t poise__extent(const poise_value *v, int from, int to)
{
    int64_t n = 1;
    for (int d = from; d < to; d++)
        n *= v->dim[d];
    return n;
}

poise_value *poise__apply(poise_graph *g, const poise_op *op, int need, int nin,
                          poise_value *const *in, const poise_attr *attr, poise_error *err)
{
    for (int k = 0; k < need; k++)
        if (in[k] == NULL)
            return NULL;
    poise_node *n = poise_apply(g, op, nin, in, attr, err);
    return n == NULL ? NULL : n->out[0];
}

int poise__gradient(poise_graph *g, const poise_op *op, int nin, poise_value *const *in,
                    const poise_attr *attr, poise_gradient *din, poise_error *err)
{
    poise_node *n = poise_apply(g, op, nin, in, attr, err);
    if (n == NULL)
        return -1;
    din->value = n->out[0];
    return 0;
}

poise_value *poise__apply_first(poise_graph *g, const poise_op *op, poise_value *first, int n,
                                poise_value *const *x, poise_error *err)
{
    poise_value **in = poise__calloc((size_t)n + 1, sizeof(poise_value *), err);
    if (in == NULL)
        return NULL;
    in[0] = first;
    memcpy(in + 1, x, (size_t)n * sizeof(poise_value *));
    poise_value *y = poise__apply(g, op, n + 1, n + 1, in, NULL, err);
    free(in);
    return y;
}

int poise__gradient_with(poise_graph *g, const poise_op *op, const poise_node *n,
                         poise_value *first, poise_gradient *din, poise_error *err)
{
    din->value = poise__apply_first(g, op, first, n->nin - 1, n->in + 1, err);
    return din->value == NULL ? -1 : 0;
}
