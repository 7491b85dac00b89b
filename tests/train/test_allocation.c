/* A training step after the first asks for no memory: not Poise, not a strategy, not oneDNN, libgomp
 * or the C library. */
#include "run_fixture.h"

#include <jansson.h>
#define COUNT_ALLOC_ALL
#include "../count_alloc.h"

enum { STEPS = 8 };

static int counts(void)
{
    if (!COUNT_ALLOC)
        print_message("the sanitizer brings its own allocator: nothing is counted\n");
    return COUNT_ALLOC;
}

static void what_a_shared_library_asks_for_is_counted(void **state)
{
    (void)state;
    if (!counts())
        skip();
    const long before = count_alloc();
    json_t *object = json_object(); /* by jansson's own malloc */
    assert_true(count_alloc() > before);
    json_decref(object);
}

/* How often the process asks for memory in the steps after the first. */
static long allocations(const char *strategy, int threads, int n, const poise_override *set)
{
    static const char *const tasks[] = {"click", "detail", "favourite"};
    poise_error err = {0};
    poise_spec *s = read_spec(n, set);
    poise_data data;
    poise__engine e;
    poise_batch b;
    long before = 0, after;

    assert_int_equal(poise_data_open(&s->data, s->schema, &data, &err), 0);
    poise_plugin *p = poise_plugin_load(strategy, &err);
    poise_balance *balance = poise_balance_new(p, 3, tasks, 1, 0, NULL, NULL, &err);
    assert_int_equal(poise__engine_open(&e, s, s->schema, balance, s->phase, 1, threads, &err), 0);
    poise_stream *in = poise_stream_new(data.train, s->train.batch, 1, 1, &err);
    poise_stream_seek(in, 0, 0);
    for (uint64_t step = 0; step < STEPS; step++) {
        if (step == 1)
            before = count_alloc();
        assert_true(poise_stream_next(in, &b, &err) > 0);
        assert_int_equal(poise__engine_step(&e, &b, step, &err), 0);
    }
    after = count_alloc();
    poise_stream_free(in);
    poise__engine_close(&e);
    poise_balance_free(balance);
    poise_plugin_free(p);
    poise_data_done(&data);
    poise_spec_free(s);
    return after - before;
}

static void no_strategy_makes_a_step_allocate(void **state)
{
    (void)state;
    if (!counts())
        skip();
    find_strategies();
    for (int k = 0; k < nstrategy; k++)
        for (int threads = 1; threads <= 2; threads++) {
            const long n = allocations(strategies[k], threads, 0, NULL);
            if (n != 0)
                fail_msg("%s, %d threads: %ld allocations", strategies[k], threads, n);
        }
}

/* Large enough that its products are cut into parts and run on both threads. */
static void a_wider_model_does_not_allocate_either(void **state)
{
    static const poise_override wide[] = {{"model.units", "[96, 64]"},
                                          {"model.tower", "[32, 16]"},
                                          {"train.batch", "512"},
                                          {"data.rows", "6000"}};
    static const char *const strategy[] = {"equal", "gradnorm"};
    (void)state;
    if (!counts())
        skip();
    for (size_t k = 0; k < 2; k++)
        for (int threads = 1; threads <= 2; threads++)
            assert_int_equal(allocations(strategy[k], threads, 4, wide), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_shared_library_asks_for_is_counted),
        cmocka_unit_test(no_strategy_makes_a_step_allocate),
        cmocka_unit_test(a_wider_model_does_not_allocate_either),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
