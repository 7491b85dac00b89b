/* Small products of one shape are one step: the bits stay, fewer steps run, and a product that
 * depends on another, has another shape or is large stays a step of its own, unless it shares a
 * factor and zeros with others. */
#include "rewrite_pair.h"

#include <stdio.h>
#include <string.h>
#include "ops/passes.h"

enum { ROWS = 24, TOWERS = 3 };

/* Towers x_t -> relu(x_t w_t' + b_t) -> one number, and the gradients of what they share and own. */
static void towers(net *n, const void *how)
{
    const int *width = how; /* of each tower */
    poise_value *x = input(n, "x", 2, (int64_t[]){ROWS, 6});
    poise_value *own[2 * TOWERS], *y = NULL;
    poise_value *shared = parameter(n, "shared", 2, (int64_t[]){5, 6});
    x = poise_tanh(n->g, poise_linear(n->g, x, shared, NULL, &n->err), &n->err);
    for (int t = 0; t < TOWERS; t++) {
        char name[32], layer[32];
        snprintf(layer, sizeof layer, "tower/%c/0", 'a' + t);
        assert_int_equal(poise_graph_at(n->g, layer, POISE_NOWHERE, &n->err), 0);
        poise_value *in = poise_scale(n->g, x, 2.0 + t, &n->err);
        snprintf(name, sizeof name, "w%d", t);
        own[2 * t] = parameter(n, name, 2, (int64_t[]){width[t], 5});
        snprintf(name, sizeof name, "b%d", t);
        own[2 * t + 1] = parameter(n, name, 1, (int64_t[]){width[t]});
        poise_value *h =
            poise_relu(n->g, poise_linear(n->g, in, own[2 * t], own[2 * t + 1], &n->err), &n->err);
        snprintf(name, sizeof name, "out%d", t);
        h = poise_linear(n->g, h, parameter(n, name, 2, (int64_t[]){1, width[t]}), NULL, &n->err);
        y = y ? poise_add(n->g, y, h, &n->err) : h;
    }
    n->out[n->nout++] = y;
    poise_value *of[MOST_OUT] = {shared, own[0], own[2], own[3], own[4]};
    gradients(n, y, 5, of);
}

static void towers_are_one_step_forward_and_backward(void **state)
{
    (void)state;
    pair p = pair_make(towers, (int[]){7, 7, 7}, poise_rewrite_stack);
    /* both layers forward; dy of both, dw of the first */
    assert_int_equal(p.gone, 5 * (TOWERS - 1));
    assert_int_equal(steps_of(&p, "each_linear"), 2);
    assert_int_equal(steps_of(&p, "each_data"), 2);
    assert_int_equal(steps_of(&p, "each_weights"), 1);
    for (int threads = 1; threads <= 3; threads++) {
        pair_run(&p, threads);
        pair_same(&p, 0);
    }
    pair_done(&p);
}

static int with_epilogue(poise_graph *g, poise_error *err)
{
    const int absorbed = poise_rewrite_epilogue(g, err), stacked = poise_rewrite_stack(g, err);
    return absorbed < 0 || stacked < 0 ? -1 : absorbed + stacked;
}

/* Activations that the products have taken over are computed by the step as well. */
static void the_step_computes_the_activation(void **state)
{
    (void)state;
    pair p = pair_make(towers, (int[]){7, 7, 7}, with_epilogue);
    assert_int_equal(p.gone, 1 + TOWERS + 5 * (TOWERS - 1));
    assert_int_equal(steps_of(&p, "relu"), 0);
    pair_run(&p, 2);
    pair_same(&p, 0);
    pair_done(&p);
}

static void another_shape_stays_a_step_of_its_own(void **state)
{
    (void)state;
    pair p = pair_make(towers, (int[]){7, 4, 7}, poise_rewrite_stack);
    assert_int_equal(p.gone, 5);
    assert_int_equal(steps_of(&p, "linear"), 3); /* the shared one, and two of the other tower */
    pair_run(&p, 1);
    pair_same(&p, 0);
    pair_done(&p);
}

/* A chain of equal layers */
static void chain(net *n, const void *how)
{
    const int64_t *size = how; /* rows, width */
    poise_value *x = input(n, "x", 2, size);
    for (int k = 0; k < 3; k++) {
        char name[32];
        snprintf(name, sizeof name, "w%d", k);
        x = poise_linear(n->g, x, parameter(n, name, 2, (int64_t[]){size[1], size[1]}), NULL,
                         &n->err);
    }
    n->out[n->nout++] = x;
}

static void layers_of_a_chain_are_not_siblings(void **state)
{
    (void)state;
    pair p = pair_make(chain, (int64_t[]){ROWS, 5}, poise_rewrite_stack);
    assert_int_equal(p.gone, 0);
    pair_done(&p);
}

/* Two maps of one input */
static void two(net *n, const void *how)
{
    const int64_t *size = how; /* rows, width */
    poise_value *x = input(n, "x", 2, size);
    for (int k = 0; k < 2; k++)
        n->out[n->nout++] =
            poise_linear(n->g, x, parameter(n, k ? "w1" : "w0", 2, (int64_t[]){size[1], size[1]}),
                         NULL, &n->err);
}

static void large_products_stay_alone(void **state)
{
    (void)state;
    pair small = pair_make(two, (int64_t[]){128, 128}, poise_rewrite_stack);
    assert_int_equal(small.gone, 1);
    pair_done(&small);
    pair large = pair_make(two, (int64_t[]){1024, 256}, poise_rewrite_stack);
    assert_int_equal(large.gone, 0);
    pair_done(&large);
}

enum { TASKS = 4 };

/* Two layers that the tasks share, a number for each task, and each task's gradients of both. */
static void tasks(net *n, const void *how)
{
    const int64_t *size = how; /* rows, width; 1: activations are relu */
    poise_value *x = input(n, "x", 2, size), *label = input(n, "label", 2, (int64_t[]){size[0], 1});
    poise_value *weight = input(n, "weight", 1, size), *w[2];
    label = poise_reshape(n->g, label, 1, size, &n->err);
    for (int k = 0; k < 2; k++) {
        w[k] = parameter(n, k ? "w1" : "w0", 2, (int64_t[]){size[1], size[1]});
        x = poise_linear(n->g, x, w[k], NULL, &n->err);
        x = size[2] ? poise_relu(n->g, x, &n->err) : poise_tanh(n->g, x, &n->err);
    }
    for (int t = 0; t < TASKS; t++) {
        char name[32];
        snprintf(name, sizeof name, "head%d", t);
        poise_value *head = parameter(n, name, 2, (int64_t[]){1, size[1]});
        poise_value *y = poise_linear(n->g, x, head, NULL, &n->err);
        poise_value *loss = poise_loss_squared(n->g, y, label, weight, NULL, &n->err);
        poise_gradient dx[2];
        assert_non_null(loss);
        assert_int_equal(poise_backward(n->g, 1, &loss, NULL, 2, w, dx, &n->err), 0);
        n->out[n->nout++] = dx[0].value;
        n->out[n->nout++] = dx[1].value;
    }
}

/* What the tasks' gradients have in common after a relu, its zeros, is left out once for all, in small
 * products and in large ones: with the bits that each has alone. */
static void gradients_after_one_relu_are_a_step(void **state)
{
    (void)state;
    const int64_t size[][3] = {{160, 104, 1}, {1040, 264, 1}};
    for (size_t k = 0; k < sizeof size / sizeof *size; k++) {
        pair p = pair_make(tasks, size[k], poise_rewrite_stack);
        assert_int_equal(steps_of(&p, "each_weights"), 2); /* of both layers */
        assert_int_equal(steps_of(&p, "linear_weights"), 0);
        assert_int_equal(steps_of(&p, "linear_data"), 0);
        for (int threads = 1; threads <= 3; threads++) {
            pair_run(&p, threads);
            pair_same(&p, 0);
        }
        pair_done(&p);
    }
}

/* Without zeros there is nothing to gain where products are large. */
static void other_large_gradients_stay_alone(void **state)
{
    (void)state;
    pair p = pair_make(tasks, (int64_t[]){1040, 264, 0}, poise_rewrite_stack);
    assert_int_equal(steps_of(&p, "each_weights"), 0);
    assert_int_equal(steps_of(&p, "linear_weights"), 2 * TASKS);
    pair_done(&p);
}

/* The step's layer is what the names of the layers have in common. */
static void the_step_has_a_name_for_all(void **state)
{
    (void)state;
    pair p = pair_make(towers, (int[]){7, 7, 7}, poise_rewrite_stack);
    int found = 0;
    for (int k = 0; k < poise_session_steps(p.rewritten.s); k++) {
        const poise_node *n = poise_session_step(p.rewritten.s, k)->node;
        if (strncmp(n->op->name, "each_", 5) == 0) {
            assert_string_equal(n->layer, "tower/*/0");
            found++;
        }
    }
    assert_int_equal(found, 5);
    pair_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(towers_are_one_step_forward_and_backward),
        cmocka_unit_test(the_step_computes_the_activation),
        cmocka_unit_test(another_shape_stays_a_step_of_its_own),
        cmocka_unit_test(layers_of_a_chain_are_not_siblings),
        cmocka_unit_test(large_products_stay_alone),
        cmocka_unit_test(gradients_after_one_relu_are_a_step),
        cmocka_unit_test(other_large_gradients_stay_alone),
        cmocka_unit_test(the_step_has_a_name_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
