/* The strategies that need no Gram matrix against other people's code (losses.txt, see losses.py),
 * and what must hold for each of its cases: the same bits after a restart at any step, whatever
 * the slices; the tasks' order does not matter; nothing is read of a task without labels. */
#include "feed.h"

enum { STEPS = 60, SETTINGS = 512 };

typedef struct trial {
    char name[32], settings[SETTINGS];
    unsigned ntask;
} trial;

static trial trials[400];
static size_t ntrial;

/* "case NAME T settings" */
static int read_case(const char *line, trial *c)
{
    int at = 0;
    if (sscanf(line, "case %31s %u %n", c->name, &c->ntask, &at) < 2 || !at)
        return 0;
    snprintf(c->settings, sizeof c->settings, "%s", line + at);
    return 1;
}

static FILE *open_recorded(void)
{
    FILE *in = fopen(TEST_SOURCE "/balancers/losses.txt", "r");
    if (!in)
        fail_msg("tests/balancers/losses.txt cannot be read");
    return in;
}

static int read_trials(void **state)
{
    char line[8192];
    FILE *in = open_recorded();
    (void)state;
    while (fgets(line, sizeof line, in) && ntrial < sizeof trials / sizeof trials[0])
        ntrial += (size_t)read_case(line, &trials[ntrial]);
    fclose(in);
    return ntrial ? 0 : -1;
}

/* Compare the feed's last step with a line. */
static void check_line(const feed *f, const trial *c, const char *line, unsigned long k)
{
    char what[160], *at;
    int by_element = strchr(line, '|') != NULL;

    for (uint32_t t = 0; t < poise_balance_weights(f->balance); t++, line = at) {
        double want = strtod(line, &at);
        snprintf(what, sizeof what, "%.30s T=%u %.60s, step %lu: weight[%u]", c->name, c->ntask,
                 c->settings, k, (unsigned)t);
        assert_true(at != line);
        feed_near(f->weight[t], want, by_element ? 2e-5 : 2e-9, what);
    }
    for (int i = 0; by_element && i < FEED_ELEMENTS; i++) {
        double want = strtod(i ? line : strchr(line, '|') + 1, &at);
        snprintf(what, sizeof what, "%.30s T=%u %.60s, step %lu: direction[%d]", c->name, c->ntask,
                 c->settings, k, i);
        feed_near((double)f->direction[i], want, 2e-5, what);
        line = at;
    }
}

static void trajectories_are_the_recorded_ones(void **state)
{
    char line[8192];
    trial c = {0};
    feed *f = NULL;
    unsigned long next = 0, checked = 0;
    FILE *in = open_recorded();

    (void)state;
    while (fgets(line, sizeof line, in)) {
        char *at;
        if (line[0] == '#')
            continue;
        if (read_case(line, &c)) {
            if (f)
                feed_free(f);
            f = feed_new(c.name, c.ntask, c.settings);
            next = 0;
            continue;
        }
        unsigned long k = strtoul(line, &at, 10);
        assert_non_null(f);
        for (; next <= k; next++)
            feed_step(f, next);
        check_line(f, &c, at, k);
        checked++;
    }
    if (f)
        feed_free(f);
    fclose(in);
    assert_true(checked > 1000);
}

/* What a checkpoint holds: state, weights, the elements' numbers. */
static void resume(feed *to, const feed *from)
{
    size_t size;
    uint32_t version;
    poise_error err = {0};
    const void *bytes = poise_balance_state(from->balance, &size, &version);

    if (poise_balance_restore(to->balance, version, bytes, size,
                              poise_balance_weight(from->balance), &err) < 0)
        fail_msg("%s", err.message);
    memcpy(to->keep, from->keep, sizeof to->keep);
}

static void same(const feed *a, const feed *b)
{
    size_t na, nb;
    uint32_t va, vb;
    const void *sa = poise_balance_state(a->balance, &na, &va);
    const void *sb = poise_balance_state(b->balance, &nb, &vb);

    assert_memory_equal(a->weight, b->weight, sizeof a->weight);
    assert_memory_equal(a->direction, b->direction, sizeof a->direction);
    assert_memory_equal(a->keep, b->keep, sizeof a->keep);
    assert_int_equal(na, nb);
    assert_memory_equal(sa, sb, na);
}

static void a_restart_at_every_step_gives_the_same_bits(void **state)
{
    (void)state;
    for (size_t j = 0; j < ntrial; j++) {
        const trial *c = &trials[j];
        if (c->ntask != 3)
            continue;
        feed *whole = feed_new(c->name, c->ntask, c->settings);
        feed *last = feed_new(c->name, c->ntask, c->settings);
        whole->has = last->has = 0.7;
        for (uint64_t k = 0; k < STEPS; k++) {
            feed *next = feed_new(c->name, c->ntask, c->settings);
            next->has = 0.7;
            if (k)
                resume(next, last);
            feed_step(whole, k);
            feed_step(next, k);
            same(whole, next);
            feed_free(last);
            last = next;
        }
        feed_free(whole);
        feed_free(last);
    }
}

static void slices_do_not_matter(void **state)
{
    (void)state;
    for (size_t j = 0; j < ntrial; j++) {
        const trial *c = &trials[j];
        feed *a = feed_new(c->name, c->ntask, c->settings);
        feed *b = feed_new(c->name, c->ntask, c->settings);
        if (poise_balance_by_element(a->balance)) {
            b->slice = 1 + j % 3;
            b->backwards = 1;
            for (uint64_t k = 0; k < 12; k++) {
                feed_step(a, k);
                feed_step(b, k);
                same(a, b);
            }
        }
        feed_free(a);
        feed_free(b);
    }
}

/* Rotating the tasks rotates the weights.  Not where a task is named by its number, nor where
 * numbers are drawn by it. */
static void the_order_of_the_tasks_does_not_matter(void **state)
{
    (void)state;
    for (size_t j = 0; j < ntrial; j++) {
        const trial *c = &trials[j];
        uint32_t turned[FEED_TASKS], n = c->ntask;
        poise_error err = {0};
        if (!strcmp(c->name, "rlw") || !strcmp(c->name, "metabalance") ||
            !strcmp(c->name, "lr_annealing"))
            continue;
        for (uint32_t t = 0; t < n; t++)
            turned[t] = (t + 1) % n;
        feed *a = feed_new(c->name, n, c->settings);
        feed *b = feed_try(c->name, n, c->settings, turned, &err);
        assert_non_null(b);
        a->has = b->has = 0.8;
        for (uint64_t k = 0; k < STEPS; k++) {
            feed_step(a, k);
            feed_step(b, k);
            for (uint32_t t = 0; t < n; t++)
                feed_near(b->weight[t], a->weight[turned[t]], 1e-5, c->name);
            for (int i = 0; i < FEED_ELEMENTS; i++)
                feed_near((double)b->direction[i], (double)a->direction[i], 1e-4, c->name);
        }
        feed_free(a);
        feed_free(b);
    }
}

/* With NaN for whatever is not known weights and directions stay finite, and a task that had no
 * label in this step nor in the one before, whose measurement some use one step later, keeps its
 * weight; with dwa a sum over all tasks moves it. */
static void absent_tasks_are_not_read(void **state)
{
    (void)state;
    for (size_t j = 0; j < ntrial; j++) {
        const trial *c = &trials[j];
        feed *f = feed_new(c->name, c->ntask, c->settings);
        f->has = 0.4;
        for (uint64_t k = 0; k < STEPS; k++) {
            double before[FEED_TASKS];
            memcpy(before, poise_balance_weight(f->balance), c->ntask * sizeof *before);
            feed_step(f, k);
            for (uint32_t t = 0; t < poise_balance_weights(f->balance); t++)
                assert_true(isfinite(f->weight[t]));
            for (int i = 0; i < FEED_ELEMENTS; i++)
                assert_true(isfinite(f->direction[i]));
            for (uint32_t t = 0; t < c->ntask && strcmp(c->name, "dwa") != 0; t++)
                if (!(f->labelled[t] > 0) && isnan(f->loss_after[t]) && k > 0)
                    feed_near(f->weight[t], before[t], 1e-12, c->name);
        }
        feed_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trajectories_are_the_recorded_ones),
        cmocka_unit_test(a_restart_at_every_step_gives_the_same_bits),
        cmocka_unit_test(slices_do_not_matter),
        cmocka_unit_test(the_order_of_the_tasks_does_not_matter),
        cmocka_unit_test(absent_tasks_are_not_read),
    };
    return cmocka_run_group_tests_name("losses", tests, read_trials, NULL);
}
