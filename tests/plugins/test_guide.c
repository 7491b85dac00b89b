/* docs/writing-a-balancer.md shows good/same.c and good/even.c as they are, and they work. */
#include "objects.h"

#include <math.h>

static char *slurp(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s cannot be read", path);
    fseek(f, 0, SEEK_END);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *text = calloc(1, size + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, size, f), size);
    fclose(f);
    return text;
}

static void the_page_shows_the_files(void **state)
{
    (void)state;
    static const char *const files[] = {"same", "even"};
    char *page = slurp(TEST_SOURCE "/../docs/writing-a-balancer.md"), *at = page;

    for (int k = 0; k < 2; k++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/plugins/good/%s.c", TEST_SOURCE, files[k]);
        char *file = slurp(path);
        at = strstr(at, "```c\n");
        assert_non_null(at);
        at += 5;
        char *end = strstr(at, "```\n");
        assert_non_null(end);
        *end = 0;
        assert_string_equal(at, file);
        at = end + 1;
        free(file);
    }
    assert_null(strstr(at, "```c\n"));
    free(page);
}

static void the_real_one_does_what_it_says(void **state)
{
    (void)state;
    const char *const task[] = {"click", "buy"};
    double labelled[] = {1, 1}, loss[] = {3, 1}, weight[2];
    poise_signals in = {.size = sizeof in, .labelled = labelled, .loss = loss};
    poise_error err = {0};
    poise_plugin *p = load("even");
    poise_balance *b = poise_balance_new(p, 2, task, 1, 0, NULL, NULL, &err);

    assert_int_equal(poise_balance_step(b, &in, weight, &err), 0);
    assert_true(fabs(weight[0] - 0.5) < 1e-15 && fabs(weight[1] - 1.5) < 1e-15);
    in.step = 1207;
    labelled[0] = loss[0] = 0; /* absent, not 0 */
    assert_int_equal(poise_balance_step(b, &in, weight, &err), 0);
    assert_true(fabs(weight[0] - 0.5) < 1e-15);
    loss[1] = 0;
    assert_int_equal(poise_balance_step(b, &in, weight, &err), -1);
    expect_error(&err, POISE_E_PLUGIN, "balancer \"even\", step 1207: the loss of task buy is 0");
    poise_balance_free(b);
    poise_plugin_free(p);
}

static void the_smallest_one_leaves_ones(void **state)
{
    (void)state;
    const char *const task[] = {"click", "buy"};
    double labelled[] = {1, 1}, weight[2] = {0, 0};
    poise_signals in = {.size = sizeof in, .labelled = labelled};
    poise_error err = {0};
    poise_plugin *p = load("same");
    poise_balance *b = poise_balance_new(p, 2, task, 1, 0, NULL, NULL, &err);

    assert_int_equal(poise_balance_signals(b), 0);
    assert_int_equal(poise_balance_step(b, &in, weight, &err), 0);
    assert_true(weight[0] == 1 && weight[1] == 1);
    poise_balance_free(b);
    poise_plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_shows_the_files),
        cmocka_unit_test(the_real_one_does_what_it_says),
        cmocka_unit_test(the_smallest_one_leaves_ones),
    };
    return cmocka_run_group_tests_name("guide", tests, NULL, NULL);
}
