/* The AUC against its definition, all pairs one by one; the rest against scikit-learn's values. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "core/random.h"
#include "train/figures.h"
#include "train/metrics.h"

static void same(double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance * fmax(1, fabs(want))))
        fail_msg("%s: %.17g, wanted %.17g", what, got, want);
}

static double auc(int64_t n, const float *score, const float *label, const float *weight)
{
    double a = -1;
    poise_error err = {0};

    if (poise_auc(n, score, label, weight, &a, &err) < 0)
        fail_msg("%s", err.message);
    return a;
}

/* All pairs. */
static double slow_auc(int n, const float *score, const float *label, const float *weight)
{
    double won = 0, all = 0;

    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double w = weight ? (double)weight[i] * (double)weight[j] : 1;

            if (isnan(label[i]) || isnan(label[j]) || !(label[i] >= 0.5f) || label[j] >= 0.5f ||
                (weight && (!(weight[i] > 0) || !(weight[j] > 0))))
                continue;
            all += w;
            won += score[i] > score[j] ? w : score[i] == score[j] ? w / 2 : 0;
        }
    return won / all;
}

static uint32_t draw(uint64_t stream, int i)
{
    return poise_random_bits(5, stream, 0, (uint64_t)i);
}

/* Few levels: mostly ties.  Many: none.  Weights with zeros, labels with holes, scores of both
 * signs and magnitudes. */
static void auc_is_the_share_of_pairs(void **state)
{
    enum { MOST = 400 };
    static const int sizes[] = {2, 3, 17, MOST};
    static const uint32_t levels[] = {2, 5, 50, 1u << 30};
    float score[MOST], label[MOST], weight[MOST];

    (void)state;
    for (uint64_t k = 0; k < 16; k++) {
        int n = sizes[k / 4];
        uint32_t level = levels[k % 4];
        double want;

        for (int i = 0; i < n; i++) {
            score[i] = ((float)(draw(4 * k, i) % level) - (float)level / 2) * 0.37f;
            label[i] = i < 2                         ? (float)i
                       : draw(4 * k + 1, i) % 7 == 0 ? NAN
                                                     : (float)(draw(4 * k + 2, i) & 1);
            weight[i] = i < 2 ? 1 : (float)(draw(4 * k + 3, i) % 5) / 3 - 0.1f;
        }
        same(auc(n, score, label, NULL), slow_auc(n, score, label, NULL), 1e-15, "unweighted");
        want = slow_auc(n, score, label, weight);
        same(auc(n, score, label, weight), want, 1e-12, "weighted");
        assert_true(want > 0 || want < 1);
    }
}

/* The rows of the golden values below. */
enum { N = 40 };
static float gold_score[N], gold_label[N], gold_weight[N];

static int make_gold(void **state)
{
    (void)state;
    for (int i = 0; i < N; i++) {
        gold_score[i] = (float)((i * 23) % 13) / 8 - 0.75f;
        gold_label[i] = (i * i * 7 + 3 * i) % 5 < 2;
        gold_weight[i] = (float)((i * 11) % 7) / 4;
    }
    return 0;
}

/* sklearn 1.9.1: roc_auc_score, log_loss, mean_squared_error on those rows in float64. */
static void values_are_scikit_learns(void **state)
{
    float p[N];

    (void)state;
    same(auc(N, gold_score, gold_label, NULL), 0.5338541666666666, 1e-15, "auc");
    same(auc(N, gold_score, gold_label, gold_weight), 0.6774341702388242, 1e-14, "weighted auc");
    same(poise_logloss(N, gold_score, gold_label, NULL), 0.7054793718809751, 1e-14, "log loss");
    same(poise_logloss(N, gold_score, gold_label, gold_weight), 0.6483577346304167, 1e-14,
         "weighted log loss");
    same(poise_rmse(N, gold_score, gold_label, NULL), 0.7841197293781097, 1e-14, "rmse");
    same(poise_rmse(N, gold_score, gold_label, gold_weight), 0.7008465576971163, 1e-14,
         "weighted rmse");
    for (int i = 0; i < N; i++)
        p[i] = (float)(1 / (1 + exp(-(double)gold_score[i])));
    same(poise_logloss_probability(N, p, gold_label, gold_weight), 0.6483577346304167, 1e-7,
         "log loss of probabilities");
}

static void auc_of_special_rows(void **state)
{
    static const struct {
        const char *name;
        int n;
        float score[4], label[4], weight[4];
        double want; /* NAN: there is none */
    } cases[] = {
        {"none", 0, {0}, {0}, {0}, NAN},
        {"one", 1, {1}, {1}, {1}, NAN},
        {"positives only", 3, {1, 2, 3}, {1, 1, 1}, {1, 1, 1}, NAN},
        {"negatives only", 3, {1, 2, 3}, {0, 0, 0}, {1, 1, 1}, NAN},
        {"all ties", 4, {2, 2, 2, 2}, {1, 0, 0, 1}, {1, 1, 3, 1}, 0.5},
        {"right", 4, {1, 2, 3, 4}, {0, 0, 1, 1}, {1, 1, 1, 1}, 1},
        {"wrong", 4, {1, 2, 3, 4}, {1, 1, 0, 0}, {1, 1, 1, 1}, 0},
        {"the positives have no weight", 3, {1, 2, 3}, {0, 0, 1}, {1, 1, 0}, NAN},
        {"negative weight does not count", 3, {1, 2, 3}, {1, 0, 1}, {1, 1, -5}, 0},
        {"hole in the labels", 4, {1, 2, 3, 4}, {0, 1, NAN, NAN}, {1, 1, 1, 1}, 1},
        {"holes only", 2, {1, 2}, {NAN, NAN}, {1, 1}, NAN},
        {"zero and minus zero tie", 2, {-0.0f, 0.0f}, {0, 1}, {1, 1}, 0.5},
        {"order across signs", 4, {-3, -1, 0.5f, 2}, {0, 1, 1, 1}, {1, 1, 1, 1}, 1},
        {"infinities have a place", 3, {-INFINITY, INFINITY, 3e38f}, {0, 1, 1}, {1, 1, 1}, 1},
        {"denormals differ", 2, {1e-45f, 3e-45f}, {0, 1}, {1, 1}, 1},
        {"NaN where nothing counts", 3, {1, 2, NAN}, {0, 1, 1}, {1, 1, 0}, 1},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double got = auc(cases[k].n, cases[k].score, cases[k].label, cases[k].weight);

        if (isnan(cases[k].want) ? !isnan(got) : got != cases[k].want)
            fail_msg("%s: %g, wanted %g", cases[k].name, got, cases[k].want);
    }
}

static void nan_score_is_an_error(void **state)
{
    const float score[] = {1, 2, NAN}, label[] = {0, 1, 1};
    poise_error err = {0};
    double a;

    (void)state;
    assert_int_equal(poise_auc(3, score, label, NULL, &a, &err), -1);
    assert_int_equal(err.code, POISE_E_NUMERIC);
    assert_non_null(strstr(err.message, "row 2"));
}

/* Scaling and shifting scores, or scaling all weights, changes no bit where it is exact. */
static void auc_looks_at_order_alone(void **state)
{
    float score[N], weight[N];

    (void)state;
    for (int i = 0; i < N; i++) {
        score[i] = 1024 * gold_score[i] + 4096;
        weight[i] = 8 * gold_weight[i];
    }
    assert_true(auc(N, score, gold_label, weight) == auc(N, gold_score, gold_label, gold_weight));
    for (int i = 0; i < N; i++)
        score[i] = -score[i];
    same(auc(N, score, gold_label, weight), 1 - auc(N, gold_score, gold_label, gold_weight), 1e-14,
         "reversed");
}

static void logloss_does_not_overflow(void **state)
{
    static const struct {
        float logit, label;
        double want;
    } cases[] = {
        {0, 0, 0.6931471805599453},
        {0, 1, 0.6931471805599453},
        {1000, 1, 0},
        {1000, 0, 1000},
        {-1000, 1, 1000},
        {3e38f, 0, 2.9999999e38},
        {-40, 0, 4.248354255291589e-18}, /* log1p(exp(-40)) */
        {2, 0.25f, 1.626928011042972},   /* log(1 + e^-2) + 2 * 3/4 */
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double got = poise_logloss(1, &cases[k].logit, &cases[k].label, NULL);

        if (!(fabs(got - cases[k].want) <= 1e-7 * cases[k].want))
            fail_msg("logit %g, label %g: %.17g, wanted %.17g", (double)cases[k].logit,
                     (double)cases[k].label, got, cases[k].want);
    }
}

static void probabilities_are_clamped(void **state)
{
    const float p[] = {0, 1, 0, 1}, label[] = {0, 1, 1, 0};

    (void)state;
    same(poise_logloss_probability(2, p, label, NULL), 1e-15, 1e-16, "right and certain");
    same(poise_logloss_probability(2, p + 2, label + 2, NULL), 34.538776394910684, 1e-3,
         "wrong and certain");
}

static void means_need_a_row(void **state)
{
    const float x[] = {1, 2}, hole[] = {NAN, NAN}, label[] = {1, 0}, nothing[] = {0, -1};

    (void)state;
    assert_true(isnan(poise_logloss(0, NULL, NULL, NULL)));
    assert_true(isnan(poise_logloss(2, x, hole, NULL)));
    assert_true(isnan(poise_rmse(2, x, label, nothing)));
    assert_true(isnan(poise_logloss_probability(2, x, label, nothing)));
    assert_true(poise_rmse(2, x, (const float[]){NAN, 5}, NULL) == 3);
    /* a NaN prediction is not hidden */
    assert_true(isnan(poise_logloss(2, hole, label, NULL)));
    assert_true(isnan(poise_logloss_probability(2, hole, label, NULL)));
}

static void mean_and_deviation_of_runs(void **state)
{
    static const struct {
        int n;
        double x[5], mean, deviation;
    } cases[] = {
        {1, {0.75}, 0.75, 0},
        {2, {1, 3}, 2, 1.4142135623730951},
        {5, {2, 4, 4, 5, 10}, 5, 3},
        {3, {1e9 + 1, 1e9 + 2, 1e9 + 3}, 1e9 + 2, 1},
    };
    double mean, deviation;

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        poise_mean_deviation(cases[k].n, cases[k].x, &mean, &deviation);
        same(mean, cases[k].mean, 1e-15, "mean");
        same(deviation, cases[k].deviation, 1e-15, "deviation");
    }
    poise_mean_deviation(0, NULL, &mean, &deviation);
    assert_true(isnan(mean) && isnan(deviation));
}

/* Losses of several numbers a row, against the definitions written out. */
static void classes_and_grades(void **state)
{
    static const float z[] = {0, 1, 2, 3, 1, 1, -1, 5, 0}, label[] = {2, 0, 2};
    static const float c[] = {1, -1, 2, 0.5F, -0.5F, -3}, weight[] = {1, 2, 0};
    double e = exp(1), s1 = 1 / (1 + exp(-1)), s05 = 1 / (1 + exp(-0.5));

    (void)state;
    same(poise_accuracy(3, 3, z, label, NULL), 2.0 / 3, 1e-15, "accuracy");
    same(poise_accuracy(3, 3, z, label, weight), 1, 1e-15, "weighted accuracy");
    same(poise_class_logloss(1, 3, z, label, NULL), -log(e * e / (1 + e + e * e)), 1e-15,
         "logloss");
    assert_true(isinf(poise_class_logloss(1, 2, z, label, NULL)));
    /* P = 1 - s(1), s(1) - s(-1), s(-1); the median of the first row is 1, of the second 2 */
    same(poise_grade_logloss(1, 2, c, (const float[]){0}, NULL), -log(1 - s1), 1e-14, "lowest");
    same(poise_grade_logloss(1, 2, c, (const float[]){1}, NULL), -log(2 * s1 - 1), 1e-14, "middle");
    same(poise_grade_logloss(1, 2, c, (const float[]){2}, NULL), -log(1 - s1), 1e-14, "highest");
    same(poise_grade_logloss(1, 2, c + 2, (const float[]){2}, NULL), -log(s05), 1e-14, "highest");
    same(poise_grade_mae(2, 2, c, (const float[]){2, 2}, NULL), 0.5, 1e-15, "mae");
    same(poise_grade_mae(2, 2, c, (const float[]){0, 0}, weight), 5.0 / 3, 1e-15, "weighted mae");
    same(poise_mae(2, z, (const float[]){1, -1}, NULL), 1.5, 1e-15, "mae of numbers");
}

/* 2 (y log(y / mu) - (y - mu)): 0 where the rate is the count, and at y = 0 it is 2 mu. */
static void deviance_of_counts(void **state)
{
    static const float z[] = {0, 0, 1.0986123F}, label[] = {1, 0, 3};

    (void)state;
    same(poise_deviance(1, z, label, NULL), 0, 1e-15, "right");
    same(poise_deviance(1, z + 1, label + 1, NULL), 2, 1e-15, "none");
    assert_true(fabs(poise_deviance(1, z + 2, label + 2, NULL)) < 1e-12);
    same(poise_deviance(1, z, (const float[]){2}, NULL), 2 * (2 * log(2) - 1), 1e-15, "two");
    assert_true(isnan(poise_deviance(1, z, (const float[]){NAN}, NULL)));
}

/* Figures that are not known are left out of a mean; where none is known, neither is the monitor. */
static void monitor_leaves_out_what_is_not_known(void **state)
{
    enum { TASKS = 3, TERMS = 2 };
    static const struct {
        poise_monitor_term term[TERMS];
        double auc[TASKS], logloss[TASKS], rmse, want;
    } cases[] = {
#define MEAN(f) {{-1, POISE_##f, 1}}
#define TASK(t, f)          \
    {                       \
        {                   \
            t, POISE_##f, 1 \
        }                   \
    }
        {MEAN(AUC), {0.75, 0.25, NAN}, {1, 3, NAN}, 8, 0.5},
        {MEAN(AUC), {0.75, NAN, NAN}, {1, 3, NAN}, 8, 0.75},
        {MEAN(AUC), {NAN, NAN, NAN}, {1, 3, NAN}, NAN, -2},
        {MEAN(AUC), {NAN, NAN, NAN}, {NAN, 3, NAN}, 5, -4},
        {MEAN(LOGLOSS), {0.75, 0.25, NAN}, {1, 3, NAN}, 8, -2},
        {MEAN(LOGLOSS), {0.75, NAN, NAN}, {1, NAN, NAN}, 8, -1},
        {MEAN(AUC), {NAN, NAN, NAN}, {NAN, NAN, NAN}, NAN, NAN},
        {TASK(1, AUC), {0.75, 0.25, NAN}, {1, 3, NAN}, 8, 0.25},
        {TASK(1, AUC), {0.75, NAN, NAN}, {1, 3, NAN}, 8, -3},
        {TASK(1, AUC), {0.75, NAN, NAN}, {1, NAN, NAN}, 8, NAN},
        {TASK(0, LOGLOSS), {0.75, 0.25, NAN}, {1, 3, NAN}, 8, -1},
        {TASK(2, RMSE), {0.75, 0.25, NAN}, {1, 3, NAN}, 8, -8},
        {{{0, POISE_AUC, 1}, {1, POISE_AUC, 2}}, {0.75, 0.25, NAN}, {1, 3, NAN}, 8, 1.25},
        {{{0, POISE_AUC, 2}, {2, POISE_RMSE, 0.5}}, {0.75, 0.25, NAN}, {1, 3, NAN}, 8, -2.5},
        {{{0, POISE_AUC, 2}, {2, POISE_RMSE, 0.5}}, {0.75, 0.25, NAN}, {1, 3, NAN}, NAN, NAN},
#undef MEAN
#undef TASK
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        poise_monitor m = {cases[k].term[1].factor > 0 ? 2 : 1, cases[k].term};
        poise_task_result figure[TASKS];
        for (int t = 0; t < TASKS; t++) {
            poise__figures_unknown(&figure[t]);
            figure[t].figure[POISE_AUC] = cases[k].auc[t];
            figure[t].figure[POISE_LOGLOSS] = cases[k].logloss[t];
        }
        figure[2].figure[POISE_RMSE] = cases[k].rmse;
        double got = poise__monitor(&m, TASKS, figure);
        if (isnan(cases[k].want) ? !isnan(got) : !(fabs(got - cases[k].want) < 1e-15))
            fail_msg("case %zu: %g, wanted %g", k, got, cases[k].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auc_is_the_share_of_pairs),
        cmocka_unit_test(values_are_scikit_learns),
        cmocka_unit_test(auc_of_special_rows),
        cmocka_unit_test(nan_score_is_an_error),
        cmocka_unit_test(auc_looks_at_order_alone),
        cmocka_unit_test(logloss_does_not_overflow),
        cmocka_unit_test(probabilities_are_clamped),
        cmocka_unit_test(means_need_a_row),
        cmocka_unit_test(mean_and_deviation_of_runs),
        cmocka_unit_test(classes_and_grades),
        cmocka_unit_test(deviance_of_counts),
        cmocka_unit_test(monitor_leaves_out_what_is_not_known),
    };

    return cmocka_run_group_tests(tests, make_gold, NULL);
}
