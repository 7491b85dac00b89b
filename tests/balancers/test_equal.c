/* equal: 1 for every task, or what the spec gives. */
#include "rig.h"

static void weights_are_one(void **state)
{
    (void)state;
    rig *r = rig_new("equal", 3, NULL);
    for (int k = 0; k < 3; k++) {
        rig_step(r);
        for (int t = 0; t < 3; t++)
            assert_true(r->weight[t] == 1);
    }
    assert_int_equal(poise_balance_signals(r->balance), 0); /* it costs nothing */
    rig_free(r);
}

static void weights_are_what_the_spec_gives(void **state)
{
    (void)state;
    const char *task[] = {"c", "a"}, *text[] = {"0.25", "3"};
    poise_setting set = {.name = "weight", .n = 2, .task = task, .text = text};
    const char *const names[] = {"a", "b", "c"};
    rig *r = rig_new("equal", 3, NULL);
    poise_error err = {0};

    poise_balance_free(r->balance);
    r->balance = poise_balance_new(r->plugin, 3, names, 1, 1, &set, NULL, &err);
    assert_non_null(r->balance);
    rig_step(r);
    assert_true(r->weight[0] == 3 && r->weight[1] == 1 && r->weight[2] == 0.25);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_one),
        cmocka_unit_test(weights_are_what_the_spec_gives),
    };
    return cmocka_run_group_tests_name("equal", tests, NULL, NULL);
}
