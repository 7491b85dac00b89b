/* session_fixture.h -- a store and a graph with an input and two parameters, for each test anew. */
#ifndef SESSION_FIXTURE_H
#define SESSION_FIXTURE_H

#include "toy_ops.h"

enum { N = 5 };

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_value *x, *w, *v; /* input and two dense parameters, f32[N] */
    poise_error err;
} fixture;

static const poise_run once = {.seed = 1, .threads = 1};

static inline int setup(void **state)
{
    static fixture f;
    f = (fixture){0};
    f.store = poise_store_new(&f.err);
    f.g = poise_graph_new(f.store, &f.err);
    poise_graph_sum_with(f.g, &toy_add);
    poise_graph_ones_with(f.g, &toy_fill);
    int64_t n = N;
    f.x = poise_input(f.g, "x", POISE_F32, 1, &n, &f.err);
    poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1.5};
    f.w = poise_weight(f.g, "w", POISE_DENSE, 1, &n, one, &f.err);
    f.v = poise_weight(f.g, "v", POISE_DENSE, 1, &n, one, &f.err);
    *state = &f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    poise_graph_free(f->g);
    poise_store_free(f->store);
    return 0;
}

static inline poise_session *make(fixture *f, const poise_session_options *o)
{
    if (!poise_store_sealed(f->store))
        assert_int_equal(poise_store_seal(f->store, 1, &f->err), 0);
    poise_session *s = poise_session_new(f->g, o, &f->err);
    if (!s)
        fail_msg("%s", f->err.message);
    float *x = poise_session_data(s, f->x);
    for (int k = 0; k < N; k++)
        x[k] = (float)k - 1.0f;
    return s;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
