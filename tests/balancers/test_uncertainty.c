/* uncertainty: w = exp(-s) / 2 with s = log sigma^2 learnt. */
#include "rig_golden.h"

static void follows_pytorch(void **state)
{
    (void)state;
    const rig_set sgd[] = {{"optimizer", "sgd"}, {NULL, NULL}};
    rig_golden("uncertainty", NULL, golden_uncertainty_adam, 1e-12);
    rig_golden("uncertainty", sgd, golden_uncertainty_sgd, 1e-12);
}

/* With constant losses w comes to rest at 1 / (2 l). */
static void rests_at_the_fixed_point(void **state)
{
    (void)state;
    const rig_set sgd[] = {{"optimizer", "sgd"}, {"lr", "0.1"}, {NULL, NULL}};
    rig *r = rig_new("uncertainty", 2, sgd);
    r->loss[0] = 0.2, r->loss[1] = 3;
    for (int k = 0; k < 3000; k++)
        rig_step(r);
    rig_near(r->weight[0], 1 / 0.4, 1e-9, "weight[0]");
    rig_near(r->weight[1], 1 / 6.0, 1e-9, "weight[1]");
    rig_free(r);
}

static void start_sets_the_first_weight(void **state)
{
    (void)state;
    const rig_set set[] = {{"start", "0"}, {NULL, NULL}};
    rig *r = rig_new("uncertainty", 2, NULL);
    rig_step(r);
    rig_near(r->weight[0], exp(0.5) / 2, 1e-15, "default");
    rig_free(r);
    r = rig_new("uncertainty", 2, set);
    rig_step(r);
    rig_near(r->weight[1], 0.5, 1e-15, "start 0");
    rig_free(r);
}

/* Two tasks with the same losses; one misses every second step.  It is where the other was after
 * half as many steps, moments and all. */
static void unlabelled_steps_do_not_count(void **state)
{
    (void)state;
    double at[8];
    rig *r = rig_new("uncertainty", 2, NULL);
    for (int k = 0; k < 8; k++) {
        r->labelled[1] = k % 2 ? 0 : 1;
        r->loss[0] = 0.3;
        r->loss[1] = k % 2 ? 0 : 0.3;
        rig_step(r);
        at[k] = r->weight[0];
        assert_true(r->weight[1] == at[(k + 1) / 2]);
    }
    rig_free(r);
}

static void a_negative_loss_stops_the_run(void **state)
{
    (void)state;
    rig *r = rig_new("uncertainty", 2, NULL);
    r->loss[1] = -0.5;
    rig_fails(r, "balancer \"uncertainty\", step 0: the loss of task \"b\" is -0.5; it must not be "
                 "negative");
    r->loss[1] = 0.5; /* a caller that goes on all the same is not told of it again */
    rig_step(r);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_pytorch),
        cmocka_unit_test(rests_at_the_fixed_point),
        cmocka_unit_test(start_sets_the_first_weight),
        cmocka_unit_test(unlabelled_steps_do_not_count),
        cmocka_unit_test(a_negative_loss_stops_the_run),
    };
    return cmocka_run_group_tests_name("uncertainty", tests, NULL, NULL);
}
