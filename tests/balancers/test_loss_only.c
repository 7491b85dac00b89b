/* Strategies that look at losses alone: values by hand, and the mistakes that others make. */
#include "feed.h"

static void near(double got, double want, const char *what)
{
    feed_near(got, want, 1e-12, what);
}

/* One step at these losses, all labelled; what a strategy does not ask for is NULL to it anyway. */
static void at(feed *f, const double *loss)
{
    for (uint32_t t = 0; t < f->ntask; t++) {
        f->labelled[t] = 1;
        f->loss[t] = loss[t];
    }
    feed_go(f);
    f->in.step++;
}

/* Losses (1, 4): the mean is 2, so w = 2 / (2 l).  LibMTL reports l / (T prod l) = (1/8, 1/2). */
static void gls_is_the_derivative_of_the_geometric_mean(void **state)
{
    (void)state;
    feed *f = feed_new("gls", 2, NULL);
    at(f, (double[]){1, 4});
    near(f->weight[0], 1, "weight[0]");
    near(f->weight[1], 0.25, "weight[1]");
    at(f, (double[]){1e12, 1e-12});
    near(f->weight[0] * 1e12, 0.5, "huge");
    near(f->weight[1] * 1e-12, 0.5, "tiny");
    at(f, (double[]){0, 1}); /* the gradient is not defined: large, but finite */
    assert_true(isfinite(f->weight[0]) && f->weight[0] > 1e9);
    feed_free(f);
}

/* The weights are those applied, not ones: the derivative of the objective, by differences. */
static double stch_paper(const double *l)
{
    return 0.5 * log(exp(l[0] / 3 / 0.5) + exp(l[1] / 3 / 0.5) + exp(l[2] / 3 / 0.5));
}

static double gls(const double *l)
{
    return cbrt(l[0] * l[1] * l[2]);
}

static double cosmos(const double *l)
{
    double dot = (l[0] + l[1] + l[2]) / 3,
           norm = sqrt(l[0] * l[0] + l[1] * l[1] + l[2] * l[2]) / sqrt(3.0);
    return dot - 0.2 * dot / norm;
}

static double pbi(const double *l)
{
    double d = (l[0] + l[1] + l[2]) / sqrt(3.0), e = 0;
    for (int t = 0; t < 3; t++)
        e += (l[t] - d / sqrt(3.0)) * (l[t] - d / sqrt(3.0));
    return d + 5 * sqrt(e + 1e-12);
}

static void weights_are_derivatives_of_the_objective(void **state)
{
    (void)state;
    static const struct {
        const char *name, *settings;
        double (*objective)(const double *l);
    } rows[] = {{"stch", "mu=0.5", stch_paper},
                {"gls", "", gls},
                {"cosmos", "lambda=0.2", cosmos},
                {"pbi", "", pbi}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        feed *f = feed_new(rows[k].name, 3, rows[k].settings);
        at(f, (double[]){0.3, 0.9, 0.5});
        for (int t = 0; t < 3; t++) {
            double up[] = {0.3, 0.9, 0.5}, down[] = {0.3, 0.9, 0.5};
            up[t] += 1e-6;
            down[t] -= 1e-6;
            feed_near(f->weight[t], (rows[k].objective(up) - rows[k].objective(down)) / 2e-6, 1e-8,
                      rows[k].name);
        }
        feed_free(f);
    }
}

/* Along the preferred direction there is nothing to correct. */
static void on_the_preferred_direction_nothing_pulls_aside(void **state)
{
    (void)state;
    feed *f = feed_new("cosmos", 2, "lambda=3 preference=3,4");
    at(f, (double[]){6, 8});
    near(f->weight[0], 3 / 7.0, "cosmos[0]");
    near(f->weight[1], 4 / 7.0, "cosmos[1]");
    at(f, (double[]){0, 0});
    near(f->weight[0], 3 / 7.0, "cosmos[0] at 0");
    feed_free(f);
    f = feed_new("pbi", 2, "preference=3,4");
    at(f, (double[]){6, 8});
    near(f->weight[0], 0.6, "pbi[0]");
    near(f->weight[1], 0.8, "pbi[1]");
    feed_free(f);
}

static void uw_so_by_hand(void **state)
{
    (void)state;
    feed *f = feed_new("uw_so", 2, "temp=2"); /* softmax((1, 2) / 2) */
    at(f, (double[]){1, 0.5});
    feed_near(f->weight[0], 1 / (1 + exp(0.5)), 1e-7, "weight[0]");
    feed_near(f->weight[1], 1 / (1 + exp(-0.5)), 1e-7, "weight[1]");
    at(f, (double[]){1, 0}); /* 1 / 1e-8 in an exponent */
    assert_true(f->weight[0] == 0 && f->weight[1] == 1);
    feed_free(f);
    f = feed_new("uw_so", 2, "form=optimal");
    at(f, (double[]){4, 0.5});
    feed_near(f->weight[0], 0.25, 1e-7, "optimal[0]");
    feed_near(f->weight[1], 2, 1e-7, "optimal[1]");
    feed_free(f);
}

/* SGD at 0.1 from s = 0: ds = l - 1 = (1, -0.5), s = (-0.1, 0.05). */
static void imtl_l_by_hand(void **state)
{
    (void)state;
    feed *f = feed_new("imtl_l", 2, "optimizer=sgd lr=0.1");
    at(f, (double[]){2, 0.5});
    assert_true(f->weight[0] == 1 && f->weight[1] == 1);
    at(f, (double[]){2, 0.5});
    near(f->weight[0], exp(-0.1), "weight[0]");
    near(f->weight[1], exp(0.05), "weight[1]");
    for (int k = 0; k < 2000; k++)
        at(f, (double[]){2, 0.5});
    feed_near(f->weight[0], 0.5, 1e-9, "at rest 1 / l");
    feed_near(f->weight[1], 2, 1e-9, "at rest 1 / l");
    feed_free(f);
}

static void a_loss_of_zero_bounds_the_log_scales(void **state)
{
    (void)state;
    static const char *const names[] = {"imtl_l", "uncertainty"};
    for (int k = 0; k < 2; k++) {
        feed *f = feed_new(names[k], 2, "lr=1");
        for (int j = 0; j < 100; j++)
            at(f, (double[]){0, 1e12});
        assert_true(f->weight[0] > 1e12 && f->weight[0] < 1e14);
        assert_true(f->weight[1] > 0 && f->weight[1] < 0.1);
        feed_free(f);
    }
}

static void uncertainty_forms_rest_where_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        double weight; /* at a loss of 0.4 */
    } rows[] = {{"optimizer=sgd lr=0.2 form=regression", 1 / 0.8},
                {"optimizer=sgd lr=0.2 form=classification", 1 / 0.8},
                {"optimizer=sgd lr=0.2 form=plain", 1 / 0.4},
                /* x = exp(s): x^2 = 0.2 (1 + x), 2 x = 0.2 + root of 0.84, w = 1 / (2 x) */
                {"optimizer=sgd lr=0.2 form=positive", 1 / (0.2 + 0.916515138991168)}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        feed *f = feed_new("uncertainty", 1, rows[k].settings);
        for (int j = 0; j < 3000; j++)
            at(f, (double[]){0.4});
        feed_near(f->weight[0], rows[k].weight, 1e-9, rows[k].settings);
        feed_free(f);
    }
}

/* Epoch 0 warms up, epoch 1 measures nadirs of (2, 1); then at losses (1, 1):
 * w = 2 softmax(log(1/2), log 1) = 2 (1/3, 2/3), over losses of 1. */
static void stch_by_hand(void **state)
{
    (void)state;
    feed *f = feed_new("stch", 2, "form=official warmup=1");
    at(f, (double[]){5, 0.5});
    near(f->weight[0], 0.2, "epoch 0");
    near(f->weight[1], 2, "epoch 0");
    f->in.epoch = 1;
    at(f, (double[]){3, 0.5});
    at(f, (double[]){1, 1.5});
    near(f->weight[0], 1, "epoch 1");
    f->in.epoch = 2;
    at(f, (double[]){1, 1});
    near(f->weight[0], 2 / 3.0, "epoch 2");
    near(f->weight[1], 4 / 3.0, "epoch 2");
    f->in.epoch = 3; /* the nadirs are those of epoch 1 for good */
    at(f, (double[]){1, 1});
    near(f->weight[0], 2 / 3.0, "epoch 3");
    feed_free(f);
}

/* A task without a label in the epoch that measures takes its first loss after it. */
static void stch_finds_a_late_nadir(void **state)
{
    (void)state;
    feed *f = feed_new("stch", 2, "form=official warmup=0");
    f->labelled[0] = 1, f->loss[0] = 2, f->loss[1] = (double)NAN;
    feed_go(f);
    near(f->weight[0], 0.5, "warm-up");
    assert_true(f->weight[1] == 1);
    f->in.epoch = 1;
    at(f, (double[]){2, 7}); /* both at their nadirs */
    near(f->weight[0] * 2, 1, "weight[0]");
    near(f->weight[1] * 7, 1, "weight[1]");
    feed_free(f);
}

/* TorchJD's tests/unit/scalarization/test_famo.py: losses (1, 2) at xi = 0 give (2/3, 1/3). */
static void famo_by_hand(void **state)
{
    (void)state;
    feed *f = feed_new("famo", 2, "weight_decay=0");
    f->loss_after[0] = f->loss_after[1] = (double)NAN;
    at(f, (double[]){1, 2});
    feed_near(f->weight[0], 2 / 3.0, 1e-7, "weight[0]");
    feed_near(f->weight[1], 1 / 3.0, 1e-7, "weight[1]");
    /* Task 0 halved its loss, task 1 did not move: Adam's first step is the rate, xi moves by
     * 0.025 against the one that progressed. */
    f->loss_after[0] = 0.5, f->loss_after[1] = 2;
    at(f, (double[]){1, 1});
    feed_near(f->weight[1] / f->weight[0], exp(0.05), 1e-6, "ratio");
    near(f->weight[0] + f->weight[1], 1, "sum");
    feed_free(f);
}

/* Called in every third step it cannot know the progress of a batch. */
static void famo_stays_where_steps_are_left_out(void **state)
{
    (void)state;
    feed *f = feed_new("famo", 2, NULL);
    f->loss_after[0] = 0.1, f->loss_after[1] = 2;
    for (f->in.step = 0; f->in.step < 30; f->in.step += 2)
        at(f, (double[]){1, 1});
    near(f->weight[0], 0.5, "weight[0]");
    f->in.step--; /* the step after the last one */
    at(f, (double[]){1, 1});
    at(f, (double[]){1, 1});
    assert_true(f->weight[0] < 0.49);
    feed_free(f);
}

/* The logits do not move for a task that had no label in the batch before. */
static void famo_moves_only_what_was_measured(void **state)
{
    (void)state;
    feed *f = feed_new("famo", 3, NULL), *g = feed_new("famo", 2, NULL);
    for (int k = 0; k < 9; k++) {
        f->loss_after[0] = g->loss_after[0] = k ? 0.9 : (double)NAN;
        f->loss_after[1] = g->loss_after[1] = k ? 0.5 : (double)NAN;
        f->loss_after[2] = (double)NAN;
        f->loss[0] = g->loss[0] = f->loss[1] = g->loss[1] = 1;
        f->loss[2] = (double)NAN;
        f->labelled[0] = f->labelled[1] = g->labelled[0] = g->labelled[1] = 1;
        feed_go(f);
        feed_go(g);
        assert_true(f->weight[0] == g->weight[0] && f->weight[1] == g->weight[1]);
        assert_true(f->weight[2] == 1);
    }
    f->loss_after[2] = 0.1; /* of a batch in which it had no label: not to be believed */
    at(f, (double[]){1, 1, 1});
    assert_true(isfinite(f->weight[2]));
    feed_free(g);
    g = feed_new("famo", 2, NULL); /* what was not measured is not a fall to 0 */
    g->loss_after[0] = 0.5, g->loss_after[1] = (double)NAN;
    at(g, (double[]){1, 1});
    at(g, (double[]){1, 1});
    assert_true(g->weight[0] == 0.5 && g->weight[1] == 0.5);
    feed_free(f);
    feed_free(g);
}

/* Losses of task 0: 1, 1, 2; of task 1: steady.  Ratios of task 0: 1, 1, and at the third step the
 * statistics are those of the two before: no variation, so the weights are equal still.  Then
 * r = 2 of a mean of 1: mean r = 4/3, S = (2 - 1)(2 - 4/3) = 2/3, sd = sqrt(2/9). */
static void cov_by_hand(void **state)
{
    (void)state;
    feed *f = feed_new("cov", 2, NULL);
    at(f, (double[]){1, 5});
    assert_true(f->weight[0] == 0.5 && f->weight[1] == 0.5);
    at(f, (double[]){1, 5});
    assert_true(f->weight[0] == 0.5 && f->weight[1] == 0.5);
    at(f, (double[]){2, 5});
    near(f->weight[0], 0.5, "no variation yet");
    at(f, (double[]){2, 5});
    double varies = sqrt(2 / 9.0 + 1e-8) / (4 / 3.0);
    near(f->weight[0], varies / (varies + 1e-4), "weight[0]");
    near(f->weight[1], 1e-4 / (varies + 1e-4), "weight[1]");
    feed_free(f);
}

static void rlw_draws_what_it_says(void **state)
{
    (void)state;
    enum { N = 4000 };
    static const struct {
        const char *settings;
        double low, high, variance; /* of the first weight of two */
    } rows[] = {
        /* the logistic of a N(0, 2); its variance by numerical integration */
        {"distribution=normal", 0, 1, 0.0684},
        /* the logistic of the difference of two U(0, 1): nearly 1/6 / 16 */
        {"distribution=uniform", 0.2689, 0.7311, 0.00977},
        {"distribution=dirichlet", 0, 1, 1 / 12.0},
        {"distribution=one", 0, 1, 0.25},
    };
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        double sum = 0, squares = 0;
        feed *f = feed_new("rlw", 2, rows[k].settings);
        for (int j = 0; j < N; j++) {
            at(f, (double[]){1, 1});
            near(f->weight[0] + f->weight[1], 1, "sum");
            assert_true(f->weight[0] >= rows[k].low && f->weight[0] <= rows[k].high);
            sum += f->weight[0];
            squares += f->weight[0] * f->weight[0];
        }
        feed_near(sum / N, 0.5, 0.025, rows[k].settings);
        feed_near((squares / N - sum / N * sum / N) / rows[k].variance, 1, 0.07, rows[k].settings);
        feed_free(f);
    }
}

/* With its third task never labelled a strategy gives the first two what it gives two tasks. */
static void a_task_that_is_never_labelled_is_not_there(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"rlw", ""},         {"uncertainty", ""},  {"uw_so", ""},
        {"imtl_l", ""},      {"gls", ""},          {"stch", "form=official warmup=1"},
        {"famo", ""},        {"cov", ""},          {"pbi", ""},
        {"metabalance", ""}, {"lr_annealing", ""}, {"dbmtl", ""},
        {"graddrop", ""}};
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        feed *a = feed_new(rows[r][0], 3, rows[r][1]), *b = feed_new(rows[r][0], 2, rows[r][1]);
        for (uint64_t k = 0; k < 30; k++) {
            feed_fill(a, k);
            feed_fill(b, k);
            a->labelled[2] = 0;
            a->loss[2] = a->loss_init[2] = a->loss_after[2] = (double)NAN;
            memset(a->grad[2], 0, sizeof a->grad[2]);
            feed_measure(a, a->grad);
            feed_go(a);
            feed_go(b);
            feed_near(a->weight[0], b->weight[0], 1e-13, rows[r][0]);
            feed_near(a->weight[1], b->weight[1], 1e-13, rows[r][0]);
            assert_memory_equal(a->direction, b->direction, sizeof a->direction);
        }
        feed_free(a);
        feed_free(b);
    }
}

static void a_negative_loss_stops_the_run(void **state)
{
    (void)state;
    static const char *const names[] = {"uncertainty", "uw_so", "imtl_l", "gls", "stch", "cov"};
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        char want[200];
        poise_error err = {0};
        feed *f = feed_new(names[k], 2, strcmp(names[k], "stch") ? NULL : "form=official");
        f->labelled[0] = f->labelled[1] = f->loss[0] = 1;
        f->loss[1] = -0.5;
        snprintf(want, sizeof want,
                 "balancer \"%s\", step 0: the loss of task \"b\" is -0.5; it must not be negative",
                 names[k]);
        assert_int_equal(feed_try_step(f, &err), -1);
        assert_string_equal(err.message, want);
        feed_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gls_is_the_derivative_of_the_geometric_mean),
        cmocka_unit_test(weights_are_derivatives_of_the_objective),
        cmocka_unit_test(on_the_preferred_direction_nothing_pulls_aside),
        cmocka_unit_test(uw_so_by_hand),
        cmocka_unit_test(imtl_l_by_hand),
        cmocka_unit_test(a_loss_of_zero_bounds_the_log_scales),
        cmocka_unit_test(uncertainty_forms_rest_where_they_should),
        cmocka_unit_test(stch_by_hand),
        cmocka_unit_test(stch_finds_a_late_nadir),
        cmocka_unit_test(famo_by_hand),
        cmocka_unit_test(famo_stays_where_steps_are_left_out),
        cmocka_unit_test(famo_moves_only_what_was_measured),
        cmocka_unit_test(cov_by_hand),
        cmocka_unit_test(rlw_draws_what_it_says),
        cmocka_unit_test(a_task_that_is_never_labelled_is_not_there),
        cmocka_unit_test(a_negative_loss_stops_the_run),
    };
    return cmocka_run_group_tests_name("loss_only", tests, NULL, NULL);
}
