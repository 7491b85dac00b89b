/* Narrow linear maps of one input become one product, forward and backward: the values stay what
 * they are, fewer products run, and what must not be merged is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/random.h"
#include "core/session.h"
#include "ops/ops.h"
#include "ops/passes.h"

enum { B = 37, I = 11, T = 4, MOST = 64 };

/* Losses over T gates of one input, gradients of everything; `weighted`: the gates' parts of dx are
 * weighted as the balancer does. */
typedef struct network {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_value *out[MOST];
    int n;
    poise_error err;
} network;

static const int width[T] = {3, 8, 1, 40}; /* the last one is too wide to join */

static poise_value *map(network *m, int t, poise_value *x)
{
    char w[32], b[32], layer[32];
    const poise_init init = {.kind = POISE_INIT_HE, .fan_in = I};

    snprintf(layer, sizeof layer, "gate/%d", t);
    snprintf(w, sizeof w, "gate/%d/weight", t);
    snprintf(b, sizeof b, "gate/%d/bias", t);
    poise_graph_at(m->g, layer, POISE_NOWHERE, &m->err);
    return poise_linear(
        m->g, x, poise_weight(m->g, w, POISE_DENSE, 2, (int64_t[]){width[t], I}, init, &m->err),
        poise_weight(m->g, b, POISE_DENSE, 1, (int64_t[]){width[t]}, init, &m->err), &m->err);
}

static void keep(network *m, poise_value *v)
{
    assert_non_null(v);
    assert_int_equal(poise_graph_output(m->g, v, &m->err), 0);
    m->out[m->n++] = v;
}

static void build(network *m, int weighted)
{
    poise_value *y[T], *factor[T], *part[T];

    *m = (network){0};
    m->store = poise_store_new(&m->err);
    m->g = poise_network_graph(m->store, &m->err);
    poise_value *raw = poise_input(m->g, "x", POISE_F32, 2, (int64_t[]){B, I}, &m->err);
    poise_value *x = poise_tanh(m->g, raw, &m->err);
    for (int t = 0; t < T; t++)
        y[t] = poise_silu(m->g, map(m, t, x), &m->err);
    for (int t = 0; t < T; t++) {
        poise_gradient d[3];
        poise_value *of[] = {y[t]->producer->in[0]->producer->in[1],
                             y[t]->producer->in[0]->producer->in[2], x};
        assert_int_equal(poise_backward(m->g, 1, &y[t], NULL, 3, of, d, &m->err), 0);
        keep(m, y[t]);
        keep(m, d[0].value);
        keep(m, d[1].value);
        part[t] = d[2].value;
        factor[t] = poise_fill(m->g, 0.5 + t, 1, (int64_t[]){1}, &m->err);
    }
    if (weighted) {
        keep(m, poise_weighted_sum(m->g, T, factor, part, &m->err));
    } else {
        poise_value *all = part[0];
        for (int t = 1; t < T; t++)
            all = t % 2 ? poise_add(m->g, part[t], all, &m->err)
                        : poise_add(m->g, all, part[t], &m->err);
        keep(m, all);
    }
}

static void run(network *m, unsigned without)
{
    if (poise_passes_run(m->g, without, &m->err) < 0 ||
        (!poise_store_sealed(m->store) && poise_store_seal(m->store, 1, &m->err) < 0) ||
        !(m->s = poise_session_new(m->g, NULL, &m->err)))
        fail_msg("%s", m->err.message);
    for (int k = 0; k < poise_graph_values(m->g); k++) {
        poise_value *v = poise_graph_value(m->g, k);
        if (v->role != POISE_INPUT)
            continue;
        float *x = poise_session_data(m->s, v);
        for (int64_t i = 0; i < poise_value_count(v); i++)
            x[i] = (float)poise_random_normal(5, 1, 0, (uint64_t)i);
    }
    if (poise_session_run(m->s, &(poise_run){.threads = 1}, &m->err) < 0)
        fail_msg("%s", m->err.message);
}

static void done(network *m)
{
    poise_session_free(m->s);
    poise_graph_free(m->g);
    poise_store_free(m->store);
}

static int count(const network *m, const char *op)
{
    int n = 0;

    for (int k = 0; k < poise_session_steps(m->s); k++)
        n += strcmp(poise_session_step(m->s, k)->node->op->name, op) == 0;
    return n;
}

static void values_are_the_same(const network *a, const network *b)
{
    assert_int_equal(a->n, b->n);
    for (int k = 0; k < a->n; k++) {
        const float *x = poise_session_data(a->s, a->out[k]),
                    *y = poise_session_data(b->s, b->out[k]);
        assert_int_equal(poise_value_count(a->out[k]), poise_value_count(b->out[k]));
        for (int64_t i = 0; i < poise_value_count(a->out[k]); i++)
            if (!(fabsf(x[i] - y[i]) <= 1e-5F * (1 + fabsf(x[i]))))
                fail_msg("output %d, element %d: %g and %g", k, (int)i, (double)x[i], (double)y[i]);
    }
}

static void values_stay_and_fewer_products_run(void **state)
{
    (void)state;
    for (int weighted = 0; weighted < 2; weighted++) {
        network plain, merged;
        build(&plain, weighted);
        build(&merged, weighted);
        run(&plain, POISE_PASSES_ALL);
        run(&merged, 0);
        values_are_the_same(&plain, &merged);
        assert_int_equal(count(&plain, "linear"), T);
        assert_int_equal(count(&merged, "linear"), 2); /* three narrow ones as one, the wide one */
        assert_int_equal(count(&plain, "linear_weights"), T);
        assert_int_equal(count(&merged, "linear_weights"), 2);
        assert_int_equal(count(&plain, "linear_data"), T);
        assert_true(count(&merged, "linear_data") <= 2);
        assert_true(count(&merged, "add") <= 1);
        done(&plain);
        done(&merged);
    }
}

/* What does not go by rows of the batch stands at both ends: lanes are cut nowhere. */
static void copies_come_first_and_shares_last(void **state)
{
    network m;
    int begun = 0, shares = 0;

    (void)state;
    build(&m, 0);
    run(&m, 0);
    for (int k = 0; k < poise_session_steps(m.s); k++) {
        const poise_node *n = poise_session_step(m.s, k)->node;
        int by_weights = n->attr.i[0] == 0; /* the axis */
        if (strcmp(n->op->name, "concat") == 0 && by_weights)
            assert_false(begun);
        else if (strcmp(n->op->name, "slice") == 0 && by_weights)
            shares++;
        else if (shares)
            fail_msg("%s comes after a share of the weights' gradient", n->op->name);
        begun |= strcmp(n->op->name, "linear") == 0;
    }
    assert_int_equal(shares, 3);
    done(&m);
}

static void the_new_layer_is_named_after_all_of_them(void **state)
{
    network m;
    int found = 0;

    (void)state;
    build(&m, 0);
    run(&m, 0);
    for (int k = 0; k < poise_session_steps(m.s); k++)
        found += strcmp(poise_session_step(m.s, k)->node->layer, "gate/*") == 0;
    assert_true(found >= 3);
    done(&m);
}

/* The gradient of one gate's weights is needed before the other gate runs. */
static void what_is_read_in_between_stays_alone(void **state)
{
    network m[2];

    (void)state;
    for (int k = 0; k < 2; k++) {
        poise_gradient d[2];
        build(&m[k], 0);
        poise_graph *g = m[k].g;
        poise_value *x = m[k].out[0]->producer->in[0]->producer->in[0]; /* of gate 0 */
        const poise_node *a = m[k].out[0]->producer->in[0]->producer;
        poise_value *w = a->in[1];
        assert_int_equal(poise_backward(g, 1, &m[k].out[0], NULL, 1, &w, d, &m[k].err), 0);
        /* a map whose weights depend on that gradient */
        poise_value *moved = poise_add(g, w, poise_stop_gradient(g, d[0].value, NULL), NULL);
        poise_value *next = poise_linear(g, x, moved, NULL, &m[k].err);
        assert_non_null(next);
        poise_value *v = poise_silu(g, next, &m[k].err);
        assert_int_equal(poise_backward(g, 1, &v, NULL, 1, &w, d + 1, &m[k].err), 0);
        keep(&m[k], v);
        keep(&m[k], d[1].value);
    }
    run(&m[0], POISE_PASSES_ALL);
    run(&m[1], 0);
    values_are_the_same(&m[0], &m[1]);
    done(&m[0]);
    done(&m[1]);
}

static void passes_have_names(void **state)
{
    (void)state;
    assert_string_equal(poise_pass_name(0), "common");
    assert_null(poise_pass_name(-1));
    assert_null(poise_pass_name(POISE_PASS_COUNT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stay_and_fewer_products_run),
        cmocka_unit_test(copies_come_first_and_shares_last),
        cmocka_unit_test(the_new_layer_is_named_after_all_of_them),
        cmocka_unit_test(what_is_read_in_between_stays_alone),
        cmocka_unit_test(passes_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
