#include "diagnosis.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "experts.h"

enum { ROWS = 1024, SIMILARITY_ROWS = 256, FEWEST_ROWS = 8 };

/* An expert in the graph: entry `at` of a stack [B, E, H]. */
typedef struct place {
    poise_value *stack;
    int64_t at;
} place;

struct poise__inside {
    poise__engine *engine;
    poise__pass pass;
    poise_stream *stream;
    poise_step_graph step;
    poise_value **gate; /* [ngate] [B, n] */
    place **expert;     /* [npool][nexpert] */
    poise_balance_call call;
};

/* ---- what there is: read from the graph ---- */

/* 1 for the node of a layer of kind mixture: attention mixes too, but no experts. */
static int is_gate(const poise__diagnosis *d, const poise_node *n)
{
    return strcmp(n->op->name, "mixture") == 0 &&
           poise__model_mixes(d->inside->engine->spec->model, n->layer);
}

static int gate_experts(const poise_node *n)
{
    int all = 0;

    for (int k = 1; k < n->nin; k++)
        all += (int)n->in[k]->dim[1];
    return all;
}

/* "expert/3"; of a single layer, which was made a stack of one, its own name. */
static const char *expert_name(poise__diagnosis *d, const poise_value *stack, int64_t at,
                               poise_error *err)
{
    const poise_value *v = stack;

    while (v->producer && strcmp(v->producer->op->name, "reshape") == 0)
        v = v->producer->in[0];
    const char *name = v->producer ? v->producer->layer : v->name;
    return stack->dim[1] > 1 ? poise__arena_printf(d->arena, err, "%s/%lld", name, (long long)at)
                             : poise__arena_text(d->arena, name, err);
}

/* The pool that holds a stack, and its first expert there; -1: none yet. */
static int find_stack(const poise__diagnosis *d, const poise_value *stack, int *first)
{
    for (int p = 0; p < d->npool; p++)
        for (int e = 0; e < d->pool[p].nexpert; e++)
            if (d->inside->expert[p][e].stack == stack) {
                *first = e;
                return p;
            }
    return -1;
}

static int add_stack(poise__diagnosis *d, int pool, poise_value *stack, poise_error *err)
{
    poise__experts *p = &d->pool[pool];

    p->width = stack->dim[2];
    for (int64_t at = 0; at < stack->dim[1]; at++) {
        d->inside->expert[pool][p->nexpert] = (place){stack, at};
        if (!(p->name[p->nexpert++] = expert_name(d, stack, at, err)))
            return -1;
    }
    return poise_graph_output(d->inside->pass.graph, stack, err);
}

/* All experts of pool `from` go to pool `to`; the last pool takes the place that is free. */
static void join(poise__diagnosis *d, int to, int from)
{
    poise__experts *a = &d->pool[to], *b = &d->pool[from];
    int last = d->npool - 1;

    for (int g = 0; g < d->ngate; g++) {
        for (int k = 0; d->gate[g].pool == from && k < d->gate[g].n; k++)
            d->gate[g].expert[k] += a->nexpert;
        if (d->gate[g].pool == from)
            d->gate[g].pool = to;
    }
    memcpy(d->inside->expert[to] + a->nexpert, d->inside->expert[from],
           (size_t)b->nexpert * sizeof(place));
    memcpy(a->name + a->nexpert, b->name, (size_t)b->nexpert * sizeof *b->name);
    a->nexpert += b->nexpert;
    for (int g = 0; g < d->ngate; g++)
        if (d->gate[g].pool == last)
            d->gate[g].pool = from;
    poise__experts swap = d->pool[from];
    place *places = d->inside->expert[from];
    d->pool[from] = d->pool[last];
    d->inside->expert[from] = d->inside->expert[last];
    d->pool[last] = swap;
    d->inside->expert[last] = places;
    d->pool[last].nexpert = 0;
    d->npool--;
}

static int add_gate(poise__diagnosis *d, const poise_node *n, poise_error *err)
{
    poise__gate *g = &d->gate[d->ngate];
    int pool = -1, first = 0;

    for (int k = 1; k < n->nin; k++) {
        int other = find_stack(d, n->in[k], &first);
        if (other >= 0 && pool >= 0 && other != pool) {
            join(d, other < pool ? other : pool, other < pool ? pool : other);
            pool = other < pool ? other : pool;
        } else if (other >= 0)
            pool = other;
    }
    if (pool < 0)
        pool = d->npool++;
    *g = (poise__gate){.name = poise__arena_text(d->arena, n->layer, err), .pool = pool};
    g->n = gate_experts(n);
    g->expert = poise__arena_alloc(d->arena, (size_t)g->n, sizeof *g->expert, err);
    g->share = poise__arena_alloc(d->arena, (size_t)g->n, sizeof *g->share, err);
    if (!g->name || !g->expert || !g->share)
        return -1;
    g->n = 0;
    for (int k = 1; k < n->nin; k++) {
        if (find_stack(d, n->in[k], &first) < 0) {
            first = d->pool[pool].nexpert;
            if (add_stack(d, pool, n->in[k], err) < 0)
                return -1;
        }
        for (int64_t at = 0; at < n->in[k]->dim[1]; at++)
            g->expert[g->n++] = first + (int)at;
    }
    d->inside->gate[d->ngate++] = n->in[0];
    return poise_graph_output(d->inside->pass.graph, n->in[0], err);
}

static int find_gates(poise__diagnosis *d, poise_error *err)
{
    poise_graph *g = d->inside->pass.graph;
    int gates = 0, most = 0, nodes = poise_graph_nodes(g);

    for (int k = 0; k < nodes; k++)
        if (is_gate(d, poise_graph_node(g, k))) {
            gates++;
            most += gate_experts(poise_graph_node(g, k));
        }
    size_t n = (size_t)gates, room = (size_t)most;
    d->gate = poise__arena_alloc(d->arena, n, sizeof *d->gate, err);
    d->pool = poise__arena_alloc(d->arena, n, sizeof *d->pool, err);
    d->inside->gate = poise__arena_alloc(d->arena, n, sizeof(poise_value *), err);
    d->inside->expert = poise__arena_alloc(d->arena, n, sizeof(place *), err);
    if (!d->gate || !d->pool || !d->inside->gate || !d->inside->expert)
        return -1;
    for (size_t p = 0; p < n; p++) {
        d->inside->expert[p] = poise__arena_alloc(d->arena, room, sizeof(place), err);
        d->pool[p].name = poise__arena_alloc(d->arena, room, sizeof *d->pool[p].name, err);
        if (!d->inside->expert[p] || !d->pool[p].name)
            return -1;
    }
    for (int k = 0; k < nodes; k++)
        if (is_gate(d, poise_graph_node(g, k)) && add_gate(d, poise_graph_node(g, k), err) < 0)
            return -1;
    for (int p = 0; p < d->npool; p++) {
        poise__experts *q = &d->pool[p];
        size_t e = (size_t)q->nexpert;
        q->similarity = poise__arena_alloc(d->arena, e * e, sizeof(double), err);
        q->share = poise__arena_alloc(d->arena, e, sizeof(double), err);
        q->constant = poise__arena_alloc(d->arena, e, sizeof(int), err);
        q->dead = poise__arena_alloc(d->arena, e, sizeof(int), err);
        if (!q->similarity || !q->share || !q->constant || !q->dead)
            return -1;
    }
    return 0;
}

/* ---- the tasks' gradients ---- */

/* The graph wants a balancer; a dry run never asks it. */
static int nobody(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                  poise_error *err)
{
    (void)nin, (void)in, (void)r, (void)err;
    for (int t = 0; t < *(const int *)self; t++)
        weight[t] = 1;
    return 0;
}

static int find_gradients(poise__diagnosis *d, poise_error *err)
{
    struct poise__inside *in = d->inside;
    int ntask = d->schema->ntask;
    poise_shared shared;

    if (ntask < 2)
        return 0;
    if (poise_find_shared(in->pass.graph, ntask, in->pass.net.loss, &shared, err) < 0)
        return -1;
    int none = shared.nlast == 0;
    poise_shared_done(&shared);
    if (none)
        return 0;
    in->call = (poise_balance_call){nobody, &in->pass.net.ntask, ntask};
    poise_signal_plan plan = {
        .signals = POISE_SIGNAL_GRAM, .scope = POISE_SCOPE_LAST, .balance = &in->call};
    d->cosine = poise__arena_alloc(d->arena, (size_t)ntask * (size_t)ntask, sizeof *d->cosine, err);
    return d->cosine ? poise_step_build(in->pass.graph, ntask, in->pass.net.loss,
                                        in->pass.net.labelled, &plan, &in->step, err)
                     : -1;
}

/* ---- making one ---- */

static int build(poise__diagnosis *d, poise_error *err)
{
    struct poise__inside *in = d->inside;
    const poise__engine *e = in->engine;

    in->pass.graph = poise_network_graph(e->store, err);
    if (!in->pass.graph || poise_model_build(e->spec->model, e->schema, in->pass.graph, d->rows,
                                             &in->pass.net, err) < 0)
        return -1;
    if (find_gates(d, err) < 0 || find_gradients(d, err) < 0)
        return -1;
    if (d->ngate == 0 && !d->cosine)
        return 1;
    if (poise_rewrite_common(in->pass.graph, err) < 0 ||
        poise_rewrite_dead(in->pass.graph, err) < 0)
        return -1;
    in->pass.session = poise_session_new(in->pass.graph, NULL, err);
    return in->pass.session ? 0 : -1;
}

poise__diagnosis *poise__diagnosis_new(poise__engine *e, const poise_dataset *rows,
                                       poise_error *err)
{
    int64_t n = poise_dataset_rows(rows);
    poise__arena *a;
    poise__diagnosis *d;

    *err = (poise_error){0};
    if (n < FEWEST_ROWS || !(a = poise__arena_new(err)))
        return NULL;
    d = poise__arena_alloc(a, 1, sizeof *d, err);
    if (!d) {
        poise__arena_free(a);
        return NULL;
    }
    d->arena = a;
    d->schema = e->schema;
    d->rows = n < ROWS ? n : ROWS;
    d->inside = poise__arena_alloc(a, 1, sizeof *d->inside, err);
    int status = d->inside ? 0 : -1;
    if (status == 0) {
        d->inside->engine = e;
        status = build(d, err);
    }
    if (status == 0)
        status = (d->inside->stream = poise_stream_new(rows, d->rows, 1, e->seed, err)) ? 0 : -1;
    if (status == 0)
        return d;
    poise__diagnosis_free(d);
    return NULL;
}

void poise__diagnosis_free(poise__diagnosis *d)
{
    if (!d)
        return;
    if (d->inside) {
        poise_session_free(d->inside->pass.session);
        poise_graph_free(d->inside->pass.graph);
        poise_step_graph_done(&d->inside->step);
        poise_stream_free(d->inside->stream);
    }
    poise__arena_free(d->arena);
}

/* ---- running ---- */

static int read_pool(poise__diagnosis *d, int p, poise_error *err)
{
    poise__experts *q = &d->pool[p];
    const float **x = poise__calloc((size_t)q->nexpert, sizeof *x, err);
    int64_t rows = d->rows < SIMILARITY_ROWS ? d->rows : SIMILARITY_ROWS;
    int status = x ? 0 : -1;

    /* experts of several stacks lie at different distances: those of one stack at a time would do,
     * but for the pairs between them, so that they are put side by side first */
    float *side =
        x ? poise__calloc((size_t)(rows * q->nexpert * q->width), sizeof *side, err) : NULL;
    status = side ? 0 : -1;
    for (int e = 0; status == 0 && e < q->nexpert; e++) {
        const place *at = &d->inside->expert[p][e];
        const float *from = poise_session_data(d->inside->pass.session, at->stack);
        int64_t stride = at->stack->dim[1] * q->width;
        q->constant[e] =
            poise__expert_constant(d->rows, q->width, stride, from + at->at * q->width);
        q->share[e] = 0;
        x[e] = side + (int64_t)e * rows * q->width;
        for (int64_t r = 0; r < rows; r++)
            memcpy(side + ((int64_t)e * rows + r) * q->width, from + r * stride + at->at * q->width,
                   (size_t)q->width * sizeof(float));
    }
    if (status == 0)
        status =
            poise__expert_similarity(rows, q->nexpert, q->width, q->width, x, q->similarity, err);
    free(side);
    free((void *)x);
    return status;
}

static void read_gate(poise__diagnosis *d, int k)
{
    poise__gate *g = &d->gate[k];
    poise__experts *p = &d->pool[g->pool];

    poise__gate_numbers(d->rows, g->n,
                        poise_session_data(d->inside->pass.session, d->inside->gate[k]), g->share,
                        &g->entropy, &g->top);
    for (int e = 0; e < g->n; e++)
        p->share[g->expert[e]] = fmax(p->share[g->expert[e]], g->share[e] * g->n);
}

static void read_gradients(poise__diagnosis *d)
{
    const double *gram = poise_session_data(d->inside->pass.session, d->inside->step.gram);
    int n = d->schema->ntask;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            d->cosine[i * n + j] = gram[i * n + j] / sqrt(gram[i * n + i] * gram[j * n + j]);
}

int poise__diagnosis_run(poise__diagnosis *d, poise_error *err)
{
    struct poise__inside *in = d->inside;
    poise_run run = {.seed = in->engine->seed, .threads = in->engine->threads, .dry = 1};
    poise_batch b;

    poise_stream_seek(in->stream, 0, 0);
    if (poise_stream_next(in->stream, &b, err) < 0)
        return -1;
    poise__fill_pass(&in->pass, &b);
    if (poise_session_run(in->pass.session, &run, err) < 0)
        return -1;
    for (int p = 0; p < d->npool; p++)
        if (read_pool(d, p, err) < 0)
            return -1;
    for (int k = 0; k < d->ngate; k++)
        read_gate(d, k);
    for (int p = 0; p < d->npool; p++)
        for (int e = 0; e < d->pool[p].nexpert; e++)
            d->pool[p].dead[e] = d->pool[p].constant[e] || d->pool[p].share[e] < POISE_DEAD_SHARE;
    if (d->cosine)
        read_gradients(d);
    return 0;
}
