/* same.h -- two networks are the same, node by node. */
#ifndef TEST_MODELS_SAME_H
#define TEST_MODELS_SAME_H

#include "net.h"

static inline void same_value(const poise_value *a, const poise_value *b)
{
    assert_string_equal(a->name, b->name);
    assert_int_equal(a->dtype, b->dtype);
    assert_int_equal(a->rank, b->rank);
    for (int d = 0; d < a->rank; d++)
        assert_int_equal(a->dim[d], b->dim[d]);
}

static inline void same_node(const net *x, const net *y, int k)
{
    const poise_node *a = poise_graph_node(x->g, k), *b = poise_graph_node(y->g, k);
    assert_string_equal(a->op->name, b->op->name);
    assert_string_equal(a->layer, b->layer);
    assert_int_equal(a->nin, b->nin);
    assert_int_equal(a->nout, b->nout);
    assert_memory_equal(a->attr.f, b->attr.f, sizeof(a->attr.f));
    assert_memory_equal(a->attr.i, b->attr.i, sizeof(a->attr.i));
    for (int i = 0; i < a->nin; i++) {
        assert_int_equal(a->in[i] == NULL, b->in[i] == NULL);
        if (!a->in[i])
            continue;
        assert_int_equal(a->in[i]->id, b->in[i]->id);
        same_value(a->in[i], b->in[i]);
    }
    for (int i = 0; i < a->nout; i++) {
        assert_int_equal(a->out[i]->id, b->out[i]->id);
        same_value(a->out[i], b->out[i]);
    }
}

static inline void same_network(const net *x, const net *y)
{
    assert_int_equal(poise_graph_nodes(x->g), poise_graph_nodes(y->g));
    for (int k = 0; k < poise_graph_nodes(x->g); k++)
        same_node(x, y, k);
    assert_int_equal(poise_store_count(x->store), poise_store_count(y->store));
    for (int k = 0; k < poise_store_count(x->store); k++) {
        const poise_parameter *p = poise_store_at(x->store, k), *q = poise_store_at(y->store, k);
        assert_string_equal(p->name, q->name);
        assert_int_equal(p->kind, q->kind);
        assert_int_equal(p->count, q->count);
        assert_memory_equal(&p->init, &q->init, sizeof(p->init));
    }
    for (int t = 0; t < x->n.ntask; t++) {
        assert_int_equal(x->n.output[t]->id, y->n.output[t]->id);
        assert_int_equal(x->n.loss[t]->id, y->n.loss[t]->id);
    }
}

#endif
