/* A profile accounts for every second of the clock that it was given, and changes no bit. */
#include "run_fixture.h"

/* A clock that moves by one second whenever somebody looks. */
static int looks;

static double ticks(void)
{
    return looks++;
}

static poise_profile *profiled_run(const char *out, int n, const poise_override *set)
{
    poise_error err = {0};
    poise_spec *s = read_spec(n, set);
    poise_profile *p = poise_profile_new(ticks, &err);
    poise_result r;

    assert_non_null(p);
    if (poise_train(s, &(poise_train_options){.out = in_folder(out), .profile = p}, &r, &err) < 0)
        fail_msg("%s", err.message);
    poise_result_done(&r);
    poise_spec_free(s);
    return p;
}

static double of_layer(const poise_profile *p, const char *name, poise_part part)
{
    for (int k = 0; k < poise_profile_layers(p); k++)
        if (strcmp(poise_profile_layer_at(p, k)->name, name) == 0)
            return poise_profile_layer_at(p, k)->seconds[part];
    fail_msg("no layer '%s'", name);
    return 0;
}

static void the_weights_are_those_of_a_run_without(void **state)
{
    poise_error err = {0};
    const poise_override gradnorm = {"balancer", "gradnorm"};
    poise_spec *s = read_spec(1, &gradnorm);

    (void)state;
    looks = 0;
    assert_int_equal(train_into(s, "without", 0, 0, &err), 0);
    assert_int_equal(looks, 0); /* no profile, no look at a clock */
    poise_spec_free(s);
    poise_profile_free(profiled_run("with", 1, &gradnorm));
    assert_true(looks > 0);
    same_file("without", "with", "model.safetensors");
}

static void every_part_of_the_step_has_its_time(void **state)
{
    (void)state;
    poise_profile *p = profiled_run("parts", 1, &(poise_override){"balancer", "gradnorm"});
    double layers[POISE_PART_COUNT] = {0};

    assert_int_equal(p->steps, 36); /* 3 epochs of 12 batches */
    for (int k = 0; k < POISE_PART_COUNT; k++)
        assert_true(p->seconds[k] >= 36);
    for (int k = 0; k < poise_profile_layers(p); k++)
        for (int part = 0; part < POISE_PART_COUNT; part++)
            layers[part] += poise_profile_layer_at(p, k)->seconds[part];
    /* One tick an operator; forward, the tasks' and the shared backward are operators alone. */
    assert_true(layers[POISE_PART_FORWARD] == p->seconds[POISE_PART_FORWARD]);
    assert_true(layers[POISE_PART_TASK] == p->seconds[POISE_PART_TASK]);
    assert_true(layers[POISE_PART_SHARED] == p->seconds[POISE_PART_SHARED]);
    assert_true(layers[POISE_PART_UPDATE] == 0 && layers[POISE_PART_DATA] == 0);
    poise_profile_free(p);
}

static void layers_have_the_names_and_places_of_the_spec(void **state)
{
    (void)state;
    poise_profile *p = profiled_run("layers", 0, NULL);
    int placed = 0;

    assert_true(of_layer(p, "tower/click", POISE_PART_FORWARD) >= 36);
    assert_true(of_layer(p, "expert", POISE_PART_SHARED) >= 36);
    /* losses only: no task runs backward by itself */
    assert_true(p->seconds[POISE_PART_TASK] == 0);
    for (int k = 0; k < poise_profile_layers(p); k++) {
        const poise_profile_layer *l = poise_profile_layer_at(p, k);
        placed += l->place.file && strstr(l->place.file, "mmoe.yaml") && l->place.line > 0;
    }
    assert_true(placed >= 4);
    poise_profile_free(p);
}

static void a_schedule_adds_up_both_balancers(void **state)
{
    (void)state;
    poise_profile *p = profiled_run(
        "schedule", 1, &(poise_override){"balancer", "[{use: equal, epochs: 1}, gradnorm]"});
    poise_profile *one = profiled_run("one", 1, &(poise_override){"balancer", "gradnorm"});

    assert_int_equal(p->steps, 36);
    assert_true(p->seconds[POISE_PART_TASK] == one->seconds[POISE_PART_TASK] / 3 * 2);
    assert_true(of_layer(p, "tower/click", POISE_PART_FORWARD) ==
                of_layer(one, "tower/click", POISE_PART_FORWARD));
    poise_profile_free(p);
    poise_profile_free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_weights_are_those_of_a_run_without, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(every_part_of_the_step_has_its_time, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(layers_have_the_names_and_places_of_the_spec, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_schedule_adds_up_both_balancers, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
