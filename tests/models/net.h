/* net.h -- a network of a spec in this folder, built and fed with numbers that are always the
 * same. */
#ifndef TEST_MODELS_NET_H
#define TEST_MODELS_NET_H

#include "read.h"
#include "core/random.h"
#include "core/session.h"
#include "ops/ops.h"

enum { ROWS = 7 };

typedef struct net {
    poise_spec *spec;
    poise_store *store;
    poise_graph *g;
    poise_network n;
} net;

/* As if learnt: 5, 6, 7, ... values per vocabulary, 3 classes. */
static inline void pretend_learnt(poise_schema *s)
{
    for (int k = 0; k < s->nfeature; k++)
        s->feature[k].nvalue = 5 + k;
    poise__schema_tables(s);
    for (int t = 0; t < s->ntask; t++)
        if (poise_task_classed(&s->task[t]))
            s->task[t].nclass = 3;
    s->learnt = 1;
}

static inline void net_make(net *x, const char *name, const char *text, int training)
{
    poise_error err;
    x->spec = read_good(name, text, 0, NULL);
    pretend_learnt(x->spec->schema);
    x->store = poise_store_new(&err);
    x->g = poise_network_graph(x->store, &err);
    assert_non_null(x->g);
    poise_graph_train(x->g, training);
    if (poise_model_build(x->spec->model, x->spec->schema, x->g, ROWS, &x->n, &err) < 0)
        fail_msg("%s", err.message);
}

static inline void net_done(net *x)
{
    poise_graph_free(x->g);
    poise_store_free(x->store);
    poise_spec_free(x->spec);
}

static inline double uniform(const char *stream, uint64_t at)
{
    return 2 * poise_random_uniform(1, poise_random_stream(stream), 0, at) - 1;
}

/* Numbers for every input; the last row is padding, and a row in four has no label. */
static inline void net_fill(const net *x, poise_session *s)
{
    const poise_schema *sc = x->spec->schema;
    if (x->n.numeric) {
        float *v = poise_session_data(s, x->n.numeric);
        for (int64_t k = 0; k < poise_value_count(x->n.numeric); k++)
            v[k] = (float)uniform("numeric", (uint64_t)k);
    }
    if (x->n.ids) {
        int32_t *v = poise_session_data(s, x->n.ids);
        int f = 0, nf = poise_schema_categorical(sc);
        for (int k = 0; k < sc->nfeature; k++)
            if (poise_feature_ids(&sc->feature[k])) {
                for (int b = 0; b < ROWS; b++)
                    v[b * nf + f] = (int32_t)((b * 3 + k) % poise_feature_rows(&sc->feature[k]));
                f++;
            }
    }
    for (int f = 0, k = 0; f < sc->nfeature; f++)
        if (sc->feature[f].kind == POISE_LIST) { /* of 0, 1, 2, ... values */
            int64_t length = sc->feature[f].length;
            int32_t *v = poise_session_data(s, x->n.list[k++]);
            for (int64_t i = 0; i < ROWS * length; i++)
                v[i] = i % length < i / length % (length + 1)
                           ? (int32_t)((i * 3 + f) % poise_feature_rows(&sc->feature[f]))
                           : -1;
        }
    for (int t = 0; t < x->n.ntask; t++) {
        float *weight = poise_session_data(s, x->n.weight[t]);
        for (int b = 0; b < ROWS; b++) {
            weight[b] = b == ROWS - 1 || (b + t) % 4 == 3 ? 0 : 1;
            if (poise_task_classed(&sc->task[t]))
                ((int32_t *)poise_session_data(s, x->n.label[t]))[b] = (b + t) % 3;
            else
                ((float *)poise_session_data(s, x->n.label[t]))[b] = (float)((b * 5 + t) % 2);
        }
    }
}

#define ROWS_HERE                                                               \
    "data: {train: data/rows.csv}\n"                                            \
    "features: {age: numeric, w: numeric, city_code: {categorical: {dim: 4}}, " \
    "job_code: {categorical: {dim: 4}}}\n"
#define PLAIN  ROWS_HERE "tasks: {click: {label: click}, buy: {label: buy}}\n"
#define MMOE   PLAIN "model: {use: mmoe, experts: 3, units: [8, 6], tower: [5]}\n"
#define BOTTOM PLAIN "model: {use: shared_bottom, units: [8, 6], tower: [5]}\n"
#define SINGLE PLAIN "model: {use: single_task, units: [8, 6]}\n"
#define OMOE   PLAIN "model: {use: omoe, experts: 3, units: [8, 6], tower: [5]}\n"
#define CGC    PLAIN "model: {use: cgc, shared: 3, own: 2, units: [8, 6], tower: [4]}\n"
#define PLE    PLAIN "model: {use: ple, shared: 3, own: 2, units: [[8], [6, 5]], tower: [4]}\n"

#endif
