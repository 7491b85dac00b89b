/* Every allocation made to fail in turn: an error comes back, and nothing leaks. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/count_alloc.h"
#include "toy_ops.h"

static const poise_init zero = {.kind = POISE_INIT_ZERO};

/* A small model from nothing to a run: a table, a dense layer, gradients, rewrites, a session.
 * Returns 0, or -1 as soon as something fails; then *err must say that memory is out. */
static int whole_life(poise_store *store, poise_graph *g, poise_error *err)
{
    poise_graph_sum_with(g, &toy_add);
    poise_graph_ones_with(g, &toy_fill);
    if (poise_graph_at(g, "embedding", (poise_place){"m.yaml", 1, 1}, err) < 0)
        return -1;
    poise_value *ids = poise_input(g, "ids", POISE_I32, 1, (int64_t[]){4}, err);
    if (!ids)
        return -1;
    poise_value *table = poise_weight(g, "t", POISE_TABLE, 2, (int64_t[]){5, 2}, zero, err);
    poise_value *w =
        table ? poise_weight(g, "w", POISE_DENSE, 2, (int64_t[]){4, 2}, zero, err) : NULL;
    if (!w)
        return -1;
    poise_value *y = toy2(g, &toy_embed, ids, table, err);
    y = toy2(g, &toy_mul, y, w, err);
    y = toy1(g, &toy_square, y, err);
    for (int k = 0; k < 40 && y; k++) /* arrays grow */
        y = toy2(g, &toy_add, y, w, err);
    y = toy1(g, &toy_sum, y, err);
    poise_value *x[2] = {table, w};
    poise_gradient dx[2];
    if (!y || poise_backward(g, 1, &y, NULL, 2, x, dx, err) < 0)
        return -1;
    if (poise_graph_output(g, y, err) < 0 || poise_graph_output(g, dx[0].value, err) < 0 ||
        poise_graph_output(g, dx[1].value, err) < 0)
        return -1;
    if (poise_rewrite_common(g, err) < 0 || poise_rewrite_dead(g, err) < 0 ||
        poise_store_seal(store, 1, err) < 0)
        return -1;
    poise_session *s = poise_session_new(
        g, &(poise_session_options){.ngradient = 1, .gradient = &dx[1].value, .param = (int[]){1}},
        err);
    int status = s ? poise_session_run(s, &(poise_run){.threads = 1}, err) : -1;
    poise_session_free(s);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    if (!COUNT_ALLOC) {
        print_message("this build has another allocator: it cannot be made to fail\n");
        skip();
    }
    long refused = 0;
    for (int succeeded = 0; !succeeded; refused++) {
        poise_error err = {0};
        long live = count_alloc_live();
        count_alloc_fail(refused);
        poise_store *store = poise_store_new(&err);
        poise_graph *g = store ? poise_graph_new(store, &err) : NULL;
        succeeded = g && whole_life(store, g, &err) == 0;
        count_alloc_fail(-1);
        poise_graph_free(g);
        poise_store_free(store);
        if (!succeeded && err.code != POISE_E_MEMORY)
            fail_msg("allocation %ld failed and the error is \"%s\"", refused, err.message);
        /* The first run may make libgomp keep something for its thread. */
        if (count_alloc_live() != live && !succeeded)
            fail_msg("allocation %ld failed and %ld blocks leaked", refused,
                     count_alloc_live() - live);
    }
    assert_true(refused > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
