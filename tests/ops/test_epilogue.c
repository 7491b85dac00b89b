/* Activations taken over by the layer before them: the same bits in fewer steps, and only where
 * nobody else reads what lies between. */
#include "rewrite_pair.h"

enum { BATCH = 37, IN = 19, EXPERTS = 3, OUT = 21 };

typedef poise_value *activation(poise_graph *g, poise_value *x, poise_error *err);

static poise_value *leaky(poise_graph *g, poise_value *x, poise_error *err)
{
    return poise_leaky_relu(g, x, 0.125, err);
}

static activation *const every[] = {poise_relu, leaky,      poise_tanh,       poise_sigmoid,
                                    poise_gelu, poise_silu, poise_log_sigmoid};
enum { EVERY = sizeof every / sizeof *every };

/* A layer and what is put on it. */
typedef struct layer {
    activation *act;
    int experts, own_input, bias; /* 0: a linear layer; own_input: x is [B, E, I] */
    int again, keep;              /* read the sums a second time, or after the run */
    int train;                    /* with the gradients */
} layer;

static poise_value *sums_of(net *n, const layer *l)
{
    const int64_t wide[] = {BATCH, EXPERTS, IN}, narrow[] = {BATCH, IN};
    poise_value *x = input(n, "x", l->own_input ? 3 : 2, l->own_input ? wide : narrow);
    if (l->experts)
        return poise_batched_linear(
            n->g, x, parameter(n, "w", 3, (int64_t[]){EXPERTS, OUT, IN}),
            l->bias ? parameter(n, "b", 2, (int64_t[]){EXPERTS, OUT}) : NULL, &n->err);
    return poise_linear(n->g, x, parameter(n, "w", 2, (int64_t[]){OUT, IN}),
                        l->bias ? parameter(n, "b", 1, (int64_t[]){OUT}) : NULL, &n->err);
}

static void build(net *n, const void *how)
{
    const layer *l = how;
    poise_value *z = sums_of(n, l), *y = l->act(n->g, z, &n->err);
    n->out[n->nout++] = y;
    if (l->again)
        n->out[n->nout++] = poise_scale(n->g, z, 2.0, &n->err);
    if (l->keep)
        n->out[n->nout++] = z;
    if (l->train) {
        poise_value *top =
            poise_linear(n->g, y, parameter(n, "top", 2, (int64_t[]){1, OUT}), NULL, &n->err);
        gradients(n, top, 2,
                  (poise_value *[]){parameter(n, "w", 2, (int64_t[]){OUT, IN}),
                                    parameter(n, "top", 2, (int64_t[]){1, OUT})});
    }
}

static void check(const layer *l, int gone)
{
    pair p = pair_make(build, l, poise_rewrite_epilogue);
    if (p.gone != gone)
        fail_msg("%d nodes were taken over, not %d", p.gone, gone);
    for (int threads = 1; threads <= 2; threads++) {
        pair_run(&p, threads);
        pair_same(&p, 0);
    }
    pair_done(&p);
}

static void every_activation_is_taken_over_by_every_kind_of_layer(void **state)
{
    (void)state;
    for (int k = 0; k < EVERY; k++)
        for (int bias = 0; bias < 2; bias++) {
            check(&(layer){.act = every[k], .bias = bias}, 1);
            check(&(layer){.act = every[k], .bias = bias, .experts = 1}, 1);
            check(&(layer){.act = every[k], .bias = bias, .experts = 1, .own_input = 1}, 1);
        }
}

static void sums_that_are_read_elsewhere_stay(void **state)
{
    (void)state;
    check(&(layer){.act = poise_relu, .again = 1}, 0);
    check(&(layer){.act = poise_relu, .keep = 1}, 0);
}

/* relu's gradient is that of its output, so the sums are not needed; gelu's is that of the sums */
static void a_gradient_that_reads_the_sums_keeps_them(void **state)
{
    (void)state;
    check(&(layer){.act = poise_relu, .bias = 1, .train = 1}, 1);
    check(&(layer){.act = leaky, .bias = 1, .train = 1}, 1);
    check(&(layer){.act = poise_tanh, .bias = 1, .train = 1}, 1);
    check(&(layer){.act = poise_sigmoid, .bias = 1, .train = 1}, 1);
    check(&(layer){.act = poise_gelu, .bias = 1, .train = 1}, 0);
    check(&(layer){.act = poise_silu, .bias = 1, .train = 1}, 0);
}

static void twice(net *n, const void *how)
{
    const layer l = {.bias = 1};
    (void)how;
    n->out[n->nout++] = poise_sigmoid(n->g, poise_tanh(n->g, sums_of(n, &l), &n->err), &n->err);
}

static void a_layer_takes_over_one_activation(void **state)
{
    (void)state;
    pair p = pair_make(twice, NULL, poise_rewrite_epilogue);
    assert_int_equal(p.gone, 1);
    assert_int_equal(steps_of(&p, "tanh"), 0);
    assert_int_equal(steps_of(&p, "sigmoid"), 1);
    pair_run(&p, 1);
    pair_same(&p, 0);
    pair_done(&p);
}

static void gradients_come_before_the_rewrite(void **state)
{
    (void)state;
    poise_error err;
    poise_store *store = poise_store_new(&err);
    net n;
    net_make(&n, store, build, &(layer){.act = poise_relu});
    assert_int_equal(poise_rewrite_epilogue(n.g, &n.err), 1);
    poise_value *w = parameter(&n, "w", 2, (int64_t[]){OUT, IN});
    poise_gradient dw;
    assert_int_equal(poise_backward(n.g, 1, n.out, NULL, 1, &w, &dw, &n.err), -1);
    assert_int_equal(n.err.code, POISE_E_GRADIENT);
    assert_non_null(strstr(n.err.message, "build gradients before"));
    poise_graph_free(n.g);
    poise_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_is_taken_over_by_every_kind_of_layer),
        cmocka_unit_test(sums_that_are_read_elsewhere_stay),
        cmocka_unit_test(a_gradient_that_reads_the_sums_keeps_them),
        cmocka_unit_test(a_layer_takes_over_one_activation),
        cmocka_unit_test(gradients_come_before_the_rewrite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
