/* random_graph.h -- graphs of toy operators, drawn from a seed: every shape of sharing that a plan
 * has to get right (views of views, in-place chains, values read twice, several outputs, dead ends,
 * gradients that are views, inputs or used twice). */
#ifndef RANDOM_GRAPH_H
#define RANDOM_GRAPH_H

#include "core/random.h"
#include "toy_ops.h"

#include <stdio.h>

enum { RANDOM_PARAMS = 6, RANDOM_VALUES = 256 };

typedef struct random_graph {
    poise_store *store;
    poise_graph *g;
    poise_value *gradient[RANDOM_PARAMS]; /* [options.ngradient] */
    int param[RANDOM_PARAMS];
    poise_session_options options;
    uint64_t seed, drawn;
} random_graph;

static inline int random_below(random_graph *r, int n)
{
    return (int)(poise_random_bits(r->seed, 1, 0, r->drawn++) % (uint32_t)n);
}

static inline const int64_t *random_dims(int size)
{
    static const int64_t dims[3][2] = {{1, 1}, {4, 6}, {8, 20}};
    return dims[size];
}

/* A value with as many elements as size says; any of those made so far, or a new fill. */
static inline poise_value *random_value(random_graph *r, int size)
{
    int64_t want = random_dims(size)[0] * random_dims(size)[1];
    int n = poise_graph_values(r->g);
    for (int tries = 0; tries < 20; tries++) {
        /* Late values oftener, so that there are chains. */
        int k = random_below(r, 2) ? n - 1 - random_below(r, n < 5 ? n : 5) : random_below(r, n);
        poise_value *v = poise_graph_value(r->g, k);
        if (poise_value_count(v) == want)
            return v;
    }
    return toy_shaped(r->g, &toy_fill, NULL, 0.5 + 0.01 * n, 2, random_dims(size), NULL);
}

/* The value as [dims], through a view if it has another shape. */
static inline poise_value *random_shaped(random_graph *r, poise_value *v, int size)
{
    const int64_t *d = random_dims(size);
    if (v->rank == 2 && v->dim[0] == d[0])
        return v;
    return toy_shaped(r->g, &toy_reshape, v, 0, 2, d, NULL);
}

static inline void random_node(random_graph *r)
{
    int size = random_below(r, 3);
    poise_value *a = random_value(r, size);
    int64_t flat = poise_value_count(a);
    switch (random_below(r, 10)) {
    case 0:
        toy_shaped(r->g, &toy_reshape, a, 0, 1, &flat, NULL);
        return;
    case 1:
    case 2:
        toy1(r->g, &toy_square, a, NULL);
        return;
    case 3:
    case 4:
    case 5:
        toy2(r->g, &toy_add, random_shaped(r, a, size),
             random_shaped(r, random_value(r, size), size), NULL);
        return;
    case 6:
        toy2(r->g, &toy_mul, random_shaped(r, a, size),
             random_shaped(r, random_value(r, size), size), NULL);
        return;
    case 7:
        poise_apply(r->g, &toy_split, 1, &a, NULL, NULL);
        return;
    case 8:
        toy1(r->g, &toy_sum, a, NULL);
        return;
    default: {
        poise_value *one = random_value(r, 0);
        toy_shaped(r->g, &toy_spread, one, 0, 2, random_dims(size), NULL);
        return;
    }
    }
}

static inline void random_graph_make(random_graph *r, uint64_t seed)
{
    *r = (random_graph){.seed = seed};
    r->store = poise_store_new(NULL);
    r->g = poise_graph_new(r->store, NULL);
    for (int k = 0; k < RANDOM_PARAMS; k++) {
        char name[16];
        snprintf(name, sizeof name, "p%d", k);
        poise_weight(r->g, name, POISE_DENSE, 2, random_dims(k % 3),
                     (poise_init){.kind = POISE_INIT_UNIFORM, .value = 0.5}, NULL);
    }
    for (int k = 0; k < 3; k++)
        poise_input(r->g, "x", POISE_F32, 2, random_dims(k), NULL);
    int nodes = 3 + random_below(r, 40);
    while (poise_graph_nodes(r->g) < nodes)
        random_node(r);
    for (int k = 0; k < RANDOM_PARAMS; k++) {
        if (random_below(r, 3) == 0)
            continue;
        r->gradient[r->options.ngradient] = random_value(r, k % 3);
        r->param[r->options.ngradient++] = k;
    }
    r->options.gradient = r->gradient;
    r->options.param = r->param;
    int outputs = 1 + random_below(r, 4), n = poise_graph_values(r->g);
    for (int k = 0; k < outputs; k++)
        poise_graph_output(r->g, poise_graph_value(r->g, random_below(r, n)), NULL);
    for (int k = 0; k < r->options.ngradient; k++)
        if (random_below(r, 2))
            poise_graph_output(r->g, r->gradient[k], NULL);
    poise_store_seal(r->store, seed, NULL);
}

static inline void random_graph_free(random_graph *r)
{
    poise_graph_free(r->g);
    poise_store_free(r->store);
}

#endif
