/* network.c -- the MMoE of a case, straight through the operators. */
#include <stdio.h>
#include "../core/graph_parts.h"
#include "../ops/ops.h"
#include "case.h"

static poise_init he(int64_t fan_in)
{
    return (poise_init){.kind = POISE_INIT_HE, .fan_in = fan_in};
}

static poise_value *parameter(poise_graph *g, const char *layer, const char *what, int rank,
                              const int64_t *dim, poise_init init, poise_error *err)
{
    char name[96];

    (void)snprintf(name, sizeof name, "%s/%s", layer, what);
    return poise_weight(g, name, POISE_DENSE, rank, dim, init, err);
}

/* y[B, O] = x[B, I] w' + b */
static poise_value *dense(poise_graph *g, const char *layer, poise_value *x, int64_t width,
                          poise_error *err)
{
    poise_value *w, *b;

    if (!x || poise_graph_at(g, layer, POISE_NOWHERE, err) < 0)
        return NULL;
    w = parameter(g, layer, "weight", 2, (int64_t[]){width, x->dim[1]}, he(x->dim[1]), err);
    b = parameter(g, layer, "bias", 1, &width, (poise_init){.kind = POISE_INIT_ZERO}, err);
    return w && b ? poise_linear(g, x, w, b, err) : NULL;
}

/* x[B, I] -> [B, E, H] */
static poise_value *experts(const bench_case *c, poise_graph *g, poise_value *x, poise_error *err)
{
    for (int k = 0; x && k < c->nunits; k++) {
        int64_t in = x->dim[x->rank - 1], out = c->units[k];
        char layer[32];
        poise_value *w, *b;

        (void)snprintf(layer, sizeof layer, "expert/%d", k);
        if (poise_graph_at(g, layer, POISE_NOWHERE, err) < 0)
            return NULL;
        w = parameter(g, layer, "weight", 3, (int64_t[]){c->experts, out, in}, he(in), err);
        b = parameter(g, layer, "bias", 2, (int64_t[]){c->experts, out},
                      (poise_init){.kind = POISE_INIT_ZERO}, err);
        x = w && b ? poise_relu(g, poise_batched_linear(g, x, w, b, err), err) : NULL;
    }
    return x;
}

/* One task: gate, mixture, tower, logit. */
static poise_value *task(const bench_case *c, poise_graph *g, int t, poise_value *x,
                         poise_value *expert, poise_error *err)
{
    char layer[32];
    poise_value *gate, *y;

    (void)snprintf(layer, sizeof layer, "gate/%d", t);
    gate = c->experts ? poise_softmax(g, dense(g, layer, x, c->experts, err), err) : NULL;
    y = gate && expert ? poise_mixture(g, gate, 1, &expert, err) : NULL;
    if (!c->experts)
        y = x;
    for (int k = 0; k < c->ntower; k++) {
        (void)snprintf(layer, sizeof layer, "tower/%d/%d", t, k);
        y = poise_relu(g, dense(g, layer, y, c->tower[k], err), err);
    }
    (void)snprintf(layer, sizeof layer, "logit/%d", t);
    return dense(g, layer, y, 1, err);
}

static poise_value *embeddings(const bench_case *c, poise_graph *g, poise_value *ids,
                               poise_error *err)
{
    enum { MAX_TABLES = 64 };
    poise_value *table[MAX_TABLES];
    poise_init init = {.kind = POISE_INIT_NORMAL, .value = 0.05};

    if (!ids || c->cats > MAX_TABLES)
        return NULL;
    for (int64_t k = 0; k < c->cats; k++) {
        char name[32];

        (void)snprintf(name, sizeof name, "embedding/%d", (int)k);
        table[k] = poise_weight(g, name, POISE_TABLE, 2, (int64_t[]){c->rows, c->dim}, init, err);
        if (!table[k])
            return NULL;
    }
    return poise_embedding(g, ids, (int)c->cats, table, err);
}

/* The row that the experts and gates see: [B, I]. */
static poise_value *features(const bench_case *c, poise_graph *g, poise_network *net,
                             poise_error *err)
{
    poise_value *part[2];
    int n = 0;

    if (c->dense) {
        net->numeric =
            poise_input(g, "numeric", POISE_F32, 2, (int64_t[]){c->batch, c->dense}, err);
        part[n++] = net->numeric;
    }
    if (c->cats) {
        net->ids = poise_input(g, "ids", POISE_I32, 2, (int64_t[]){c->batch, c->cats}, err);
        part[n++] = embeddings(c, g, net->ids, err);
    }
    for (int k = 0; k < n; k++)
        if (!part[k])
            return NULL;
    return n == 1 ? part[0] : poise_concat(g, 1, n, part, err);
}

static int allocate(const bench_case *c, poise_graph *g, poise_network *net, poise_error *err)
{
    poise_value ***array[] = {&net->output, &net->label, &net->weight, &net->loss, &net->labelled};

    *net = (poise_network){.batch = c->batch, .ntask = c->tasks};
    for (size_t k = 0; k < sizeof array / sizeof *array; k++) {
        *array[k] = poise__arena_alloc(g->arena, (size_t)c->tasks, sizeof(poise_value *), err);
        if (!*array[k])
            return -1;
    }
    return 0;
}

int bench_network_build(const bench_case *c, poise_graph *g, poise_network *net, poise_error *err)
{
    poise_value *x, *expert;

    if (allocate(c, g, net, err) < 0 || poise_graph_at(g, "features", POISE_NOWHERE, err) < 0)
        return -1;
    x = features(c, g, net, err);
    expert = experts(c, g, x, err);
    for (int t = 0; t < c->tasks; t++) {
        char name[32];

        net->output[t] = task(c, g, t, x, expert, err);
        (void)snprintf(name, sizeof name, "label/%d", t);
        net->label[t] = poise_input(g, name, POISE_F32, 1, &c->batch, err);
        (void)snprintf(name, sizeof name, "weight/%d", t);
        net->weight[t] = poise_input(g, name, POISE_F32, 1, &c->batch, err);
        net->loss[t] = poise_loss_bce(g, net->output[t], net->label[t], net->weight[t],
                                      &net->labelled[t], err);
        if (!net->loss[t])
            return -1;
    }
    return 0;
}
