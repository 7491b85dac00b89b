/* The same small MMoE, initial weights and 20 batches in PyTorch (mmoe.py, float64) and here, from
 * the run file to the updated weights: losses and task weights of every step, and the network at the
 * end, for three strategies and two optimisers.  The strategies are loaded as users load them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "train/engine.h"
#include "train/safetensors.h"

enum { STEPS = 20, B = 16, N = 3, F = 2, T = 2 };

#define TRAIN(text) "{batch: 16, seed: 1, " text "}"
#define ADAM        TRAIN("optimizer: {adam: {rate: 0.01}}")
#define SGD         TRAIN("optimizer: {sgd: {rate: 0.25}}")

/* The settings of mmoe.py. */
static const struct run {
    const char *balancer, *optimizer, *spec; /* spec: the run's `train` */
    int nsetting;                            /* of the balancer */
    const char *setting[2], *text[2];
} runs[] = {
    {"equal", "adam", ADAM, 0, {0}, {0}},
    {"equal", "sgd", SGD, 0, {0}, {0}},
    {"uncertainty", "adam", ADAM, 0, {0}, {0}},
    {"uncertainty", "sgd", SGD, 2, {"optimizer", "lr"}, {"sgd", "0.1"}},
    {"gradnorm", "adam", ADAM, 1, {"alpha"}, {"1.5"}},
    {"gradnorm", "sgd", SGD, 2, {"optimizer", "lr"}, {"sgd", "0.1"}},
    {"equal",
     "cosine",
     TRAIN("optimizer: {adam: {rate: 0.02}}, embeddings: {adagrad: {rate: 0.1}}, clip: 0.5, "
           "schedule: {warmup: 5, decay: {cosine: {to: 0.1, steps: 15}}}"),
     0,
     {0},
     {0}},
    {"equal",
     "step",
     TRAIN("optimizer: {sgd: {rate: 0.25}}, schedule: {decay: {step: {every: 4, factor: 0.5}}}, "
           "tuning: {tower*: {rate: 0.1}, expert: {l2: 0.01}}"),
     0,
     {0},
     {0}},
    {"equal",
     "exponential",
     TRAIN("optimizer: {adamw: {rate: 0.01, weight_decay: 0.1}}, embeddings: {adam: {rate: 0.02}}, "
           "schedule: {warmup: 3, decay: {exponential: {every: 1, factor: 0.9}}}, "
           "tuning: {\"*/bias\": {l2: 0}, embedding/place: {rate: 0.5}}"),
     0,
     {0},
     {0}},
};

static void must(int status, const poise_error *err)
{
    char text[POISE_ERROR_TEXT];

    if (status < 0)
        fail_msg("%s", poise_error_text(err, text, sizeof text));
}

static const poise_tensor *tensor(const poise_safetensors *f, poise_tensor_type type, size_t count,
                                  const char *fmt, ...) POISE_FORMAT(4, 5);

static const poise_tensor *tensor(const poise_safetensors *f, poise_tensor_type type, size_t count,
                                  const char *fmt, ...)
{
    char name[128];
    const poise_tensor *t;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    t = poise_safetensors_find(f, name);
    if (!t || t->type != type || t->bytes != count * poise_tensor_size(type))
        fail_msg("mmoe.safetensors has no %s of %zu elements", name, count);
    return t;
}

static void close_to(double got, double want, double tolerance, const struct run *r,
                     const char *what, int step, int t)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s with %s, step %d: %s %d is %.9g, PyTorch's %.9g", r->balancer, r->optimizer,
                 step, what, t, got, want);
}

static poise_spec *read_spec(const struct run *r, poise_diagnostics *diag)
{
    char text[2048];
    poise_spec *s = poise_spec_read(TEST_SOURCE "/golden/mmoe.yaml", 1,
                                    &(poise_override){"train", r->spec}, diag);

    if (!s)
        fail_msg("%s", poise_diagnostics_text(diag, 0, text, sizeof text));
    return s;
}

static poise_balance *make_balance(const struct run *r, poise_plugin *plugin)
{
    static const char *const tasks[] = {"click", "buy"};
    poise_setting setting[2];
    poise_error err = {0};
    poise_balance *b;

    for (int k = 0; k < r->nsetting; k++)
        setting[k] = (poise_setting){.name = r->setting[k], .n = 1, .text = &r->text[k]};
    b = poise_balance_new(plugin, T, tasks, 1, r->nsetting, setting, NULL, &err);
    must(b ? 0 : -1, &err);
    return b;
}

/* All parameters, each under its own name; a parameter that the file does not have is a failure. */
static void load_weights(poise_store *s, const poise_safetensors *f)
{
    for (int k = 0; k < poise_store_count(s); k++) {
        const poise_parameter *p = poise_store_at(s, k);
        const poise_tensor *t = tensor(f, POISE_TENSOR_F32, (size_t)p->count, "%s", p->name);

        assert_int_equal(t->rank, p->rank);
        for (int d = 0; d < p->rank; d++)
            assert_int_equal(t->dim[d], p->dim[d]);
        memcpy(poise_store_weight(s, k), t->data, t->bytes);
    }
}

/* Batch `step` of the file.  Its arrays are read only: the engine copies them. */
static void train_step(poise__engine *e, const poise_safetensors *f, int step)
{
    float numeric[B * N], labels[T][B], weights[T][B];
    int32_t ids[B * F];
    float *label[T] = {labels[0], labels[1]}, *weight[T] = {weights[0], weights[1]};
    int64_t row[B];
    poise_batch b = {B, row, numeric, ids, label, weight, NULL};
    poise_error err = {0};
    const float *x;

    for (int k = 0; k < B; k++)
        row[k] = k;
    x = tensor(f, POISE_TENSOR_F32, STEPS * B * N, "batch/numeric")->data;
    memcpy(numeric, x + (size_t)step * B * N, sizeof numeric);
    memcpy(ids,
           (const int32_t *)tensor(f, POISE_TENSOR_I32, STEPS * B * F, "batch/ids")->data +
               (size_t)step * B * F,
           sizeof ids);
    x = tensor(f, POISE_TENSOR_F32, STEPS * T * B, "batch/label")->data;
    memcpy(labels, x + (size_t)step * T * B, sizeof labels);
    x = tensor(f, POISE_TENSOR_F32, STEPS * T * B, "batch/weight")->data;
    memcpy(weights, x + (size_t)step * T * B, sizeof weights);
    must(poise__engine_step(e, &b, (uint64_t)step, &err), &err);
}

static void compare_end(poise_store *s, const poise_safetensors *f, const struct run *r)
{
    for (int k = 0; k < poise_store_count(s); k++) {
        const poise_parameter *p = poise_store_at(s, k);
        const float *want = tensor(f, POISE_TENSOR_F32, (size_t)p->count, "%s/%s/end/%s",
                                   r->balancer, r->optimizer, p->name)
                                ->data;

        for (int i = 0; i < p->count; i++)
            close_to(poise_store_weight(s, k)[i], want[i], 2e-5, r, p->name, STEPS, i);
    }
}

static void trajectory_is_pytorchs(void **state)
{
    const struct run *r = *state;
    poise_error err = {0};
    poise_safetensors *f = poise_safetensors_read(TEST_SOURCE "/golden/mmoe.safetensors", &err);
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_spec *spec = read_spec(r, diag);
    poise_plugin *plugin = poise_plugin_load(r->balancer, &err);
    poise_balance *balance;
    poise_data data;
    poise__engine e;
    const double *loss, *weight;

    must(f && plugin ? 0 : -1, &err);
    must(poise_data_open(&spec->data, spec->schema, &data, &err), &err);
    balance = make_balance(r, plugin);
    must(poise__engine_open(&e, spec, spec->schema, balance, spec->phase, 1, 2, &err), &err);
    load_weights(e.store, f);
    loss = tensor(f, POISE_TENSOR_F64, STEPS * T, "%s/%s/loss", r->balancer, r->optimizer)->data;
    weight =
        tensor(f, POISE_TENSOR_F64, STEPS * T, "%s/%s/weight", r->balancer, r->optimizer)->data;
    for (int step = 0; step < STEPS; step++) {
        train_step(&e, f, step);
        for (int t = 0; t < T; t++) {
            double want = loss[step * T + t];

            close_to(e.training->host.loss[t], want, 1e-5 * want, r, "loss", step, t);
            want = weight[step * T + t];
            close_to(e.training->host.weight[t], want, 1e-5 * want, r, "weight", step, t);
        }
    }
    compare_end(e.store, f, r);

    poise__engine_close(&e);
    poise_balance_free(balance);
    poise_data_done(&data);
    poise_plugin_free(plugin);
    poise_spec_free(spec);
    poise_diagnostics_free(diag);
    poise_safetensors_free(f);
}

int main(void)
{
    struct CMUnitTest tests[sizeof runs / sizeof *runs];
    char names[sizeof runs / sizeof *runs][64];

    for (size_t k = 0; k < sizeof runs / sizeof *runs; k++) {
        snprintf(names[k], sizeof names[k], "%s with %s is PyTorch's", runs[k].balancer,
                 runs[k].optimizer);
        tests[k] = (struct CMUnitTest){.name = names[k],
                                       .test_func = trajectory_is_pytorchs,
                                       .initial_state = (void *)(uintptr_t)&runs[k]};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
