/* Version 1 of the plugin interface stays as it is: objects built against older, shorter and longer
 * structs load and run, and the layout is that of layout.txt.
 *
 * balancer-1.0.h is the header of version 1.0, word for word; balancer-longer.h is made by CMake
 * from today's, with a field more at the end of every struct. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

static void near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12))
        fail_msg("%.17g is not %.17g", got, want);
}

static poise_plugin *load(const char *name)
{
    char path[1024];
    poise_error err = {0};

    snprintf(path, sizeof path, TEST_BUILD "/tests/abi/%s.so", name);
    poise_plugin *p = poise_plugin_load(path, &err);
    if (!p)
        fail_msg("%s", err.message);
    assert_string_equal(poise_plugin_get(p)->id, name);
    return p;
}

static void runs(const char *name)
{
    const char *const task[] = {"click", "buy"}, *const text[] = {"5"};
    const poise_setting set = {.name = "second", .n = 1, .text = text};
    double labelled[] = {1, 1}, loss[] = {0.25, 0.5}, weight[2];
    poise_signals in = {.size = sizeof in, .labelled = labelled, .loss = loss};
    poise_error err = {0};
    poise_plugin *p = load(name);
    poise_balance *b = poise_balance_new(p, 2, task, 1, 1, &set, NULL, &err);

    if (!b)
        fail_msg("%s", err.message);
    for (int k = 1; k <= 3; k++, in.step++) {
        if (poise_balance_step(b, &in, weight, &err) < 0)
            fail_msg("%s", err.message);
        near(weight[0], 3 + 5 * k + 0.25);
        near(weight[1], 3 + 5 * k + 0.5);
    }
    poise_balance_free(b);
    poise_plugin_free(p);
}

static void one_built_for_version_1_0_runs(void **state)
{
    (void)state;
    runs("frozen");
}

static void one_with_shorter_structs_runs(void **state)
{
    (void)state;
    runs("shorter");
}

static void one_with_longer_structs_runs(void **state)
{
    (void)state;
    runs("longer");
}

static void a_longer_stretch_is_not_expected(void **state)
{
    (void)state;
    const char *const task[] = {"click"};
    double labelled[] = {1}, loss[] = {0.25}, weight[] = {2};
    float grad[] = {1, -3}, out[2];
    const float *const grads[] = {grad};
    poise_signals in = {.size = sizeof in, .labelled = labelled, .loss = loss};
    poise_stretch s = {.size = sizeof s, .n = 2, .grad = grads};
    poise_error err = {0};
    poise_plugin *p = load("longer");
    poise_balance *b = poise_balance_new(p, 1, task, 1, 0, NULL, NULL, &err);

    assert_non_null(b);
    if (poise_balance_blend(b, &in, &s, weight, out, &err) < 0)
        fail_msg("%s", err.message);
    near(out[0], 2);
    near(out[1], -6);
    poise_balance_free(b);
    poise_plugin_free(p);
}

/* ---- layout.txt ---- */

#define STRUCT(type)                 \
    {                                \
#type, NULL, 0, sizeof(type) \
    }
#define FIELD(type, field)                                               \
    {                                                                    \
#type, #field, offsetof(type, field), sizeof(((type *)0)->field) \
    }

static const struct {
    const char *type, *field;
    size_t offset, size;
} layout[] = {
    STRUCT(poise_param),
    FIELD(poise_param, name),
    FIELD(poise_param, help),
    FIELD(poise_param, kind),
    FIELD(poise_param, flags),
    FIELD(poise_param, value),
    FIELD(poise_param, min),
    FIELD(poise_param, max),
    FIELD(poise_param, choice),
    STRUCT(poise_host),
    FIELD(poise_host, size),
    FIELD(poise_host, reserved),
    FIELD(poise_host, fail),
    FIELD(poise_host, note),
    FIELD(poise_host, metric),
    STRUCT(poise_context),
    FIELD(poise_context, size),
    FIELD(poise_context, ntask),
    FIELD(poise_context, task),
    FIELD(poise_context, param),
    FIELD(poise_context, seed),
    FIELD(poise_context, host),
    FIELD(poise_context, group),
    FIELD(poise_context, ngroup),
    FIELD(poise_context, reserved),
    STRUCT(poise_signals),
    FIELD(poise_signals, size),
    FIELD(poise_signals, epoch),
    FIELD(poise_signals, step),
    FIELD(poise_signals, labelled),
    FIELD(poise_signals, loss),
    FIELD(poise_signals, loss_init),
    FIELD(poise_signals, grad_norm),
    FIELD(poise_signals, gram),
    FIELD(poise_signals, kpi),
    FIELD(poise_signals, loss_after),
    FIELD(poise_signals, rate),
    FIELD(poise_signals, group_gram),
    FIELD(poise_signals, half_gram),
    STRUCT(poise_stretch),
    FIELD(poise_stretch, size),
    FIELD(poise_stretch, group),
    FIELD(poise_stretch, first),
    FIELD(poise_stretch, n),
    FIELD(poise_stretch, grad),
    FIELD(poise_stretch, keep),
    STRUCT(poise_balancer),
    FIELD(poise_balancer, size),
    FIELD(poise_balancer, param_size),
    FIELD(poise_balancer, id),
    FIELD(poise_balancer, version),
    FIELD(poise_balancer, about),
    FIELD(poise_balancer, needs),
    FIELD(poise_balancer, wants),
    FIELD(poise_balancer, flags),
    FIELD(poise_balancer, min_task),
    FIELD(poise_balancer, param),
    FIELD(poise_balancer, nparam),
    FIELD(poise_balancer, state_version),
    FIELD(poise_balancer, state_size),
    FIELD(poise_balancer, init),
    FIELD(poise_balancer, step),
    FIELD(poise_balancer, migrate),
    FIELD(poise_balancer, formula),
    FIELD(poise_balancer, paper),
    FIELD(poise_balancer, differs),
    FIELD(poise_balancer, advice),
    FIELD(poise_balancer, keep),
    FIELD(poise_balancer, edit),
    FIELD(poise_balancer, blend),
};

enum { ROWS = sizeof layout / sizeof layout[0] };

static void line_of(size_t k, char *buf, size_t size)
{
    if (layout[k].field)
        snprintf(buf, size, "  %-14s %4zu %4zu\n", layout[k].field, layout[k].offset,
                 layout[k].size);
    else
        snprintf(buf, size, "%s %zu\n", layout[k].type, layout[k].size);
}

static void the_layout_is_the_recorded_one(void **state)
{
    (void)state;
    char want[128], got[128];
    size_t k = 0;
    FILE *f = sizeof(void *) == 8 ? fopen(TEST_SOURCE "/abi/layout.txt", "r") : NULL;

    if (!f && sizeof(void *) != 8)
        skip();
    assert_non_null(f);
    while (fgets(want, sizeof want, f)) {
        if (want[0] == '#')
            continue;
        assert_true(k < ROWS);
        line_of(k++, got, sizeof got);
        if (strcmp(got, want) != 0)
            fail_msg(
                "the layout is now\n%s  and was\n%s  Objects that were built would be misread.",
                got, want);
    }
    assert_int_equal(k, ROWS);
    fclose(f);
}

/* Every byte of a struct is in a field of the table, so that none is forgotten. */
static void the_table_has_every_field(void **state)
{
    (void)state;
    size_t end = 0;

    for (size_t k = 0; k < ROWS; k++) {
        if (!layout[k].field) {
            end = 0;
            continue;
        }
        assert_int_equal(layout[k].offset, end);
        end += layout[k].size;
        if (k + 1 == ROWS || !layout[k + 1].field) {
            size_t whole = 0;
            for (size_t j = 0; j <= k; j++)
                if (!layout[j].field)
                    whole = layout[j].size;
            assert_int_equal(end, whole);
        }
    }
}

/* --print: the text of layout.txt, for when a field was appended. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_built_for_version_1_0_runs),
        cmocka_unit_test(one_with_shorter_structs_runs),
        cmocka_unit_test(one_with_longer_structs_runs),
        cmocka_unit_test(a_longer_stretch_is_not_expected),
        cmocka_unit_test(the_layout_is_the_recorded_one),
        cmocka_unit_test(the_table_has_every_field),
    };
    char line[128];

    if (argc > 1 && !strcmp(argv[1], "--print")) {
        for (size_t k = 0; k < ROWS; k++) {
            line_of(k, line, sizeof line);
            fputs(line, stdout);
        }
        return 0;
    }
    return cmocka_run_group_tests_name("abi", tests, NULL, NULL);
}
