/* What every strategy must do, whatever its rule: for 1 to 17 tasks, the same bits twice, the same
 * bits after a restart, and no look at the signals of a task without labels. */
#include "rig.h"

static const struct {
    const char *name;
    rig_set set[3];
} strategies[] = {
    {"equal", {{NULL, NULL}}},
    {"dwa", {{NULL, NULL}}},
    {"dwa", {{"window", "3"}, {NULL, NULL}}},
    {"dtp", {{NULL, NULL}}},
    {"uncertainty", {{NULL, NULL}}},
    {"uncertainty", {{"optimizer", "sgd"}, {NULL, NULL}}},
    {"gradnorm", {{NULL, NULL}}},
    {"gradnorm", {{"optimizer", "sgd"}, {NULL, NULL}}},
};
enum { NSTRATEGY = sizeof strategies / sizeof strategies[0], STEPS = 40, SPLIT = 23 };

/* In (0, 1), from (step, task, which) alone. */
static double number(uint64_t step, uint32_t t, uint32_t which)
{
    uint64_t x = step * 0x9E3779B97F4A7C15u + t * 0xBF58476D1CE4E5B9u + which * 0x94D049BB133111EBu;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    return ((double)(x >> 12) + 0.5) / 4503599627370496.0; /* 2^52 */
}

/* One step; `absent` is what a task without labels has in its signals. */
static void step(rig *r, uint32_t ntask, uint64_t k, double absent)
{
    for (uint32_t t = 0; t < ntask; t++) {
        int has = number(k, t, 0) > 0.3;
        r->labelled[t] = has ? 1 + number(k, t, 1) : 0;
        r->loss[t] = has ? 0.1 + number(k, t, 2) : absent;
        r->loss_init[t] = 0.5 + 0.1 * t;
        r->grad_norm[t] = has ? 5 * number(k, t, 3) : absent;
        r->kpi[t] = has ? number(k, t, 4) : absent;
    }
    r->in.step = k;
    r->in.epoch = (uint32_t)(k / 7);
    rig_step(r);
}

static void run(rig *r, uint32_t ntask, uint64_t from, uint64_t to, double absent,
                double weight[STEPS][RIG_TASKS])
{
    for (uint64_t k = from; k < to; k++) {
        step(r, ntask, k, absent);
        memcpy(weight[k], r->weight, sizeof r->weight);
    }
}

static void save(const rig *r, void **bytes, size_t *size, uint32_t *version)
{
    const void *s = poise_balance_state(r->balance, size, version);
    *bytes = malloc(*size + 1);
    assert_non_null(*bytes);
    memcpy(*bytes, s, *size);
}

static void same_state(const rig *a, const rig *b)
{
    size_t na, nb;
    uint32_t va, vb;
    const void *sa = poise_balance_state(a->balance, &na, &va);
    const void *sb = poise_balance_state(b->balance, &nb, &vb);
    assert_int_equal(na, nb);
    assert_int_equal(va, vb);
    assert_memory_equal(sa, sb, na);
}

static void a_restart_continues_to_the_same_bits(void **state)
{
    (void)state;
    static double whole[STEPS][RIG_TASKS], parts[STEPS][RIG_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t n = 1; n <= RIG_TASKS; n++) {
            void *bytes;
            size_t size;
            uint32_t version;
            poise_error err = {0};
            rig *a = rig_new(strategies[s].name, n, strategies[s].set);
            rig *b = rig_new(strategies[s].name, n, strategies[s].set);
            rig *c = rig_new(strategies[s].name, n, strategies[s].set);

            run(a, n, 0, STEPS, 0, whole);
            run(b, n, 0, SPLIT, 0, parts);
            save(b, &bytes, &size, &version);
            assert_int_equal(poise_balance_restore(c->balance, version, bytes, size,
                                                   poise_balance_weight(b->balance), &err),
                             0);
            run(c, n, SPLIT, STEPS, 0, parts);
            assert_memory_equal(whole, parts, sizeof whole);
            same_state(a, c);
            free(bytes);
            rig_free(a);
            rig_free(b);
            rig_free(c);
        }
}

static void absent_signals_are_not_read(void **state)
{
    (void)state;
    static double zeros[STEPS][RIG_TASKS], nans[STEPS][RIG_TASKS];
    for (int s = 0; s < NSTRATEGY; s++)
        for (uint32_t n = 1; n <= RIG_TASKS; n += 4) {
            rig *a = rig_new(strategies[s].name, n, strategies[s].set);
            rig *b = rig_new(strategies[s].name, n, strategies[s].set);
            run(a, n, 0, STEPS, 0, zeros);
            run(b, n, 0, STEPS, NAN, nans);
            assert_memory_equal(zeros, nans, sizeof zeros);
            same_state(a, b);
            rig_free(a);
            rig_free(b);
        }
}

/* Every strategy says of each signal that it reads that it needs it: with the others NULL, as the
 * host leaves them, the runs above would have crashed.  Here: it asks for no more than it must. */
static void signals_are_the_documented_ones(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t signals;
    } want[] = {
        {"equal", 0},
        {"dwa", POISE_LOSS},
        {"dtp", POISE_KPI},
        {"uncertainty", POISE_LOSS},
        {"gradnorm", POISE_LOSS | POISE_LOSS_INIT | POISE_GRAD_NORM},
        {"rlw", 0},
        {"uw_so", POISE_LOSS},
        {"imtl_l", POISE_LOSS},
        {"gls", POISE_LOSS},
        {"stch", POISE_LOSS},
        {"famo", POISE_LOSS | POISE_LOSS_AFTER},
        {"cov", POISE_LOSS},
        {"cosmos", POISE_LOSS},
        {"pbi", POISE_LOSS},
        {"dbmtl", POISE_LOSS | POISE_GRAD_NORM},
        {"metabalance", POISE_GROUP_GRAM},
        {"lr_annealing", POISE_GRAD_NORM},
        {"graddrop", 0},
        {"moco", POISE_LOSS | POISE_GRAD_NORM | POISE_GRAM},
        {"excessmtl", POISE_GRAD_NORM},
    };
    for (size_t k = 0; k < sizeof want / sizeof want[0]; k++) {
        rig *r = rig_new(want[k].name, 2, NULL);
        assert_int_equal(poise_balance_signals(r->balance), want[k].signals);
        assert_string_equal(poise_plugin_get(r->plugin)->id, want[k].name);
        rig_free(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_restart_continues_to_the_same_bits),
        cmocka_unit_test(absent_signals_are_not_read),
        cmocka_unit_test(signals_are_the_documented_ones),
    };
    return cmocka_run_group_tests_name("all", tests, NULL, NULL);
}
