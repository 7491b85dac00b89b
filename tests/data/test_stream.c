/* Batches: every row once per epoch, the same after a seek, padded at the end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "files.h"

enum { ROWS = 103, BATCH = 10 };

typedef struct fixture {
    const char *path;
    poise_feature feature[3];
    poise_task task[2];
    poise_schema *schema;
    poise_data data;
} fixture;

/* Column x of row i is i; c is "v<i>", zero-padded, so that its id is i + 1; y is i % 2, without a
 * label every seventh row. */
static int setup(void **state)
{
    static fixture f;
    poise_error err;
    char text[ROWS * 40];
    size_t n = (size_t)sprintf(text, "x,c,y,w\n");
    for (int i = 0; i < ROWS; i++)
        n += (size_t)sprintf(text + n, "%d,v%03d,%s,%d.5\n", i, i,
                             i % 7 == 0 ? ""
                             : i % 2    ? "1"
                                        : "0",
                             i);
    f.path = file_text("stream.csv", text);
    poise_data_spec d = spec_of(f.path);
    f.feature[0] = numeric("x");
    f.feature[0].standardise = 0;
    f.feature[1] = categorical("c");
    f.feature[2] = numeric("w");
    f.feature[2].standardise = 0;
    f.task[0] = binary("y", "y", NULL);
    f.task[1] = binary("x", "x", NULL);
    f.task[1].kind = POISE_REGRESSION;
    f.schema = poise_schema_new(&err);
    assert_non_null(f.schema);
    f.schema->nfeature = 3;
    f.schema->feature = f.feature;
    f.schema->ntask = 2;
    f.schema->task = f.task;
    if (poise_data_open(&d, f.schema, &f.data, &err) < 0)
        fail_msg("%s", err.message);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    poise_data_done(&f->data);
    poise_schema_free(f->schema);
    unlink(f->path);
    return 0;
}

static poise_stream *open_stream(const fixture *f, int64_t batch, int shuffle, uint64_t seed)
{
    poise_error err;
    poise_stream *s = poise_stream_new(f->data.train, batch, shuffle, seed, &err);
    assert_non_null(s);
    return s;
}

/* Everything in a batch belongs to the row it says, or is padding. */
static void check_batch(const poise_batch *b, int64_t batch)
{
    for (int64_t i = 0; i < batch; i++) {
        int64_t row = b->row[i];
        if (i >= b->rows) {
            assert_int_equal(row, -1);
            assert_int_equal(b->ids[i], 0);
            assert_true(b->numeric[2 * i] == 0 && b->numeric[2 * i + 1] == 0);
            assert_true(isnan(b->label[0][i]) && isnan(b->label[1][i]));
            assert_true(b->weight[0][i] == 0 && b->weight[1][i] == 0);
            continue;
        }
        assert_in_range(row, 0, ROWS - 1);
        assert_true(b->numeric[2 * i] == (float)row);
        assert_true(b->numeric[2 * i + 1] == (float)row + 0.5f);
        assert_int_equal(b->ids[i], row + 1);
        assert_true(b->label[1][i] == (float)row && b->weight[1][i] == 1);
        if (row % 7 == 0)
            assert_true(isnan(b->label[0][i]) && b->weight[0][i] == 0);
        else
            assert_true(b->label[0][i] == (float)(row % 2) && b->weight[0][i] == 1);
    }
}

/* The rows of an epoch, in the stream's order. */
static void epoch_rows(poise_stream *s, uint32_t epoch, int64_t batch, int64_t rows[ROWS])
{
    poise_error err;
    poise_batch b;
    int64_t n, at = 0;
    poise_stream_seek(s, epoch, 0);
    while ((n = poise_stream_next(s, &b, &err)) > 0) {
        check_batch(&b, batch);
        assert_int_equal(n, b.rows);
        assert_true(at + n <= ROWS);
        memcpy(rows + at, b.row, (size_t)n * sizeof *rows);
        at += n;
    }
    assert_int_equal(n, 0);
    assert_int_equal(at, ROWS);
    assert_int_equal(poise_stream_next(s, &b, &err), 0); /* and stays at the end */
}

static void an_epoch_has_every_row_once(void **state)
{
    const int64_t batches[] = {1, 10, 102, 103, 104, 1000};
    for (int k = 0; k < 6; k++)
        for (int shuffle = 0; shuffle < 2; shuffle++) {
            poise_stream *s = open_stream(*state, batches[k], shuffle, 3);
            int64_t rows[ROWS];
            int seen[ROWS] = {0}, moved = 0;
            assert_int_equal(poise_stream_batches(s), (ROWS + batches[k] - 1) / batches[k]);
            epoch_rows(s, 0, batches[k], rows);
            for (int i = 0; i < ROWS; i++) {
                seen[rows[i]]++;
                moved += rows[i] != i;
            }
            for (int i = 0; i < ROWS; i++)
                assert_int_equal(seen[i], 1);
            assert_true(shuffle ? moved > ROWS / 2 : moved == 0);
            poise_stream_free(s);
        }
}

static void epochs_and_seeds_shuffle_differently(void **state)
{
    int64_t a[ROWS], b[ROWS];
    poise_stream *s = open_stream(*state, BATCH, 1, 3), *t = open_stream(*state, BATCH, 1, 4);
    epoch_rows(s, 0, BATCH, a);
    epoch_rows(s, 1, BATCH, b);
    assert_memory_not_equal(a, b, sizeof a);
    epoch_rows(t, 0, BATCH, b);
    assert_memory_not_equal(a, b, sizeof a);
    epoch_rows(s, 0, BATCH, b);
    assert_memory_equal(a, b, sizeof a);
    poise_stream_free(s);
    poise_stream_free(t);
}

static void the_order_does_not_depend_on_the_batch_size(void **state)
{
    int64_t a[ROWS], b[ROWS];
    poise_stream *s = open_stream(*state, BATCH, 1, 3), *t = open_stream(*state, 17, 1, 3);
    epoch_rows(s, 2, BATCH, a);
    epoch_rows(t, 2, 17, b);
    assert_memory_equal(a, b, sizeof a);
    poise_stream_free(s);
    poise_stream_free(t);
}

static void a_seek_gives_the_same_batches(void **state)
{
    poise_error err;
    poise_batch b;
    int64_t rows[ROWS];
    poise_stream *s = open_stream(*state, BATCH, 1, 3), *t = open_stream(*state, BATCH, 1, 3);
    epoch_rows(s, 5, BATCH, rows);
    for (int64_t k = poise_stream_batches(t) - 1; k >= 0; k--) {
        poise_stream_seek(t, 5, k);
        int64_t n = poise_stream_next(t, &b, &err);
        assert_int_equal(n, k == 10 ? 3 : BATCH);
        check_batch(&b, BATCH);
        assert_memory_equal(b.row, rows + k * BATCH, (size_t)n * sizeof *rows);
    }
    poise_stream_seek(t, 5, 11);
    assert_int_equal(poise_stream_next(t, &b, &err), 0);
    poise_stream_free(s);
    poise_stream_free(t);
}

/* All of a batch stays where it is: the buffers are those of _new. */
static void buffers_do_not_move(void **state)
{
    poise_error err;
    poise_batch a, b;
    poise_stream *s = open_stream(*state, BATCH, 1, 3);
    assert_true(poise_stream_next(s, &a, &err) > 0);
    while (poise_stream_next(s, &b, &err) > 0) {
        assert_ptr_equal(a.row, b.row);
        assert_ptr_equal(a.numeric, b.numeric);
        assert_ptr_equal(a.ids, b.ids);
        assert_ptr_equal(a.label, b.label);
        assert_ptr_equal(a.label[1], b.label[1]);
        assert_ptr_equal(a.weight[1], b.weight[1]);
    }
    poise_stream_free(s);
}

static void a_batch_of_no_rows_is_refused(void **state)
{
    poise_error err;
    fixture *f = *state;
    const int64_t wrong[] = {0, -1, INT64_MAX};
    for (int i = 0; i < 3; i++) {
        assert_null(poise_stream_new(f->data.train, wrong[i], 1, 3, &err));
        assert_int_equal(err.code, POISE_E_SPEC);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_epoch_has_every_row_once),
        cmocka_unit_test(epochs_and_seeds_shuffle_differently),
        cmocka_unit_test(the_order_does_not_depend_on_the_batch_size),
        cmocka_unit_test(a_seek_gives_the_same_batches),
        cmocka_unit_test(buffers_do_not_move),
        cmocka_unit_test(a_batch_of_no_rows_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
