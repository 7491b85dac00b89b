#include "engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"

/* Rows that are scored at a time. */
enum { SCORE_BATCH = 1024 };

static int rewrite(poise_graph *g, poise_error *err)
{
    return poise_rewrite_common(g, err) < 0 || poise_rewrite_dead(g, err) < 0 ? -1 : 0;
}

static int64_t width(const poise_network *net, int t)
{
    return net->output[t]->rank > 1 ? net->output[t]->dim[1] : 1;
}

int64_t poise__engine_width(const poise__engine *e, int task)
{
    return width(&e->score_net, task);
}

/* Forward, balancer, backward. */
static int build_training(poise__engine *e, poise_balance *balance, int shared_only,
                          poise_error *err)
{
    int ntask = e->schema->ntask, status;
    const poise_balancer *plugin = poise_plugin_get(poise_balance_plugin(balance));
    int64_t *widths = poise__calloc((size_t)ntask, sizeof *widths, err);
    poise_task_kind *kinds = poise__calloc((size_t)ntask, sizeof *kinds, err);
    poise_value **extra = poise__calloc(3 * (size_t)ntask, sizeof(poise_value *), err);

    e->train_graph = poise_network_graph(e->store, err);
    status = widths && kinds && extra && e->train_graph ? 0 : -1;
    if (status == 0) {
        poise_graph_train(e->train_graph, 1);
        status = poise_model_build(e->spec->model, e->schema, e->train_graph, e->spec->train.batch,
                                   &e->train_net, err);
    }
    for (int t = 0; status == 0 && t < ntask; t++) {
        widths[t] = width(&e->train_net, t);
        kinds[t] = e->schema->task[t].kind;
        extra[3 * t] = e->train_net.output[t];
        extra[3 * t + 1] = e->train_net.label[t];
        extra[3 * t + 2] = e->train_net.weight[t];
    }
    if (status == 0)
        status =
            poise__host_init(&e->host, balance, ntask, kinds, widths, e->spec->train.batch, err);
    if (status == 0) {
        poise_signal_plan plan = {
            .signals = e->host.signals,
            .scope = e->spec->balancer.scope,
            .shared_only =
                shared_only >= 0 ? shared_only : (plugin->flags & POISE_SHARED_ONLY) != 0,
            .balance = &e->host.call,
            .nextra = e->host.quality ? 3 * ntask : 0,
            .extra = extra,
        };
        status = poise_step_build(e->train_graph, ntask, e->train_net.loss, e->train_net.labelled,
                                  &plan, &e->step, err);
    }
    free(widths);
    free(kinds);
    free(extra);
    return status;
}

static int build_scoring(poise__engine *e, poise_error *err)
{
    e->score_graph = poise_network_graph(e->store, err);
    if (!e->score_graph || poise_model_build(e->spec->model, e->schema, e->score_graph, SCORE_BATCH,
                                             &e->score_net, err) < 0)
        return -1;
    for (int t = 0; t < e->schema->ntask; t++)
        if (poise_graph_output(e->score_graph, e->score_net.output[t], err) < 0)
            return -1;
    return rewrite(e->score_graph, err);
}

/* The training session: dense gradients go straight into the store's slab. */
static int start_training(poise__engine *e, poise_error *err)
{
    size_t n = (size_t)e->step.nparam;
    poise_value **gradient = poise__calloc(n, sizeof *gradient, err);
    int *param = poise__calloc(n, sizeof *param, err);
    poise_session_options o = {.gradient = gradient, .param = param};

    for (size_t k = 0; gradient && param && k < n; k++)
        if (e->step.gradient[k].value && !e->step.gradient[k].rows) {
            gradient[o.ngradient] = e->step.gradient[k].value;
            param[o.ngradient++] = e->step.param[k];
        }
    if (gradient && param && rewrite(e->train_graph, err) == 0)
        e->train = poise_session_new(e->train_graph, &o, err);
    free(gradient);
    free(param);
    if (e->train)
        e->optimizer = poise_optimizer_new(&e->spec->train.optimizer, e->store, err);
    return e->train && e->optimizer ? 0 : -1;
}

int poise__engine_open(poise__engine *e, const poise_spec *spec, const poise_schema *schema,
                       poise_balance *balance, int shared_only, uint64_t seed, int threads,
                       poise_error *err)
{
    *e = (poise__engine){.spec = spec, .schema = schema, .threads = threads, .seed = seed};
    e->store = poise_store_new(err);
    int status = e->store ? 0 : -1;
    if (status == 0 && balance)
        status = build_training(e, balance, shared_only, err);
    if (status == 0)
        status = build_scoring(e, err);
    if (status == 0)
        status = poise_store_seal(e->store, seed, err);
    if (status == 0 && balance)
        status = start_training(e, err);
    if (status == 0) {
        e->score = poise_session_new(e->score_graph, NULL, err);
        status = e->score ? 0 : -1;
    }
    if (status < 0)
        poise__engine_close(e);
    return status;
}

void poise__engine_close(poise__engine *e)
{
    poise_session_free(e->train);
    poise_session_free(e->score);
    poise_optimizer_free(e->optimizer);
    poise_step_graph_done(&e->step);
    poise_graph_free(e->train_graph);
    poise_graph_free(e->score_graph);
    poise__host_done(&e->host);
    poise_store_free(e->store);
    *e = (poise__engine){0};
}

static void fill(poise_session *s, poise_value *v, const void *data)
{
    if (v)
        memcpy(poise_session_data(s, v), data,
               (size_t)poise_value_count(v) * poise_dtype_size(v->dtype));
}

static void fill_label(poise_session *s, poise_value *v, const float *label)
{
    if (v->dtype == POISE_F32) {
        fill(s, v, label);
        return;
    }
    int32_t *to = poise_session_data(s, v);
    for (int64_t k = 0; k < v->dim[0]; k++)
        to[k] = isnan(label[k]) ? -1 : (int32_t)label[k];
}

static void fill_inputs(poise_session *s, const poise_network *net, const poise_batch *b)
{
    fill(s, net->numeric, b->numeric);
    fill(s, net->ids, b->ids);
}

/* Find and tell what became NaN or infinite, by running the step once more. */
static int diagnose(poise__engine *e, const poise_run *r, poise_error *err)
{
    const poise_value *value = NULL;
    poise_error inner = {0};
    const poise_node *n = poise_session_find_nonfinite(e->train, r, &value, &inner);
    char task[128] = "", shape[96];

    for (int t = 0; t < e->schema->ntask; t++)
        if (!isfinite(e->host.loss[t])) {
            (void)snprintf(task, sizeof task, ", the loss of task '%s' is %g",
                           e->schema->task[t].name, e->host.loss[t]);
            break;
        }
    if (inner.code != POISE_OK) {
        *err = inner;
        return -1;
    }
    if (!n && !value)
        return poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE,
                          "step %llu: a gradient is not finite%s", (unsigned long long)r->step,
                          task);
    if (value && value->role != POISE_COMPUTED)
        return poise_fail(err, POISE_E_NUMERIC, n ? n->place : POISE_NOWHERE,
                          "step %llu: layer '%s': the %s '%s' %s holds NaN or infinity%s; %s",
                          (unsigned long long)r->step, n ? n->layer : "?",
                          value->role == POISE_PARAM ? "parameter" : "input", value->name,
                          poise_value_text(value, shape, sizeof shape), task,
                          value->role == POISE_PARAM ? "try a lower learning rate"
                                                     : "look at the data");
    return poise_fail(err, POISE_E_NUMERIC, n->place,
                      "step %llu: layer '%s': operator '%s' made NaN or infinity%s; try a lower "
                      "learning rate",
                      (unsigned long long)r->step, n->layer, n->op->name, task);
}

static void update(poise__engine *e, uint64_t number)
{
    poise_optimizer_begin(e->optimizer, number + 1);
    poise_optimizer_dense(e->optimizer, e->threads);
    for (int k = 0; k < e->step.nparam; k++) {
        const poise_gradient *g = &e->step.gradient[k];
        if (g->value && g->rows)
            poise_optimizer_rows(e->optimizer, e->step.param[k], g->value->dim[0],
                                 poise_session_data(e->train, g->rows),
                                 poise_session_data(e->train, g->value));
    }
}

/* 1 if every row gradient is finite. */
static int rows_finite(const poise__engine *e)
{
    for (int k = 0; k < e->step.nparam; k++) {
        const poise_gradient *g = &e->step.gradient[k];
        if (!g->value || !g->rows)
            continue;
        const float *x = poise_session_data(e->train, g->value);
        float sum = 0;
        for (int64_t i = 0; i < poise_value_count(g->value); i++)
            sum += x[i] * 0.0F;
        if (sum != 0)
            return 0;
    }
    return 1;
}

int poise__engine_step(poise__engine *e, const poise_batch *b, uint64_t number, poise_error *err)
{
    poise_run run = {.seed = e->seed, .step = number, .threads = e->threads};
    poise_error inner = {0};
    int param;

    fill_inputs(e->train, &e->train_net, b);
    for (int t = 0; t < e->schema->ntask; t++) {
        fill_label(e->train, e->train_net.label[t], b->label[t]);
        fill(e->train, e->train_net.weight[t], b->weight[t]);
    }
    if (poise_session_run(e->train, &run, &inner) < 0) {
        if (inner.code == POISE_E_NUMERIC)
            return diagnose(e, &run, err);
        if (err)
            *err = inner;
        return -1;
    }
    if (!poise_gradients_finite(e->store, &param) || !rows_finite(e))
        return diagnose(e, &run, err);
    update(e, number);
    return 0;
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
        fill_inputs(e->score, &e->score_net, &b);
        if (poise_session_run(e->score, &run, err) < 0) {
            n = -1;
            break;
        }
        for (int t = 0; t < e->schema->ntask; t++) {
            int64_t w = width(&e->score_net, t);
            memcpy(score[t] + at * w, poise_session_data(e->score, e->score_net.output[t]),
                   (size_t)(n * w) * sizeof(float));
        }
        at += n;
    }
    poise_stream_free(s);
    return n < 0 ? -1 : 0;
}
