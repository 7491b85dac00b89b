/* A model expanded is the same network, node by node, and says nothing that is left to work out. */
#include <unistd.h>
#include "same.h"
#include "models/expand.h"
#include "zoo.h"

static net built(const char *text)
{
    net x;
    net_make(&x, "here.yaml", text, 1);
    return x;
}

/* The network of the text is that of its expansion, which is its own expansion. */
static void check(const char *text)
{
    poise_error err;
    net x = built(text);
    char *once = poise_spec_expanded(x.spec, &err);
    assert_non_null(once);
    assert_null(strchr(once, '$'));
    assert_null(strstr(once, "each:"));
    assert_null(strstr(once, "override:"));
    assert_null(strstr(once, "extends:"));
    net y = built(once);
    same_network(&x, &y);
    char *twice = poise_spec_expanded(y.spec, &err);
    assert_non_null(twice);
    assert_string_equal(once, twice);
    free(once);
    free(twice);
    net_done(&x);
    net_done(&y);
}

static void every_model_of_the_zoo(void **state)
{
    (void)state;
    for (int k = 0; k < ZOO; k++) {
        char text[600];
        print_message("%s\n", zoo[k].name);
        snprintf(text, sizeof(text),
                 "data: {generate: funnel, rows: 100}\nmodel: {use: %s, %s%s}\n", zoo[k].name,
                 zoo[k].must, zoo[k].settings);
        check(text);
    }
}

#define HEAD "data: {generate: funnel, rows: 100}\nmodel:\n"

/* Everything that a layer can be written with. */
static void every_word_of_the_language(void **state)
{
    (void)state;
    check(
        HEAD
        "  params: {units: [[8], [4, 2]], n: 3}\n"
        "  output: {click: a, detail: \"last[detail]\", favourite: last}\n"
        "  network:\n"
        "    side: {each: [user, item], mlp: \"$units[0]\", input: features.$each}\n"
        "    expert: {copies: $n * 2 - 1, mlp: \"$units[-1]\", input: \"side[*]\"}\n"
        "    own: {each: task, copies: length($tasks), mlp: \"$units[1]\", input: \"side[user]\",\n"
        "      override: {click: {copies: 2, norm: layer}, detail: {input: features}}}\n"
        "    mix: {each: task, mixture: [own, expert, \"own[others]\"], gate: \"side[item]\"}\n"
        "    last: {each: [favourite, detail], dense: task, input: [mix, \"last[previous]\"]}\n"
        "    a: {task: click, dense: task, input: [mix, \"last[*]\"]}\n");
}

static void every_good_spec(void **state)
{
    (void)state;
    static const char *const good[] = {
        "good/conditions.yaml", "good/extends.yaml",  "good/forms.yaml",    "good/golden.yaml",
        "good/groups.yaml",     "good/inline.yaml",   "good/kinds.yaml",    "good/lists.yaml",
        "good/optimizer.yaml",  "good/path.yaml",     "good/schedule.yaml", "good/short.yaml",
        "good/tables.yaml",     "good/treatment.yaml"};
    for (size_t k = 0; k < sizeof(good) / sizeof(good[0]); k++) {
        poise_error err;
        net x, y;
        net_make(&x, good[k], NULL, 1);
        char *once = poise_spec_expanded(x.spec, &err);
        assert_non_null(once);
        net_make(&y, "elsewhere/here.yaml", once, 1);
        same_network(&x, &y);
        free(once);
        net_done(&x);
        net_done(&y);
    }
}

/* As a file of its own it is a model that `use` takes. */
static void a_model_file_of_its_own(void **state)
{
    (void)state;
    char folder[] = "/tmp/poise-XXXXXX", path[100], text[300];
    poise_error err;
    net x = built(HEAD "  extends: ple\n");
    char *model = poise_model_expanded(x.spec, &err);
    assert_true(model && mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/m.yaml", folder);
    FILE *f = fopen(path, "w");
    assert_true(f && fputs(model, f) >= 0 && fclose(f) == 0);
    snprintf(text, sizeof(text), "data: {generate: funnel, rows: 100}\nmodel: %s\n", path);
    net y = built(text);
    same_network(&x, &y);
    assert_int_equal(remove(path) | rmdir(folder), 0);
    free(model);
    net_done(&x);
    net_done(&y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_of_the_zoo),
        cmocka_unit_test(every_word_of_the_language),
        cmocka_unit_test(every_good_spec),
        cmocka_unit_test(a_model_file_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
