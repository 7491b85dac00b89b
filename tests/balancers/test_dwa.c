/* dwa: T softmax(r / temp) of the ratio of two consecutive means. */
#include "rig_golden.h"

static void epochs_follow_numpy(void **state)
{
    (void)state;
    rig_golden("dwa", NULL, golden_dwa_epochs, 1e-13);
}

static void windows_follow_numpy(void **state)
{
    (void)state;
    const rig_set set[] = {{"window", "4"}, {NULL, NULL}};
    rig_golden("dwa", set, golden_dwa_window, 1e-13);
}

/* Epoch means (1, 1), then (1, 4): TorchJD's tests/unit/scalarization/test_dwa.py has
 * 2 softmax(0.5, 2) from the third epoch on. */
static void torchjd_example(void **state)
{
    (void)state;
    const double loss[][2] = {{0.5, 1}, {1.5, 1}, {1, 3}, {1, 5}}; /* two steps per epoch */
    double a = exp(0.5), b = exp(2.0);
    rig *r = rig_new("dwa", 2, NULL);

    for (uint32_t k = 0; k < 6; k++) {
        if (k < 4)
            memcpy(r->loss, loss[k], sizeof loss[k]);
        r->in.epoch = k / 2;
        rig_step(r);
        if (k < 4)
            assert_true(r->weight[0] == 1 && r->weight[1] == 1);
    }
    rig_near(r->weight[0], 2 * a / (a + b), 1e-14, "weight[0]");
    rig_near(r->weight[1], 2 * b / (a + b), 1e-14, "weight[1]");
    rig_free(r);
}

static void a_large_temperature_is_nearly_equal(void **state)
{
    (void)state;
    const rig_set set[] = {{"temp", "1e6"}, {"window", "1"}, {NULL, NULL}};
    rig *r = rig_new("dwa", 2, set);
    rig_step(r);
    r->loss[0] = 9;
    rig_step(r);
    assert_true(r->weight[0] > 1 && r->weight[0] < 1.00001);
    rig_free(r);
}

/* With loss 1 in epoch 0, 2 in epoch 1 and no label for task 1 in epoch 1 or half of epoch 0. */
static void unlabelled_steps_do_not_count(void **state)
{
    (void)state;
    const rig_set set[] = {{"window", "epoch"}, {NULL, NULL}}; /* the default, by its word */
    rig *r = rig_new("dwa", 2, set);
    r->loss[1] = 3;
    rig_step(r);
    r->labelled[1] = r->loss[1] = 0; /* not a loss of 0 in the mean of epoch 0 */
    rig_step(r);
    r->in.epoch = 1;
    r->loss[0] = 2;
    rig_step(r);
    r->in.epoch = 2; /* task 0 has r = 2; task 1 has one mean only, so r = 1 */
    r->labelled[1] = 1, r->loss[1] = 6;
    rig_step(r);
    rig_near(r->weight[0] / r->weight[1], exp(2 / 2.0) / exp(1 / 2.0), 1e-14, "one mean");
    r->in.epoch = 3; /* task 0: r = 1; task 1: 6 after 3 */
    rig_step(r);
    rig_near(r->weight[0] / r->weight[1], exp(1 / 2.0) / exp(2 / 2.0), 1e-14, "two means");
    rig_free(r);
}

/* A mean of 0 has no ratio: the task counts as steady, and nothing becomes NaN. */
static void a_loss_of_zero_is_steady(void **state)
{
    (void)state;
    const rig_set set[] = {{"window", "1"}, {NULL, NULL}};
    rig *r = rig_new("dwa", 2, set);
    r->loss[0] = 0;
    rig_step(r);
    rig_step(r);
    assert_true(r->weight[0] == 1 && r->weight[1] == 1);
    r->loss[0] = 5;
    rig_step(r);
    assert_true(r->weight[0] == 1 && r->weight[1] == 1);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_follow_numpy),
        cmocka_unit_test(windows_follow_numpy),
        cmocka_unit_test(torchjd_example),
        cmocka_unit_test(a_large_temperature_is_nearly_equal),
        cmocka_unit_test(unlabelled_steps_do_not_count),
        cmocka_unit_test(a_loss_of_zero_is_steady),
    };
    return cmocka_run_group_tests_name("dwa", tests, NULL, NULL);
}
