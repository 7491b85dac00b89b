#include "step.h"

#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/random.h"

static int weigh_ones(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                      poise_error *err)
{
    const bench_step *s = self;

    (void)nin, (void)in, (void)r, (void)err;
    for (int t = 0; t < s->c->tasks; t++)
        weight[t] = 1;
    return 0;
}

static int plan_signals(bench_step *s, const char *balancer, poise_signal_plan *plan)
{
    s->ones = (poise_balance_call){.call = weigh_ones, .self = s, .ntask = s->c->tasks};
    plan->balance = &s->ones;
#define X(name, bits, of, about)    \
    if (!strcmp(balancer, #name)) { \
        plan->signals = (bits);     \
        plan->scope = (of);         \
        return 1;                   \
    }
    BENCH_SIGNALS(X)
#undef X
    return 0;
}

static int plan_plugin(bench_step *s, const char *balancer, poise_signal_plan *plan,
                       poise_value **extra, poise_error *err)
{
    static const char *const task[BENCH_MAX_TASKS] = {"t0", "t1", "t2", "t3",
                                                      "t4", "t5", "t6", "t7"};
    poise_task_kind kind[BENCH_MAX_TASKS];
    int64_t width[BENCH_MAX_TASKS];

    s->plugin = poise_plugin_load(balancer, err);
    if (!s->plugin)
        return -1;
    s->balance = poise_balance_new(s->plugin, (uint32_t)s->c->tasks, task, 1, 0, NULL, NULL, err);
    for (int t = 0; t < s->c->tasks; t++) {
        kind[t] = POISE_BINARY;
        width[t] = 1;
        extra[3 * t] = s->net.logit[t];
        extra[3 * t + 1] = s->net.label[t];
        extra[3 * t + 2] = s->net.weight[t];
    }
    if (!s->balance ||
        poise__host_init(&s->host, s->balance, s->c->tasks, kind, width, s->c->batch, err) < 0)
        return -1;
    plan->signals = s->host.signals;
    plan->shared_only = (poise_plugin_get(s->plugin)->flags & POISE_SHARED_ONLY) != 0;
    plan->balance = &s->host.call;
    plan->nextra = s->host.quality ? 3 * s->c->tasks : 0;
    plan->extra = extra;
    return 0;
}

/* Forward, balancer, backward: the graph that a training run makes. */
static int build(bench_step *s, const char *balancer, poise_error *err)
{
    poise_signal_plan plan = {.scope = POISE_SCOPE_LAST};
    poise_value *extra[3 * BENCH_MAX_TASKS];

    s->store = poise_store_new(err);
    s->graph = s->store ? poise_network_graph(s->store, err) : NULL;
    if (!s->graph)
        return -1;
    poise_graph_train(s->graph, 1);
    if (bench_network_build(s->c, s->graph, &s->net, err) < 0)
        return -1;
    if (!plan_signals(s, balancer, &plan) && plan_plugin(s, balancer, &plan, extra, err) < 0)
        return -1;
    if (poise_step_build(s->graph, s->c->tasks, s->net.loss, s->net.labelled, &plan, &s->built,
                         err) < 0)
        return -1;
    if (poise_rewrite_common(s->graph, err) < 0 || poise_rewrite_dead(s->graph, err) < 0)
        return -1;
    return poise_store_seal(s->store, 1, err);
}

static int start(bench_step *s, poise_error *err)
{
    poise_optimizer_spec adam = {
        .kind = POISE_ADAM, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    size_t n = (size_t)s->built.nparam;
    poise_value **gradient = poise__calloc(n, sizeof *gradient, err);
    int *param = poise__calloc(n, sizeof *param, err);
    poise_session_options o = {.gradient = gradient, .param = param};

    for (size_t k = 0; gradient && param && k < n; k++)
        if (s->built.gradient[k].value && !s->built.gradient[k].rows) {
            gradient[o.ngradient] = s->built.gradient[k].value;
            param[o.ngradient++] = s->built.param[k];
        }
    if (gradient && param)
        s->session = poise_session_new(s->graph, &o, err);
    free(gradient);
    free(param);
    if (s->session)
        s->optimizer = poise_optimizer_new(&adam, s->store, err);
    return s->optimizer ? 0 : -1;
}

static int draw_inputs(bench_step *s, poise_error *err)
{
    const bench_case *c = s->c;
    size_t batch = (size_t)c->batch, n = BENCH_BATCHES * batch;
    uint64_t numbers = poise_random_stream("bench/numbers"), ids = poise_random_stream("bench/ids"),
             labels = poise_random_stream("bench/labels");

    s->numeric = poise__calloc(n * (size_t)c->dense, sizeof *s->numeric, err);
    s->ids = poise__calloc(n * (size_t)c->cats, sizeof *s->ids, err);
    s->label = poise__calloc(n * (size_t)c->tasks, sizeof *s->label, err);
    if (!s->numeric || !s->ids || !s->label)
        return -1;
    for (size_t k = 0; k < n * (size_t)c->dense; k++)
        s->numeric[k] = (float)poise_random_normal(1, numbers, 0, k);
    for (size_t k = 0; k < n * (size_t)c->cats; k++)
        s->ids[k] = (int32_t)(poise_random_uniform(1, ids, 0, k) * (double)c->rows);
    for (size_t k = 0; k < n * (size_t)c->tasks; k++)
        s->label[k] = poise_random_uniform(1, labels, 0, k) < 0.1 ? 1.0F : 0.0F;
    for (int t = 0; t < c->tasks; t++) {
        float *weight = poise_session_data(s->session, s->net.weight[t]);

        for (size_t k = 0; k < batch; k++)
            weight[k] = 1;
    }
    return 0;
}

int bench_step_open(bench_step *s, const bench_case *c, const char *balancer, int threads,
                    poise_error *err)
{
    *s = (bench_step){.c = c, .threads = threads};
    if (build(s, balancer, err) == 0 && start(s, err) == 0 && draw_inputs(s, err) == 0)
        return 0;
    bench_step_close(s);
    return -1;
}

void bench_step_close(bench_step *s)
{
    poise_session_free(s->session);
    poise_optimizer_free(s->optimizer);
    poise_step_graph_done(&s->built);
    poise_graph_free(s->graph);
    if (s->balance)
        poise__host_done(&s->host);
    poise_balance_free(s->balance);
    poise_plugin_free(s->plugin);
    poise_store_free(s->store);
    free(s->numeric);
    free(s->ids);
    free(s->label);
    *s = (bench_step){0};
}

static void fill(bench_step *s)
{
    const bench_case *c = s->c;
    size_t batch = (size_t)c->batch, k = s->done % BENCH_BATCHES;

    if (c->dense)
        memcpy(poise_session_data(s->session, s->net.numeric),
               s->numeric + k * batch * (size_t)c->dense,
               batch * (size_t)c->dense * sizeof *s->numeric);
    if (c->cats)
        memcpy(poise_session_data(s->session, s->net.ids), s->ids + k * batch * (size_t)c->cats,
               batch * (size_t)c->cats * sizeof *s->ids);
    for (int t = 0; t < c->tasks; t++)
        memcpy(poise_session_data(s->session, s->net.label[t]),
               s->label + (k * (size_t)c->tasks + (size_t)t) * batch, batch * sizeof *s->label);
}

int bench_step_run(bench_step *s, poise_error *err)
{
    poise_run r = {.seed = 1, .step = s->done, .threads = s->threads};

    fill(s);
    if (poise_session_run(s->session, &r, err) < 0)
        return -1;
    s->done++;
    poise_optimizer_begin(s->optimizer, s->done);
    poise_optimizer_dense(s->optimizer, s->threads);
    for (int k = 0; k < s->built.nparam; k++) {
        const poise_gradient *g = &s->built.gradient[k];

        if (g->value && g->rows)
            poise_optimizer_rows(s->optimizer, s->built.param[k], g->value->dim[0],
                                 poise_session_data(s->session, g->rows),
                                 poise_session_data(s->session, g->value));
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static int run_steps(bench_step *s, int steps, poise_error *err)
{
    for (int k = 0; k < steps; k++)
        if (bench_step_run(s, err) < 0)
            return -1;
    return 0;
}

int bench_step_time(bench_step *s, int steps, int blocks, double *seconds, poise_error *err)
{
    double *time = poise__calloc((size_t)blocks, sizeof *time, err);
    int status = time ? run_steps(s, steps / 10 > 3 ? steps / 10 : 3, err) : -1;

    for (int k = 0; status == 0 && k < blocks; k++) {
        double from = bench_seconds();

        status = run_steps(s, steps, err);
        time[k] = (bench_seconds() - from) / steps;
    }
    if (status == 0) {
        qsort(time, (size_t)blocks, sizeof *time, compare);
        *seconds = (time[(blocks - 1) / 2] + time[blocks / 2]) / 2;
    }
    free(time);
    return status;
}

size_t bench_step_parameter_bytes(const bench_step *s)
{
    size_t bytes = 0;

    for (int k = 0; k < poise_store_count(s->store); k++)
        bytes += (size_t)poise_store_at(s->store, k)->count * sizeof(float);
    return bytes;
}
