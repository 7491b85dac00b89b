/* A loader that reads ahead hands out the batches of a stream, from any place, and waits for none of
 * them to be forgotten. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include "data/loader.h"
#include "data/table.h"
#include "files.h"
#include "tests/count_alloc.h"

enum { ROWS = 1003, BATCH = 64 };

typedef struct fixture {
    poise_schema *schema;
    poise_data data;
    poise_error err;
} fixture;

static int setup(void **state)
{
    static fixture f;
    poise_data_spec d = spec_of(NULL);

    d.generate = "funnel";
    d.rows = ROWS;
    d.seed = 5;
    f = (fixture){.schema = poise_schema_new(&f.err)};
    assert_int_equal(poise_generator_schema("funnel", d.place, f.schema, &f.err), 0);
    assert_int_equal(poise_data_open(&d, f.schema, &f.data, &f.err), 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    poise_data_done(&f->data);
    poise_schema_free(f->schema);
    return 0;
}

static void same_batch(const fixture *f, const poise_batch *a, const poise_batch *b)
{
    const poise_dataset *d = f->data.train;

    assert_int_equal(a->rows, b->rows);
    assert_memory_equal(a->row, b->row, BATCH * sizeof *a->row);
    assert_memory_equal(a->ids, b->ids, BATCH * (size_t)d->ncategorical * sizeof *a->ids);
    assert_memory_equal(a->numeric, b->numeric, BATCH * (size_t)d->nnumeric * sizeof *a->numeric);
    for (int t = 0; t < d->ntask; t++) {
        assert_memory_equal(a->label[t], b->label[t], BATCH * sizeof(float));
        assert_memory_equal(a->weight[t], b->weight[t], BATCH * sizeof(float));
    }
}

static void a_loader_is_a_stream(void **state)
{
    fixture *f = *state;
    /* epoch, batch, how many are taken: ends of epochs, a place left early, the same place again */
    static const int visits[][3] = {{0, 0, 99},  {1, 0, 3}, {1, 9, 99}, {1, 9, 1},
                                    {7, 15, 99}, {0, 0, 1}, {2, 16, 9}, {2, 0, 99}};

    for (int ahead = 0; ahead < 2; ahead++) {
        poise_stream *s = poise_stream_new(f->data.train, BATCH, 1, 3, &f->err);
        poise_loader *l = poise_loader_new(f->data.train, BATCH, 1, 3, ahead, &f->err);
        assert_non_null(l);
        assert_int_equal(poise_loader_batches(l), poise_stream_batches(s));
        for (size_t v = 0; v < sizeof visits / sizeof *visits; v++) {
            poise_stream_seek(s, (uint32_t)visits[v][0], visits[v][1]);
            poise_loader_seek(l, (uint32_t)visits[v][0], visits[v][1]);
            for (int k = 0; k < visits[v][2]; k++) {
                poise_batch a, b;
                int64_t n = poise_stream_next(s, &a, &f->err);
                assert_int_equal(poise_loader_next(l, &b, &f->err), n);
                if (n == 0)
                    break;
                same_batch(f, &a, &b);
            }
        }
        poise_loader_free(l);
        poise_stream_free(s);
    }
}

static void it_begins_at_the_first_batch(void **state)
{
    fixture *f = *state;
    poise_batch a, b;
    poise_stream *s = poise_stream_new(f->data.train, BATCH, 1, 3, &f->err);
    poise_loader *l = poise_loader_new(f->data.train, BATCH, 1, 3, 1, &f->err);

    assert_int_equal(poise_stream_next(s, &a, &f->err), BATCH);
    assert_int_equal(poise_loader_next(l, &b, &f->err), BATCH);
    same_batch(f, &a, &b);
    poise_loader_free(l);
    poise_stream_free(s);
}

/* What was handed out stays as it is while the next batch is prepared. */
static void a_batch_stays_while_the_next_is_made(void **state)
{
    fixture *f = *state;
    poise_loader *l = poise_loader_new(f->data.train, BATCH, 1, 3, 1, &f->err);
    poise_batch b;
    int64_t row[BATCH];

    poise_loader_seek(l, 0, 0);
    for (int k = 0; poise_loader_next(l, &b, &f->err) > 0; k++) {
        memcpy(row, b.row, sizeof row);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL); /* the thread has its time */
        assert_memory_equal(row, b.row, sizeof row);
    }
    poise_loader_free(l);
}

static void it_can_be_freed_at_any_time(void **state)
{
    fixture *f = *state;

    for (int taken = 0; taken < 4; taken++)
        for (int again = 0; again < 20; again++) {
            poise_batch b;
            poise_loader *l = poise_loader_new(f->data.train, BATCH, 1, 3, 1, &f->err);
            for (int k = 0; k < taken; k++)
                assert_true(poise_loader_next(l, &b, &f->err) > 0);
            poise_loader_free(l);
        }
    poise_loader_free(NULL);
}

static void taking_batches_allocates_nothing(void **state)
{
    fixture *f = *state;
    poise_loader *l = poise_loader_new(f->data.train, BATCH, 1, 3, 1, &f->err);
    poise_batch b;

    if (!COUNT_ALLOC) {
        poise_loader_free(l);
        skip();
    }
    poise_loader_seek(l, 0, 0);
    assert_true(poise_loader_next(l, &b, &f->err) > 0);
    long before = count_alloc();
    while (poise_loader_next(l, &b, &f->err) > 0)
        continue;
    poise_loader_seek(l, 1, 2);
    assert_true(poise_loader_next(l, &b, &f->err) > 0);
    assert_int_equal(count_alloc() - before, 0);
    poise_loader_free(l);
}

static void an_impossible_batch_is_refused(void **state)
{
    fixture *f = *state;

    assert_null(poise_loader_new(f->data.train, 0, 1, 3, 1, &f->err));
    assert_int_equal(f->err.code, POISE_E_SPEC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loader_is_a_stream),
        cmocka_unit_test(it_begins_at_the_first_batch),
        cmocka_unit_test(a_batch_stays_while_the_next_is_made),
        cmocka_unit_test(it_can_be_freed_at_any_time),
        cmocka_unit_test(taking_batches_allocates_nothing),
        cmocka_unit_test(an_impossible_batch_is_refused),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
