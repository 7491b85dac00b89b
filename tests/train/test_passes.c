/* Passes on and off: the same losses to 1e-5 over 100 steps, fewer products. */
#include "run_fixture.h"

enum { COUNT = 100, TASKS = 3 };

typedef struct record {
    int n;
    double loss[COUNT][TASKS];
} record;

static void keep(void *user, const poise_signals *in, int ngroup, const double *weight, int nweight)
{
    record *r = user;

    (void)ngroup, (void)weight, (void)nweight;
    if (r->n < COUNT)
        memcpy(r->loss[r->n++], in->loss, sizeof r->loss[0]);
}

static record losses(const char *balancer, const char *passes)
{
    record r = {0};
    poise_error err = {0};
    poise_result result;
    poise_spec *s = read_spec(4, (poise_override[]){{"balancer", balancer},
                                                    {"train.passes", passes},
                                                    {"train.epochs", "9"},
                                                    {"model.units", "[16, 8]"}});
    poise_train_options o = {.out = in_folder("recorded"), .record = keep, .record_user = &r};

    if (poise_train(s, &o, &result, &err) < 0)
        fail_msg("%s", err.message);
    poise_result_done(&result);
    poise_spec_free(s);
    assert_int_equal(r.n, COUNT);
    return r;
}

static void losses_agree_over_100_steps(void **state)
{
    static const char *const balancers[] = {"uncertainty", "gradnorm", "dwa", "pcgrad",
                                            "{use: imtl, signals: {scope: all}}"};

    (void)state;
    for (size_t k = 0; k < sizeof balancers / sizeof *balancers; k++) {
        record on = losses(balancers[k], "all"), off = losses(balancers[k], "none");
        for (int i = 0; i < COUNT; i++)
            for (int t = 0; t < TASKS; t++)
                if (!(fabs(on.loss[i][t] - off.loss[i][t]) <= 1e-5 * fabs(off.loss[i][t])))
                    fail_msg("%s, step %d, task %d: %.9g with passes, %.9g without", balancers[k],
                             i, t, on.loss[i][t], off.loss[i][t]);
    }
}

/* Matrix products of a training step. */
static int products(const char *passes)
{
    poise_error err = {0};
    poise_spec *s = read_spec(1, &(poise_override){"train.passes", passes});
    poise_data data;
    poise__engine e;
    const char *task[TASKS] = {"click", "detail", "favourite"};
    poise_plugin *plugin = poise_plugin_load("gradnorm", &err);
    poise_balance *b = poise_balance_new(plugin, TASKS, task, 1, 0, NULL, NULL, &err);

    assert_non_null(b);
    assert_int_equal(poise_data_open(&s->data, s->schema, &data, &err), 0);
    assert_int_equal(poise__engine_open(&e, s, s->schema, b, &s->balancer, 1, 1, &err), 0);
    int n = 0;
    for (int k = 0; k < poise_session_steps(e.training->main.session); k++)
        n += poise_session_step(e.training->main.session, k)->flops > 0;
    poise__engine_close(&e);
    poise_balance_free(b);
    poise_plugin_free(plugin);
    poise_data_done(&data);
    poise_spec_free(s);
    return n;
}

static void fewer_products_run(void **state)
{
    (void)state;
    assert_true(products("all") < products("none"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_agree_over_100_steps),
        cmocka_unit_test(fewer_products_run),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
