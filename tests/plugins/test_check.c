/* The signals that the checker hands out belong together, whatever the weather, and its report keeps
 * what matters.  That every check can fail is shown by tests/tools/test_conform.bash. */
#include "objects.h"

#include <math.h>

#include "plugins/check_parts.h"

static void near(double got, double want, double scale)
{
    if (!(fabs(got - want) <= 1e-12 * scale))
        fail_msg("%.17g is not %.17g", got, want);
}

static double product(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < POISE__CHECK_ELEMENTS; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void one_step(poise__feed *f, const poise__weather *w, uint32_t n, uint32_t ngroup,
                     uint64_t k)
{
    poise_signals in;

    poise__feed_make(f, w, n, ngroup, k, UINT32_MAX, &in);
    for (uint32_t i = 0; i < n; i++) {
        double own = product(f->grad[i], f->grad[i]);
        if (!(f->labelled[i] > 0)) {
            assert_true(own == 0);
            continue;
        }
        near(in.gram[i * n + i], own, own);
        near(in.grad_norm[i] * in.grad_norm[i], own, own);
        for (uint32_t j = 0; j < n; j++) {
            if (!(f->labelled[j] > 0))
                continue;
            double other = product(f->grad[j], f->grad[j]), sum = 0;
            double scale = sqrt(own * other);
            near(in.gram[i * n + j], product(f->grad[i], f->grad[j]), scale);
            for (uint32_t g = 0; g < ngroup; g++)
                sum += in.group_gram[(g * n + i) * n + j];
            near(sum, in.gram[i * n + j], scale);
            near(in.half_gram[i * n + j], product(f->half[0][i], f->half[1][j]), 2 * scale);
        }
        for (int e = 0; e < POISE__CHECK_ELEMENTS; e++) {
            float half = 0.5F * (f->half[0][i][e] + f->half[1][i][e]);
            assert_true(fabsf(half - f->grad[i][e]) <= 1e-6F * fabsf(f->grad[i][e]));
        }
    }
}

static void gram_matrices_are_those_of_the_gradients(void **state)
{
    (void)state;
    static const uint32_t tasks[] = {1, 2, 3, 17, 64};
    poise__feed *f = calloc(1, sizeof *f);

    assert_non_null(f);
    for (unsigned gradient = POISE__GRAD_ORDINARY; gradient <= POISE__GRAD_HUGE; gradient++)
        for (unsigned labels = POISE__LABELS_ALL; labels <= POISE__LABELS_LATE; labels++)
            for (size_t k = 0; k < 5; k++) {
                poise__weather w = {.name = "",
                                    .gradient = (poise__gradients)gradient,
                                    .labels = (poise__labels)labels};
                one_step(f, &w, tasks[k], 1, k);
                one_step(f, &w, tasks[k], POISE__CHECK_GROUPS, k + 3);
            }
    free(f);
}

static void what_is_withheld_or_not_asked_for_is_null(void **state)
{
    (void)state;
    poise__feed *f = calloc(1, sizeof *f);
    poise__weather w = {.name = "", .withheld = POISE_KPI};
    poise_signals in;

    assert_non_null(f);
    poise__feed_make(f, &w, 2, 1, 0, POISE_LOSS | POISE_KPI, &in);
    assert_non_null(in.labelled);
    assert_non_null(in.loss);
    assert_null(in.kpi);
    assert_null(in.gram);
    free(f);
}

/* The first loss stays that of the first step with labels; losses after a step are of the one before. */
static void losses_follow_from_each_other(void **state)
{
    (void)state;
    poise__feed *f = calloc(1, sizeof *f);
    poise__weather w = {.name = "", .labels = POISE__LABELS_LATE};
    double first[3] = {NAN, NAN, NAN}, before[3] = {NAN, NAN, NAN};
    poise_signals in;

    assert_non_null(f);
    for (uint64_t k = 0; k < 12; k++) {
        poise__feed_make(f, &w, 3, 1, k, UINT32_MAX, &in);
        for (int t = 0; t < 3; t++) {
            int has = in.labelled[t] > 0;
            if (has && isnan(first[t]))
                first[t] = in.loss[t];
            assert_true(isnan(first[t]) ? isnan(in.loss_init[t]) : in.loss_init[t] == first[t]);
            assert_true(isnan(before[t]) ? isnan(in.loss_after[t]) : in.loss_after[t] < before[t]);
            before[t] = has ? in.loss[t] : NAN;
        }
        assert_true(k >= 3 || (in.labelled[0] == 0 && in.labelled[1] == 0));
    }
    free(f);
}

static void a_failure_is_not_lost_behind_warnings(void **state)
{
    (void)state;
    poise_check_report r = {0};

    for (int k = 0; k < POISE_CHECK_FINDINGS + 5; k++)
        poise__find(&r, POISE_CHECK_WARNING, "warning %d", k);
    poise__find(&r, POISE_CHECK_WARNING, "warning 1"); /* it is there already */
    assert_int_equal(r.nfinding, POISE_CHECK_FINDINGS);
    assert_int_equal(r.more, 5);
    assert_int_equal(poise_check_worst(&r), POISE_CHECK_WARNING);
    poise__find(&r, POISE_CHECK_FAILURE, "failure");
    assert_int_equal(poise_check_worst(&r), POISE_CHECK_FAILURE);
    assert_int_equal(r.nfinding, POISE_CHECK_FINDINGS);
}

static void every_check_runs_in_process_too(void **state)
{
    (void)state;
    for (int k = 0; poise_check_name(k); k++) {
        poise_check_report *r = calloc(1, sizeof *r);
        assert_non_null(r);
        assert_non_null(poise_check_about(k));
        poise_check_run(k, OBJECTS "/even.so", r);
        assert_true(r->done);
        assert_string_equal(r->id, "even");
        if (poise_check_worst(r) == POISE_CHECK_FAILURE)
            fail_msg("%s: %s", poise_check_name(k), r->finding[0].text);
        free(r);
    }
    assert_null(poise_check_about(-1));
}

static void an_object_that_does_not_load_is_one_failure(void **state)
{
    (void)state;
    poise_check_report first = {0}, second = {0};

    poise_check_run(0, OBJECTS "/no_symbol.so", &first);
    assert_int_equal(poise_check_worst(&first), POISE_CHECK_FAILURE);
    poise_check_run(1, OBJECTS "/no_symbol.so", &second);
    assert_int_equal(poise_check_worst(&second), POISE_CHECK_SKIPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gram_matrices_are_those_of_the_gradients),
        cmocka_unit_test(what_is_withheld_or_not_asked_for_is_null),
        cmocka_unit_test(losses_follow_from_each_other),
        cmocka_unit_test(a_failure_is_not_lost_behind_warnings),
        cmocka_unit_test(every_check_runs_in_process_too),
        cmocka_unit_test(an_object_that_does_not_load_is_one_failure),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
