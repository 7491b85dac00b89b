/* A dead expert, a constant one and two that are the same are found; so are tasks that pull the other
 * way; and looking changes no bit of the training. */
#include "run_fixture.h"

#include "core/random.h"
#include "train/diagnosis.h"
#include "train/experts.h"
#include "train/safetensors.h"

enum { ROWS = 200, WIDTH = 3 };

static float noise(const char *stream, int at)
{
    return (float)(2 * poise_random_uniform(3, poise_random_stream(stream), 0, (uint64_t)at) - 1);
}

static void gates_are_measured(void **state)
{
    static const float even[] = {0.25F, 0.25F, 0.25F, 0.25F, 0.25F, 0.25F, 0.25F, 0.25F};
    static const float one[] = {0, 1, 0, 1};
    static const float mixed[] = {0.5F, 0.5F, 1, 0};
    double share[4], entropy, top;

    (void)state;
    poise__gate_numbers(2, 4, even, share, &entropy, &top);
    assert_true(fabs(entropy - 1) < 1e-12 && top == 0.25 && share[3] == 0.25);
    poise__gate_numbers(2, 2, one, share, &entropy, &top);
    assert_true(entropy == 0 && top == 1 && share[0] == 0 && share[1] == 1);
    poise__gate_numbers(2, 2, mixed, share, &entropy, &top);
    assert_true(fabs(entropy - 0.5) < 1e-12 && top == 0.75 && share[0] == 0.75);
    poise__gate_numbers(1, 1, one + 1, share, &entropy, &top);
    assert_true(entropy == 0 && top == 1);
}

/* The same, the same turned, shifted and scaled, another one, and one that says nothing. */
static void likeness_of_experts(void **state)
{
    static float x[5][ROWS * WIDTH];
    const float *at[5];
    double s[25];
    poise_error err;

    (void)state;
    for (int r = 0; r < ROWS; r++) {
        float a = noise("a", r), b = noise("b", r), c = noise("c", r);
        memcpy(x[0] + r * WIDTH, (float[]){a, b, c}, sizeof(float) * WIDTH);
        memcpy(x[1] + r * WIDTH, (float[]){a, b, c}, sizeof(float) * WIDTH);
        memcpy(x[2] + r * WIDTH, (float[]){5 - 3 * b, 3 * a + 1, 3 * c}, sizeof(float) * WIDTH);
        memcpy(x[3] + r * WIDTH, (float[]){noise("d", r), noise("e", r), noise("f", r)},
               sizeof(float) * WIDTH);
        memcpy(x[4] + r * WIDTH, (float[]){7, 0, 1}, sizeof(float) * WIDTH);
    }
    for (int e = 0; e < 5; e++)
        at[e] = x[e];
    assert_int_equal(poise__expert_similarity(ROWS, 5, WIDTH, WIDTH, at, s, &err), 0);
    assert_true(fabs(s[0 * 5 + 1] - 1) < 1e-12);
    assert_true(fabs(s[0 * 5 + 2] - 1) < 1e-5);
    assert_true(fabs(s[0 * 5 + 3]) < 0.05);
    assert_true(isnan(s[0 * 5 + 4]) && isnan(s[4 * 5 + 4]));
    assert_true(s[3 * 5 + 0] == s[0 * 5 + 3] && fabs(s[3 * 5 + 3] - 1) < 1e-12);
    assert_true(poise__expert_constant(ROWS, WIDTH, WIDTH, x[4]));
    assert_false(poise__expert_constant(ROWS, WIDTH, WIDTH, x[0]));
}

static poise__engine engine;
static poise_data data;
static poise_spec *spec;
static poise_plugin *plugin;
static poise_balance *balance;

static void open_engine(const char *model)
{
    poise_error err;
    const char *tasks[] = {"click", "detail", "favourite"};

    spec = read_spec(1, &(poise_override){"model", model});
    assert_int_equal(poise_data_open(&spec->data, spec->schema, &data, &err), 0);
    assert_non_null(plugin = poise_plugin_load("equal", &err));
    assert_non_null(balance = poise_balance_new(plugin, 3, tasks, 1, 0, NULL, NULL, &err));
    if (poise__engine_open(&engine, spec, spec->schema, balance, spec->phase, 1, 1, &err) < 0)
        fail_msg("%s", err.message);
}

static void close_engine(void)
{
    poise__engine_close(&engine);
    poise_balance_free(balance);
    poise_plugin_free(plugin);
    poise_data_done(&data);
    poise_spec_free(spec);
}

static float *weight(const char *name, int64_t *count)
{
    int k = poise_store_find(engine.store, name);

    if (k < 0)
        fail_msg("there is no parameter %s", name);
    if (count)
        *count = poise_store_at(engine.store, k)->count;
    return poise_store_weight(engine.store, k);
}

/* Of five experts 1 is made the same as 0, 2 dead behind its relu, 3 not asked by any gate. */
static void bad_experts_are_found(void **state)
{
    static const char *const tasks[] = {"click", "detail", "favourite"};
    poise_error err;
    int64_t w, b;

    (void)state;
    open_engine("{use: mmoe, experts: 5, units: [8], tower: [4]}");
    float *x = weight("expert/0/weight", &w), *bias = weight("expert/0/bias", &b);
    memcpy(x + w / 5, x, (size_t)(w / 5) * sizeof(float));
    memcpy(bias + b / 5, bias, (size_t)(b / 5) * sizeof(float));
    for (int k = 0; k < b / 5; k++)
        bias[2 * b / 5 + k] = -1e4F;
    for (int t = 0; t < 3; t++) {
        char name[64];
        snprintf(name, sizeof name, "mix/%s/gate/bias", tasks[t]);
        weight(name, NULL)[3] = -30;
    }
    poise__diagnosis *d = poise__diagnosis_new(&engine, data.valid, &err);
    assert_non_null(d);
    assert_int_equal(poise__diagnosis_run(d, &err), 0);
    assert_int_equal(d->npool, 1);
    assert_int_equal(d->ngate, 3);
    const poise__experts *p = &d->pool[0];
    assert_int_equal(p->nexpert, 5);
    assert_string_equal(p->name[3], "expert/3");
    for (int e = 0; e < 5; e++) {
        assert_int_equal(p->dead[e], e == 2 || e == 3);
        assert_int_equal(p->constant[e], e == 2);
    }
    assert_true(p->similarity[0 * 5 + 1] > 1 - 1e-9);
    assert_true(p->similarity[0 * 5 + 4] < 0.95);
    assert_true(isnan(p->similarity[0 * 5 + 2]));
    for (int g = 0; g < 3; g++) {
        double sum = 0;
        for (int e = 0; e < 5; e++)
            sum += d->gate[g].share[e];
        assert_true(fabs(sum - 1) < 1e-5 && d->gate[g].share[3] < 1e-6);
        assert_true(d->gate[g].entropy > 0.5 && d->gate[g].entropy < 1);
        assert_true(d->gate[g].top > 0.25 && d->gate[g].top < 1);
    }
    assert_non_null(d->cosine);
    for (int t = 0; t < 3; t++)
        assert_true(fabs(d->cosine[t * 3 + t] - 1) < 1e-9);
    poise__diagnosis_free(d);
    close_engine();
}

/* PLE: every task's experts and the shared ones of a level are one pool. */
static void experts_that_meet_are_a_pool(void **state)
{
    poise_error err;

    (void)state;
    open_engine("{use: ple, shared: 2, own: 1, units: [[8], [6]], tower: [4]}");
    poise__diagnosis *d = poise__diagnosis_new(&engine, data.valid, &err);
    assert_non_null(d);
    assert_int_equal(poise__diagnosis_run(d, &err), 0);
    assert_int_equal(d->npool, 2);
    assert_int_equal(d->ngate, 7);
    assert_int_equal(d->pool[0].nexpert, 5);
    assert_int_equal(d->pool[1].nexpert, 5);
    assert_int_equal(d->pool[0].width + d->pool[1].width, 14);
    for (int g = 0; g < d->ngate; g++)
        for (int k = 0; k < d->gate[g].n; k++) {
            const char *name = d->pool[d->gate[g].pool].name[d->gate[g].expert[k]];
            const char *slash = strrchr(d->gate[g].name, '/');
            /* a task's gate sees its own and the shared */
            if (slash && !strstr(name, "shared") && !strstr(name, slash))
                fail_msg("%s mixes %s", d->gate[g].name, name);
        }
    poise__diagnosis_free(d);
    close_engine();
}

static void nothing_to_tell_is_no_error(void **state)
{
    poise_error err;

    (void)state;
    open_engine("{network: {logit: {each: task, dense: 1, input: [price]}}}");
    assert_null(poise__diagnosis_new(&engine, data.valid, &err));
    assert_int_equal(err.code, POISE_OK);
    close_engine();
}

static void looking_changes_no_bit(void **state)
{
    poise_error err;

    (void)state;
    for (int look = 0; look < 2; look++) {
        poise_spec *s = read_spec(1, &(poise_override){"train.diagnose", look ? "true" : "false"});
        assert_int_equal(train_into(s, look ? "look" : "blind", 0, 0, &err), 0);
        poise_spec_free(s);
    }
    poise_safetensors *f[2] = {poise_safetensors_read(in_folder("look/model.safetensors"), &err),
                               poise_safetensors_read(in_folder("blind/model.safetensors"), &err)};
    assert_true(f[0] && f[1]);
    const poise_tensor *a = poise_safetensors_find(f[0], "expert/0/weight");
    const poise_tensor *b = poise_safetensors_find(f[1], "expert/0/weight");
    assert_true(a && b && a->bytes == b->bytes);
    assert_memory_equal(a->data, b->data, a->bytes);
    poise_safetensors_free(f[0]);
    poise_safetensors_free(f[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gates_are_measured),
        cmocka_unit_test(likeness_of_experts),
        cmocka_unit_test(bad_experts_are_found),
        cmocka_unit_test(experts_that_meet_are_a_pool),
        cmocka_unit_test(nothing_to_tell_is_no_error),
        cmocka_unit_test(looking_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
