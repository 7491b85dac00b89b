/* Weights that are known: of TorchJD's own tests (tests/unit/aggregation/test_values.py: J_base,
 * J_Krum), and of three tasks with J = [[3, 0, 0], [-1, 2, 0], [-1, -1, 1]], by plain solvers
 * (projected gradient, Newton, coordinate descent) that share nothing with the strategies. */
#include "gram_rig.h"

static const double two[] = {18, -22, -22, 38};
static const double three[] = {9, -3, -3, -3, 5, -1, -3, -1, 3};

static const struct {
    const char *name, *parameters;
    uint32_t ntask;
    double weight[3];
} known[] = {
    {"aligned", "", 2, {.5591, .4083}},
    {"imtl_g", "", 2, {.5923, .4077}},
    {"gradvac", "", 2, {2.2222, 1.5789}},
    {"pcgrad", "", 2, {2.2222, 1.5789}},
    {"mgda", "", 2, {.6, .4}},
    {"upgrad", "", 2, {1.1109, .7894}},
    {"dualproj", "", 2, {.6109, .5}},
    {"fairgrad", "", 2, {.5915, .4071}},
    {"fairgrad", "alpha=2", 2, {.47136, .31945}},
    {"cagrad", "rescale=none", 2, {.7041, .5}},
    {"cagrad", "", 2, {.7041 / 1.25, .5 / 1.25}},
    {"cagrad", "rescale=linear", 2, {.7041 / 1.5, .5 / 1.5}},
    {"config", "", 2, {1.22648, .84412}},
    {"nash", "", 2, {.59146, .40707}},
    {"mgda", "", 3, {.26829, .29268, .43902}},
    {"cagrad", "rescale=none", 3, {1.0 / 3, 1.0 / 3, .5}},
    {"nash", "", 3, {1.00533, 1.10139, 1.58302}},
    {"fairgrad", "", 3, {1.00533, 1.10139, 1.58302}},
    {"fairgrad", "alpha=2", 3, {1.06716, 1.16762, 1.71119}},
    {"upgrad", "", 3, {.72200, .78546, 1.09460}},
    {"dualproj", "", 3, {.33333, .33333, .44419}},
    {"imtl_g", "", 3, {.27472, .29510, .43018}},
    {"aligned", "", 3, {.27004, .29324, .39542}},
    {"aligned", "scale_mode=rmse", 3, {.81453, .88449, 1.19270}}, /* numpy */
    {"config", "", 3, {.85877, .92245, 1.34473}},
    {"pcgrad", "order=fixed", 3, {1.66667, 2, 2.86667}},
};

static void near(const double *got, const double *want, uint32_t n, const char *name)
{
    for (uint32_t t = 0; t < n; t++)
        if (!(fabs(got[t] - want[t]) <= 1e-4))
            fail_msg("%s: weight %u is %g, not %g", name, (unsigned)t, got[t], want[t]);
}

static void weights_are_the_published_ones(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
        double w[3];
        gram_weights(known[k].name, known[k].parameters, known[k].ntask,
                     known[k].ntask == 2 ? two : three, w);
        near(w, known[k].weight, known[k].ntask, known[k].name);
    }
}

/* The same order for each task gives one of six rows; a drawn order for each task gives, over many
 * steps, weights between the extremes of the six, and not always the same. */
static void pcgrad_draws_its_orders(void **state)
{
    (void)state;
    gram_rig *r = gram_new("pcgrad", "", 3);
    double least[3] = {9, 9, 9}, most[3] = {0};
    memcpy(r->gram, three, sizeof three);
    for (int k = 0; k < 200; k++) {
        gram_step(r);
        for (int t = 0; t < 3; t++) {
            least[t] = fmin(least[t], r->weight[t]);
            most[t] = fmax(most[t], r->weight[t]);
        }
    }
    near(least, (double[]){1.66667, 1.8, 2.33333}, 3, "least");
    near(most, (double[]){1.84444, 2.2, 2.86667}, 3, "most");
    gram_free(r);
}

static void krum_leaves_the_adversary_out(void **state)
{
    (void)state;
    static const double j[5][3] = {{1, 1, 1}, {1, 0, 1}, {75, -666, 23}, {1, 2, 3}, {2, 0, 1}};
    double g[25], w[5];
    for (int a = 0; a < 5; a++)
        for (int b = 0; b < 5; b++)
            g[5 * a + b] = poise_math_dot(j[a], j[b], 3);
    gram_weights("krum", "f=1 m=4", 5, g, w);
    near(w, (double[]){.25, .25, 0, .25, .25}, 5, "krum");
}

static void krum_refuses_too_few_tasks(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "b", "c"};
    static const struct {
        uint32_t ntask;
        const char *name, *text, *message;
    } cases[] = {
        {3, "f", "1", "f is 1, which needs at least 4 tasks; there are 3"},
        {3, "m", "4", "m is 4; there are 3 tasks to choose from"},
        {2, "m", "1", "3"},
    };
    poise_error err = {0};
    poise_plugin *p = poise_plugin_load(TEST_BUILD "/balancers/krum.so", &err);
    assert_non_null(p);
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        poise_setting set = {.name = cases[k].name, .n = 1, .text = &cases[k].text};
        assert_null(poise_balance_new(p, cases[k].ntask, names, 7, 1, &set, NULL, &err));
        assert_non_null(strstr(err.message, cases[k].message));
    }
    poise_plugin_free(p);
}

/* scale: l2 makes the weights those of unit gradients over the norms; of two of them 1 / 2 each. */
static void mgda_scales_by_norm_and_loss(void **state)
{
    (void)state;
    gram_rig *r = gram_new("mgda", "scale=l2", 2);
    memcpy(r->gram, two, sizeof two);
    gram_step(r);
    near(r->weight, (double[]){.5 / sqrt(18), .5 / sqrt(38)}, 2, "l2");
    gram_free(r);

    /* losses that make the scaled gradients equally long: 18 / 9 and 38 / 19 */
    static const struct {
        const char *scale;
        double divide;
    } cases[] = {{"scale=loss", 1}, {"scale=log", .5 / 3 + .5 / 4.358899}};
    for (int k = 0; k < 2; k++) {
        r = gram_new("mgda", cases[k].scale, 2);
        memcpy(r->gram, two, sizeof two);
        r->loss[0] = 3, r->loss[1] = sqrt(19);
        gram_step(r);
        near(r->weight, (double[]){.5 / 3 / cases[k].divide, .5 / sqrt(19) / cases[k].divide}, 2,
             "loss");
        r->loss[1] = -1;
        assert_int_equal(gram_try(r), -1);
        assert_non_null(
            strstr(r->error.message, "the loss of task \"b\" is -1; it must not be negative"));
        gram_free(r);
    }
}

/* log: the answer for G_ij / (l_i l_j), over l. */
static void logarithms_divide_by_the_losses(void **state)
{
    (void)state;
    static const struct {
        const char *name, *parameters;
    } cases[] = {{"cagrad", "log=true"}, {"imtl_g", "log=true"}};
    const double loss[3] = {.5, 2, 4};
    double scaled[9], want[3];
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < 9; i++)
            scaled[i] = three[i] / loss[i / 3] / loss[i % 3];
        gram_weights(cases[k].name, "", 3, scaled, want);
        gram_rig *r = gram_new(cases[k].name, cases[k].parameters, 3);
        memcpy(r->gram, three, sizeof three);
        memcpy(r->loss, loss, sizeof loss);
        gram_step(r);
        for (int t = 0; t < 3; t++)
            want[t] /= loss[t];
        near(r->weight, want, 3, cases[k].name);
        gram_free(r);
    }
}

/* By hand: at the first step s is 0, so that the weights are imtl_g's; Adam's first step is 0.025
 * along sign(l - 1).  At the second, those of G_ij exp(s_i + s_j), times exp(s). */
static void imtl_learns_the_scale_of_the_losses(void **state)
{
    (void)state;
    gram_rig *r = gram_new("imtl", "", 2);
    double scaled[4], want[2];
    memcpy(r->gram, two, sizeof two);
    r->loss[0] = 3, r->loss[1] = .1;
    gram_step(r);
    near(r->weight, (double[]){.5923, .4077}, 2, "first");
    gram_step(r);
    const double s[2] = {-.025, .025};
    for (int i = 0; i < 4; i++)
        scaled[i] = two[i] * exp(s[i / 2] + s[i % 2]);
    gram_weights("imtl_g", "", 2, scaled, want);
    for (int t = 0; t < 2; t++)
        want[t] *= exp(s[t]);
    near(r->weight, want, 2, "second");
    r->labelled[1] = 0; /* alone, task 0 has all the weight, and task 1 keeps its own */
    gram_step(r);
    assert_true(r->weight[1] == poise_balance_weight(r->balance)[1]);
    near(r->weight, (double[]){exp(-.05), want[1]}, 2, "third");
    gram_free(r);
}

/* By group: each group's weights are those that gradvac gives on the group's matrix. */
static void gradvac_by_group_is_gradvac_of_each(void **state)
{
    (void)state;
    static const double other[] = {2, -1, 1, -1, 4, -3, 1, -3, 3};
    static const char *const tasks[] = {"a", "b", "c"}, *const groups[] = {"expert", "gate"};
    const char *text = "fixed";
    double labelled[3] = {1, 1, 1}, both[18], w[6];
    gram_rig *a = gram_new("gradvac", "order=fixed", 3), *b = gram_new("gradvac", "order=fixed", 3);
    poise_error err = {0};
    poise_setting set = {.name = "order", .n = 1, .text = &text};
    poise_signals in = {.size = sizeof in, .labelled = labelled, .group_gram = both};
    poise_plugin *p = poise_plugin_load(TEST_BUILD "/balancers/gradvac_groups.so", &err);
    assert_non_null(p);
    poise_balance *by_group = poise_balance_new(p, 3, tasks, 7, 1, &set, NULL, &err);
    assert_non_null(by_group);
    assert_int_equal(poise_balance_groups(by_group, 2, groups, &err), 0);

    memcpy(a->gram, three, sizeof three);
    memcpy(b->gram, other, sizeof other);
    memcpy(both, three, sizeof three);
    memcpy(both + 9, other, sizeof other);
    for (in.step = 0; in.step < 6; in.step++) {
        labelled[1] = a->labelled[1] = b->labelled[1] = in.step != 3;
        gram_step(a);
        gram_step(b);
        assert_int_equal(poise_balance_step(by_group, &in, w, &err), 0);
        near(w, a->weight, 3, "expert");
        near(w + 3, b->weight, 3, "gate");
    }
    gram_free(a);
    gram_free(b);
    poise_balance_free(by_group);
    poise_plugin_free(p);
}

/* By hand, with |g| of 1 and cosine c: g_2 asks for <g_2, d> >= tau, so d = g_1 + (tau - c) g_2, and
 * is then made as long as g_1.  The other way round with target 1. */
static void pcd_bends_its_target(void **state)
{
    (void)state;
    const double g[] = {1, -.6, -.6, 1}, mu = .5 + .6;
    double length = sqrt(1 - 2 * mu * .6 + mu * mu), w[2];
    gram_weights("pcd", "tau=0.5", 2, g, w);
    near(w, (double[]){1 / length, mu / length}, 2, "target 0");
    gram_weights("pcd", "tau=0.5 target=1", 2, g, w);
    near(w, (double[]){mu / length, 1 / length}, 2, "target 1");
}

/* Two opposite secondary gradients cannot both gain: the primary's is followed. */
static void pcd_gives_up_on_what_is_impossible(void **state)
{
    (void)state;
    const double g[] = {1, .5, -.5, .5, 1, -1, -.5, -1, 1};
    double w[3];
    gram_weights("pcd", "", 3, g, w);
    near(w, (double[]){1, 0, 0}, 3, "impossible");
}

/* A preference is a factor on the task's share. */
static void preferences_shift_the_weights(void **state)
{
    (void)state;
    static const double apart[] = {4, 0, 0, 1}; /* orthogonal: nothing is projected */
    static const char *const tasks[] = {"a", "b"}, *const names[] = {"upgrad", "dualproj"};
    const char *text = "3", *task = "b";
    for (int k = 0; k < 2; k++) {
        poise_error err = {0};
        char path[512];
        double labelled[2] = {1, 1}, w[2];
        poise_signals in = {.size = sizeof in, .labelled = labelled, .gram = apart};
        poise_setting set = {.name = "preference", .n = 1, .task = &task, .text = &text};
        snprintf(path, sizeof path, "%s/balancers/%s.so", TEST_BUILD, names[k]);
        poise_plugin *p = poise_plugin_load(path, &err);
        assert_non_null(p);
        poise_balance *b = poise_balance_new(p, 2, tasks, 7, 1, &set, NULL, &err);
        assert_non_null(b);
        assert_int_equal(poise_balance_step(b, &in, w, &err), 0);
        near(w, (double[]){.5, 1.5}, 2, names[k]);
        poise_balance_free(b);
        poise_plugin_free(p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_the_published_ones),
        cmocka_unit_test(pcgrad_draws_its_orders),
        cmocka_unit_test(krum_leaves_the_adversary_out),
        cmocka_unit_test(krum_refuses_too_few_tasks),
        cmocka_unit_test(mgda_scales_by_norm_and_loss),
        cmocka_unit_test(logarithms_divide_by_the_losses),
        cmocka_unit_test(imtl_learns_the_scale_of_the_losses),
        cmocka_unit_test(gradvac_by_group_is_gradvac_of_each),
        cmocka_unit_test(pcd_bends_its_target),
        cmocka_unit_test(pcd_gives_up_on_what_is_impossible),
        cmocka_unit_test(preferences_shift_the_weights),
    };
    return cmocka_run_group_tests_name("gram_golden", tests, NULL, NULL);
}
