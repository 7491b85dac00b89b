/* A table of ten million rows: a step touches the memory of its batch's rows and no other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "core/random.h"
#include "core/session.h"
#include "ops/ops.h"
#include "train/optimizer.h"

enum { ROWS = 10000000, FEW = 100000, WIDTH = 16, BATCH = 512, STEPS = 4 };

/* Bytes of memory that the process really has. */
static double resident(void)
{
    unsigned long all, here = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (!f || fscanf(f, "%lu %lu", &all, &here) != 2)
        here = 0;
    if (f)
        fclose(f);
    return (double)here * (double)sysconf(_SC_PAGESIZE);
}

typedef struct model {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_optimizer *o;
    poise_value *ids, *table;
    poise_gradient d;
    poise_error err;
} model;

static void make(model *m, int64_t rows, poise_optimizer_spec spec)
{
    const poise_init normal = {.kind = POISE_INIT_NORMAL, .value = 0.05};

    *m = (model){0};
    m->store = poise_store_new(&m->err);
    m->g = poise_network_graph(m->store, &m->err);
    m->ids = poise_input(m->g, "ids", POISE_I32, 2, (int64_t[]){BATCH, 1}, &m->err);
    m->table =
        poise_weight(m->g, "item", POISE_TABLE, 2, (int64_t[]){rows, WIDTH}, normal, &m->err);
    poise_value *y = poise_embedding(m->g, m->ids, 1, &m->table, &m->err);
    y = poise_multiply(m->g, y, y, &m->err); /* its gradient reads the rows */
    if (!y || poise_backward(m->g, 1, &y, NULL, 1, &m->table, &m->d, &m->err) < 0 ||
        poise_graph_output(m->g, m->d.value, &m->err) < 0 ||
        poise_graph_output(m->g, m->d.rows, &m->err) < 0 ||
        poise_store_seal(m->store, 1, &m->err) < 0 ||
        !(m->s = poise_session_new(m->g, NULL, &m->err)) ||
        !(m->o = poise_optimizer_new(&spec, m->store, &m->err)))
        fail_msg("%s", m->err.message);
}

static void step(model *m, uint64_t number)
{
    int32_t *ids = poise_session_data(m->s, m->ids);

    for (uint64_t b = 0; b < BATCH; b++) /* from all over the table, some of them twice */
        ids[b] = (int32_t)(poise_random_uniform(1, 2, (uint32_t)number, b / 2 * 2) *
                           (double)m->table->dim[0]);
    assert_int_equal(poise_session_run(m->s, &(poise_run){.threads = 2}, &m->err), 0);
    poise_optimizer_begin(m->o, number + 1);
    poise_optimizer_rows(m->o, m->table->param, BATCH, poise_session_data(m->s, m->d.rows),
                         poise_session_data(m->s, m->d.value));
}

static void done(model *m)
{
    poise_optimizer_free(m->o);
    poise_session_free(m->s);
    poise_graph_free(m->g);
    poise_store_free(m->store);
}

static const poise_optimizer_spec specs[] = {
    {POISE_SGD, .rate = 0.1},
    {POISE_ADAM, .rate = 0.1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8},
    {POISE_ADAGRAD, .rate = 0.1, .eps = 1e-8},
    {POISE_ADAGRAD, .rate = 0.1, .eps = 1e-8, .by_row = 1}};

static void a_step_touches_its_batch_s_rows_and_no_other(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof specs / sizeof *specs; k++) {
        model m;
        double before = resident();
        make(&m, ROWS, specs[k]);
        for (uint64_t t = 0; t < STEPS; t++)
            step(&m, t);
        /* Half of the ids are other ones, two of which are seldom equal. */
        int64_t drawn = ROWS - poise_store_undrawn(m.store, m.table->param);
        assert_true(drawn <= STEPS * BATCH / 2 && drawn > STEPS * BATCH / 2 - 20);
        /* Of every row a page of the weights and of each slab; a bit per row; the session. */
        double pages = (double)(drawn * (1 + poise_optimizer_slabs(m.o)));
        double most = pages * (double)sysconf(_SC_PAGESIZE) + ROWS / 8 + 4e6;
        double table = (double)ROWS * WIDTH * sizeof(float);
        assert_true(most < table / 10);
        if (before > 0)
            assert_true(resident() - before < most);
        done(&m);
    }
}

static void the_weights_are_those_of_a_table_that_was_drawn_at_once(void **state)
{
    model late, early;

    (void)state;
    make(&late, FEW, specs[1]);
    make(&early, FEW, specs[1]);
    poise_store_draw(early.store);
    for (uint64_t t = 0; t < STEPS; t++) {
        step(&late, t);
        step(&early, t);
    }
    assert_memory_equal(poise_store_weight(late.store, late.table->param),
                        poise_store_weight(early.store, early.table->param),
                        (size_t)FEW * WIDTH * sizeof(float));
    done(&late);
    done(&early);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_step_touches_its_batch_s_rows_and_no_other),
        cmocka_unit_test(the_weights_are_those_of_a_table_that_was_drawn_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
