/* rewrite_pair.h -- one network twice over the same parameters, as it was built and rewritten.
 *
 *     pair p = pair_make(build, &which, poise_rewrite_epilogue);    // *build: fills n->out, n->nout
 *     assert_int_equal(p.gone, 1);                                  // what the rewrite returned
 *     pair_run(&p, 1);                                              // the same inputs into both
 *     pair_same(&p, 0);                                             // relative error allowed
 *     pair_done(&p);
 */
#ifndef TESTS_OPS_REWRITE_PAIR_H
#define TESTS_OPS_REWRITE_PAIR_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>
#include "core/session.h"
#include "ops/ops.h"

enum { MOST_OUT = 8 };

typedef struct net {
    poise_graph *g;
    poise_session *s;
    poise_error err;
    poise_value *out[MOST_OUT]; /* marked as outputs */
    int nout;
} net;

typedef struct pair {
    poise_store *store;
    net plain, rewritten;
    int gone;
} pair;

static inline poise_value *input(net *n, const char *name, int rank, const int64_t *dim)
{
    return poise_input(n->g, name, POISE_F32, rank, dim, &n->err);
}

static inline poise_value *parameter(net *n, const char *name, int rank, const int64_t *dim)
{
    const poise_init init = {.kind = POISE_INIT_NORMAL, .value = 0.5};
    return poise_weight(n->g, name, POISE_DENSE, rank, dim, init, &n->err);
}

/* The gradients of the loss, sum over the rows of the squares of y[B, 1], of n values. */
static inline void gradients(net *n, poise_value *y, int count, poise_value *const *x)
{
    poise_gradient dx[MOST_OUT];
    poise_value *label = input(n, "label", 1, y->dim), *weight = input(n, "weight", 1, y->dim);
    poise_value *loss = poise_loss_squared(n->g, y, label, weight, NULL, &n->err);
    assert_non_null(loss);
    assert_int_equal(poise_backward(n->g, 1, &loss, NULL, count, x, dx, &n->err), 0);
    for (int k = 0; k < count; k++)
        n->out[n->nout++] = dx[k].value;
}

static inline void net_make(net *n, poise_store *store, void (*build)(net *, const void *),
                            const void *how)
{
    *n = (net){.g = poise_network_graph(store, &n->err)};
    poise_graph_train(n->g, 1);
    build(n, how);
    assert_true(n->nout > 0);
    for (int k = 0; k < n->nout; k++)
        if (n->out[k] == NULL || poise_graph_output(n->g, n->out[k], &n->err) < 0)
            fail_msg("%s", n->err.message);
    assert_true(poise_rewrite_common(n->g, &n->err) >= 0);
    assert_true(poise_rewrite_dead(n->g, &n->err) >= 0);
}

static inline void net_start(net *n)
{
    n->s = poise_session_new(n->g, NULL, &n->err);
    if (n->s == NULL)
        fail_msg("%s", n->err.message);
    int filled = 0;
    for (int k = 0; k < poise_graph_values(n->g); k++) {
        poise_value *v = poise_graph_value(n->g, k);
        if (v->role != POISE_INPUT)
            continue;
        float *x = poise_session_data(n->s, v);
        for (int64_t i = 0; i < poise_value_count(v); i++, filled++)
            x[i] = (float)sin(filled * 1.7 + 0.3);
        if (strcmp(v->name, "weight") == 0)
            for (int64_t i = 0; i < poise_value_count(v); i++)
                x[i] = 1.0f;
    }
}

static inline pair pair_make(void (*build)(net *, const void *), const void *how,
                             int (*rewrite)(poise_graph *, poise_error *))
{
    poise_error err;
    pair p = {.store = poise_store_new(&err)};
    net_make(&p.plain, p.store, build, how);
    net_make(&p.rewritten, p.store, build, how);
    p.gone = rewrite(p.rewritten.g, &p.rewritten.err);
    assert_int_equal(poise_store_seal(p.store, 1, &err), 0);
    net_start(&p.plain);
    net_start(&p.rewritten);
    assert_int_equal(poise_session_steps(p.plain.s) - poise_session_steps(p.rewritten.s), p.gone);
    return p;
}

static inline void pair_run(pair *p, int threads)
{
    const poise_run r = {.seed = 1, .threads = threads};
    assert_int_equal(poise_session_run(p->plain.s, &r, &p->plain.err), 0);
    assert_int_equal(poise_session_run(p->rewritten.s, &r, &p->rewritten.err), 0);
}

/* Every output the same to `tolerance`, relative to the largest; 0: bit by bit. */
static inline void pair_same(const pair *p, double tolerance)
{
    for (int k = 0; k < p->plain.nout; k++) {
        const float *a = poise_session_data(p->plain.s, p->plain.out[k]);
        const float *b = poise_session_data(p->rewritten.s, p->rewritten.out[k]);
        const int64_t n = poise_value_count(p->plain.out[k]);
        double largest = 0;
        for (int64_t i = 0; i < n; i++)
            largest = fmax(largest, fabs((double)a[i]));
        assert_true(largest > 0);
        for (int64_t i = 0; i < n; i++)
            if (!(fabs((double)a[i] - (double)b[i]) <= tolerance * largest))
                fail_msg("output %d, element %lld: %.9g and %.9g", k, (long long)i, (double)a[i],
                         (double)b[i]);
    }
}

static inline void pair_done(pair *p)
{
    poise_session_free(p->plain.s);
    poise_session_free(p->rewritten.s);
    poise_graph_free(p->plain.g);
    poise_graph_free(p->rewritten.g);
    poise_store_free(p->store);
}

/* How many steps of the rewritten session run the operator. */
static inline int steps_of(const pair *p, const char *op)
{
    int n = 0;
    for (int k = 0; k < poise_session_steps(p->rewritten.s); k++)
        n += strcmp(poise_session_step(p->rewritten.s, k)->node->op->name, op) == 0;
    return n;
}

#endif
