/* The balancer in a run: on a schedule, under the host's options, replaced while the run goes on,
 * with losses after the update. */
#include "run_fixture.h"

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
    double rate; /* of the optimiser, as the strategy is to see it */
    double weight[64][3], loss[64][3], initial[64][3], quality[64][3];
} record;

static void keep(void *user, const poise_signals *in, int ngroup, const double *weight, int nweight)
{
    record *r = user;
    assert_int_equal(ngroup, 1);
    assert_int_equal(nweight, 3);
    memcpy(r->weight[r->n], weight, sizeof r->weight[0]);
    memcpy(r->loss[r->n], in->loss, sizeof r->loss[0]);
    memcpy(r->initial[r->n], in->loss_init, sizeof r->initial[0]);
    if (in->kpi)
        memcpy(r->quality[r->n], in->kpi, sizeof r->quality[0]);
    assert_int_equal(in->step, r->n);
    assert_int_equal(in->epoch, r->n / 12);
    assert_true(in->rate[0] == r->rate);
    r->n++;
}

static record recorded_at(double rate, int n, const poise_override *set)
{
    record r = {.rate = rate};
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

static record recorded(int n, const poise_override *set)
{
    return recorded_at(1e-3, n, set);
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

static void initial_losses_are_those_that_the_spec_chooses(void **state)
{
    record first = recorded(1, &(poise_override){"balancer", "gradnorm"});
    record mean = recorded(
        1, &(poise_override){"balancer", "{use: gradnorm, signals: {initial: {mean: 4}}}"});
    record rate = recorded(
        1, &(poise_override){"balancer", "{use: gradnorm, signals: {initial: base_rate}}"});

    (void)state;
    for (int t = 0; t < 3; t++) {
        double sum = 0, entropy = rate.initial[0][t];
        for (int k = 0; k < 36; k++) {
            assert_true(first.initial[k][t] == first.loss[0][t]);
            if (k < 4)
                sum += mean.loss[k][t];
            assert_true(fabs(mean.initial[k][t] - sum / (k < 4 ? k + 1 : 4)) < 1e-12);
            assert_true(rate.initial[k][t] == entropy);
        }
    }
    /* The funnel's base rates are about 10 %, 3 % and 1 %. */
    assert_true(rate.initial[0][0] > 0.25 && rate.initial[0][0] < 0.40);
    assert_true(rate.initial[0][1] > 0.08 && rate.initial[0][1] < 0.20);
    assert_true(rate.initial[0][2] > 0.02 && rate.initial[0][2] < 0.10);
}

static void running_quality_lies_between_0_and_1_and_rises_with_training(void **state)
{
    record r = recorded_at(1e-2, 3,
                           (poise_override[]){{"balancer", "dtp"},
                                              {"model.dropout", "0.0"},
                                              {"train.optimizer", "{adam: {rate: 1e-2}}"}});

    (void)state;
    for (int k = 0; k < 36; k++)
        assert_true(r.quality[k][0] > 0 && r.quality[k][0] <= 1);
    assert_true(r.quality[35][0] > r.quality[0][0]);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_schedule_changes_the_balancer_between_epochs_and_resumes),
        cmocka_unit_test(the_hosts_options_apply_to_any_strategy),
        cmocka_unit_test(initial_losses_are_those_that_the_spec_chooses),
        cmocka_unit_test(running_quality_lies_between_0_and_1_and_rises_with_training),
        cmocka_unit_test(clipping_bounds_the_step_of_the_shared_parameters),
        cmocka_unit_test(losses_after_the_update_are_those_of_the_same_batch),
        cmocka_unit_test(a_balancer_that_is_built_anew_takes_over_between_two_steps),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
