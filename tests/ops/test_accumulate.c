/* Sums of products computed by the products: the same values in fewer steps, and only where nobody
 * else reads the product. */
#include "rewrite_pair.h"

enum { BATCH = 41, IN = 23, EXPERTS = 3, OUT = 17, WAYS = 4 };

/* One number per row from x[B, I] by `ways` layers side by side. */
static poise_value *linears(net *n, poise_value *x, int ways)
{
    static const char *const name[WAYS][2] = {{"a", "a1"}, {"b", "b1"}, {"c", "c1"}, {"d", "d1"}};
    poise_value *sum = NULL;
    for (int k = 0; k < ways; k++) {
        const int64_t width = OUT + k;
        poise_value *y = poise_linear(n->g, x, parameter(n, name[k][0], 2, (int64_t[]){width, IN}),
                                      NULL, &n->err);
        y = poise_linear(n->g, poise_tanh(n->g, y, &n->err),
                         parameter(n, name[k][1], 2, (int64_t[]){1, width}), NULL, &n->err);
        sum = sum == NULL ? y : poise_add(n->g, sum, y, &n->err);
    }
    return sum;
}

static void side_by_side(net *n, const void *how)
{
    poise_value *x = input(n, "x", 2, (int64_t[]){BATCH, IN});
    gradients(n, linears(n, x, *(const int *)how), 1, &x);
}

static void the_gradient_of_what_several_layers_read_is_one_chain(void **state)
{
    (void)state;
    for (int ways = 1; ways <= WAYS; ways++) {
        pair p = pair_make(side_by_side, &ways, poise_rewrite_accumulate);
        /* dx = d1; + d2; + d3: each sum is gone, and the sums of the forward pass stay */
        int chain = steps_of(&p, "linear_data_onto");
        assert_int_equal(chain, ways - 1);
        for (int threads = 1; threads <= 2; threads++) {
            pair_run(&p, threads);
            pair_same(&p, 1e-6);
        }
        pair_done(&p);
    }
}

/* x[B, E, I] and x[B, I] into experts; both matrices used twice, so that their gradients are sums */
static void experts(net *n, const void *how)
{
    const int own = *(const int *)how;
    poise_value *x = own ? input(n, "x", 3, (int64_t[]){BATCH, EXPERTS, IN})
                         : input(n, "x", 2, (int64_t[]){BATCH, IN});
    poise_value *w = parameter(n, "w", 3, (int64_t[]){EXPERTS, IN, IN});
    poise_value *first = poise_batched_linear(n->g, x, w, NULL, &n->err);
    poise_value *again =
        poise_batched_linear(n->g, poise_tanh(n->g, first, &n->err), w, NULL, &n->err);
    poise_value *v = parameter(n, "v", 3, (int64_t[]){EXPERTS, IN, IN});
    poise_value *other = poise_batched_linear(n->g, x, v, NULL, &n->err);
    poise_value *both = poise_multiply(n->g, again, other, &n->err);
    poise_value *flat = poise_reshape(n->g, both, 2, (int64_t[]){BATCH, EXPERTS * IN}, &n->err);
    poise_value *top = parameter(n, "top", 2, (int64_t[]){1, EXPERTS * IN});
    gradients(n, poise_linear(n->g, flat, top, NULL, &n->err), 3, (poise_value *[]){x, w, v});
}

static void batched_products_and_weight_gradients_are_added_onto_as_well(void **state)
{
    (void)state;
    for (int own = 0; own < 2; own++) {
        pair p = pair_make(experts, &own, poise_rewrite_accumulate);
        assert_int_equal(p.gone, 2);
        assert_int_equal(steps_of(&p, "batched_data_onto"), 1);
        assert_int_equal(steps_of(&p, "batched_weights_onto"), 1);
        for (int threads = 1; threads <= 2; threads++) {
            pair_run(&p, threads);
            pair_same(&p, 1e-6);
        }
        pair_done(&p);
    }
}

static void one_matrix_twice(net *n, const void *how)
{
    (void)how;
    poise_value *x = input(n, "x", 2, (int64_t[]){BATCH, IN});
    poise_value *w = parameter(n, "w", 2, (int64_t[]){IN, IN});
    poise_value *y = poise_tanh(n->g, poise_linear(n->g, x, w, NULL, &n->err), &n->err);
    y = poise_tanh(n->g, poise_linear(n->g, y, w, NULL, &n->err), &n->err);
    poise_value *top = parameter(n, "top", 2, (int64_t[]){1, IN});
    gradients(n, poise_linear(n->g, y, top, NULL, &n->err), 2, (poise_value *[]){w, top});
}

/* ... and computed straight into the store's gradient slab. */
static void a_sum_of_weight_gradients_goes_into_the_slab(void **state)
{
    (void)state;
    pair p = pair_make(one_matrix_twice, NULL, poise_rewrite_accumulate);
    assert_int_equal(steps_of(&p, "linear_weights_onto"), 1);
    pair_run(&p, 1);
    pair_same(&p, 1e-6);
    net *n = &p.rewritten;
    const float *sum = poise_session_data(n->s, n->out[0]);
    const int param = 0;
    poise_session *s = poise_session_new(
        n->g, &(poise_session_options){.ngradient = 1, .gradient = n->out, .param = &param},
        &n->err);
    assert_non_null(s);
    for (int k = 0; k < poise_graph_values(n->g); k++) {
        poise_value *v = poise_graph_value(n->g, k);
        if (v->role == POISE_INPUT)
            memcpy(poise_session_data(s, v), poise_session_data(n->s, v),
                   (size_t)poise_value_count(v) * sizeof(float));
    }
    assert_int_equal(poise_session_run(s, &(poise_run){.seed = 1, .threads = 1}, &n->err), 0);
    assert_memory_equal(poise_store_gradient(p.store, param), sum,
                        (size_t)poise_value_count(n->out[0]) * sizeof(float));
    poise_session_free(s);
    pair_done(&p);
}

/* s = p + q with both products also read after the run */
static void products_that_are_kept(net *n, const void *how)
{
    int ways = 2;
    (void)how;
    side_by_side(n, &ways);
    for (int k = 0; k < poise_graph_nodes(n->g); k++) {
        const poise_node *node = poise_graph_node(n->g, k);
        if (strcmp(node->op->name, "linear_data") == 0 && node->out[0]->dim[1] == IN)
            n->out[n->nout++] = node->out[0];
    }
    assert_int_equal(n->nout, 3);
}

static void a_product_that_is_read_elsewhere_stays(void **state)
{
    (void)state;
    pair p = pair_make(products_that_are_kept, NULL, poise_rewrite_accumulate);
    assert_int_equal(p.gone, 0);
    pair_run(&p, 1);
    pair_same(&p, 0);
    pair_done(&p);
}

static void shapes_of_what_is_added_onto_are_checked(void **state)
{
    (void)state;
    poise_error err;
    poise_store *store = poise_store_new(&err);
    net n = {.g = poise_network_graph(store, &err)};
    poise_value *dy = input(&n, "dy", 2, (int64_t[]){BATCH, OUT});
    poise_value *w = input(&n, "w", 2, (int64_t[]){OUT, IN});
    poise_value *good = input(&n, "good", 2, (int64_t[]){BATCH, IN});
    poise_value *bad = input(&n, "bad", 2, (int64_t[]){BATCH, IN + 1});
    const poise_op *onto = poise_op_find("linear_data_onto");
    assert_non_null(poise_apply(n.g, onto, 3, (poise_value *[]){good, dy, w}, NULL, &n.err));
    assert_null(poise_apply(n.g, onto, 3, (poise_value *[]){bad, dy, w}, NULL, &n.err));
    assert_int_equal(n.err.code, POISE_E_SHAPE);
    assert_non_null(strstr(n.err.message, "that of the product"));
    poise_graph_free(n.g);
    poise_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gradient_of_what_several_layers_read_is_one_chain),
        cmocka_unit_test(batched_products_and_weight_gradients_are_added_onto_as_well),
        cmocka_unit_test(a_sum_of_weight_gradients_goes_into_the_slab),
        cmocka_unit_test(a_product_that_is_read_elsewhere_stays),
        cmocka_unit_test(shapes_of_what_is_added_onto_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
