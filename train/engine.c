#include "engine.h"

#include <string.h>
#include "../ops/passes.h"

/* Rows that are scored at a time. */
enum { SCORE_BATCH = 1024 };

int64_t poise__engine_width(const poise__engine *e, int task)
{
    const poise_value *v = e->score.net.output[task];
    return v->rank > 1 ? v->dim[1] : 1;
}

static int build_training(const void *self, poise_graph *g, poise_network *net, poise_error *err)
{
    const poise__engine *e = self;
    return poise_model_build(e->spec->model, e->schema, g, e->spec->train.batch, net, err);
}

/* The rewrites that the spec leaves out. */
static unsigned without(const poise_spec *s)
{
    return s->train.passes == POISE_SPEC_PASSES_NONE ? POISE_PASSES_ALL : 0;
}

static poise__source source(const poise__engine *e, int threads)
{
    return (poise__source){build_training,
                           e,
                           e->schema,
                           e->spec->train.optimizer.rate,
                           e->spec->train.clip,
                           without(e->spec),
                           e->spec->train.lanes,
                           threads};
}

static int build_scoring(poise__engine *e, poise_error *err)
{
    e->score.graph = poise_network_graph(e->store, err);
    if (!e->score.graph || poise_model_build(e->spec->model, e->schema, e->score.graph, SCORE_BATCH,
                                             &e->score.net, err) < 0)
        return -1;
    for (int t = 0; t < e->schema->ntask; t++)
        if (poise_graph_output(e->score.graph, e->score.net.output[t], err) < 0)
            return -1;
    return poise_passes_run(e->score.graph, without(e->spec), err);
}

int poise__engine_open(poise__engine *e, const poise_spec *spec, const poise_schema *schema,
                       poise_balance *balance, const poise_balancer_spec *options, uint64_t seed,
                       int threads, poise_error *err)
{
    *e = (poise__engine){.spec = spec, .schema = schema, .seed = seed};
    e->store = poise_store_new(err);
    int status = e->store ? 0 : -1;
    if (status == 0 && balance) {
        poise__source from = source(e, threads);
        e->training = poise__training_new(&from, options, e->store, balance, err);
        status = e->training ? 0 : -1;
    }
    if (status == 0)
        status = build_scoring(e, err);
    if (status == 0)
        status = poise_store_seal(e->store, seed, err);
    if (status == 0 && balance) {
        e->optimizer = poise_optimizer_of(&spec->train, e->store, err);
        status = e->optimizer ? poise__training_start(e->training, err) : -1;
    }
    if (status == 0) {
        e->score.session = poise_session_new(e->score.graph, NULL, err);
        status = e->score.session ? 0 : -1;
    }
    if (status == 0)
        e->threads = balance ? e->training->threads : poise__threads_for(threads, e->score.session);
    if (status < 0)
        poise__engine_close(e);
    return status;
}

void poise__engine_close(poise__engine *e)
{
    poise__training_free(e->training);
    poise_session_free(e->score.session);
    poise_graph_free(e->score.graph);
    poise_optimizer_free(e->optimizer);
    poise_store_free(e->store);
    *e = (poise__engine){0};
}

int poise__engine_rebalance(poise__engine *e, poise_balance *balance,
                            const poise_balancer_spec *options, poise_error *err)
{
    poise__source from = source(e, e->threads);
    poise__training *t = poise__training_new(&from, options, e->store, balance, err);

    if (!t || poise__training_start(t, err) < 0) {
        poise__training_free(t);
        return -1;
    }
    poise__host_inherit(&t->host, &e->training->host);
    poise__training_free(e->training);
    e->training = t;
    poise__training_profile(t, e->profile);
    return 0;
}

void poise__engine_profile(poise__engine *e, poise_profile *p)
{
    e->profile = p;
    poise__training_profile(e->training, p);
}

int poise__engine_step(poise__engine *e, const poise_batch *b, uint64_t number, poise_error *err)
{
    poise_run run = {.seed = e->seed, .step = number, .threads = e->threads};

    e->training->host.rate = poise_optimizer_rate(e->optimizer, number + 1);
    if (poise__training_gradients(e->training, b, &run, err) < 0)
        return -1;
    poise__training_update(e->training, e->optimizer, number, e->threads);
    return poise__training_probe(e->training, b, &run, err);
}

int poise__engine_score(poise__engine *e, const poise_dataset *d, float *const *score,
                        poise_error *err)
{
    poise_run run = {.seed = e->seed, .threads = e->threads};
    poise_stream *s = poise_stream_new(d, SCORE_BATCH, 0, 0, err);
    poise_batch b;
    int64_t n, at = 0;

    if (!s)
        return -1;
    while ((n = poise_stream_next(s, &b, err)) > 0) {
        poise__fill_features(e->score.session, &e->score.net, &b);
        if (poise_session_run(e->score.session, &run, err) < 0) {
            n = -1;
            break;
        }
        for (int t = 0; t < e->schema->ntask; t++) {
            int64_t w = poise__engine_width(e, t);
            memcpy(score[t] + at * w, poise_session_data(e->score.session, e->score.net.output[t]),
                   (size_t)(n * w) * sizeof(float));
        }
        at += n;
    }
    poise_stream_free(s);
    return n < 0 ? -1 : 0;
}
