/* Lists and tables that several features use, in training: a step with them asks for no memory, under
 * strategies that look at the tables' gradients too, and makes the same bits on any number of threads. */
#include "run_fixture.h"

#define COUNT_ALLOC_ALL
#include "../count_alloc.h"

enum { STEPS = 6, LINES = 2000 };

static const char LISTS[] =
    "data: {train: lists.csv}\n"
    "features:\n"
    "  n: numeric\n"
    "  tags: {list: {dim: 6, length: 5, pool: mean}}\n"
    "  most: {column: tags, list: {dim: 4, length: 3, pool: max, keep: last}}\n"
    "  total: {column: tags, list: {dim: 3, length: 4, pool: sum, min_count: 20}}\n"
    "  tag: {categorical: {table: tags}}\n"
    "  again: {column: tags, list: {table: tags, length: 3, keep: last, pool: max}}\n"
    "  other: {column: tag, categorical: {dim: 2}}\n"
    "tasks: {click: {label: click}, buy: {label: n > 500, when: click}}\n"
    "model: {use: shared_bottom, units: [16], tower: [4]}\n"
    "balancer: {use: equal, signals: {scope: all}}\n"
    "train: {batch: 256, epochs: 2, seed: 5}\n";

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(in_folder(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Lists of 0 to 7 of 50 values; every strategy's spec is the same but for its name. */
static void write_rows(void)
{
    FILE *f = fopen(in_folder("lists.csv"), "w");
    uint32_t x = 1;
    assert_non_null(f);
    fprintf(f, "n,tags,tag,click\n");
    for (int i = 0; i < LINES; i++) {
        x = x * 1664525u + 1013904223u;
        fprintf(f, "%u,", (x >> 8) % 1000);
        for (uint32_t k = 0, n = (x >> 20) % 8; k < n; k++) {
            x = x * 1664525u + 1013904223u;
            fprintf(f, "%st%u", k ? "|" : "", (x >> 9) % 50);
        }
        fprintf(f, ",t%u,%u\n", (x >> 14) % 60, (x >> 7) % 2);
    }
    assert_int_equal(fclose(f), 0);
}

typedef struct outcome {
    long allocations; /* of the steps after the first */
    float *weights;   /* malloc'd, after all steps */
    size_t count;
} outcome;

static outcome train(const char *strategy, int threads)
{
    static const char *const tasks[] = {"click", "buy"};
    poise_error err = {0};
    poise_diagnostics *diag = poise_diagnostics_new(&err);
    poise_data data;
    poise__engine e;
    poise_batch b;
    outcome o = {0};
    poise_spec *s = poise_spec_read(in_folder("lists.yaml"), 0, NULL, diag);
    if (!s)
        fail_msg("%s", poise_diagnostics_first(diag)->message);
    if (poise_data_open(&s->data, s->schema, &data, &err) < 0)
        fail_msg("%s", err.message);
    poise_plugin *p = poise_plugin_load(strategy, &err);
    poise_balance *balance = poise_balance_new(p, 2, tasks, 1, 0, NULL, NULL, &err);
    assert_non_null(balance);
    if (poise__engine_open(&e, s, s->schema, balance, s->phase, 1, threads, &err) < 0)
        fail_msg("%s", err.message);
    poise_stream *in = poise_stream_new(data.train, s->train.batch, 1, 1, &err);
    poise_stream_seek(in, 0, 0);
    long before = 0;
    for (uint64_t step = 0; step < STEPS; step++) {
        if (step == 1)
            before = count_alloc();
        assert_true(poise_stream_next(in, &b, &err) > 0);
        if (poise__engine_step(&e, &b, step, &err) < 0)
            fail_msg("%s: %s", strategy, err.message);
    }
    o.allocations = count_alloc() - before;
    o.count = poise_store_size(e.store);
    o.weights = malloc(o.count * sizeof(float));
    assert_non_null(o.weights);
    memcpy(o.weights, poise_store_weights(e.store), o.count * sizeof(float));
    poise_stream_free(in);
    poise__engine_close(&e);
    poise_balance_free(balance);
    poise_plugin_free(p);
    poise_data_done(&data);
    poise_spec_free(s);
    poise_diagnostics_free(diag);
    return o;
}

static const char *const used[] = {"equal", "gradnorm", "pcgrad", "graddrop"};
enum { USED = sizeof used / sizeof *used };

static void a_step_with_lists_allocates_nothing(void **state)
{
    (void)state;
    if (!COUNT_ALLOC)
        skip();
    for (int k = 0; k < USED; k++)
        for (int threads = 1; threads <= 2; threads++) {
            outcome o = train(used[k], threads);
            free(o.weights);
            if (o.allocations != 0)
                fail_msg("%s, %d threads: %ld allocations", used[k], threads, o.allocations);
        }
}

static void threads_make_the_same_bits(void **state)
{
    (void)state;
    static const int threads[] = {2, 3, 8};
    for (int k = 0; k < USED; k++) {
        outcome a = train(used[k], 1);
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            outcome b = train(used[k], threads[i]);
            assert_int_equal(a.count, b.count);
            assert_memory_equal(a.weights, b.weights, a.count * sizeof(float));
            free(b.weights);
        }
        free(a.weights);
    }
}

static int setup(void **state)
{
    if (make_folder(state) < 0)
        return -1;
    write_rows();
    write_file("lists.yaml", LISTS);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_with_lists_allocates_nothing),
        cmocka_unit_test(threads_make_the_same_bits),
    };
    return cmocka_run_group_tests(tests, setup, remove_folder);
}
