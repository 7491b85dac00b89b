/* gradnorm: the paper's rule, and none of the mistakes that other implementations make. */
#include "rig_golden.h"

static const rig_set sgd[] = {{"optimizer", "sgd"}, {NULL, NULL}};

static void follows_pytorch(void **state)
{
    (void)state;
    rig_golden("gradnorm", NULL, golden_gradnorm_adam, 1e-12);
    rig_golden("gradnorm", sgd, golden_gradnorm_sgd, 1e-12);
}

/* By hand, SGD at 0.025: norms 2 and 1, loss ratios 1 and 1: G = (2, 1), target 1.5 for both,
 * d = (2, -1), w = (0.95, 1.025), times 2 / 1.975. */
static void one_step_by_hand(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 2, sgd);
    r->grad_norm[0] = 2;
    rig_step(r);
    assert_true(r->weight[0] == 1 && r->weight[1] == 1); /* the step that measures uses w before */
    rig_step(r);
    rig_near(r->weight[0], 0.95 * 2 / 1.975, 1e-14, "weight[0]");
    rig_near(r->weight[1], 1.025 * 2 / 1.975, 1e-14, "weight[1]");
    rig_free(r);
}

/* Mistakes 1 and 3: every task has its own target, and a task that lags (a larger loss ratio)
 * must gain.  Norms are equal, so nothing else moves the weights. */
static void a_lagging_task_gains(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 2, sgd);
    r->loss[0] = 0.9, r->loss[1] = 0.3;
    rig_step(r);
    rig_step(r);
    assert_true(r->weight[0] > 1 && r->weight[1] < 1);
    rig_free(r);
}

/* With alpha 0 and steady losses the weighted norms become equal. */
static void alpha_zero_evens_out_the_norms(void **state)
{
    (void)state;
    const rig_set set[] = {{"optimizer", "sgd"}, {"alpha", "0"}, {"lr", "0.001"}, {NULL, NULL}};
    rig *r = rig_new("gradnorm", 3, set);
    r->grad_norm[0] = 1, r->grad_norm[1] = 2, r->grad_norm[2] = 4;
    for (int k = 0; k < 4000; k++)
        rig_step(r);
    for (int t = 0; t < 3; t++) /* 3 / (1 + 1/2 + 1/4) = 12/7 */
        rig_near(r->weight[t] * r->grad_norm[t], 12 / 7.0, 0.02, "weighted norm");
    rig_free(r);
}

/* Mistakes 7 and 8: however large the norms, the weights stay positive and sum to T. */
static void weights_stay_positive_and_sum_to_the_tasks(void **state)
{
    (void)state;
    const rig_set *const sets[] = {NULL, sgd};
    for (int s = 0; s < 2; s++) {
        rig *r = rig_new("gradnorm", 4, sets[s]);
        for (int k = 0; k < 500; k++) {
            for (int t = 0; t < 4; t++) {
                r->grad_norm[t] = pow(10, (double)((k * 7 + t * 5) % 9) - 4);
                r->loss[t] = 0.1 + (double)((k * 3 + t * 11) % 13);
            }
            rig_step(r);
            rig_near(rig_sum(r->weight, 4), 4, 1e-12, "the sum");
            for (int t = 0; t < 4; t++)
                assert_true(r->weight[t] > 0);
        }
        rig_free(r);
    }
}

/* So do those of the forms that step logarithms, where a step of plain SGD may be beyond exp. */
static void logarithms_do_not_overflow(void **state)
{
    (void)state;
    static const rig_set forms[][3] = {
        {{"form", "softmax"}, {"optimizer", "sgd"}, {NULL, NULL}},
        {{"form", "exp"}, {"optimizer", "sgd"}, {NULL, NULL}},
        {{"form", "exp"}, {"lr", "1"}, {NULL, NULL}},
    };
    for (int s = 0; s < 3; s++) {
        rig *r = rig_new("gradnorm", 3, forms[s]);
        for (int k = 0; k < 200; k++) {
            for (int t = 0; t < 3; t++)
                r->grad_norm[t] = pow(10, (double)((k * 7 + t * 5) % 25) - 12);
            rig_step(r);
            rig_near(rig_sum(r->weight, 3), 3, 1e-12, "the sum");
            for (int t = 0; t < 3; t++)
                assert_true(r->weight[t] > 0);
        }
        rig_free(r);
    }
}

/* Mistake 6: what counts is the loss at the task's own first step, which the host keeps; an
 * overwritten one would make all ratios 1, and equal norms would then hold the weights at 1. */
static void the_first_loss_is_the_hosts(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 2, sgd);
    r->loss_init[0] = 4, r->loss_init[1] = 2; /* ratios 1/4 and 1/2: task 1 lags */
    rig_step(r);
    rig_step(r);
    assert_true(r->weight[1] > 1);
    rig_free(r);
}

/* A task without labels keeps its weight; the others share what they had.  Its first loss may not
 * be known yet. */
static void an_unlabelled_task_keeps_its_weight(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 3, NULL);
    r->grad_norm[0] = 3;
    for (int k = 0; k < 5; k++)
        rig_step(r);
    rig_step(r);
    r->labelled[1] = 0, r->loss[1] = 0, r->grad_norm[1] = 0, r->loss_init[1] = NAN;
    rig_step(r);
    double held = r->weight[1];
    for (int k = 0; k < 10; k++) {
        rig_step(r);
        assert_true(r->weight[1] == held);
        rig_near(rig_sum(r->weight, 3), 3, 1e-13, "the sum");
    }
    assert_true(r->weight[0] < r->weight[2]);
    rig_free(r);
}

/* By hand, SGD at 0.025: the means go over the two labelled tasks.  G = (1.6, 1), target 1.3, so
 * d = (1.6, -1), w = (0.96, 1.025), times 2 / 1.985.  A mean over all three would give both tasks
 * one sign. */
static void means_go_over_the_labelled_tasks(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 3, sgd);
    r->grad_norm[0] = 1.6;
    r->labelled[2] = r->loss[2] = r->grad_norm[2] = 0;
    rig_step(r);
    rig_step(r);
    rig_near(r->weight[0], 0.96 * 2 / 1.985, 1e-14, "weight[0]");
    rig_near(r->weight[1], 1.025 * 2 / 1.985, 1e-14, "weight[1]");
    assert_true(r->weight[2] == 1);
    rig_free(r);
}

static void nothing_to_learn_leaves_the_weights(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 2, NULL);
    memset(r->labelled, 0, sizeof r->labelled); /* no task has labels */
    memset(r->loss, 0, sizeof r->loss);
    rig_step(r);
    r->labelled[0] = r->labelled[1] = 1; /* every loss is 0 */
    rig_step(r);
    rig_step(r);
    assert_true(r->weight[0] == 1 && r->weight[1] == 1);
    rig_free(r);
}

static void a_first_loss_of_zero_stops_the_run(void **state)
{
    (void)state;
    rig *r = rig_new("gradnorm", 2, NULL);
    r->loss_init[1] = 0;
    rig_fails(
        r, "balancer \"gradnorm\", step 0: the loss of task \"b\" is 1 and was 0 at first; it must "
           "not be negative, and not 0 at first");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_pytorch),
        cmocka_unit_test(one_step_by_hand),
        cmocka_unit_test(a_lagging_task_gains),
        cmocka_unit_test(alpha_zero_evens_out_the_norms),
        cmocka_unit_test(weights_stay_positive_and_sum_to_the_tasks),
        cmocka_unit_test(logarithms_do_not_overflow),
        cmocka_unit_test(the_first_loss_is_the_hosts),
        cmocka_unit_test(an_unlabelled_task_keeps_its_weight),
        cmocka_unit_test(means_go_over_the_labelled_tasks),
        cmocka_unit_test(nothing_to_learn_leaves_the_weights),
        cmocka_unit_test(a_first_loss_of_zero_stops_the_run),
    };
    return cmocka_run_group_tests_name("gradnorm", tests, NULL, NULL);
}
