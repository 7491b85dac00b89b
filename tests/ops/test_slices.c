/* A session for one thread sees the whole batch, one for several is cut into lanes: a sum over the
 * rows is taken of the same slices in the same order, to the same bits. */
#include "core/graph_parts.h"
#include "rewrite_pair.h"

#include <stdlib.h>

enum { ROWS = 1600, IN = 21, EXPERTS = 3, OUT = 19, WANTED = 7 };

/* x -> experts -> their second layer -> layer norm of it -> one number: every operator that sums over the rows goes backward. */
static void build(net *n, const void *how)
{
    (void)how;
    poise_value *x = input(n, "x", 2, (int64_t[]){ROWS, IN});
    poise_value *w = parameter(n, "w", 3, (int64_t[]){EXPERTS, OUT, IN}),
                *b = parameter(n, "b", 2, (int64_t[]){EXPERTS, OUT}),
                *v = parameter(n, "v", 3, (int64_t[]){EXPERTS, OUT, OUT}),
                *gamma = parameter(n, "gamma", 1, (int64_t[]){OUT}),
                *beta = parameter(n, "beta", 1, (int64_t[]){OUT}),
                *last = parameter(n, "last", 2, (int64_t[]){1, EXPERTS * OUT}),
                *bias = parameter(n, "bias", 1, (int64_t[]){1});
    poise_value *y = poise_relu(n->g, poise_batched_linear(n->g, x, w, b, &n->err), &n->err);
    y = poise_layer_norm(n->g, poise_batched_linear(n->g, y, v, NULL, &n->err), gamma, beta, 1e-5,
                         &n->err);
    y = poise_reshape(n->g, y, 2, (int64_t[]){ROWS, EXPERTS * OUT}, &n->err);
    y = poise_linear(n->g, y, last, bias, &n->err);
    gradients(n, poise_reshape(n->g, y, 1, (int64_t[]){ROWS}, &n->err), WANTED,
              (poise_value *[]){w, b, v, gamma, beta, last, bias});
}

/* The gradients, one after the other. */
static float *run(net *n, int lanes, int threads, int run_on, size_t *bytes)
{
    const poise_session_options o = {.rows = ROWS, .lanes = lanes, .threads = threads};
    poise_session *s = poise_session_new(n->g, &o, &n->err);
    if (s == NULL)
        fail_msg("%s", n->err.message);
    assert_int_equal(poise_session_lanes(s), lanes);
    for (size_t k = 0; k < n->g->nvalue; k++) {
        poise_value *v = n->g->value[k];
        if (v->role != POISE_INPUT)
            continue;
        float *x = poise_session_data(s, v);
        uint64_t state = k + 1;
        for (int64_t i = 0; i < poise_value_count(v); i++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            x[i] = (float)((double)(state >> 40) / (double)(1 << 23) - 1.0);
        }
    }
    assert_int_equal(poise_session_run(s, &(poise_run){.seed = 1, .threads = run_on}, &n->err), 0);
    *bytes = 0;
    for (int k = 0; k < n->nout; k++)
        *bytes += (size_t)poise_value_count(n->out[k]) * sizeof(float);
    float *all = malloc(*bytes), *to = all;
    assert_non_null(all);
    for (int k = 0; k < n->nout; k++) {
        const size_t count = (size_t)poise_value_count(n->out[k]);
        memcpy(to, poise_session_data(s, n->out[k]), count * sizeof *to);
        to += count;
    }
    poise_session_free(s);
    return all;
}

static void slices_of_a_whole_batch_are_summed_as_lanes_are(void **state)
{
    (void)state;
    net n;
    poise_store *store = poise_store_new(NULL);
    net_make(&n, store, build, NULL);
    assert_int_equal(poise_store_seal(store, 3, &n.err), 0);
    /* slices of 800 rows, more than a product sums at once; of 200; of 100 */
    static const int lanes[] = {2, 8, 16};
    for (int l = 0; l < 3; l++) {
        size_t bytes;
        float *want = run(&n, lanes[l], 0, 2, &bytes);
        for (int threads = 1; threads <= 3; threads += 2) {
            float *got = run(&n, lanes[l], 1, threads, &bytes);
            assert_memory_equal(got, want, bytes);
            free(got);
        }
        float *whole = run(&n, 1, 1, 1, &bytes);
        assert_memory_not_equal(whole, want, bytes); /* or it would say nothing */
        free(whole);
        free(want);
    }
    poise_graph_free(n.g);
    poise_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_of_a_whole_batch_are_summed_as_lanes_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
