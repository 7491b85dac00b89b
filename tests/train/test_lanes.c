/* Batches cut into lanes: the losses are those of whole batches, on any number of threads to the
 * same bits; and what goes wrong in a lane is found as it is in a whole batch. */
#include "run_fixture.h"

#include <jansson.h>

enum { STEPS = 100 };

typedef struct setting {
    const char *what;
    poise_override set[3];
    int n;
} setting;

static const setting settings[] = {
    {"equal", {{"balancer", "equal"}}, 1},
    {"gradnorm", {{"balancer", "gradnorm"}}, 1},
    {"cagrad over all that is shared", {{"balancer", "{use: cagrad, signals: {scope: all}}"}}, 1},
    {"half Gram matrices", {{"balancer", "modo"}}, 1},
    {"by element", {{"balancer", "graddrop"}}, 1},
    {"normalised",
     {{"model",
       "{network: {expert: {copies: 2, mlp: [8, 8], norm: layer, input: features}, mix: {each: "
       "task, mixture: expert, gate: features}, tower: {each: task, mlp: [4], norm: batch, "
       "dropout: 0.1, input: mix}, logit: {each: task, dense: 1, input: tower}}}"}},
     1},
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

static void train(const setting *s, const char *out, const char *lanes, const char *threads,
                  uint64_t stop)
{
    poise_error err = {0};
    poise_override set[8] = {{"train.lanes", lanes},
                             {"train.threads", threads},
                             {"train.log_every", "1"},
                             {"train.epochs", stop ? "9" : "2"}};
    for (int k = 0; k < s->n; k++)
        set[4 + k] = s->set[k];
    poise_spec *spec = read_spec(4 + s->n, set);
    int status = train_into(spec, out, 0, stop, &err);
    assert_true(status == 0 || err.code == POISE_E_STOPPED);
    poise_spec_free(spec);
}

/* The losses of every step: into loss[STEPS * 3]; returns how many. */
static int read_losses(const char *run, double *loss)
{
    char path[256], line[8192];
    int n = 0;
    snprintf(path, sizeof path, "%s/log.jsonl", in_folder(run));
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        json_t *o = json_loads(line, 0, NULL), *values = json_object_get(o, "loss"), *v;
        const char *key;
        json_object_foreach(values, key, v)
        {
            assert_true(n < STEPS * 3);
            loss[n++] = json_real_value(v);
        }
        json_decref(o);
    }
    fclose(f);
    return n;
}

static void lanes_change_no_loss(void **state)
{
    (void)state;
    static double want[STEPS * 3], got[STEPS * 3];
    for (int s = 0; s < SETTINGS; s++) {
        train(&settings[s], "whole", "1", "1", STEPS);
        int n = read_losses("whole", want);
        assert_true(n >= 3 * (STEPS - 1));
        static const char *const lanes[] = {"2", "8"};
        for (int l = 0; l < 2; l++) {
            train(&settings[s], "lanes", lanes[l], "2", STEPS);
            assert_int_equal(read_losses("lanes", got), n);
            for (int k = 0; k < n; k++)
                if (!(fabs(got[k] - want[k]) <= 1e-5 * fabs(want[k])))
                    fail_msg("%s, %s lanes: loss %d is %.9g, not %.9g", settings[s].what, lanes[l],
                             k, got[k], want[k]);
        }
    }
}

static void lanes_have_the_same_bits_on_any_number_of_threads(void **state)
{
    (void)state;
    static const char *const threads[] = {"2", "3", "8"};
    for (int s = 0; s < SETTINGS; s++) {
        train(&settings[s], "one", "8", "1", 0);
        for (int t = 0; t < 3; t++) {
            train(&settings[s], "more", "8", threads[t], 0);
            same_file("one", "more", "model.safetensors");
        }
    }
}

static void a_batch_that_cannot_be_cut_is_refused(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_spec *spec = read_spec(1, &(poise_override){"train.lanes", "3"});
    assert_int_equal(train_into(spec, "refused", 0, 0, &err), -1);
    assert_string_equal(err.message, "a batch of 128 rows cannot be cut into 3 lanes of equally "
                                     "many rows, a multiple of 4");
    poise_spec_free(spec);
}

static void an_infinite_value_is_traced_through_lanes(void **state)
{
    (void)state;
    poise_error whole = {0}, lanes = {0};
    for (int k = 0; k < 2; k++) {
        poise_spec *spec =
            read_spec(3, (poise_override[]){{"train.optimizer", "{sgd: {rate: 1000}}"},
                                            {"balancer", "{use: equal, weight: 1e30}"},
                                            {"train.lanes", k ? "8" : "1"}});
        assert_int_equal(train_into(spec, "infinite", 0, 0, k ? &lanes : &whole), -1);
        poise_spec_free(spec);
    }
    assert_int_equal(lanes.code, POISE_E_NUMERIC);
    assert_string_equal(lanes.message, whole.message);
    assert_int_equal(lanes.line, whole.line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lanes_change_no_loss),
        cmocka_unit_test(lanes_have_the_same_bits_on_any_number_of_threads),
        cmocka_unit_test(a_batch_that_cannot_be_cut_is_refused),
        cmocka_unit_test(an_infinite_value_is_traced_through_lanes),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
