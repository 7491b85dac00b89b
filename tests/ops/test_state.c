/* What an operator keeps or changes: running means, the balancer's last answer, dropout's masks;
 * and what the table of cases cannot see: the gradient of a gradient. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/random.h"
#include "core/session.h"
#include "ops/ops.h"
#include "ops/table.h"

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_error err;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){0};
    f.store = poise_store_new(&f.err);
    f.g = poise_network_graph(f.store, &f.err);
    poise_graph_train(f.g, 1);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    poise_session_free(f->s);
    poise_graph_free(f->g);
    poise_store_free(f->store);
    return 0;
}

static void ready(fixture *f, poise_value *y)
{
    char text[POISE_ERROR_TEXT];
    if (y == NULL || poise_graph_output(f->g, y, &f->err) < 0 ||
        poise_store_seal(f->store, 1, &f->err) < 0 ||
        (f->s = poise_session_new(f->g, NULL, &f->err)) == NULL)
        fail_msg("%s", poise_error_text(&f->err, text, sizeof text));
}

static void run(fixture *f, uint64_t step, int dry)
{
    const poise_run how = {.seed = 9, .step = step, .threads = 1, .dry = dry};
    assert_int_equal(poise_session_run(f->s, &how, &f->err), 0);
}

static int near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * (1.0 + fabs(b));
}

/* ---- batch norm ---- */

static void batch_norm_moves_the_running_mean_but_not_in_a_dry_run(void **state)
{
    fixture *f = *state;
    poise_error *e = &f->err;
    const poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1.0};
    const int64_t two = 2;
    poise_value *x = poise_input(f->g, "x", POISE_F32, 2, (int64_t[]){4, 2}, e);
    poise_value *w = poise_input(f->g, "w", POISE_F32, 1, (int64_t[]){4}, e);
    poise_value *gamma = poise_weight(f->g, "gamma", POISE_DENSE, 1, &two, one, e);
    poise_value *mean = poise_weight(f->g, "mean", POISE_STATE, 1, &two, one, e);
    poise_value *var = poise_weight(f->g, "var", POISE_STATE, 1, &two, one, e);
    ready(f, poise_batch_norm(f->g, x, w, gamma, gamma, mean, var, 0.25, 1e-5, e));
    const float rows[8] = {1, 10, 3, 10, 99, 99, 5, 10}, weight[4] = {1, 2, 0, 1};
    memcpy(poise_session_data(f->s, x), rows, sizeof rows);
    memcpy(poise_session_data(f->s, w), weight, sizeof weight);
    float *m = poise_session_data(f->s, mean), *v = poise_session_data(f->s, var);

    run(f, 0, 1);
    assert_true(m[0] == 1.0f && v[0] == 1.0f);
    /* Rows 0, 1 and 3 count, each once: mean 3 and 10, unbiased variance 4 and 0. */
    run(f, 0, 0);
    assert_true(near(m[0], 1.0 + 0.25 * (3.0 - 1.0)) && near(m[1], 1.0 + 0.25 * (10.0 - 1.0)));
    assert_true(near(v[0], 1.0 + 0.25 * (4.0 - 1.0)) && near(v[1], 1.0 + 0.25 * (0.0 - 1.0)));

    /* One row: its mean moves, a variance it has not.  None: nothing moves. */
    float *now = poise_session_data(f->s, w), m0 = m[0], v0 = v[0];
    now[0] = now[1] = 0.0f;
    run(f, 1, 0);
    assert_true(near(m[0], (double)m0 + 0.25 * (5.0 - (double)m0)) && v[0] == v0);
    now[3] = 0.0f;
    m0 = m[0];
    run(f, 2, 0);
    assert_true(m[0] == m0 && v[0] == v0);
}

/* ---- the balancer's place ---- */

typedef struct host {
    int calls, fails;
} host;

static int count(void *self, int nin, void *const *in, float *weight, const poise_run *r,
                 poise_error *err)
{
    host *h = self;
    if (h->fails)
        return poise_fail(err, POISE_E_PLUGIN, POISE_NOWHERE, "the balancer gave up");
    assert_int_equal(nin, 2);
    assert_true(r->step == (uint64_t)h->calls);
    weight[0] = ((const float *)in[0])[0] + (float)h->calls;
    weight[1] = (float)((const double *)in[1])[0];
    h->calls++;
    return 0;
}

static void a_dry_run_repeats_the_last_weights(void **state)
{
    fixture *f = *state;
    host h = {0, 0};
    const poise_balance_call call = {count, &h, 2};
    poise_value *x = poise_input(f->g, "x", POISE_F32, 1, (int64_t[]){2}, &f->err);
    poise_value *norm = poise_grad_norm(f->g, 1, 1, &x, &f->err);
    poise_value *w = poise_balance_node(f->g, &call, 2, (poise_value *[]){x, norm}, &f->err);
    ready(f, w);
    memcpy(poise_session_data(f->s, x), (float[]){3, 4}, 2 * sizeof(float));
    const float *weight = poise_session_data(f->s, w);
    run(f, 0, 1);
    assert_true(h.calls == 0 && weight[0] == 1.0f && weight[1] == 1.0f);
    run(f, 0, 0);
    assert_true(h.calls == 1 && weight[0] == 3.0f && weight[1] == 5.0f);
    run(f, 1, 0);
    run(f, 2, 1);
    assert_true(h.calls == 2 && weight[0] == 4.0f && weight[1] == 5.0f);
    h.fails = 1;
    assert_int_equal(poise_session_run(f->s, &(poise_run){.threads = 1}, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_PLUGIN);
}

/* ---- dropout ---- */

static void dropout_keeps_the_share_and_changes_with_the_step(void **state)
{
    enum { N = 100000 };
    fixture *f = *state;
    static float first[N];
    poise_value *x = poise_input(f->g, "x", POISE_F32, 1, (int64_t[]){N}, &f->err);
    poise_value *y = poise_dropout(f->g, x, 0.3, 5, &f->err);
    ready(f, y);
    float *in = poise_session_data(f->s, x);
    for (int i = 0; i < N; i++)
        in[i] = 1.0f;
    const float *out = poise_session_data(f->s, y);
    run(f, 1, 0);
    memcpy(first, out, sizeof first);
    int kept = 0, same = 0;
    for (int i = 0; i < N; i++) {
        assert_true(out[i] == 0.0f || near((double)out[i], 1.0 / 0.7));
        kept += out[i] != 0.0f;
    }
    assert_true(abs(kept - 70000) < 5 * 145); /* 5 deviations of sqrt(N 0.3 0.7) */
    run(f, 2, 0);
    for (int i = 0; i < N; i++)
        same += (out[i] == 0.0f) == (first[i] == 0.0f);
    assert_true(abs(same - 58000) < 5 * 157); /* 0.7^2 + 0.3^2 of them by chance */
    run(f, 1, 0);
    assert_memory_equal(out, first, sizeof first);
}

/* ---- a gradient's gradient ---- */

static void the_gradient_of_a_pad_is_a_slice(void **state)
{
    fixture *f = *state;
    poise_value *x = poise_input(f->g, "x", POISE_F32, 2, (int64_t[]){2, 3}, &f->err);
    poise_value *dy = poise_input(f->g, "dy", POISE_F32, 2, (int64_t[]){2, 5}, &f->err);
    const poise_attr a = {.i = {1, 1, 5}};
    poise_node *pad = poise_apply(f->g, &poise__op_pad, 1, &x, &a, &f->err);
    assert_non_null(pad);
    poise_gradient d;
    assert_int_equal(poise_backward(f->g, 1, &pad->out[0], &dy, 1, &x, &d, &f->err), 0);
    ready(f, d.value);
    float *in = poise_session_data(f->s, dy);
    for (int i = 0; i < 10; i++)
        in[i] = (float)i;
    run(f, 0, 0);
    assert_memory_equal(poise_session_data(f->s, d.value), ((float[]){1, 2, 3, 6, 7, 8}),
                        6 * sizeof(float));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(batch_norm_moves_the_running_mean_but_not_in_a_dry_run,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_dry_run_repeats_the_last_weights, setup, teardown),
        cmocka_unit_test_setup_teardown(dropout_keeps_the_share_and_changes_with_the_step, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_gradient_of_a_pad_is_a_slice, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
