/* Folders come in the order that search.h gives, and the nearest word is the one people meant. */
#define _XOPEN_SOURCE 700 /* realpath */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const poise__search where = {"POISE_SEARCH_TEST", "balancers",
                                    "poise/balancers:../lib/poise/balancers"};

static void folders_come_in_order(void **state)
{
    (void)state;
    char buf[4096], want[4096];
    setenv("POISE_SEARCH_TEST", ":/one::/two:", 1);
    assert_int_equal(poise__search_folder(&where, 0, buf, sizeof buf, NULL), 1);
    assert_string_equal(buf, "/one");
    assert_int_equal(poise__search_folder(&where, 1, buf, sizeof buf, NULL), 1);
    assert_string_equal(buf, "/two");
    /* This program is in TEST_BUILD/tests, and the library is linked into it. */
    char *own = realpath(TEST_BUILD "/tests", NULL);
    assert_int_equal(poise__search_folder(&where, 2, buf, sizeof buf, NULL), 1);
    snprintf(want, sizeof want, "%s/balancers", own);
    assert_string_equal(buf, want);
    assert_int_equal(poise__search_folder(&where, 3, buf, sizeof buf, NULL), 1);
    snprintf(want, sizeof want, "%s/poise/balancers", own);
    assert_string_equal(buf, want);
    assert_int_equal(poise__search_folder(&where, 4, buf, sizeof buf, NULL), 1);
    snprintf(want, sizeof want, "%s/../lib/poise/balancers", own);
    assert_string_equal(buf, want);
    assert_int_equal(poise__search_folder(&where, 5, buf, sizeof buf, NULL), 0);
    unsetenv("POISE_SEARCH_TEST");
    assert_int_equal(poise__search_folder(&where, 2, buf, sizeof buf, NULL), 1);
    assert_string_equal(buf, want);
    assert_int_equal(poise__search_folder(&where, 3, buf, sizeof buf, NULL), 0);
    free(own);
}

static void the_first_readable_file_is_taken(void **state)
{
    (void)state;
    char dir[] = "search-XXXXXX", path[256], buf[4096];
    assert_non_null(mkdtemp(dir));
    static const char *const sub[] = {"a", "b", "c"};
    char list[512] = "";
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "%s/%s", dir, sub[k]);
        assert_int_equal(mkdir(path, 0700), 0);
        strcat(strcat(list, path), ":");
    }
    snprintf(path, sizeof path, "%s/a/equal.so", dir);
    assert_int_equal(mkdir(path, 0700), 0); /* a folder is no file */
    for (int k = 1; k < 3; k++) {
        snprintf(path, sizeof path, "%s/%s/equal.so", dir, sub[k]);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    setenv("POISE_SEARCH_TEST", list, 1);
    assert_int_equal(poise__search_file(&where, "equal", ".so", buf, sizeof buf, NULL), 0);
    snprintf(path, sizeof path, "%s/b/equal.so", dir);
    assert_string_equal(buf, path);
    assert_int_equal(poise__search_file(&where, "unknown", ".so", buf, sizeof buf, NULL), 1);
    for (int k = 1; k < 3; k++) {
        snprintf(path, sizeof path, "%s/%s/equal.so", dir, sub[k]);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/a/equal.so", dir);
    rmdir(path);
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "%s/%s", dir, sub[k]);
        rmdir(path);
    }
    rmdir(dir);
    unsetenv("POISE_SEARCH_TEST");
}

static void a_path_that_does_not_fit_is_an_error(void **state)
{
    (void)state;
    char buf[8];
    poise_error err = {0};
    setenv("POISE_SEARCH_TEST", "/a/long/folder", 1);
    assert_int_equal(poise__search_folder(&where, 0, buf, sizeof buf, &err), -1);
    assert_int_equal(err.code, POISE_E_SYSTEM);
    setenv("POISE_SEARCH_TEST", "/a", 1);
    assert_int_equal(poise__search_file(&where, "equal", ".so", buf, sizeof buf, &err), -1);
    unsetenv("POISE_SEARCH_TEST");
    assert_int_equal(poise__search_folder(&where, 0, buf, sizeof buf, &err), -1);
}

static void the_nearest_word_is_the_one_meant(void **state)
{
    (void)state;
    static const char *const words[] = {"gradnorm", NULL,   "equal", "uncertainty",
                                        "dwa",      "mgda", "input", "units"};
    static const struct {
        const char *word, *want;
    } rows[] = {
        {"gradnrom", "gradnorm"}, /* a swap is one edit */
        {"gradnorm", "gradnorm"},
        {"gradnomr2", "gradnorm"},
        {"uncertanity", "uncertainty"},
        {"equals", "equal"},
        {"dw", "dwa"},
        {"mdga", "mgda"},
        {"unit", "units"},
        {"xyz", NULL},
        {"completely", NULL},
        {"", NULL},
        {"grdnm", NULL}, /* three of five letters */
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        const char *got = poise__nearest(rows[k].word, 8, words);
        if (rows[k].want && got)
            assert_string_equal(got, rows[k].want);
        else if (rows[k].want != got)
            fail_msg("\"%s\" gave %s", rows[k].word, got ? got : "nothing");
    }
    char wide[200];
    memset(wide, 'a', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    assert_null(poise__nearest(wide, 8, words));
    assert_null(poise__nearest("equal", 1, (const char *const[]){wide}));
    assert_null(poise__nearest("equal", 0, NULL));
    assert_string_equal(poise__nearest("B", 2, (const char *const[]){"a", "b"}), "b");
    /* where every letter would have to change nothing was meant */
    assert_null(poise__nearest("b", 2, (const char *const[]){"a", "c"}));
    assert_null(poise__nearest("", 1, (const char *const[]){"a"}));
    assert_string_equal(poise__nearest("ab", 1, (const char *const[]){"a"}), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_come_in_order),
        cmocka_unit_test(the_first_readable_file_is_taken),
        cmocka_unit_test(a_path_that_does_not_fit_is_an_error),
        cmocka_unit_test(the_nearest_word_is_the_one_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
