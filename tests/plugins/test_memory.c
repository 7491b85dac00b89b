/* Every allocation of a load and of a balance, made to fail in turn: a MEMORY error, and nothing
 * left behind (the address sanitizer looks).  The linker puts the functions below in place of those
 * of the C library (tests/plugins/CMakeLists.txt). */
#include "objects.h"

static int left = -1; /* allocations that may still succeed; -1: all */

static int refuse(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return refuse() ? NULL : __real_realloc(p, size);
}

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return refuse() ? NULL : __real_aligned_alloc(align, size);
}

/* Call `once` with 0, 1, 2, ... allocations allowed until it succeeds; returns how many it took. */
static int until_it_works(int (*once)(poise_error *err))
{
    for (int n = 0; n < 1000; n++) {
        poise_error err = {0};
        left = n;
        int rc = once(&err);
        int used_up = left < 0;
        left = -1;
        if (!rc) {
            assert_false(used_up);
            return n;
        }
        assert_int_equal(err.code, POISE_E_MEMORY);
    }
    fail_msg("a thousand allocations are not enough");
    return 0;
}

static int load_once(poise_error *err)
{
    poise_plugin *p = poise_plugin_load(OBJECTS "/probe.so", err);
    poise_plugin_free(p);
    return p ? 0 : -1;
}

static poise_plugin *plugin;

static int balance_once(poise_error *err)
{
    const char *const task[] = {"click", "buy"}, *of[] = {"buy"}, *text[] = {"2"};
    poise_setting s = {.name = "gain", .n = 1, .task = of, .text = text};
    poise_balance *b = poise_balance_new(plugin, 2, task, 1, 1, &s, NULL, err);
    poise_balance_free(b);
    return b ? 0 : -1;
}

static int see(void *user, const char *name, const char *path)
{
    (void)user, (void)name, (void)path;
    return 0;
}

static int list_once(poise_error *err)
{
    return poise_plugin_list(see, NULL, err);
}

/* An unknown name needs memory for its hint; with all of it the answer is a PLUGIN error. */
static int unknown_once(poise_error *err)
{
    assert_null(poise_plugin_load("gradnrom", err));
    return err->code == POISE_E_PLUGIN ? 0 : -1;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    setenv("POISE_BALANCER_PATH", TEST_BUILD "/balancers", 1);
    plugin = load("probe");
    assert_true(until_it_works(load_once) > 1);
    assert_true(until_it_works(balance_once) > 3);
    assert_true(until_it_works(list_once) > 1);
    assert_true(until_it_works(unknown_once) > 1);
    poise_plugin_free(plugin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
