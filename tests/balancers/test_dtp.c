/* dtp: -(1 - k)^gamma log k of the running quality k. */
#include "rig_golden.h"

static void follows_numpy(void **state)
{
    (void)state;
    const rig_set half[] = {{"gamma", "0.5"}, {NULL, NULL}};
    rig_golden("dtp", NULL, golden_dtp, 1e-13);
    rig_golden("dtp", half, golden_dtp_half, 1e-13);
}

/* By hand: k 0.5 then 1 (clamped to 0.99) gives kbar 0.1 * 0.99 + 0.9 * 0.5 = 0.549. */
static void running_quality_by_hand(void **state)
{
    (void)state;
    rig *r = rig_new("dtp", 1, NULL);
    rig_step(r);
    rig_near(r->weight[0], 0.5 * log(2), 1e-15, "first");
    r->kpi[0] = 1;
    rig_step(r);
    rig_near(r->weight[0], -0.451 * log(0.549), 1e-14, "second");
    rig_free(r);
}

static void clamp_keeps_weights_above_zero_and_bounded(void **state)
{
    (void)state;
    rig *r = rig_new("dtp", 2, NULL);
    r->kpi[0] = 1, r->kpi[1] = 1e-9;
    rig_step(r);
    rig_near(r->weight[0], -0.01 * log(0.99), 1e-14, "best");
    rig_near(r->weight[1], -0.99 * log(0.01), 1e-14, "worst");
    rig_free(r);
}

static void unknown_quality_weighs_one(void **state)
{
    (void)state;
    rig *r = rig_new("dtp", 2, NULL);
    r->kpi[0] = NAN;
    rig_step(r);
    assert_true(r->weight[0] == 1);
    assert_true(r->weight[1] < 1);
    r->kpi[0] = 0.8; /* the first one known is taken as it is */
    rig_step(r);
    rig_near(r->weight[0], -0.2 * log(0.8), 1e-14, "first known");
    double before = r->weight[0];
    r->labelled[0] = 0, r->kpi[0] = 0.1;
    rig_step(r);
    assert_true(r->weight[0] == before);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_numpy),
        cmocka_unit_test(running_quality_by_hand),
        cmocka_unit_test(clamp_keeps_weights_above_zero_and_bounded),
        cmocka_unit_test(unknown_quality_weighs_one),
    };
    return cmocka_run_group_tests_name("dtp", tests, NULL, NULL);
}
