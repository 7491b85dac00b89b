/* networks.h -- small networks built through the C interface, for the tests of train/. */
#ifndef POISE_TEST_NETWORKS_H
#define POISE_TEST_NETWORKS_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/random.h"
#include "ops/ops.h"

enum { ROWS = 13, TASKS = 2, NUMBERS = 3, IDS = 2, VOCABULARY = 5, DIM = 2 };

typedef struct network {
    poise_store *store;
    poise_graph *graph;
    poise_value *numeric, *ids, *features;
    poise_value *label[TASKS], *weight[TASKS], *loss[TASKS], *labelled[TASKS];
    const char *last; /* the names of the last shared layer's parameters begin with this */
    poise_error err;
} network;

static poise_value *net_weight(network *n, const char *name, poise_param_kind kind, int rank,
                               int64_t a, int64_t b, int64_t c)
{
    poise_init init = {.kind = POISE_INIT_NORMAL, .value = 0.6};
    return poise_weight(n->graph, name, kind, rank, (int64_t[]){a, b, c}, init, &n->err);
}

static poise_value *net_dense(network *n, const char *name, poise_value *x, int64_t units)
{
    char w[64], b[64];
    snprintf(w, sizeof w, "%s/weight", name);
    snprintf(b, sizeof b, "%s/bias", name);
    return poise_linear(n->graph, x, net_weight(n, w, POISE_DENSE, 2, units, x->dim[1], 0),
                        net_weight(n, b, POISE_DENSE, 1, units, 0, 0), &n->err);
}

static poise_value *net_experts(network *n, const char *name, poise_value *x, int64_t experts,
                                int64_t units)
{
    char w[64], b[64];
    snprintf(w, sizeof w, "%s/weight", name);
    snprintf(b, sizeof b, "%s/bias", name);
    return poise_relu(
        n->graph,
        poise_batched_linear(n->graph, x,
                             net_weight(n, w, POISE_DENSE, 3, experts, units, x->dim[x->rank - 1]),
                             net_weight(n, b, POISE_DENSE, 2, experts, units, 0), &n->err),
        &n->err);
}

static poise_value *net_mixture(network *n, const char *name, poise_value *gate_input, int count,
                                poise_value *const *experts)
{
    int64_t all = 0;
    for (int k = 0; k < count; k++)
        all += experts[k]->dim[1];
    return poise_mixture(n->graph,
                         poise_softmax(n->graph, net_dense(n, name, gate_input, all), &n->err),
                         count, experts, &n->err);
}

static void net_task(network *n, int t, poise_value *x)
{
    char name[32];
    poise_value *h;

    snprintf(name, sizeof name, "tower/%d", t);
    h = poise_relu(n->graph, net_dense(n, name, x, 4), &n->err);
    snprintf(name, sizeof name, "logit/%d", t);
    h = net_dense(n, name, h, 1);
    snprintf(name, sizeof name, "label/%d", t);
    n->label[t] = poise_input(n->graph, name, POISE_F32, 1, (int64_t[]){ROWS}, &n->err);
    snprintf(name, sizeof name, "weight/%d", t);
    n->weight[t] = poise_input(n->graph, name, POISE_F32, 1, (int64_t[]){ROWS}, &n->err);
    n->loss[t] = poise_loss_bce(n->graph, h, n->label[t], n->weight[t], &n->labelled[t], &n->err);
}

static void net_begin(network *n)
{
    poise_value *table[IDS];

    memset(n, 0, sizeof *n);
    n->store = poise_store_new(&n->err);
    n->graph = poise_network_graph(n->store, &n->err);
    n->numeric =
        poise_input(n->graph, "numeric", POISE_F32, 2, (int64_t[]){ROWS, NUMBERS}, &n->err);
    n->ids = poise_input(n->graph, "ids", POISE_I32, 2, (int64_t[]){ROWS, IDS}, &n->err);
    table[0] = net_weight(n, "embedding/a", POISE_TABLE, 2, VOCABULARY, DIM, 0);
    table[1] = net_weight(n, "embedding/b", POISE_TABLE, 2, VOCABULARY, DIM, 0);
    n->features = poise_concat(
        n->graph, 1, 2,
        (poise_value *[]){n->numeric, poise_embedding(n->graph, n->ids, IDS, table, &n->err)},
        &n->err);
}

static void net_end(network *n)
{
    poise_graph_free(n->graph);
    poise_store_free(n->store);
}

static void build_shared_bottom(network *n)
{
    net_begin(n);
    n->last = "bottom/1/";
    poise_value *h = poise_relu(n->graph, net_dense(n, "bottom/0", n->features, 6), &n->err);
    h = poise_relu(n->graph, net_dense(n, "bottom/1", h, 5), &n->err);
    for (int t = 0; t < TASKS; t++)
        net_task(n, t, h);
}

static void build_mmoe(network *n)
{
    net_begin(n);
    n->last = "expert/1/";
    poise_value *e = net_experts(n, "expert/0", n->features, 3, 6);
    e = net_experts(n, "expert/1", e, 3, 5);
    for (int t = 0; t < TASKS; t++) {
        char gate[32];
        snprintf(gate, sizeof gate, "gate/%d", t);
        net_task(n, t, net_mixture(n, gate, n->features, 1, &e));
    }
}

/* Two extraction levels; the tasks' own experts of the first level feed the common mixture too. */
static void build_ple(network *n)
{
    poise_value *own[TASKS], *level[TASKS], *common, *shared;

    net_begin(n);
    n->last = "shared2/";
    shared = net_experts(n, "shared1", n->features, 2, 5);
    own[0] = net_experts(n, "own1/0", n->features, 2, 5);
    own[1] = net_experts(n, "own1/1", n->features, 1, 5);
    for (int t = 0; t < TASKS; t++) {
        char gate[32];
        snprintf(gate, sizeof gate, "level1/%d", t);
        level[t] = net_mixture(n, gate, n->features, 2, (poise_value *[]){own[t], shared});
    }
    common = net_mixture(n, "common1", n->features, 3, (poise_value *[]){own[0], own[1], shared});
    shared = net_experts(n, "shared2", common, 2, 4);
    for (int t = 0; t < TASKS; t++) {
        char name[32];
        snprintf(name, sizeof name, "own2/%d", t);
        own[t] = net_experts(n, name, level[t], 2, 4);
        snprintf(name, sizeof name, "mix/%d", t);
        net_task(n, t, net_mixture(n, name, level[t], 2, (poise_value *[]){own[t], shared}));
    }
}

/* Embeddings straight into the towers: the tables are the last shared layer. */
static void build_embeddings_only(network *n)
{
    net_begin(n);
    n->last = "embedding/";
    for (int t = 0; t < TASKS; t++)
        net_task(n, t, n->features);
}

/* The same rows for every network: rows 9 and 10 have no label for one task each, row 12 is
 * padding. */
static void net_rows(float *numeric, int32_t *ids, float label[TASKS][ROWS],
                     float weight[TASKS][ROWS])
{
    for (int k = 0; k < ROWS * NUMBERS; k++)
        numeric[k] = (float)poise_random_normal(7, 1, 0, (uint64_t)k);
    for (int k = 0; k < ROWS * IDS; k++)
        ids[k] = (int32_t)(poise_random_bits(7, 2, 0, (uint64_t)k) % VOCABULARY);
    for (int t = 0; t < TASKS; t++)
        for (int b = 0; b < ROWS; b++) {
            label[t][b] = (float)(poise_random_bits(7, 3, (uint32_t)t, (uint64_t)b) % 3 == 0);
            weight[t][b] = 1.0F + 0.5F * (float)(b % 2);
            if (b == 9 + t)
                label[t][b] = NAN;
            if (b == 12)
                weight[t][b] = 0;
        }
}

#endif
