/* What the strategies on Gram matrices promise, and what all of them must bear. */
#include "gram_rig.h"

enum {
    UNITS = 1,     /* the weights do not depend on the unit of the loss: G to s^2 G changes none */
    SYMMETRIC = 2, /* permuted tasks have permuted weights */
    HARMLESS = 4,  /* <g_t, step> >= 0 for all t */
    SINGULAR = 8   /* that also where gradients are dependent */
};

/* `alone`: the weight of one task with |g| = 2; `together`: the sum of the weights of 4 tasks with
 * the same gradient of norm 2. */
static const struct {
    const char *name, *parameters;
    int promises;
    double alone, together;
} strategies[] = {
    {"mgda", "", UNITS | SYMMETRIC | HARMLESS | SINGULAR, 1, 1},
    {"mgda", "scale=l2", SYMMETRIC | HARMLESS | SINGULAR, .5, .5},
    {"pcgrad", "order=fixed", UNITS, 1, 4},
    {"gradvac", "order=fixed", UNITS, 1, 4},
    {"cagrad", "", UNITS | SYMMETRIC, 1.2, 1.2},
    {"imtl_g", "", UNITS | SYMMETRIC, 1, 1},
    {"imtl", "", UNITS | SYMMETRIC, 1, 1},
    {"nash", "", SYMMETRIC | HARMLESS, .5, 1},
    {"fairgrad", "", SYMMETRIC | HARMLESS, .5, 1},
    {"fairgrad", "alpha=2", SYMMETRIC | HARMLESS, .396850, .629961} /* 4^(-2/3), 4^(-1/3) */,
    {"aligned", "", UNITS | SYMMETRIC, 1, 1},
    {"aligned", "scale_mode=median", UNITS | SYMMETRIC, 1, 1},
    {"aligned", "scale_mode=rmse", UNITS | SYMMETRIC, 1, 1},
    {"upgrad", "reg_eps=1e-9", UNITS | SYMMETRIC | HARMLESS | SINGULAR, 1, 1},
    {"dualproj", "reg_eps=1e-9", UNITS | SYMMETRIC | HARMLESS | SINGULAR, 1, 1},
    {"config", "", UNITS | SYMMETRIC, 1, 4},
    {"krum", "", UNITS | SYMMETRIC, 0, 1},
    {"krum", "f=1 m=2", UNITS | SYMMETRIC, 0, 1},
    {"sdmgrad", "", UNITS | SYMMETRIC, 1, 1},
    {"modo", "", SYMMETRIC, 1, 1},
    {"pcd", "", UNITS, 1, 1},
};
enum { NSTRATEGY = sizeof strategies / sizeof strategies[0] };

static uint32_t fewest(int s)
{
    return strcmp(strategies[s].name, "krum") ? 1 : strategies[s].parameters[0] ? 4 : 3;
}

static void run(int s, uint32_t n, const double *g, double *w)
{
    gram_weights(strategies[s].name, strategies[s].parameters, n, g, w);
}

static void near(int s, double got, double want, double tolerance, const char *what)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s %s: %s is %.12g, not %.12g", strategies[s].name, strategies[s].parameters,
                 what, got, want);
}

static double top(const double *x, size_t n)
{
    double most = 0;
    for (size_t k = 0; k < n; k++)
        most = fmax(most, fabs(x[k]));
    return most;
}

/* Kinds 2, 3 and 4 are square or singular: methods with inverses have large numbers there. */
static int is_regular(uint32_t k)
{
    return k % 6 != 2 && k % 6 != 3 && k % 6 != 4;
}

static void no_task_is_harmed(void **state)
{
    (void)state;
    static gram_gradients m;
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS], along[GRAM_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t k = 0; k < GRAM_MATRICES; k++) {
            if (!(strategies[s].promises & HARMLESS) ||
                (!is_regular(k) && !(strategies[s].promises & SINGULAR)))
                continue;
            gram_matrix(k, 0, &m);
            gram_products(&m, &m, g);
            run(s, m.ntask, g, w);
            poise_math_multiply(g, w, m.ntask, along);
            for (uint32_t t = 0; t < m.ntask; t++)
                if (along[t] < -1e-7 * top(g, (size_t)m.ntask * m.ntask) * top(w, m.ntask))
                    fail_msg("%s: matrix %u, task %u: %g", strategies[s].name, (unsigned)k,
                             (unsigned)t, along[t]);
        }
}

/* Two tasks: neither is harmed by PCGrad and ConFIG either, of any two gradients. */
static void neither_of_two_tasks_is_harmed(void **state)
{
    (void)state;
    static const char *const names[] = {"pcgrad", "config", "cagrad"};
    static const char *const parameters[] = {"", "", "c=0.99"};
    for (int s = 0; s < 3; s++)
        for (int k = 0; k < 100; k++) {
            double angle = 0.02 + k * 0.031, length = pow(10, k % 5 - 2), w[2], along[2];
            double cross = length * cos(angle), g[4] = {1, cross, cross, length * length};
            gram_weights(names[s], parameters[s], 2, g, w);
            poise_math_multiply(g, w, 2, along);
            double size = (fabs(w[0]) + fabs(w[1]) * length);
            assert_true(along[0] >= -1e-2 * size * (s == 2));
            assert_true(along[0] >= -1e-9 * size || s == 2);
            assert_true(along[1] >= -1e-9 * size * length || s == 2);
        }
}

static void permuted_tasks_have_permuted_weights(void **state)
{
    (void)state;
    static gram_gradients m, other;
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS], v[GRAM_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t k = 0; k < GRAM_MATRICES; k += 5) {
            uint32_t order[GRAM_TASKS];
            gram_matrix(k, 0, &m);
            /* of few tasks, two are always each other's neighbour: Krum has to break the tie */
            uint32_t least = strcmp(strategies[s].name, "krum") ? 1 : 6;
            if (!(strategies[s].promises & SYMMETRIC) || !is_regular(k) || m.ntask < least)
                continue;
            gram_products(&m, &m, g);
            run(s, m.ntask, g, w);
            poise_math_shuffle(5, k, 0, m.ntask, order);
            other = m;
            for (uint32_t t = 0; t < m.ntask; t++)
                memcpy(other.a[t], m.a[order[t]], sizeof m.a[t]);
            gram_products(&other, &other, g);
            run(s, m.ntask, g, v);
            for (uint32_t t = 0; t < m.ntask; t++)
                near(s, v[t], w[order[t]], 1e-7 * top(w, m.ntask), "a permuted weight");
        }
}

static void units_do_not_matter(void **state)
{
    (void)state;
    static gram_gradients m;
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS], v[GRAM_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t k = 0; k < GRAM_MATRICES; k += 5) {
            gram_matrix(k, 0, &m);
            if (!(strategies[s].promises & UNITS) || !is_regular(k) || m.ntask < fewest(s))
                continue;
            gram_products(&m, &m, g);
            run(s, m.ntask, g, w);
            for (uint32_t i = 0; i < m.ntask * m.ntask; i++)
                g[i] *= 0x1p40; /* exact; longer gradients make the 1e-8 in formulas vanish */
            run(s, m.ntask, g, v);
            for (uint32_t t = 0; t < m.ntask; t++)
                near(s, v[t], w[t], 1e-6 * top(w, m.ntask), "a weight in other units");
        }
}

/* One task's loss in another unit, s times as large: the step is the same for Nash, and goes the
 * same way for IMTL-G and ConFIG. */
static void a_tasks_unit_does_not_matter_to_some(void **state)
{
    (void)state;
    static gram_gradients m;
    static const char *const names[] = {"nash", "imtl_g", "config"};
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS], v[GRAM_TASKS];
    for (int s = 0; s < 3; s++)
        for (uint32_t k = 0; k < GRAM_MATRICES; k += 7) {
            gram_matrix(k, 0, &m);
            if (k % 6 > 1) /* further apart, their rank would be decided by rounding */
                continue;
            gram_products(&m, &m, g);
            gram_weights(names[s], "", m.ntask, g, w);
            for (uint32_t i = 0; i < m.ntask * m.ntask; i++)
                g[i] *= (i / m.ntask ? 1 : 8.0) * (i % m.ntask ? 1 : 8.0);
            gram_weights(names[s], "", m.ntask, g, v);
            v[0] *= 8; /* the weights of the gradients as they were */
            double factor = s ? v[m.ntask - 1] / w[m.ntask - 1] : 1;
            for (uint32_t t = 0; t < m.ntask; t++)
                assert_true(fabs(v[t] - factor * w[t]) <= 1e-6 * fabs(factor) * top(w, m.ntask));
        }
}

/* UPGrad is linear in the lengths of the gradients (Quinton and Rey, section 3): the step for
 * lengths a + b is that for a plus that for b. */
static void upgrad_is_linear_under_scaling(void **state)
{
    (void)state;
    static gram_gradients m, scaled;
    double g[GRAM_TASKS * GRAM_TASKS], step[3][GRAM_COLUMNS];
    for (uint32_t k = 0; k < GRAM_MATRICES; k += 5) {
        gram_matrix(k, 0, &m);
        for (int which = 0; which < 3 && is_regular(k); which++) {
            double w[GRAM_TASKS];
            scaled = m;
            for (uint32_t t = 0; t < m.ntask; t++) {
                double a = 1 + t % 3, b = 2.5 - t % 2,
                       factor = which == 0   ? a
                                : which == 1 ? b
                                             : a + b;
                for (size_t j = 0; j < m.columns; j++)
                    scaled.a[t][j] *= factor;
            }
            gram_products(&scaled, &scaled, g);
            gram_weights("upgrad", "reg_eps=1e-12", m.ntask, g, w);
            for (size_t j = 0; j < m.columns; j++) {
                step[which][j] = 0;
                for (uint32_t t = 0; t < m.ntask; t++)
                    step[which][j] += w[t] * scaled.a[t][j];
            }
        }
        for (size_t j = 0; j < m.columns && is_regular(k); j++)
            assert_true(fabs(step[0][j] + step[1][j] - step[2][j]) <
                        1e-6 * top(step[2], m.columns));
    }
}

static void one_task_alone(void **state)
{
    (void)state;
    const double g = 4;
    double w;
    for (int s = 0; s < NSTRATEGY; s++)
        if (fewest(s) == 1) {
            run(s, 1, &g, &w);
            near(s, w, strategies[s].alone, 1e-5, "the weight of one task");
        }
}

static void equal_gradients_share(void **state)
{
    (void)state;
    double g[16], w[4];
    poise_math_fill(g, 16, 4);
    for (int s = 0; s < NSTRATEGY; s++) {
        run(s, 4, g, w);
        near(s, poise_math_sum(w, 4), strategies[s].together, 1e-5, "the sum of equal tasks");
    }
}

/* The host checks that the answers are finite, and not negative unless that is declared. */
static void any_matrix_has_weights(void **state)
{
    (void)state;
    static gram_gradients m;
    static const double scales[] = {0, 1e-30, 1, 1e30};
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t k = 0; k < GRAM_MATRICES; k++)
            for (int zeros = 0; zeros < 3; zeros++) {
                gram_matrix(k, 0, &m);
                if (m.ntask < fewest(s))
                    continue;
                for (int t = 0; t < zeros; t++) /* one or two gradients of 0 */
                    memset(m.a[t], 0, sizeof m.a[t]);
                gram_products(&m, &m, g);
                for (uint32_t i = 0; i < m.ntask * m.ntask; i++)
                    g[i] *= scales[(k + (uint32_t)zeros) % 4];
                run(s, m.ntask, g, w);
            }
}

/* A task without labels: the others have the weights that they have without it, and its own stays. */
static void tasks_without_labels_are_left_out(void **state)
{
    (void)state;
    static gram_gradients m;
    double g[GRAM_TASKS * GRAM_TASKS], w[GRAM_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t k = 3; k < 40; k++) { /* 5 tasks and more */
            uint32_t absent = 1 + k % 3, n;
            gram_matrix(k % 19 + 19 * (k % 3), 0, &m);
            if ((n = m.ntask) < 5)
                continue;
            gram_products(&m, &m, g);
            gram_rig *r = gram_new(strategies[s].name, strategies[s].parameters, n);
            for (uint32_t i = 0; i < n * n; i++)
                r->gram[i] = r->half_gram[i] = i / n == absent || i % n == absent ? NAN : g[i];
            r->labelled[absent] = 0;
            r->loss[absent] = NAN;
            gram_step(r);
            assert_true(r->weight[absent] == 1);
            size_t at = 0;
            for (uint32_t i = 0; i < n * n; i++)
                if (i / n != absent && i % n != absent)
                    g[at++] = g[i];
            run(s, n - 1, g, w);
            for (uint32_t t = 0, other = 0; t < n; t++)
                if (t != absent)
                    near(s, r->weight[t], w[other++], 1e-8 * top(w, n - 1), "a weight");
            memset(r->labelled, 0, sizeof r->labelled);
            double before[GRAM_TASKS];
            memcpy(before, r->weight, sizeof before);
            gram_step(r); /* no labels at all */
            assert_memory_equal(before, r->weight, sizeof before);
            gram_free(r);
        }
}

/* Step k of a run in which a third of the labels are missing; what is absent is `absent`. */
static void one_step(gram_rig *r, uint32_t k, double absent)
{
    static gram_gradients m;
    gram_matrix(18 + 19 * (k % 6), k, &m); /* 20 tasks */
    m.ntask = r->ntask;
    gram_products(&m, &m, r->gram);
    for (uint32_t t = 0; t < r->ntask; t++) {
        r->labelled[t] = poise_math_uniform(9, k, t) > 0.3;
        r->loss[t] = r->labelled[t] > 0 ? 0.1 + poise_math_uniform(8, k, t) : absent;
    }
    for (uint32_t i = 0; i < r->ntask * r->ntask; i++) {
        if (!(r->labelled[i / r->ntask] > 0 && r->labelled[i % r->ntask] > 0))
            r->gram[i] = absent;
        r->half_gram[i] = r->gram[i];
    }
    r->in.step = k;
    gram_step(r);
}

static void same_state(gram_rig *a, gram_rig *b)
{
    size_t na, nb;
    uint32_t va, vb;
    const void *sa = poise_balance_state(a->balance, &na, &va);
    const void *sb = poise_balance_state(b->balance, &nb, &vb);
    assert_int_equal(na, nb);
    assert_memory_equal(sa, sb, na);
    assert_memory_equal(a->weight, b->weight, sizeof a->weight);
}

static void a_restart_and_absent_signals_change_no_bit(void **state)
{
    (void)state;
    static const char *const drawn[][2] = {{"pcgrad", ""}, {"gradvac", ""}, {"cagrad", "log=true"}};
    enum { STEPS = 24, SPLIT = 13, DRAWN = 3 };
    for (int s = 0; s < NSTRATEGY + DRAWN; s++)
        for (uint32_t n = s < NSTRATEGY ? fewest(s) : 1; n <= GRAM_TASKS; n += 3) {
            const char *name = s < NSTRATEGY ? strategies[s].name : drawn[s - NSTRATEGY][0];
            const char *text = s < NSTRATEGY ? strategies[s].parameters : drawn[s - NSTRATEGY][1];
            gram_rig *a = gram_new(name, text, n), *b = gram_new(name, text, n), *c;
            size_t size;
            uint32_t version;
            poise_error err = {0};
            for (uint32_t k = 0; k < STEPS; k++)
                one_step(a, k, 0);
            for (uint32_t k = 0; k < SPLIT; k++)
                one_step(b, k, NAN);
            c = gram_new(name, text, n);
            const void *bytes = poise_balance_state(b->balance, &size, &version);
            assert_int_equal(poise_balance_restore(c->balance, version, bytes, size,
                                                   poise_balance_weight(b->balance), &err),
                             0);
            for (uint32_t k = SPLIT; k < STEPS; k++)
                one_step(c, k, NAN);
            same_state(a, c);
            gram_free(a);
            gram_free(b);
            gram_free(c);
        }
}

/* Every strategy says what it is. */
static void texts_are_there(void **state)
{
    (void)state;
    for (int s = 0; s < NSTRATEGY; s++) {
        gram_rig *r = gram_new(strategies[s].name, strategies[s].parameters, 4);
        const poise_balancer *p = poise_plugin_get(r->plugin);
        assert_string_equal(p->id, strategies[s].name);
        assert_true(p->formula && p->paper && p->differs && p->advice);
        assert_non_null(strstr(p->differs, "without labels"));
        gram_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_task_is_harmed),
        cmocka_unit_test(neither_of_two_tasks_is_harmed),
        cmocka_unit_test(permuted_tasks_have_permuted_weights),
        cmocka_unit_test(units_do_not_matter),
        cmocka_unit_test(a_tasks_unit_does_not_matter_to_some),
        cmocka_unit_test(upgrad_is_linear_under_scaling),
        cmocka_unit_test(one_task_alone),
        cmocka_unit_test(equal_gradients_share),
        cmocka_unit_test(any_matrix_has_weights),
        cmocka_unit_test(tasks_without_labels_are_left_out),
        cmocka_unit_test(a_restart_and_absent_signals_change_no_bit),
        cmocka_unit_test(texts_are_there),
    };
    return cmocka_run_group_tests_name("gram_properties", tests, NULL, NULL);
}
