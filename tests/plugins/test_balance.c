/* A balancer at work: what it is handed, what is checked, what a checkpoint holds. */
#include "objects.h"

#include <math.h>

typedef struct work {
    poise_plugin *plugin;
    poise_balance *balance;
    double labelled[2], loss[2], norm[2], gram[4], weight[2];
    poise_signals in;
    poise_error err;
} work;

static const char *const tasks[] = {"click", "buy"};

/* The balancer `name` with one parameter set (or NULL); its making may fail: see err. */
static work *start(const char *name, const char *param, const char *text,
                   const poise_balance_sink *sink)
{
    work *w = calloc(1, sizeof *w);
    poise_setting s = {.name = param, .n = 1, .text = &text};
    assert_non_null(w);
    w->plugin = load(name);
    w->balance = poise_balance_new(w->plugin, 2, tasks, 99, param ? 1 : 0, &s, sink, &w->err);
    w->labelled[0] = w->labelled[1] = w->loss[0] = w->loss[1] = 1;
    w->weight[0] = w->weight[1] = 77;
    w->in = (poise_signals){.size = sizeof w->in,
                            .labelled = w->labelled,
                            .loss = w->loss,
                            .grad_norm = w->norm,
                            .gram = w->gram};
    return w;
}

static void stop(work *w)
{
    poise_balance_free(w->balance);
    poise_plugin_free(w->plugin);
    free(w);
}

static int step(work *w, uint64_t k)
{
    w->in.step = k;
    return poise_balance_step(w->balance, &w->in, w->weight, &w->err);
}

/* ---- failures at run time ---- */

static void faulty_steps_stop_the_run(void **state)
{
    (void)state;
    static const struct {
        const char *name, *param, *text, *message;
    } cases[] = {
        {"negative", NULL, NULL,
         "balancer \"negative\", step 5: the weight of task \"click\" is -0.5; it must not be "
         "negative without POISE_SIGNED"},
        {"fails", "where", "step", "balancer \"fails\", step 5: task buy: 7 is too much"},
        {"fails", "where", "silent",
         "balancer \"fails\", step 5: it failed without a message (host->fail gives one)"},
        {"fails", "where", "forgetful",
         "balancer \"fails\", step 5: the result of fail was dropped"},
        {"overrun", "where", "behind",
         "balancer \"overrun\", step 5: it wrote past the end of its state of 16 bytes (see its "
         "state_size)"},
        {"overrun", "where", "front",
         "balancer \"overrun\", step 5: it wrote in front of its state of 16 bytes (see its "
         "state_size)"},
        {"overrun", "where", "weight",
         "balancer \"overrun\", step 5: it wrote past the end of the 2 weights"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        work *w = start(cases[k].name, cases[k].param, cases[k].text, NULL);
        assert_non_null(w->balance);
        assert_int_equal(step(w, 5), -1);
        expect_error(&w->err, POISE_E_PLUGIN, "%s", cases[k].message);
        assert_true(w->weight[0] == 77 && w->weight[1] == 77);
        assert_true(poise_balance_weight(w->balance)[0] == 1);
        stop(w);
    }
}

/* Steps 0 to 2 are fine; a failing step leaves the answer of the last good one. */
static void a_nan_is_named_with_its_task_and_step(void **state)
{
    (void)state;
    work *w = start("nan", NULL, NULL, NULL);
    for (uint64_t k = 0; k < 3; k++)
        assert_int_equal(step(w, k), 0);
    assert_int_equal(step(w, 3), -1);
    assert_int_equal(w->err.code, POISE_E_PLUGIN);
    assert_true(
        !strcmp(w->err.message, "balancer \"nan\", step 3: the weight of task \"buy\" is nan; "
                                "it must be finite") ||
        !strcmp(w->err.message, "balancer \"nan\", step 3: the weight of task \"buy\" is -nan; "
                                "it must be finite"));
    assert_true(w->weight[0] == 2 && w->weight[1] == 1);
    stop(w);
}

static void faulty_starts_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name, *text, *message;
    } cases[] = {
        {"fails", "init", "balancer \"fails\", init: cannot start"},
        {"fails", "size", "balancer \"fails\", state_size: no state for 2 tasks"},
        {"overrun", "init",
         "balancer \"overrun\", init: it wrote past the end of its state of 16 bytes (see its "
         "state_size)"},
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        work *w = start(cases[k].name, "where", cases[k].text, NULL);
        assert_null(w->balance);
        expect_error(&w->err, POISE_E_PLUGIN, "%s", cases[k].message);
        stop(w);
    }
    work *w = start("fails", "where", "nowhere", NULL);
    assert_null(w->balance);
    expect_error(&w->err, POISE_E_SPEC,
                 "balancer \"fails\": where is \"nowhere\"; it must be size, init, step, silent or "
                 "forgetful");
    stop(w);
}

static void too_few_tasks_are_refused(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_plugin *p = load("probe");
    assert_null(poise_balance_new(p, 1, tasks, 1, 0, NULL, NULL, &err));
    expect_error(&err, POISE_E_SPEC, "balancer \"probe\" needs at least 2 tasks; there is 1");
    assert_null(poise_balance_new(p, 0, tasks, 1, 0, NULL, NULL, &err));
    expect_error(&err, POISE_E_SPEC, "balancer \"probe\" needs at least 2 tasks; there are 0");
    poise_plugin_free(p);
}

/* ---- what it is handed ---- */

struct heard {
    char note[256];
    double gain[2], depth, fast, mode, asked, not_asked, last;
};

static void note(void *user, const char *text)
{
    strcpy(((struct heard *)user)->note, text);
}

static void metric(void *user, const char *key, int32_t task, double value)
{
    struct heard *h = user;
    if (!strcmp(key, "gain"))
        h->gain[task] = value;
    assert_true(task == -1 || !strcmp(key, "gain"));
    double *to[] = {&h->depth, &h->fast, &h->mode, &h->asked, &h->not_asked, &h->last};
    const char *keys[] = {"depth", "fast", "mode", "asked", "not asked", "last"};
    for (int k = 0; k < 6; k++)
        if (!strcmp(key, keys[k]))
            *to[k] = value;
}

static void context_parameters_and_signals_arrive(void **state)
{
    (void)state;
    struct heard h = {.gain = {0, 0}};
    poise_balance_sink sink = {note, metric, &h, NULL};
    work *w = start("probe", "gain", "0.25", &sink);

    assert_non_null(w->balance);
    assert_string_equal(h.note, "2 tasks, click first, seed 99");
    assert_int_equal(poise_balance_signals(w->balance), POISE_LOSS | POISE_GRAM);
    assert_ptr_equal(poise_balance_plugin(w->balance), w->plugin);
    assert_int_equal(step(w, 0), 0);
    assert_true(h.gain[0] == 0.25 && h.gain[1] == 0.25);
    assert_true(h.depth == 3 && h.fast == 0 && h.mode == 1);
    assert_true(h.asked == 3);     /* loss and, wanted, gram */
    assert_true(h.not_asked == 0); /* grad_norm was there, but is none of its business */
    assert_true(h.last == 1);      /* the signals are as long as this header says */
    assert_true(w->weight[0] == -2 && w->weight[1] == -2); /* POISE_SIGNED; 1.0 on entry */
    assert_int_equal(step(w, 1), 0);
    assert_true(w->weight[0] == 1); /* -2 on entry */
    stop(w);
}

/* A sink may be deaf; a wanted signal may be missing; a needed one may not. */
static void signals_that_are_missing(void **state)
{
    (void)state;
    work *w = start("probe", NULL, NULL, NULL);
    w->in.gram = NULL;
    assert_int_equal(step(w, 0), 0);
    w->in.loss = NULL;
    assert_int_equal(step(w, 1), -1);
    expect_error(&w->err, POISE_E_PLUGIN,
                 "balancer \"probe\", step 1: the host did not give the signal loss");
    w->in.loss = w->loss;
    w->in.labelled = NULL;
    assert_int_equal(step(w, 2), -1);
    expect_error(&w->err, POISE_E_PLUGIN,
                 "balancer \"probe\", step 2: the host did not give the signal labelled");
    stop(w);
}

/* ---- checkpoints ---- */

static void a_state_is_restored(void **state)
{
    (void)state;
    size_t size;
    uint32_t version;
    double saved[2], weight[2] = {18, 18};
    work *a = start("counter", NULL, NULL, NULL), *b = start("counter", NULL, NULL, NULL);

    for (uint64_t k = 0; k < 3; k++)
        assert_int_equal(step(a, k), 0);
    const void *bytes = poise_balance_state(a->balance, &size, &version);
    assert_int_equal(size, sizeof saved);
    assert_int_equal(version, 2);
    memcpy(saved, bytes, size);
    assert_int_equal(poise_balance_restore(b->balance, 2, saved, size, weight, &b->err), 0);
    assert_true(poise_balance_weight(b->balance)[1] == 18);
    assert_int_equal(step(b, 3), 0);
    assert_true(b->weight[0] == 4 * 8);
    stop(a);
    stop(b);
}

static void an_older_state_goes_through_migrate(void **state)
{
    (void)state;
    double old = 5, weight[2] = {1, 1};
    work *w = start("counter", NULL, NULL, NULL);
    assert_int_equal(step(w, 0), 0); /* what was there before is gone */
    assert_int_equal(poise_balance_restore(w->balance, 1, &old, sizeof old, weight, &w->err), 0);
    assert_int_equal(step(w, 0), 0);
    assert_true(w->weight[0] == 6 * 12);
    assert_int_equal(poise_balance_restore(w->balance, 0, &old, sizeof old, weight, &w->err), -1);
    expect_error(&w->err, POISE_E_PLUGIN,
                 "balancer \"counter\", migrate: version 0 with 8 bytes was never written");
    stop(w);
}

static void states_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    double old[3] = {0}, weight[2] = {1, 1}, bad[2] = {1, -1};
    work *w = start("counter", NULL, NULL, NULL), *v = start("overrun", NULL, NULL, NULL);

    assert_int_equal(poise_balance_restore(w->balance, 2, old, sizeof old, weight, &w->err), -1);
    expect_error(&w->err, POISE_E_FORMAT,
                 "balancer \"counter\": the checkpoint holds 24 bytes of state, this run needs 16: "
                 "resume with the tasks and parameters that it was written with");
    assert_int_equal(poise_balance_restore(w->balance, 3, old, 16, weight, &w->err), -1);
    expect_error(&w->err, POISE_E_FORMAT,
                 "balancer \"counter\": the checkpoint holds state of version 3, this balancer "
                 "(1.1.0) has version 2 and cannot read it: use the balancer of that run");
    assert_int_equal(poise_balance_restore(v->balance, 1, old, 16, weight, &v->err), -1);
    assert_int_equal(v->err.code, POISE_E_FORMAT); /* newer than version 0 */
    assert_int_equal(poise_balance_restore(w->balance, 2, old, 16, bad, &w->err), -1);
    expect_error(&w->err, POISE_E_PLUGIN,
                 "balancer \"counter\", restore: the weight of task \"buy\" is -1; it must not be "
                 "negative without POISE_SIGNED");
    stop(w);
    stop(v);
}

static void a_state_of_nothing_is_restored(void **state)
{
    (void)state;
    double weight[2] = {3, 4};
    work *w = start("nan", NULL, NULL, NULL);
    assert_int_equal(poise_balance_restore(w->balance, 0, NULL, 0, weight, &w->err), 0);
    assert_true(poise_balance_weight(w->balance)[1] == 4);
    stop(w);
    poise_balance_free(NULL);
}

/* Two balances of one plugin do not know of each other. */
static void balances_are_independent(void **state)
{
    (void)state;
    double weight[2];
    work *a = start("counter", NULL, NULL, NULL);
    poise_balance *b = poise_balance_new(a->plugin, 2, tasks, 1, 0, NULL, NULL, &a->err);
    assert_int_equal(step(a, 0), 0);
    assert_int_equal(step(a, 1), 0);
    assert_int_equal(poise_balance_step(b, &a->in, weight, &a->err), 0);
    assert_true(a->weight[0] == 8 && weight[0] == 2);
    poise_balance_free(b);
    stop(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faulty_steps_stop_the_run),
        cmocka_unit_test(a_nan_is_named_with_its_task_and_step),
        cmocka_unit_test(faulty_starts_are_refused),
        cmocka_unit_test(too_few_tasks_are_refused),
        cmocka_unit_test(context_parameters_and_signals_arrive),
        cmocka_unit_test(signals_that_are_missing),
        cmocka_unit_test(a_state_is_restored),
        cmocka_unit_test(an_older_state_goes_through_migrate),
        cmocka_unit_test(states_that_do_not_fit_are_refused),
        cmocka_unit_test(a_state_of_nothing_is_restored),
        cmocka_unit_test(balances_are_independent),
    };
    return cmocka_run_group_tests_name("balance", tests, NULL, NULL);
}
