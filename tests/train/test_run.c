/* One training run: it can be stopped anywhere and goes on to the same bits, on any number of
 * threads; it allocates nothing once it runs; it stops and says where a value became infinite. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../count_alloc.h"
#include "train/engine.h"
#include "train/file.h"
#include "train/run.h"
#include "train/trainer.h"

/* Dropout, embeddings, a short last batch, rows without some label. */
static const char SPEC[] = "data: {generate: funnel, rows: 1500, seed: 3}\n"
                           "model:\n"
                           "  use: mmoe\n"
                           "  experts: 3\n"
                           "  units: [8, 6]\n"
                           "  tower: [4]\n"
                           "  dropout: 0.2\n"
                           "balancer: equal\n"
                           "train: {batch: 128, epochs: 3, seed: 5, threads: 1}\n";

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "run-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static const char *in_folder(const char *name)
{
    static char path[4][256];
    static int k;
    k = (k + 1) % 4;
    snprintf(path[k], sizeof path[k], "%s/%s", folder, name);
    return path[k];
}

static poise_spec *read_spec(int n, const poise_override *set)
{
    poise_error err;
    char text[POISE_ERROR_TEXT];
    poise_diagnostics *d = poise_diagnostics_new(&err);
    const char *path = in_folder("spec.yaml");

    assert_int_equal(poise__file_replace(path, 1, &(poise__piece){SPEC, sizeof SPEC - 1}, &err), 0);
    poise_spec *s = poise_spec_read(path, n, set, d);
    if (!s)
        fail_msg("%s", poise_diagnostics_text(d, 0, text, sizeof text));
    poise_diagnostics_free(d);
    return s;
}

static int train_into(const poise_spec *s, const char *out, int resume, uint64_t stop_after,
                      poise_error *err)
{
    poise_result r;
    poise_train_options o = {.out = in_folder(out), .resume = resume, .stop_after = stop_after};
    int status = poise_train(s, &o, &r, err);
    if (status < 0 && err->code != POISE_E_STOPPED && err->code != POISE_E_FORMAT)
        print_message("%s: %s\n", out, err->message);
    poise_result_done(&r);
    return status;
}

static void same_file(const char *a, const char *b, const char *name)
{
    char path[256];
    size_t m, n;
    poise_error err = {0};

    snprintf(path, sizeof path, "%s/%s", in_folder(a), name);
    char *x = poise__file_read(path, &m, &err);
    snprintf(path, sizeof path, "%s/%s", in_folder(b), name);
    char *y = poise__file_read(path, &n, &err);
    assert_string_equal(err.message, "");
    if (m != n || memcmp(x, y, m) != 0)
        fail_msg("%s of %s and of %s differ", name, a, b);
    free(x);
    free(y);
}

/* Every strategy that there is. */
enum { MOST = 100 };
static char strategies[MOST][64];
static int nstrategy;

static int note_strategy(void *user, const char *name, const char *path)
{
    (void)user, (void)path;
    assert_true(nstrategy < MOST && strlen(name) < 64);
    strcpy(strategies[nstrategy++], name);
    return 0;
}

static void find_strategies(void)
{
    poise_error err;
    if (nstrategy == 0)
        assert_int_equal(poise_plugin_list(note_strategy, NULL, &err), 0);
    assert_true(nstrategy >= 5);
}

static void a_run_stopped_at_any_step_goes_on_to_the_same_bits(void **state)
{
    /* In the first epoch, at its end (12 batches), in the middle of the last, at the very end. */
    static const uint64_t stops[] = {1, 5, 12, 13, 29, 36};

    (void)state;
    find_strategies();
    for (int k = 0; k < nstrategy; k++) {
        poise_spec *s = read_spec(1, &(poise_override){"balancer", strategies[k]});
        poise_error err = {0};
        if (train_into(s, "whole", 0, 0, &err) < 0)
            fail_msg("%s: %s", strategies[k], err.message);
        /* All stops for the first few, two for the rest: they share the code that is tested. */
        for (size_t i = k < 4 ? 0 : 3; i < (k < 4 ? sizeof stops / sizeof *stops : 5); i++) {
            assert_int_equal(train_into(s, "parts", 0, stops[i], &err), -1);
            assert_int_equal(err.code, POISE_E_STOPPED);
            assert_non_null(strstr(err.message, "--resume"));
            if (i % 2 == 0) /* and stopped a second time on the way */
                assert_int_equal(train_into(s, "parts", 1, stops[i] + 3, &err), -1);
            err = (poise_error){0};
            assert_int_equal(train_into(s, "parts", 1, 0, &err), 0);
            same_file("whole", "parts", "model.safetensors");
        }
        poise_spec_free(s);
    }
}

static void the_bits_do_not_depend_on_the_number_of_threads(void **state)
{
    static const char *const threads[] = {"1", "2", "3", "8"};

    (void)state;
    for (int k = 0; k < 4; k++) {
        poise_error err = {0};
        /* Wide enough that products are cut into parts. */
        poise_spec *s = read_spec(4, (poise_override[]){{"train.threads", threads[k]},
                                                        {"balancer", "gradnorm"},
                                                        {"train.batch", "512"},
                                                        {"model.units", "[64, 48]"}});
        assert_int_equal(train_into(s, k ? "many" : "one", 0, 0, &err), 0);
        if (k)
            same_file("one", "many", "model.safetensors");
        poise_spec_free(s);
    }
}

/* The name of the balancer in the log's notes, and how many lines have its metric. */
static int notes(const char *run, const char *text)
{
    char path[256], line[4096];
    int n = 0;

    snprintf(path, sizeof path, "%s/log.jsonl", in_folder(run));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f))
        n += strstr(line, "\"note\"") && strstr(line, text);
    fclose(f);
    return n;
}

static void a_schedule_changes_the_balancer_between_epochs_and_resumes(void **state)
{
    static const uint64_t stops[] = {7, 12, 20, 24, 30};
    poise_error err = {0};
    poise_spec *s = read_spec(
        1, &(poise_override){"balancer", "[{use: equal, epochs: 1}, {use: gradnorm, epochs: 1}, "
                                         "{use: uncertainty}]"});

    (void)state;
    assert_int_equal(train_into(s, "schedule", 0, 0, &err), 0);
    assert_int_equal(notes("schedule", "balancer 'gradnorm'"), 1);
    assert_int_equal(notes("schedule", "balancer 'uncertainty'"), 1);
    for (size_t k = 0; k < sizeof stops / sizeof *stops; k++) {
        assert_int_equal(train_into(s, "in_parts", 0, stops[k], &err), -1);
        assert_int_equal(err.code, POISE_E_STOPPED);
        assert_int_equal(train_into(s, "in_parts", 1, 0, &err), 0);
        same_file("schedule", "in_parts", "model.safetensors");
    }
    poise_spec_free(s);
}

/* What a run recorded: the weights of every step. */
typedef struct record {
    int n;
    double weight[64][3], loss[64][3];
} record;

static void keep(void *user, const poise_signals *in, const double *weight, int nweight)
{
    record *r = user;
    assert_int_equal(nweight, 3);
    memcpy(r->weight[r->n], weight, sizeof r->weight[0]);
    memcpy(r->loss[r->n], in->loss, sizeof r->loss[0]);
    assert_int_equal(in->step, r->n);
    assert_int_equal(in->epoch, r->n / 12);
    assert_true(in->rate[0] == 1e-3);
    r->n++;
}

static record recorded(int n, const poise_override *set)
{
    record r = {0};
    poise_error err = {0};
    poise_result result;
    poise_spec *s = read_spec(n, set);
    poise_train_options o = {.out = in_folder("recorded"), .record = keep, .record_user = &r};

    int status = poise_train(s, &o, &result, &err);
    assert_string_equal(status < 0 ? err.message : "", "");
    poise_result_done(&result);
    poise_spec_free(s);
    assert_int_equal(r.n, 36);
    return r;
}

static void the_hosts_options_apply_to_any_strategy(void **state)
{
    record plain = recorded(1, &(poise_override){"balancer", "uncertainty"});
    record sum =
        recorded(1, &(poise_override){"balancer", "{use: uncertainty, weights: {normalise: sum}}"});
    record mean = recorded(
        1, &(poise_override){"balancer", "{use: uncertainty, weights: {normalise: mean}}"});
    record every =
        recorded(1, &(poise_override){"balancer", "{use: uncertainty, weights: {every: 5}}"});
    record smooth =
        recorded(1, &(poise_override){"balancer", "{use: uncertainty, weights: {smooth: 0.9}}"});

    (void)state;
    for (int k = 0; k < 36; k++) {
        double total = 0, a = 0, b = 0;
        for (int t = 0; t < 3; t++) {
            total += plain.weight[k][t];
            a += sum.weight[k][t];
            b += mean.weight[k][t];
        }
        assert_true(fabs(total - 1) > 1e-3); /* else the two that follow prove nothing */
        assert_true(fabs(a - 1) < 1e-12);
        assert_true(fabs(b - 3) < 1e-12);
        for (int t = 0; t < 3; t++)
            if (k % 5)
                assert_true(every.weight[k][t] == every.weight[k - 1][t]);
            else if (k)
                assert_true(every.weight[k][t] != every.weight[k - 1][t]);
    }
    /* The first step's weights are the strategy's; the second's are nine parts of them. */
    assert_true(smooth.weight[0][0] == plain.weight[0][0]);
    assert_true(fabs(smooth.weight[1][0] - (0.9 * plain.weight[0][0] + 0.1 * plain.weight[1][0])) <
                1e-12);
}

static void clipping_bounds_the_step_of_the_shared_parameters(void **state)
{
    poise_error err = {0};
    double moved[2] = {0};

    (void)state;
    for (int k = 0; k < 2; k++) {
        poise_spec *s = read_spec(
            3, (poise_override[]){{"train.optimizer", "{sgd: {rate: 1}}"},
                                  {"train.epochs", "1"},
                                  {"balancer", k ? "{use: equal, clip: 1e-3}" : "equal"}});
        poise_data data;
        poise__engine e;
        poise_batch b;
        const char *tasks[] = {"click", "detail", "favourite"};

        assert_int_equal(poise_data_open(&s->data, s->schema, &data, &err), 0);
        poise_plugin *p = poise_plugin_load("equal", &err);
        poise_balance *balance = poise_balance_new(p, 3, tasks, 1, 0, NULL, NULL, &err);
        assert_int_equal(poise__engine_open(&e, s, s->schema, balance, s->phase, 1, 1, &err), 0);
        poise_stream *in = poise_stream_new(data.train, s->train.batch, 1, 1, &err);
        poise_stream_seek(in, 0, 0);
        assert_true(poise_stream_next(in, &b, &err) > 0);
        size_t n = poise_store_size(e.store);
        float *before = malloc(n * sizeof *before);
        memcpy(before, poise_store_weights(e.store), n * sizeof *before);
        assert_int_equal(poise__engine_step(&e, &b, 0, &err), 0);
        for (int i = 0; i < e.training->step.nparam; i++) {
            const poise_parameter *of = poise_store_at(e.store, e.training->step.param[i]);
            for (int64_t c = 0; e.training->step.owner[i] < 0 && c < of->count; c++) {
                double d = (double)poise_store_weights(e.store)[of->offset + (size_t)c] -
                           (double)before[of->offset + (size_t)c];
                moved[k] += d * d;
            }
        }
        free(before);
        poise_stream_free(in);
        poise__engine_close(&e);
        poise_balance_free(balance);
        poise_plugin_free(p);
        poise_data_done(&data);
        poise_spec_free(s);
    }
    assert_true(sqrt(moved[0]) > 2e-3);
    assert_true(fabs(sqrt(moved[1]) - 1e-3) < 1e-5);
}

/* What a balancer that asks for the losses after the update must see: the next forward pass over
 * the same batch, here the same rows in every step. */
static void losses_after_the_update_are_those_of_the_same_batch(void **state)
{
    static double after[64][3], loss[64][3];
    poise_error err = {0};
    poise_spec *s =
        read_spec(3, (poise_override[]){
                         {"train.batch", "1500"}, {"train.epochs", "6"}, {"model.dropout", "0.0"}});
    poise_data data;
    poise__engine e;
    poise_batch b;
    const char *tasks[] = {"click", "detail", "favourite"};

    (void)state;
    assert_int_equal(poise_data_open(&s->data, s->schema, &data, &err), 0);
    poise_plugin *p = poise_plugin_load("famo", &err);
    if (!p)
        fail_msg("%s", err.message);
    poise_balance *balance = poise_balance_new(p, 3, tasks, 1, 0, NULL, NULL, &err);
    assert_int_equal(poise__engine_open(&e, s, s->schema, balance, s->phase, 1, 1, &err), 0);
    poise_stream *in = poise_stream_new(data.train, s->train.batch, 0, 1, &err);
    for (uint32_t k = 0; k < 6; k++) {
        poise_stream_seek(in, k, 0);
        assert_true(poise_stream_next(in, &b, &err) > 0);
        e.training->host.epoch = k;
        assert_int_equal(poise__engine_step(&e, &b, k, &err), 0);
        for (int t = 0; t < 3; t++) {
            loss[k][t] = e.training->host.loss[t];
            after[k][t] = e.training->host.in.loss_after[t]; /* now of this step's update */
        }
        for (int t = 0; k > 0 && t < 3; t++)
            assert_true(loss[k][t] == after[k - 1][t]);
    }
    poise_stream_free(in);
    poise__engine_close(&e);
    poise_balance_free(balance);
    poise_plugin_free(p);
    poise_data_done(&data);
    poise_spec_free(s);
}

static int copy_file(const char *from, const char *to)
{
    poise_error err;
    size_t n;
    char *bytes = poise__file_read(from, &n, &err);
    int status = bytes ? poise__file_replace(to, 1, &(poise__piece){bytes, n}, &err) : -1;
    free(bytes);
    return status;
}

/* The progress callback rebuilds the file in the middle of a run: first as something that is no
 * balancer, then as another strategy's object under the same name. */
typedef struct rebuild {
    char path[256];
    int stage;
    uint64_t changed;
    int refused, loaded;
} rebuild;

static int rebuild_on_the_way(void *user, const poise_progress *p)
{
    rebuild *r = user;
    if (p->note) {
        r->refused += strstr(p->note, "is refused, the old one stays") != NULL;
        r->loaded += strstr(p->note, "loaded anew, its state kept") != NULL;
        return 0;
    }
    if (r->stage == 0 && p->step > 5) {
        poise_error err;
        assert_int_equal(
            poise__file_replace(r->path, 1, &(poise__piece){"not an object", 13}, &err), 0);
        r->stage = 1;
    } else if (r->stage == 1 && r->refused) {
        assert_int_equal(copy_file(TEST_BUILD "/balancers/gradnorm.so", r->path), 0);
        r->stage = 2;
    }
    return r->loaded > 0; /* seen: stop */
}

static void a_balancer_that_is_built_anew_takes_over_between_two_steps(void **state)
{
    poise_error err = {0};
    poise_result result;
    rebuild r = {0};
    char use[300];

    (void)state;
    snprintf(r.path, sizeof r.path, "%s/mine.so", folder);
    snprintf(use, sizeof use, "mine.so");
    assert_int_equal(copy_file(TEST_BUILD "/balancers/gradnorm.so", r.path), 0);
    poise_spec *s = read_spec(2, (poise_override[]){{"balancer", use}, {"train.epochs", "100000"}});
    poise_train_options o = {.out = in_folder("watched"),
                             .progress = rebuild_on_the_way,
                             .user = &r,
                             .watch_balancer = 1,
                             .stop_after = 1000000};
    assert_int_equal(poise_train(s, &o, &result, &err), -1);
    assert_int_equal(err.code, POISE_E_STOPPED);
    assert_int_equal(r.refused, 1);
    assert_int_equal(r.loaded, 1);
    poise_spec_free(s);
}

static void a_resume_under_another_spec_is_refused(void **state)
{
    poise_error err = {0};
    poise_spec *s = read_spec(0, NULL);

    (void)state;
    assert_int_equal(train_into(s, "refused", 0, 5, &err), -1);
    poise_spec_free(s);
    s = read_spec(1, &(poise_override){"train.batch", "64"});
    assert_int_equal(train_into(s, "refused", 1, 0, &err), -1);
    assert_int_equal(err.code, POISE_E_FORMAT);
    assert_non_null(strstr(err.message, "another spec"));
    poise_spec_free(s);
    s = read_spec(1, &(poise_override){"balancer", "dwa"});
    assert_int_equal(train_into(s, "refused", 1, 0, &err), -1);
    assert_non_null(strstr(err.message, "trained with balancer 'equal', not 'dwa'"));
    poise_spec_free(s);
    /* More epochs are the same run, only longer. */
    s = read_spec(1, &(poise_override){"train.epochs", "4"});
    assert_int_equal(train_into(s, "refused", 1, 0, &err), 0);
    poise_spec_free(s);
}

static void patience_ends_a_run_that_no_longer_improves(void **state)
{
    poise_error err = {0};
    /* At this rate nothing moves: the first epoch stays the best one. */
    poise_spec *s = read_spec(3, (poise_override[]){{"train.patience", "2"},
                                                    {"train.epochs", "9"},
                                                    {"train.optimizer", "{sgd: {rate: 1e-12}}"}});
    poise_result r;

    (void)state;
    assert_int_equal(poise_train(s, &(poise_train_options){.out = in_folder("patience")}, &r, &err),
                     0);
    assert_int_equal(r.epochs, 3);
    assert_int_equal(r.best_epoch, 1);
    poise_result_done(&r);
    poise_spec_free(s);
}

static void an_infinite_value_stops_the_run_and_names_its_layer(void **state)
{
    poise_error err = {0};
    poise_spec *s = read_spec(2, (poise_override[]){{"train.optimizer", "{sgd: {rate: 1000}}"},
                                                    {"balancer", "{use: equal, weight: 1e30}"}});
    char path[256];

    (void)state;
    assert_int_equal(train_into(s, "infinite", 0, 0, &err), -1);
    assert_int_equal(err.code, POISE_E_NUMERIC);
    assert_non_null(strstr(err.message, "step "));
    assert_non_null(strstr(err.message, "layer '"));
    assert_non_null(strstr(err.message, "rate"));
    assert_non_null(strstr(err.file, ".yaml"));
    assert_true(err.line > 0);
    snprintf(path, sizeof path, "%s/result.json", in_folder("infinite"));
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/state.safetensors", in_folder("infinite"));
    assert_int_equal(access(path, F_OK), 0); /* the last good state is kept */
    poise_spec_free(s);
}

static void evaluation_agrees_with_the_result_and_with_predictions(void **state)
{
    poise_error err = {0};
    poise_spec *s = read_spec(0, NULL);
    poise_result trained, again;

    (void)state;
    assert_int_equal(
        poise_train(s, &(poise_train_options){.out = in_folder("scored")}, &trained, &err), 0);
    assert_int_equal(poise_evaluate(in_folder("scored"), "test", 2, &again, &err), 0);
    assert_int_equal(again.ntask, trained.ntask);
    for (int t = 0; t < trained.ntask; t++) {
        assert_string_equal(again.task[t].name, trained.task[t].name);
        assert_true(again.task[t].auc == trained.task[t].auc);
        assert_true(again.task[t].logloss == trained.task[t].logloss);
        assert_true(trained.task[t].auc_best_possible > trained.task[t].auc);
    }
    poise_result_done(&again);
    assert_int_equal(poise_evaluate(in_folder("scored"), "tset", 1, &again, &err), -1);
    assert_non_null(strstr(err.message, "'tset'"));
    poise_result_done(&trained);
    poise_spec_free(s);
}

/* Every line of a log is an object with a step, in order. */
static void check_log(const char *run)
{
    char path[256], line[4096];
    long last = 0;
    int epochs = 0, steps = 0;

    snprintf(path, sizeof path, "%s/log.jsonl", in_folder(run));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        json_t *o = json_loads(line, 0, NULL);
        assert_non_null(o);
        long step = (long)json_integer_value(json_object_get(o, "step"));
        assert_true(step >= last);
        last = step;
        epochs += json_object_get(o, "monitor") != NULL;
        steps += json_object_get(o, "loss") != NULL;
        json_decref(o);
    }
    fclose(f);
    assert_int_equal(epochs, 3);
    assert_int_equal(steps, 36);
    assert_int_equal(last, 36);
}

static void the_log_of_a_resumed_run_has_each_step_once(void **state)
{
    poise_error err = {0};
    poise_spec *s = read_spec(
        2, (poise_override[]){{"train.log_every", "1"}, {"train.checkpoint_every", "10"}});
    char path[256];

    (void)state;
    assert_int_equal(train_into(s, "log", 0, 14, &err), -1);
    /* What a run that was killed at step 17 would leave, the last line cut short. */
    snprintf(path, sizeof path, "%s/log.jsonl", in_folder("log"));
    FILE *f = fopen(path, "a");
    fputs("{\"step\":15,\"epoch\":2,\"loss\":{}}\n{\"step\":16,\"ep", f);
    fclose(f);
    assert_int_equal(train_into(s, "log", 1, 0, &err), 0);
    check_log("log");
    poise_spec_free(s);
}

static void a_comparison_trains_every_strategy_with_the_same_seeds(void **state)
{
    static const char *const names[] = {"equal", "gradnorm"};
    poise_error err = {0};
    poise_spec *s = read_spec(1, &(poise_override){"train.epochs", "1"});
    poise_comparison c;
    char path[256];

    (void)state;
    assert_int_equal(poise_compare(s, 2, names, 2,
                                   &(poise_train_options){.out = in_folder("compared")}, &c, &err),
                     0);
    assert_int_equal(c.ntask, 3);
    for (int k = 0; k < 2; k++)
        for (int t = 0; t < c.ntask; t++) {
            assert_true(c.row[k].auc_mean[t] > 0 && c.row[k].auc_mean[t] < 1);
            assert_true(c.row[k].auc_std[t] > 0);
            assert_true(c.best_possible[t] > c.row[k].auc_mean[t]);
        }
    poise_comparison_done(&c);
    snprintf(path, sizeof path, "%s/compare.json", in_folder("compared"));
    json_t *o = json_load_file(path, 0, NULL);
    assert_non_null(json_object_get(
        json_object_get(json_object_get(json_object_get(o, "balancers"), "gradnorm"), "tasks"),
        "click"));
    json_decref(o);
    /* The first run of the comparison is the run that `train` makes. */
    assert_int_equal(train_into(s, "alone", 0, 0, &err), 0);
    same_file("alone", "compared/equal-5", "model.safetensors");
    poise_spec_free(s);
}

static void a_training_step_allocates_nothing_after_the_first(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    find_strategies();
    for (int k = 0; k < nstrategy; k++) {
        poise_error err = {0};
        poise_spec *s = read_spec(0, NULL);
        poise_data data;
        poise__engine e;
        poise_batch b;
        long before = 0;
        const char *tasks[] = {"click", "detail", "favourite"};

        assert_int_equal(poise_data_open(&s->data, s->schema, &data, &err), 0);
        poise_plugin *p = poise_plugin_load(strategies[k], &err);
        poise_balance *balance = poise_balance_new(p, 3, tasks, 1, 0, NULL, NULL, &err);
        assert_int_equal(poise__engine_open(&e, s, s->schema, balance, s->phase, 1, 2, &err), 0);
        poise_stream *in = poise_stream_new(data.train, s->train.batch, 1, 1, &err);
        poise_stream_seek(in, 0, 0);
        for (uint64_t step = 0; step < 8; step++) {
            if (step == 1)
                before = count_alloc();
            assert_true(poise_stream_next(in, &b, &err) > 0);
            assert_int_equal(poise__engine_step(&e, &b, step, &err), 0);
        }
        if (count_alloc() != before)
            fail_msg("%s: %ld allocations", strategies[k], count_alloc() - before);
        poise_stream_free(in);
        poise__engine_close(&e);
        poise_balance_free(balance);
        poise_plugin_free(p);
        poise_data_done(&data);
        poise_spec_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_stopped_at_any_step_goes_on_to_the_same_bits),
        cmocka_unit_test(the_bits_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(a_schedule_changes_the_balancer_between_epochs_and_resumes),
        cmocka_unit_test(the_hosts_options_apply_to_any_strategy),
        cmocka_unit_test(clipping_bounds_the_step_of_the_shared_parameters),
        cmocka_unit_test(losses_after_the_update_are_those_of_the_same_batch),
        cmocka_unit_test(a_balancer_that_is_built_anew_takes_over_between_two_steps),
        cmocka_unit_test(a_resume_under_another_spec_is_refused),
        cmocka_unit_test(patience_ends_a_run_that_no_longer_improves),
        cmocka_unit_test(an_infinite_value_stops_the_run_and_names_its_layer),
        cmocka_unit_test(evaluation_agrees_with_the_result_and_with_predictions),
        cmocka_unit_test(the_log_of_a_resumed_run_has_each_step_once),
        cmocka_unit_test(a_comparison_trains_every_strategy_with_the_same_seeds),
        cmocka_unit_test(a_training_step_allocates_nothing_after_the_first),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
