/* One training run: it can be stopped anywhere and goes on to the same bits, on any number of
 * threads; it allocates nothing once it runs; it stops and says where a value became infinite. */
#include "run_fixture.h"

#include <jansson.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Train in one go, then stopped at a step and continued: the same file. */
static void check_stop(const poise_spec *s, const char *strategy, uint64_t stop)
{
    poise_error err = {0};

    assert_int_equal(train_into(s, "parts", 0, stop, &err), -1);
    assert_int_equal(err.code, POISE_E_STOPPED);
    assert_non_null(strstr(err.message, "--resume"));
    if (stop % 2) /* and stopped a second time on the way */
        assert_int_equal(train_into(s, "parts", 1, stop + 3, &err), -1);
    err = (poise_error){0};
    if (train_into(s, "parts", 1, 0, &err) < 0)
        fail_msg("%s: %s", strategy, err.message);
    same_file("whole", "parts", "model.safetensors");
}

static void a_run_stopped_at_any_step_goes_on_to_the_same_bits(void **state)
{
    /* In the first epoch, at its end (12 batches), in the middle of the last, at the very end. */
    static const uint64_t stops[] = {1, 5, 12, 13, 29, 36};
    static const char *const some[] = {"equal", "dtp", "gradnorm", "moco"};

    (void)state;
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        poise_spec *s = read_spec(1, &(poise_override){"balancer", some[k]});
        poise_error err = {0};
        assert_int_equal(train_into(s, "whole", 0, 0, &err), 0);
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
            check_stop(s, some[k], stops[i]);
        poise_spec_free(s);
    }
}

/* Rates that depend on the step, two optimisers, groups of parameters, clipping. */
static void a_stopped_run_keeps_its_schedule(void **state)
{
    static const poise_override set[] = {
        {"train.optimizer", "{adamw: {rate: 0.01, weight_decay: 0.01}}"},
        {"train.embeddings", "{adagrad: {rate: 0.1}}"},
        {"train.schedule", "{warmup: 7, decay: cosine}"},
        {"train.clip", "0.3"},
        {"train.tuning", "{tower*: {rate: 0.3, l2: 0.1}, embedding/user: {rate: 0.5}}"},
    };
    poise_error err = {0};
    poise_spec *s = read_spec(5, set);

    (void)state;
    assert_int_equal(train_into(s, "whole", 0, 0, &err), 0);
    for (uint64_t stop = 3; stop < 36; stop += 10)
        check_stop(s, "a schedule", stop);
    /* the cosine ends with the run: its length may not change */
    assert_int_equal(train_into(s, "longer", 0, 5, &err), -1);
    s->train.epochs++;
    assert_int_equal(train_into(s, "longer", 1, 0, &err), -1);
    assert_int_equal(err.code, POISE_E_FORMAT);
    assert_non_null(strstr(err.message, "a cosine to the end"));
    poise_spec_free(s);
}

static void end_the_process(void *user, const poise_signals *in, int ngroup, const double *weight,
                            int nweight)
{
    (void)user, (void)in, (void)ngroup, (void)weight, (void)nweight;
    _exit(7);
}

/* Before the first step the state holds no weights: the seed gives them. */
static void a_run_killed_in_its_first_step_goes_on_to_the_same_bits(void **state)
{
    poise_error err = {0};
    poise_spec *s = read_spec(1, &(poise_override){"balancer", "gradnorm"});
    struct stat first, last;
    int status = 0;

    (void)state;
    pid_t child = fork();
    if (child == 0) {
        poise_result r;
        (void)poise_train(
            s, &(poise_train_options){.out = in_folder("killed"), .record = end_the_process}, &r,
            &err);
        _exit(1);
    }
    assert_true(child > 0 && waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    assert_int_equal(stat(in_folder("killed/state.safetensors"), &first), 0);
    assert_int_equal(train_into(s, "whole", 0, 0, &err), 0);
    assert_int_equal(train_into(s, "killed", 1, 0, &err), 0);
    same_file("whole", "killed", "model.safetensors");
    assert_int_equal(stat(in_folder("killed/state.safetensors"), &last), 0);
    assert_true(first.st_size < last.st_size / 2);
    poise_spec_free(s);
}

static void for_every_strategy_200_steps_are_100_and_100(void **state)
{
    (void)state;
    find_strategies();
    for (int k = 0; k < nstrategy; k++) {
        poise_spec *s = read_spec(3, (poise_override[]){{"balancer", strategies[k]},
                                                        {"data.rows", "600"},
                                                        {"train.epochs", "40"}}); /* of 5 steps */
        poise_error err = {0};
        if (train_into(s, "whole", 0, 0, &err) < 0)
            fail_msg("%s: %s", strategies[k], err.message);
        check_stop(s, strategies[k], 100);
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
        assert_true(again.task[t].figure[POISE_AUC] == trained.task[t].figure[POISE_AUC]);
        assert_true(again.task[t].figure[POISE_LOGLOSS] == trained.task[t].figure[POISE_LOGLOSS]);
        /* of 150 rows it is no bound for a model that was lucky */
        assert_true(trained.task[t].auc_best_possible > 0.6 &&
                    trained.task[t].auc_best_possible < 1);
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
            assert_true(c.row[k].mean[t] > 0 && c.row[k].mean[t] < 1);
            assert_true(c.row[k].std[t] > 0);
            assert_true(c.best_possible[t] > c.row[k].mean[t]);
        }
    assert_int_equal(c.nrow, 2);
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

/* Two models, no strategies: each with the spec's own, in a folder called after the model. */
static void models_are_compared_with_the_same_seeds(void **state)
{
    poise_error err = {0};
    const poise_override small = {"train.epochs", "1"},
                         bottom[] = {small,
                                     {"model", "{use: shared_bottom, units: [8], tower: [4]}"}};
    poise_spec *s[] = {read_spec(1, &small), read_spec(2, bottom)};
    poise_comparison c;
    char path[256];

    (void)state;
    assert_int_equal(poise_compare_models(2, (const poise_spec *const *)s, 0, NULL, 1,
                                          &(poise_train_options){.out = in_folder("models")}, &c,
                                          &err),
                     0);
    assert_int_equal(c.nrow, 2);
    assert_string_equal(c.row[1].model, "shared_bottom");
    assert_string_equal(c.row[1].balancer, s[1]->balancer.use);
    assert_true(c.row[0].weights > 0 && c.row[0].weights != c.row[1].weights);
    snprintf(path, sizeof path, "%s/compare.json", in_folder("models"));
    json_t *o = json_load_file(path, 0, NULL);
    json_t *models = json_object_get(o, "models");
    assert_int_equal(json_object_size(models), 2);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(models, "shared_bottom"), "weights")),
        c.row[1].weights);
    json_decref(o);
    poise_comparison_done(&c);
    assert_int_equal(train_into(s[1], "bottom", 0, 0, &err), 0);
    same_file("bottom", "models/shared_bottom-5", "model.safetensors");
    poise_spec_free(s[0]);
    poise_spec_free(s[1]);
}

static void models_with_other_tasks_are_not_compared(void **state)
{
    poise_error err = {0};
    const poise_override two = {"tasks", "{click: {label: click}, detail: {label: detail}}"};
    poise_spec *s[] = {read_spec(0, NULL), read_spec(1, &two)};
    poise_comparison c;

    (void)state;
    assert_int_equal(poise_compare_models(2, (const poise_spec *const *)s, 0, NULL, 1,
                                          &(poise_train_options){.out = in_folder("other")}, &c,
                                          &err),
                     -1);
    assert_non_null(strstr(err.message, "other tasks"));
    assert_int_equal(c.nrow, 0);
    poise_comparison_done(&c);
    poise_spec_free(s[0]);
    poise_spec_free(s[1]);
}

static void a_strategy_that_fails_leaves_the_rows_before_it(void **state)
{
    static const char *const names[] = {"equal", TEST_BUILD "/tests/objects/fails.so"};
    poise_error err = {0};
    poise_spec *s = read_spec(1, &(poise_override){"train.epochs", "1"});
    poise_comparison c;
    char path[256];

    (void)state;
    assert_int_equal(
        poise_compare(s, 2, names, 1, &(poise_train_options){.out = in_folder("cut")}, &c, &err),
        -1);
    assert_non_null(strstr(err.message, "\"fails\""));
    assert_int_equal(c.nrow, 1);
    assert_string_equal(c.row[0].balancer, "equal");
    poise_comparison_done(&c);
    snprintf(path, sizeof path, "%s/compare.json", in_folder("cut"));
    json_t *o = json_load_file(path, 0, NULL);
    assert_int_equal(json_object_size(json_object_get(o, "balancers")), 1);
    json_decref(o);
    poise_spec_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_stopped_at_any_step_goes_on_to_the_same_bits),
        cmocka_unit_test(a_stopped_run_keeps_its_schedule),
        cmocka_unit_test(a_run_killed_in_its_first_step_goes_on_to_the_same_bits),
        cmocka_unit_test(for_every_strategy_200_steps_are_100_and_100),
        cmocka_unit_test(the_bits_do_not_depend_on_the_number_of_threads),
        cmocka_unit_test(a_resume_under_another_spec_is_refused),
        cmocka_unit_test(patience_ends_a_run_that_no_longer_improves),
        cmocka_unit_test(an_infinite_value_stops_the_run_and_names_its_layer),
        cmocka_unit_test(evaluation_agrees_with_the_result_and_with_predictions),
        cmocka_unit_test(the_log_of_a_resumed_run_has_each_step_once),
        cmocka_unit_test(a_comparison_trains_every_strategy_with_the_same_seeds),
        cmocka_unit_test(models_are_compared_with_the_same_seeds),
        cmocka_unit_test(models_with_other_tasks_are_not_compared),
        cmocka_unit_test(a_strategy_that_fails_leaves_the_rows_before_it),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
