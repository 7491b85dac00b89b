#include "step.h"

#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/random.h"

static int leave(const poise_context *c, void *state, const poise_signals *in, double *weight)
{
    (void)c, (void)state, (void)in, (void)weight; /* they are 1 */
    return 0;
}

#define X(name, signals, layer, text)                                              \
    static const poise_balancer table_##name = {POISE_SIZES,        .id = #name,   \
                                                .version = "1.0.0", .about = text, \
                                                .needs = (signals), .step = leave};
BENCH_SIGNALS(X)
#undef X

/* The tasks alone. */
static int make_schema(bench_step *s, poise_error *err)
{
    s->schema = poise_schema_new(err);
    if (!s->schema)
        return -1;
    s->schema->task =
        poise__arena_alloc(s->schema->arena, (size_t)s->c->tasks, sizeof *s->schema->task, err);
    if (!s->schema->task)
        return -1;
    s->schema->ntask = s->c->tasks;
    for (int t = 0; t < s->c->tasks; t++) {
        const char *name = poise__arena_printf(s->schema->arena, err, "t%d", t);

        if (!name)
            return -1;
        s->schema->task[t] = (poise_task){
            .name = name, .kind = POISE_BINARY, .label = name, .loss_weight = 1, .base_rate = 0.1};
    }
    return 0;
}

static int open_balancer(bench_step *s, const char *balancer, poise_scope scope, poise_error *err)
{
    const char *task[BENCH_MAX_TASKS];

    for (int t = 0; t < s->c->tasks; t++)
        task[t] = s->schema->task[t].name;
    s->options =
        (poise_balancer_spec){.use = balancer, .scope = scope, .shared_only = -1, .every = 1};
#define X(name, signals, in, text)                              \
    if (!strcmp(balancer, #name)) {                             \
        const char *layer = (in);                               \
        s->plugin = poise_plugin_of(&table_##name, #name, err); \
        s->layer[0] = layer;                                    \
        s->options.scope = layer ? POISE_SCOPE_LAYERS : scope;  \
        s->options.nlayer = layer != NULL;                      \
        s->options.layer = s->layer;                            \
    } else
    BENCH_SIGNALS(X)
#undef X
    s->plugin = poise_plugin_load(balancer, err);
    if (!s->plugin)
        return -1;
    s->balance = poise_balance_new(s->plugin, (uint32_t)s->c->tasks, task, 1, 0, NULL, NULL, err);
    return s->balance ? 0 : -1;
}

static int build(const void *self, poise_graph *g, poise_network *net, poise_error *err)
{
    const bench_step *s = self;
    return bench_network_build(s->c, g, net, err);
}

static int start(bench_step *s, poise_error *err)
{
    poise_optimizer_spec adam = {
        .kind = POISE_ADAM, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    poise__source source = {build, s, s->schema, adam.rate, 0, s->without, s->lanes, s->threads};

    s->store = poise_store_new(err);
    if (!s->store)
        return -1;
    s->training = poise__training_new(&source, &s->options, s->store, s->balance, err);
    if (!s->training || poise_store_seal(s->store, 1, err) < 0 ||
        poise__training_start(s->training, err) < 0)
        return -1;
    s->optimizer = poise_optimizer_new(&adam, s->store, err);
    s->profile = poise_profile_new(bench_seconds, err);
    return s->optimizer && s->profile ? 0 : -1;
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
    s->weight = poise__calloc(batch, sizeof *s->weight, err);
    if (!s->numeric || !s->ids || !s->label || !s->weight)
        return -1;
    for (size_t k = 0; k < n * (size_t)c->dense; k++)
        s->numeric[k] = (float)poise_random_normal(1, numbers, 0, k);
    for (size_t k = 0; k < n * (size_t)c->cats; k++)
        s->ids[k] = (int32_t)(poise_random_uniform(1, ids, 0, k) * (double)c->rows);
    for (size_t k = 0; k < n * (size_t)c->tasks; k++)
        s->label[k] = poise_random_uniform(1, labels, 0, k) < 0.1 ? 1.0F : 0.0F;
    for (size_t k = 0; k < batch; k++)
        s->weight[k] = 1;
    return 0;
}

int bench_step_open(bench_step *s, const bench_case *c, const char *balancer, poise_scope scope,
                    int threads, int lanes, poise_error *err)
{
    *s = (bench_step){.c = c, .threads = threads, .lanes = lanes, .without = s->without};
    if (draw_inputs(s, err) == 0) {
        double from = bench_seconds();
        if (make_schema(s, err) == 0 && open_balancer(s, balancer, scope, err) == 0 &&
            start(s, err) == 0) {
            s->start = bench_seconds() - from;
            return 0;
        }
    }
    bench_step_close(s);
    return -1;
}

void bench_step_close(bench_step *s)
{
    poise__training_free(s->training);
    poise_profile_free(s->profile);
    poise_optimizer_free(s->optimizer);
    poise_balance_free(s->balance);
    poise_plugin_free(s->plugin);
    poise_store_free(s->store);
    free(s->numeric);
    free(s->ids);
    free(s->label);
    free(s->weight);
    poise_schema_free(s->schema);
    *s = (bench_step){0};
}

int bench_step_run(bench_step *s, poise_error *err)
{
    const bench_case *c = s->c;
    size_t batch = (size_t)c->batch, k = s->done % BENCH_BATCHES;
    poise_run r = {.seed = 1, .step = s->done, .threads = s->threads};
    float *label[BENCH_MAX_TASKS], *weight[BENCH_MAX_TASKS];
    poise_batch b = {.rows = c->batch,
                     .numeric = s->numeric + k * batch * (size_t)c->dense,
                     .ids = s->ids + k * batch * (size_t)c->cats,
                     .label = label,
                     .weight = weight};

    for (size_t t = 0; t < (size_t)c->tasks; t++) {
        label[t] = s->label + (k * (size_t)c->tasks + t) * batch;
        weight[t] = s->weight;
    }
    if (poise__training_gradients(s->training, &b, &r, err) < 0)
        return -1;
    poise__training_update(s->training, s->optimizer, s->done, s->threads);
    s->done++;
    return poise__training_probe(s->training, &b, &r, err);
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

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, compare);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

/* One block of each kind; part[p * stride] receives the seconds of part p per step. */
static int run_blocks(bench_step *s, int steps, double *whole, double *part, int stride,
                      poise_error *err)
{
    double before[POISE_PART_COUNT], from = bench_seconds();

    if (run_steps(s, steps, err) < 0)
        return -1;
    *whole = (bench_seconds() - from) / steps;
    for (int p = 0; p < POISE_PART_COUNT; p++)
        before[p] = s->profile->seconds[p];
    poise__training_profile(s->training, s->profile);
    int status = run_steps(s, steps, err);
    poise__training_profile(s->training, NULL);
    for (int p = 0; p < POISE_PART_COUNT; p++)
        part[p * stride] = (s->profile->seconds[p] - before[p]) / steps;
    return status;
}

int bench_step_time(bench_step *s, int steps, int blocks, bench_times *t, poise_error *err)
{
    double *whole = poise__calloc((size_t)blocks * (1 + POISE_PART_COUNT), sizeof *whole, err);
    double *part = whole + blocks;

    /* every batch once: the rows of tables that it reads are drawn, and their memory is there */
    *t = (bench_times){.warm_up = steps / 10 > BENCH_BATCHES ? steps / 10 : BENCH_BATCHES,
                       .steps = steps};
    int status = whole ? run_steps(s, t->warm_up, err) : -1;
    for (; status == 0 && t->blocks < blocks; t->blocks++)
        status = run_blocks(s, steps, &whole[t->blocks], &part[t->blocks], blocks, err);
    if (status == 0) {
        t->median = median(whole, blocks);
        t->least = whole[0];
        t->most = whole[blocks - 1];
        for (int p = 0; p < POISE_PART_COUNT; p++)
            t->part[p] = median(part + p * blocks, blocks);
    }
    free(whole);
    return status;
}

size_t bench_step_parameter_bytes(const bench_step *s)
{
    size_t bytes = 0;

    for (int k = 0; k < poise_store_count(s->store); k++)
        bytes += (size_t)poise_store_at(s->store, k)->count * sizeof(float);
    return bytes;
}
