/* Embeddings: a bad id is an error that names it; gradients come by rows, each once, in order of
 * first use, whether rows are found by id or by hash. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/random.h"
#include "core/session.h"
#include "ops/ops.h"

enum { B = 257, W = 3 };

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_value *ids, *dy, *value, *rows, *y;
    poise_error err;
} fixture;

/* Two features; the gradient is that of the second table, of `height` rows. */
static void make(fixture *f, int64_t height)
{
    char text[POISE_ERROR_TEXT];
    const poise_init zero = {.kind = POISE_INIT_ZERO};
    poise_gradient d = {0};
    *f = (fixture){0};
    f->store = poise_store_new(&f->err);
    f->g = poise_network_graph(f->store, &f->err);
    poise_graph_at(f->g, "features", (poise_place){"run.yaml", 3, 1}, &f->err);
    f->ids = poise_input(f->g, "ids", POISE_I32, 2, (int64_t[]){B, 2}, &f->err);
    f->dy = poise_input(f->g, "dy", POISE_F32, 2, (int64_t[]){B, 2 + W}, &f->err);
    poise_value *t[2] = {
        poise_weight(f->g, "age", POISE_TABLE, 2, (int64_t[]){10, 2}, zero, &f->err),
        poise_weight(f->g, "city", POISE_TABLE, 2, (int64_t[]){height, W}, zero, &f->err)};
    f->y = poise_embedding(f->g, f->ids, 2, t, &f->err);
    if (f->y == NULL || poise_backward(f->g, 1, &f->y, &f->dy, 1, &t[1], &d, &f->err) < 0 ||
        poise_graph_output(f->g, f->value = d.value, &f->err) < 0 ||
        poise_graph_output(f->g, f->rows = d.rows, &f->err) < 0 ||
        poise_graph_output(f->g, f->y, &f->err) < 0 || poise_store_seal(f->store, 1, &f->err) < 0 ||
        (f->s = poise_session_new(f->g, NULL, &f->err)) == NULL)
        fail_msg("%s", poise_error_text(&f->err, text, sizeof text));
}

static void done(fixture *f)
{
    poise_session_free(f->s);
    poise_graph_free(f->g);
    poise_store_free(f->store);
}

static int run(fixture *f)
{
    return poise_session_run(f->s, &(poise_run){.threads = 2}, &f->err);
}

static void an_id_out_of_range_is_named(void **state)
{
    (void)state;
    static const struct {
        int row, feature;
        int32_t id;
        const char *says;
    } bad[] = {
        {0, 0, 10, "row 0, feature 0: the id is 10; table age has rows 0 to 9"},
        {256, 1, 100, "row 256, feature 1: the id is 100; table city has rows 0 to 99"},
        {100, 1, -1, "row 100, feature 1: the id is -1; table city has rows 0 to 99"},
        {9, 0, INT32_MIN, "row 9, feature 0: the id is -2147483648"},
    };
    fixture f;
    make(&f, 100);
    int32_t *ids = poise_session_data(f.s, f.ids);
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        memset(ids, 0, 2 * B * sizeof *ids);
        ids[2 * bad[k].row + bad[k].feature] = bad[k].id;
        assert_int_equal(run(&f), -1);
        assert_int_equal(f.err.code, POISE_E_DATA);
        assert_string_equal(f.err.file, "run.yaml");
        if (strstr(f.err.message, bad[k].says) == NULL)
            fail_msg("\"%s\" is not in: %s", bad[k].says, f.err.message);
    }
    memset(ids, 0, 2 * B * sizeof *ids);
    assert_int_equal(run(&f), 0);
    done(&f);
}

/* Rows by a quadratic search, in the order of the batch. */
static int expected(const int32_t *ids, const float *dy, int32_t *rows, float *value)
{
    int used = 0;
    memset(value, 0, B * W * sizeof *value);
    for (int b = 0; b < B; b++) {
        int k = 0;
        while (k < used && rows[k] != ids[2 * b + 1])
            k++;
        rows[k] = ids[2 * b + 1];
        used += k == used;
        for (int i = 0; i < W; i++)
            value[k * W + i] += dy[b * (2 + W) + 2 + i];
    }
    for (int k = used; k < B; k++)
        rows[k] = -1;
    return used;
}

static void rows_come_once_in_order_of_first_use(void **state)
{
    (void)state;
    static const struct {
        int64_t height;
        int32_t ids; /* drawn from this many, spread over the table */
    } tries[] = {{1, 1},       {100, 100},        {4 * B, 60}, {4 * B + 1, 60}, {1000000, 1000000},
                 {1000000, 3}, {1 << 20, 1 << 10}};
    for (size_t t = 0; t < sizeof tries / sizeof *tries; t++) {
        fixture f;
        make(&f, tries[t].height);
        int32_t *ids = poise_session_data(f.s, f.ids), rows[B];
        float *dy = poise_session_data(f.s, f.dy), value[B * W];
        const int32_t spread = (int32_t)(tries[t].height / tries[t].ids);
        for (int b = 0; b < B; b++) {
            ids[2 * b] = 0;
            ids[2 * b + 1] =
                (int32_t)(poise_random_uniform(t, 1, 0, (uint64_t)b) * tries[t].ids) * spread;
        }
        for (int i = 0; i < B * (2 + W); i++)
            dy[i] = (float)poise_random_uniform(t, 2, 0, (uint64_t)i);
        assert_int_equal(run(&f), 0);
        assert_true(expected(ids, dy, rows, value) >= 1);
        assert_memory_equal(poise_session_data(f.s, f.rows), rows, sizeof rows);
        assert_memory_equal(poise_session_data(f.s, f.value), value, sizeof value);
        done(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_out_of_range_is_named),
        cmocka_unit_test(rows_come_once_in_order_of_first_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
