/* Strategies that work by parameter group or element by element: values by hand.  Tests fill the
 * first elements and leave the others 0, so the norms can be read off. */
#include "feed.h"

/* All labelled, losses 1, gradients 0. */
static feed *new_feed(const char *name, uint32_t ntask, const char *settings)
{
    feed *f = feed_new(name, ntask, settings);
    for (uint32_t t = 0; t < ntask; t++)
        f->labelled[t] = f->loss[t] = f->loss_init[t] = 1;
    return f;
}

static void go(feed *f)
{
    feed_measure(f, f->grad);
    feed_go(f);
    f->in.step++;
}

static void near(double got, double want, const char *what)
{
    feed_near(got, want, 1e-6, what);
}

/* ---- graddrop ---- */

static void graddrop_sums_what_agrees(void **state)
{
    (void)state;
    feed *f = new_feed("graddrop", 3, NULL);
    for (int k = 0; k < 200; k++) {
        f->grad[0][0] = 1, f->grad[1][0] = 2, f->grad[2][0] = 0;
        f->grad[0][7] = -1, f->grad[1][7] = -0.5f, f->grad[2][7] = -4;
        go(f);
        assert_true(f->direction[0] == 3 && f->direction[7] == -5.5f && f->direction[3] == 0);
    }
    for (int t = 0; t < 3; t++)
        assert_true(f->weight[t] == 1); /* reported as what they are */
    feed_free(f);
}

/* Gradients 3 and -1: P = 3/4 of the time the positive one passes, else the other, never both. */
static void graddrop_passes_a_sign_as_often_as_it_is_pure(void **state)
{
    (void)state;
    enum { N = 1000 };
    int up = 0;
    feed *f = new_feed("graddrop", 2, NULL);
    for (int i = 0; i < FEED_ELEMENTS; i++)
        f->grad[0][i] = 3, f->grad[1][i] = -1;
    for (int k = 0; k < N; k++) {
        go(f);
        for (int i = 0; i < FEED_ELEMENTS; i++) {
            assert_true(f->direction[i] == 3 || f->direction[i] == -1);
            up += f->direction[i] > 0;
        }
    }
    feed_near((double)up / (N * FEED_ELEMENTS), 0.75, 0.015, "how often the positive one passes");
    feed_free(f);
}

static void graddrop_leaks(void **state)
{
    (void)state;
    feed *f = new_feed("graddrop", 2, "leak=1,0.25");
    int dropped = 0;
    f->grad[0][0] = 1, f->grad[1][0] = -1;
    for (int k = 0; k < 50; k++) {
        go(f);
        if (f->direction[0] == 0.75f)
            dropped++;
        else
            assert_true(f->direction[0] == 0);
    }
    assert_in_range(dropped, 10, 40);
    feed_free(f);
}

/* ---- trimmed_mean ---- */

static void trimmed_mean_by_hand(void **state)
{
    (void)state;
    static const float column[5][5] = {
        {1, -2, 0, 3, 3}, {9, -1, 0, 3, 1}, {2, 7, 0, 3, 2}, {3, 5, 0, -8, 5}, {-50, 6, 0, 3, 4}};
    feed *f = new_feed("trimmed_mean", 5, NULL);
    for (int t = 0; t < 5; t++)
        memcpy(f->grad[t], column[t], sizeof column[t]);
    go(f);
    const double want[] = {2, 10 / 3.0, 0, 3, 3};
    for (int i = 0; i < 5; i++)
        near((double)f->direction[i], want[i], "trim 1");
    /* Tasks 1 and 4 have no label: (1, 2, 3), (-2, 7, 5), (3, 3, -8), (3, 2, 5): the medians. */
    f->labelled[1] = f->labelled[4] = 0;
    go(f);
    const double middle[] = {2, 5, 0, 3, 3};
    for (int i = 0; i < 5; i++)
        near((double)f->direction[i], middle[i], "three of five");
    f->labelled[2] = 0; /* of two nothing can be trimmed */
    go(f);
    near((double)f->direction[0], 2, "two of five");
    memset(f->labelled, 0, sizeof f->labelled);
    go(f);
    near((double)f->direction[0], 0, "none");
    feed_free(f);
}

static void trimmed_mean_wants_enough_tasks(void **state)
{
    (void)state;
    poise_error err = {0};
    assert_null(feed_try("trimmed_mean", 4, "trim=2", NULL, &err));
    assert_string_equal(err.message, "balancer \"trimmed_mean\", init: trim is 2; that takes at "
                                     "least 5 tasks, and there are 4");
    assert_null(feed_try("trimmed_mean", 2, NULL, NULL, &err));
    feed_free(feed_new("trimmed_mean", 5, "trim=2"));
}

/* ---- dbmtl ---- */

/* Gradients of norm 5 and 1 at losses 1 and 2: of the logs 5 and 1/2, so a = (1, 10), and the
 * direction has both at length 5. */
static void dbmtl_without_memory(void **state)
{
    (void)state;
    feed *f = new_feed("dbmtl", 2, "beta=0");
    f->loss[1] = 2;
    f->grad[0][0] = 3, f->grad[0][1] = 4, f->grad[1][5] = 1;
    go(f);
    assert_int_equal(f->nkeep, 0);
    near(f->weight[0], 1, "weight[0]");
    near(f->weight[1], 10, "weight[1]");
    near((double)f->direction[0], 3, "direction[0]");
    near((double)f->direction[5], 5, "direction[5]");
    feed_free(f);
}

/* beta / k: at the first step b = h (1 - beta), at the second b = h (1 - beta/2) + beta/2 b. */
static void dbmtl_remembers(void **state)
{
    (void)state;
    feed *f = new_feed("dbmtl", 1, "beta=0.5 sigma=1");
    f->grad[0][0] = 1;
    go(f);
    near((double)f->keep[0][0], 0.5, "first");
    f->grad[0][0] = 2;
    go(f);
    near((double)f->keep[0][0], 2 + 0.25 * (0.5 - 2), "second");
    f->labelled[0] = 0, f->loss[0] = (double)NAN, f->grad[0][0] = 0;
    go(f);
    near((double)f->keep[0][0], 1.625, "kept without a label");
    assert_true(f->direction[0] == 0);
    f->labelled[0] = 1, f->loss[0] = 1, f->grad[0][0] = 2;
    go(f); /* the third step that counts */
    near((double)f->keep[0][0], 2 + 0.5 / 3 * (1.625 - 2), "third");
    feed_free(f);
}

/* ---- metabalance ---- */

/* In the expert group norms of 4 and 1, in the gate group of 1 and 2; relax 1/2. */
static void metabalance_by_hand(void **state)
{
    (void)state;
    static const struct {
        const char *settings;
        double expert, gate; /* weights of the auxiliary task */
    } rows[] = {{"relax=0.5", 2.5, 0.75},
                {"relax=0.5 direction=reduce", 1, 0.75},
                {"relax=0.5 direction=enlarge", 2.5, 1},
                {"relax=0", 1, 1},
                {"relax=1 beta=0", 4, 0.5}};
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        feed *f = new_feed("metabalance", 2, rows[k].settings);
        f->grad[0][0] = 4, f->grad[1][1] = -1, f->grad[0][6] = 1, f->grad[1][6] = 2;
        for (int j = 0; j < 3; j++) { /* steady norms: the averages' bias cancels */
            go(f);
            near(f->weight[0], 1, "main, experts");
            near(f->weight[1], rows[k].expert, rows[k].settings);
            near(f->weight[2], 1, "main, gates");
            near(f->weight[3], rows[k].gate, rows[k].settings);
            near((double)f->direction[1], -rows[k].expert, "direction, experts");
            near((double)f->direction[6], 1 + 2 * rows[k].gate, "direction, gates");
        }
        feed_free(f);
    }
}

/* A task that is labelled in every other step has averages of half as many steps: the same ratio
 * all the same.  Before the main task was ever seen, or where a gradient is 0, the weight is 1. */
static void metabalance_counts_labelled_steps(void **state)
{
    (void)state;
    feed *f = new_feed("metabalance", 2, "relax=1 target=1");
    f->labelled[1] = 0;
    f->grad[0][0] = 3;
    go(f);
    assert_true(f->weight[0] == 1);
    for (int k = 0; k < 6; k++) {
        f->labelled[1] = k % 2 ? 0 : 1;
        f->grad[1][0] = k % 2 ? 0 : 6;
        go(f);
        near(f->weight[0], 2, "ratio");
        assert_true(f->weight[2] == 1 && f->weight[3] == 1); /* nothing reaches the gates */
    }
    feed_free(f);
}

/* ---- lr_annealing ---- */

/* |g| sums to 6 and to 2; alpha 1/2: w = (1 + 3) / 2.  The largest is 4, of 12 elements: 48 / 2. */
static void lr_annealing_by_hand(void **state)
{
    (void)state;
    feed *f = new_feed("lr_annealing", 2, "alpha=0.5");
    feed *g = new_feed("lr_annealing", 2, "alpha=0.5 against=max");
    f->grad[0][0] = g->grad[0][0] = -4, f->grad[0][6] = g->grad[0][6] = 2;
    f->grad[1][2] = g->grad[1][2] = 1.5f, f->grad[1][6] = g->grad[1][6] = -0.5f;
    go(f);
    go(g);
    near(f->weight[0], 1, "the reference");
    near(f->weight[1], 2, "mean");
    near(g->weight[1], 12.5, "max");
    near((double)f->direction[2], 3, "the real gradients are combined");
    near((double)f->direction[6], 1, "the real gradients are combined");
    go(f);
    go(g);
    near(f->weight[1], 2.5, "mean, again");
    near(g->weight[1], 18.25, "max, again");
    f->labelled[0] = 0, f->grad[0][0] = f->grad[0][6] = 0; /* no reference */
    go(f);
    near(f->weight[1], 2.5, "kept");
    f->labelled[0] = 1, f->grad[0][0] = 1, f->grad[1][2] = f->grad[1][6] = 0; /* no gradient */
    go(f);
    near(f->weight[1], 2.5, "kept");
    feed_free(f);
    feed_free(g);
}

/* Weights that are used for two steps: edit() is called in both, step() in one of them. */
static void lr_annealing_takes_the_largest_of_one_step(void **state)
{
    (void)state;
    poise_error err = {0};
    feed *f = new_feed("lr_annealing", 2, "alpha=0.5 against=max");
    f->grad[0][0] = 100, f->grad[1][2] = 2;
    feed_measure(f, f->grad);
    assert_int_equal(feed_slices(f, NULL, &err), 0);
    f->in.step = 1;
    f->grad[0][0] = 4;
    go(f);
    near(f->weight[1], (1 + 48 / 2.0) / 2, "of the second step alone");
    feed_free(f);
}

static void a_task_is_named_by_a_number_below_their_count(void **state)
{
    (void)state;
    poise_error err = {0};
    assert_null(feed_try("lr_annealing", 2, "reference=2", NULL, &err));
    assert_string_equal(err.message, "balancer \"lr_annealing\", init: reference is 2; with 2 "
                                     "tasks it must be below 2");
    assert_null(feed_try("metabalance", 2, "target=5", NULL, &err));
    assert_string_equal(err.message, "balancer \"metabalance\", init: target is 5; with 2 tasks it "
                                     "must be below 2");
}

/* ---- moco ---- */

/* y = beta l g / |g|: (0.5, 0) and (0, 1) at beta 1/2 and losses 1, 2.  Y Y' = diag(1/4, 1), so
 * w = softmax(1/2 - gamma (1/8, 1/2)). */
static void moco_by_hand(void **state)
{
    (void)state;
    feed *f = new_feed("moco", 2, "gamma=2");
    f->loss[1] = 2;
    f->grad[0][0] = 8, f->grad[1][1] = -3;
    go(f);
    near((double)f->keep[0][0], 0.5, "y of task 0");
    near((double)f->keep[1][1], -1, "y of task 1");
    double first = 1 / (1 + exp(-0.75));
    near(f->weight[0], first, "weight[0]");
    near(f->weight[1], 1 - first, "weight[1]");
    near((double)f->direction[1], first - 1, "direction");
    f->labelled[1] = 0, f->loss[1] = (double)NAN, f->grad[1][1] = 0;
    go(f);
    near(f->weight[0], first, "alone it keeps its share");
    near((double)f->keep[1][1], -1, "y is kept");
    assert_true(f->direction[1] == 0);
    feed_free(f);
}

/* ---- excessmtl ---- */

/* g = 2 and 1 of one element each: S = 4, 1, e = 2, 1, the baselines.  The second step has g = 2
 * and 3: S = 8, 10, e = 4 / sqrt 8, 9 / sqrt 10; over the baselines 0.7071 and 2.846. */
static void excessmtl_by_hand(void **state)
{
    (void)state;
    feed *f = new_feed("excessmtl", 2, "eta=0.5");
    f->grad[0][0] = 2, f->grad[1][1] = 1;
    go(f);
    near(f->weight[0], 0.5, "the first step is the baseline");
    f->grad[1][1] = 3;
    go(f);
    double gap = 0.5 * (9 / sqrt(10) - 2 / sqrt(8));
    near(f->weight[1], 1 / (1 + exp(-gap)), "weight[1]");
    near(f->weight[0] + f->weight[1], 1, "sum");
    near((double)f->direction[1], 3 * f->weight[1], "the real gradients are combined");
    double held = f->weight[0];
    f->labelled[0] = 0, f->grad[0][0] = 0;
    for (int k = 0; k < 5; k++)
        go(f);
    near(f->weight[0], held, "kept without a label");
    near((double)f->keep[0][0], 8, "S is kept");
    feed_free(f);
}

/* A weight that has all but vanished comes back. */
static void excessmtl_weights_never_stick_at_zero(void **state)
{
    (void)state;
    feed *f = new_feed("excessmtl", 2, "eta=100");
    f->grad[0][0] = 1, f->grad[1][1] = 1;
    go(f);
    for (int k = 0; k < 20; k++) {
        f->grad[0][0] = 1, f->grad[1][1] = 0;
        go(f);
    }
    assert_true(f->weight[1] < 1e-100);
    for (int k = 0; k < 400; k++) {
        f->grad[0][0] = 0, f->grad[1][1] = 1;
        go(f);
    }
    assert_true(f->weight[1] > 0.99);
    feed_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(graddrop_sums_what_agrees),
        cmocka_unit_test(graddrop_passes_a_sign_as_often_as_it_is_pure),
        cmocka_unit_test(graddrop_leaks),
        cmocka_unit_test(trimmed_mean_by_hand),
        cmocka_unit_test(trimmed_mean_wants_enough_tasks),
        cmocka_unit_test(dbmtl_without_memory),
        cmocka_unit_test(dbmtl_remembers),
        cmocka_unit_test(metabalance_by_hand),
        cmocka_unit_test(metabalance_counts_labelled_steps),
        cmocka_unit_test(lr_annealing_by_hand),
        cmocka_unit_test(lr_annealing_takes_the_largest_of_one_step),
        cmocka_unit_test(a_task_is_named_by_a_number_below_their_count),
        cmocka_unit_test(moco_by_hand),
        cmocka_unit_test(excessmtl_by_hand),
        cmocka_unit_test(excessmtl_weights_never_stick_at_zero),
    };
    return cmocka_run_group_tests_name("by_element", tests, NULL, NULL);
}
