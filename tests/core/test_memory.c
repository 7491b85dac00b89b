/* Sizes are checked before they are multiplied, and errors say what they are told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/memory.h"

#include <stdlib.h>
#include <string.h>

static void an_overflowing_product_is_refused(void **state)
{
    (void)state;
    poise_error err = {0};
    assert_null(poise__calloc(SIZE_MAX / 2, 4, &err));
    assert_int_equal(err.code, POISE_E_MEMORY);
    size_t cap = 0;
    err.code = POISE_OK;
    assert_null(poise__grow(NULL, &cap, SIZE_MAX / 4, 8, &err));
    assert_int_equal(err.code, POISE_E_MEMORY);
    assert_int_equal(cap, 0);
    assert_null(poise__alloc_aligned(SIZE_MAX - 3, &err));
    poise__arena *a = poise__arena_new(&err);
    assert_non_null(a);
    err.code = POISE_OK;
    assert_null(poise__arena_alloc(a, SIZE_MAX / 2, 4, &err));
    assert_null(poise__arena_alloc(a, SIZE_MAX - 8, 1, NULL));
    assert_int_equal(err.code, POISE_E_MEMORY);
    poise__arena_free(a);
    poise__arena_free(NULL);
}

static void growing_keeps_the_contents_and_doubles(void **state)
{
    (void)state;
    size_t cap = 0, changes = 0;
    int *p = NULL;
    for (int k = 0; k < 10000; k++) {
        size_t old = cap;
        int *q = poise__grow(p, &cap, (size_t)k + 1, sizeof *p, NULL);
        assert_non_null(q);
        p = q;
        changes += cap != old;
        p[k] = k;
    }
    assert_true(changes < 16);
    for (int k = 0; k < 10000; k++)
        assert_int_equal(p[k], k);
    free(p);
}

static void an_arena_gives_zeroed_aligned_disjoint_memory(void **state)
{
    (void)state;
    poise__arena *a = poise__arena_new(NULL);
    unsigned char *p[600];
    size_t size[600];
    for (size_t k = 0; k < 600; k++) {
        size[k] = k % 50 == 49 ? 10000 + k : k % 37;
        p[k] = poise__arena_alloc(a, size[k], 1, NULL);
        assert_non_null(p[k]);
        assert_int_equal((uintptr_t)p[k] % 16, 0);
        for (size_t i = 0; i < size[k]; i++)
            assert_int_equal(p[k][i], 0);
        memset(p[k], (int)(k % 251), size[k]);
    }
    for (size_t k = 0; k < 600; k++)
        for (size_t i = 0; i < size[k]; i++)
            assert_int_equal(p[k][i], k % 251);
    assert_string_equal(poise__arena_printf(a, NULL, "%s/%d", "expert", 12), "expert/12");
    assert_string_equal(poise__arena_text(a, "text", NULL), "text");
    poise__arena_free(a);
}

static void aligned_memory_is_aligned_and_zero(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n += 13) {
        unsigned char *p = poise__alloc_aligned(n, NULL);
        assert_int_equal((uintptr_t)p % 64, 0);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(p[k], 0);
        free(p);
    }
}

static void an_error_text_has_as_much_place_as_is_known(void **state)
{
    (void)state;
    static const struct {
        poise_place place;
        const char *want;
    } rows[] = {
        {{"a.yaml", 3, 7}, "a.yaml:3:7: error: experts is 0"},
        {{"a.yaml", 3, 0}, "a.yaml:3: error: experts is 0"},
        {{"a.yaml", 0, 0}, "a.yaml: error: experts is 0"},
        {{NULL, 0, 0}, "error: experts is 0"},
    };
    char text[POISE_ERROR_TEXT];
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        poise_error err;
        assert_int_equal(poise_fail(&err, POISE_E_SPEC, rows[k].place, "experts is %d", 0), -1);
        assert_int_equal(err.code, POISE_E_SPEC);
        assert_string_equal(poise_error_text(&err, text, sizeof text), rows[k].want);
    }
    assert_int_equal(poise_fail(NULL, POISE_E_SPEC, POISE_NOWHERE, "nobody listens"), -1);
}

static void a_message_may_quote_the_error_it_replaces(void **state)
{
    (void)state;
    poise_error err;
    poise_fail(&err, POISE_E_DATA, (poise_place){"x.csv", 5, 2}, "bad cell");
    poise_fail(&err, POISE_E_DATA, (poise_place){err.file, err.line, 0}, "row 5: %s", err.message);
    assert_string_equal(err.message, "row 5: bad cell");
    assert_string_equal(err.file, "x.csv");
}

static void long_messages_are_cut(void **state)
{
    (void)state;
    char *wide = malloc(5000), text[POISE_ERROR_TEXT];
    memset(wide, 'x', 4999);
    wide[4999] = '\0';
    poise_error err;
    poise_fail(&err, POISE_E_DATA, (poise_place){wide, UINT32_MAX, UINT32_MAX}, "%s", wide);
    assert_int_equal(strlen(err.message), sizeof err.message - 1);
    assert_int_equal(strlen(err.file), sizeof err.file - 1);
    poise_error_text(&err, text, sizeof text);
    assert_int_equal(strlen(text), 255 + 2 * 11 + strlen(": error: ") + 1023);
    free(wide);
}

static void codes_have_names_and_statuses(void **state)
{
    (void)state;
    assert_string_equal(poise_code_name(POISE_OK), "ok");
    assert_string_equal(poise_code_name(POISE_E_SPEC), "spec");
    assert_string_equal(poise_code_name((poise_code)999), "unknown");
    assert_int_equal(poise_code_status(POISE_OK), 0);
    assert_int_equal(poise_code_status(POISE_E_SPEC), 2);
    assert_int_equal(poise_code_status(POISE_E_DATA), 1);
    assert_int_equal(poise_code_status((poise_code)999), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overflowing_product_is_refused),
        cmocka_unit_test(growing_keeps_the_contents_and_doubles),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_disjoint_memory),
        cmocka_unit_test(aligned_memory_is_aligned_and_zero),
        cmocka_unit_test(an_error_text_has_as_much_place_as_is_known),
        cmocka_unit_test(a_message_may_quote_the_error_it_replaces),
        cmocka_unit_test(long_messages_are_cut),
        cmocka_unit_test(codes_have_names_and_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
