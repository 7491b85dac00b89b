/* Every way in which a balancer cannot be loaded ends with one message that says what to do. */
#include "objects.h"

static void refused(const char *file, const char *message)
{
    char path[1024];
    poise_error err = {0};
    snprintf(path, sizeof path, OBJECTS "/%s", file);
    assert_null(poise_plugin_load(path, &err));
    expect_error(&err, POISE_E_PLUGIN, "%s: %s", path, message);
}

static void an_unknown_name_gets_the_nearest(void **state)
{
    (void)state;
    poise_error err = {0};
    setenv("POISE_BALANCER_PATH",
           TEST_BUILD "/balancers:" TEST_BUILD "/./balancers:/nowhere/at/all:/nowhere/at/all", 1);
    assert_null(poise_plugin_load("gradnrom", &err));
    assert_int_equal(err.code, POISE_E_PLUGIN);
    const char *start = "there is no balancer 'gradnrom'; did you mean 'gradnorm'? (looked for "
                        "gradnrom.so in " TEST_BUILD "/balancers, /nowhere/at/all";
    assert_memory_equal(err.message, start, strlen(start));
    assert_null(strstr(strstr(err.message, "/nowhere/at/all") + 1, "/nowhere/at/all"));
    assert_null(poise_plugin_load("something_else", &err));
    assert_non_null(strstr(err.message, "there is no balancer 'something_else' (looked for"));
}

static void an_empty_name_is_refused(void **state)
{
    (void)state;
    poise_error err = {0};
    assert_null(poise_plugin_load("", &err));
    expect_error(&err, POISE_E_PLUGIN, "the name of the balancer is empty");
    assert_null(poise_plugin_load("", NULL)); /* nobody has to listen */
}

static void a_path_to_nothing(void **state)
{
    (void)state;
    refused("not_there.so", "cannot be read: No such file or directory");
}

static void not_a_shared_object(void **state)
{
    (void)state;
    char path[] = OBJECTS "/not_elf.so";
    poise_error err = {0};
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("balancer: gradnorm\n", f);
    fclose(f);
    assert_null(poise_plugin_load(path, &err));
    assert_int_equal(err.code, POISE_E_PLUGIN);
    const char *start = OBJECTS "/not_elf.so: it is not a shared object that can be loaded: ";
    assert_memory_equal(err.message, start, strlen(start));
    assert_null(poise_plugin_load(OBJECTS "/", &err)); /* a folder */
    assert_non_null(strstr(err.message, "it is not a shared object that can be loaded: "));
    remove(path);
}

static void not_a_balancer(void **state)
{
    (void)state;
    refused("no_symbol.so",
            "it does not export poise_balancer_v1, so it is not a balancer (does it "
            "end with POISE_BALANCER(table)?)");
}

static void another_major_version(void **state)
{
    (void)state;
    refused("other_major.so",
            "it was built for version 2 of the balancer interface; this Poise has "
            "version 1: rebuild it against this <poise/balancer.h>");
}

static void an_unknown_need(void **state)
{
    (void)state;
    refused("unknown_need.so", "it needs the signal of bit 0x100000, which this version of Poise "
                               "does not give: it was built for a newer one");
}

static void a_truncated_table(void **state)
{
    (void)state;
    refused("truncated.so", "its table is 72 bytes long; at least 88 are needed (does it set "
                            "POISE_SIZES?)");
}

static void a_bad_parameter_row(void **state)
{
    (void)state;
    refused("parameter.so", "parameter \"rate\": its default is not among its values");
}

/* Loads it and looks at one step of two tasks with losses 1. */
static void works(const char *name, double first, double second)
{
    const char *const task[] = {"a", "b"};
    double labelled[] = {1, 1}, loss[] = {1, 1}, weight[2];
    poise_signals in = {.size = sizeof in, .labelled = labelled, .loss = loss};
    poise_error err = {0};
    poise_plugin *p = load(name);
    poise_balance *b = poise_balance_new(p, 2, task, 1, 0, NULL, NULL, &err);

    assert_string_equal(poise_plugin_get(p)->id, name);
    assert_non_null(b);
    assert_int_equal(poise_balance_step(b, &in, weight, &err), 0);
    assert_true(weight[0] == first && weight[1] == second);
    poise_balance_free(b);
    poise_plugin_free(p);
}

static void longer_structs_are_read_as_far_as_they_are_known(void **state)
{
    (void)state;
    works("longer", 3, 4);
    poise_plugin *p = load("longer");
    assert_string_equal(poise_plugin_param(p, 1)->name, "second");
    assert_null(poise_plugin_param(p, 2));
    assert_int_equal(poise_plugin_get(p)->size, sizeof(poise_balancer));
    assert_int_equal(poise_plugin_get(p)->param_size, sizeof(poise_param));
    poise_plugin_free(p);
}

static void shorter_structs_have_zeros_for_what_is_not_there(void **state)
{
    (void)state;
    works("shorter", 5, 6);
    poise_plugin *p = load("shorter");
    assert_null(poise_plugin_get(p)->migrate);
    assert_null(poise_plugin_param(p, 0)->choice);
    poise_plugin_free(p);
}

static void a_balancer_in_cpp_works(void **state)
{
    (void)state;
#ifdef TEST_CXX
    works("plus", 2, 2);
#else
    skip();
#endif
}

static void an_object_can_be_loaded_twice(void **state)
{
    (void)state;
    poise_plugin *a = load("probe"), *b = load("probe");
    poise_plugin_free(a);
    assert_string_equal(poise_plugin_get(b)->about, "tells what it was given");
    assert_string_equal(poise_plugin_path(b), OBJECTS "/probe.so");
    poise_plugin_free(b);
    poise_plugin_free(NULL);
}

/* The first folder of the path wins; the list names each once, in order of name. */
struct seen {
    char names[1024];
    char equal[1024];
    int left;
};

static int see(void *user, const char *name, const char *path)
{
    struct seen *s = user;
    strcat(strcat(s->names, name), " ");
    if (!strcmp(name, "equal"))
        strcpy(s->equal, path);
    return --s->left ? 0 : 9;
}

static void the_list_has_each_name_once(void **state)
{
    (void)state;
    struct seen s = {.left = 1000};
    poise_error err = {0};
    setenv("POISE_BALANCER_PATH", TEST_BUILD "/balancers:" TEST_BUILD "/balancers/../balancers", 1);
    assert_int_equal(poise_plugin_list(see, &s, &err), 0);
    assert_string_equal(s.equal, TEST_BUILD "/balancers/equal.so");
    const char *at = strstr(s.names, "dtp "); /* other strategies may stand between them */
    assert_non_null(at);
    assert_non_null(at = strstr(at, "equal "));
    assert_non_null(at = strstr(at, "gradnorm "));
    assert_non_null(strstr(at, "uncertainty "));
    char *twice = strstr(s.names, "equal ");
    assert_null(strstr(twice + 1, " equal "));

    s = (struct seen){.left = 2};
    assert_int_equal(poise_plugin_list(see, &s, &err), 9); /* stops when told to */
}

static void a_name_is_found_on_the_path(void **state)
{
    (void)state;
    poise_error err = {0};
    setenv("POISE_BALANCER_PATH", OBJECTS, 1);
    poise_plugin *p = poise_plugin_load("counter", &err);
    assert_non_null(p);
    assert_string_equal(poise_plugin_path(p), OBJECTS "/counter.so");
    poise_plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_name_gets_the_nearest),
        cmocka_unit_test(an_empty_name_is_refused),
        cmocka_unit_test(a_path_to_nothing),
        cmocka_unit_test(not_a_shared_object),
        cmocka_unit_test(not_a_balancer),
        cmocka_unit_test(another_major_version),
        cmocka_unit_test(an_unknown_need),
        cmocka_unit_test(a_truncated_table),
        cmocka_unit_test(a_bad_parameter_row),
        cmocka_unit_test(longer_structs_are_read_as_far_as_they_are_known),
        cmocka_unit_test(shorter_structs_have_zeros_for_what_is_not_there),
        cmocka_unit_test(a_balancer_in_cpp_works),
        cmocka_unit_test(an_object_can_be_loaded_twice),
        cmocka_unit_test(the_list_has_each_name_once),
        cmocka_unit_test(a_name_is_found_on_the_path),
    };
    return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
