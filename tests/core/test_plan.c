/* A plan never lets a value be overwritten before it was read for the last time, and is small. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/plan.h"
#include "random_graph.h"

#include <stdlib.h>
#include <string.h>

enum { GRAPHS = 400, NOBODY = -1 };
static const poise__lanes no_lanes = {.count = 1};

/* ---- a shadow of the memory: who wrote each run of 64 bytes last ---- */

typedef struct shadow {
    const poise_graph *g;
    const poise__plan *p;
    int *arena;    /* [p->bytes / 64] the value whose bytes these are */
    int *gradient; /* [parameters] */
} shadow;

static poise_value *root_of(poise_value *v)
{
    while (v->producer && (v->producer->op->flags & POISE_OP_VIEW))
        v = poise_resolve(v->producer->in[0]);
    return v;
}

static void range(const shadow *s, poise_value *v, int **from, size_t *n)
{
    poise__slot slot = s->p->slot[v->id];
    if (slot.where == POISE__ARENA) {
        const poise__block *b = &s->p->block[slot.index];
        *from = s->arena + b->offset / 64;
        *n = ((size_t)poise_value_count(v) * 4 + 63) / 64;
        assert_true(b->offset % 64 == 0 && b->offset + *n * 64 <= s->p->bytes);
    } else {
        assert_int_equal(slot.where, POISE__GRADIENT);
        *from = s->gradient + slot.index;
        *n = 1;
    }
}

static void writes(const shadow *s, poise_value *v)
{
    int *at;
    size_t n;
    range(s, v, &at, &n);
    for (size_t k = 0; k < n; k++)
        at[k] = (int)v->id;
}

static void must_hold(const shadow *s, poise_value *v, uint64_t seed)
{
    v = root_of(v);
    if (v->role == POISE_PARAM)
        return;
    int *at;
    size_t n;
    range(s, v, &at, &n);
    for (size_t k = 0; k < n; k++)
        if (at[k] != (int)v->id)
            fail_msg("seed %llu: value %u was overwritten by %d", (unsigned long long)seed,
                     (unsigned)v->id, at[k]);
}

/* Two outputs of one node, or an output and an input that it may not overwrite, are apart. */
static void must_be_apart(const shadow *s, const poise_node *n)
{
    for (int o = 0; o < n->nout; o++) {
        int *a, *b;
        size_t na, nb;
        range(s, n->out[o], &a, &na);
        for (int i = 0; i < n->nin; i++) {
            if (root_of(n->in[i])->role == POISE_PARAM ||
                ((n->op->flags & POISE_OP_INPLACE) && i == 0 && o == 0))
                continue;
            range(s, n->in[i], &b, &nb);
            assert_true(a + na <= b || b + nb <= a);
        }
        for (int p = 0; p < o; p++) {
            range(s, n->out[p], &b, &nb);
            assert_true(a + na <= b || b + nb <= a);
        }
    }
}

static void no_value_is_overwritten_before_its_last_use(void **state)
{
    (void)state;
    int inplace = 0, copies = 0, pinned = 0;
    size_t reused = 0, apart = 0;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph r;
        random_graph_make(&r, seed);
        if (seed % 3 == 0)
            assert_true(poise_rewrite_common(r.g, NULL) >= 0);
        poise__plan p, q;
        poise_error err = {0};
        assert_int_equal(poise__plan_make(r.g, &r.options, &no_lanes, &p, &err), 0);
        shadow s = {.g = r.g, .p = &p};
        s.arena = malloc((p.bytes / 64 + 1) * sizeof *s.arena);
        s.gradient = malloc(RANDOM_PARAMS * sizeof *s.gradient);
        memset(s.arena, 0xff, (p.bytes / 64 + 1) * sizeof *s.arena);
        memset(s.gradient, 0xff, RANDOM_PARAMS * sizeof *s.gradient);
        for (int k = 0; k < poise_graph_values(r.g); k++)
            if (poise_graph_value(r.g, k)->role == POISE_INPUT)
                writes(&s, poise_graph_value(r.g, k));
        for (int k = 0; k < poise_graph_nodes(r.g); k++) {
            const poise_node *n = poise_graph_node(r.g, k);
            if (n->dead || (n->op->flags & POISE_OP_VIEW))
                continue;
            for (int i = 0; i < n->nin; i++)
                must_hold(&s, n->in[i], seed);
            must_be_apart(&s, n);
            for (int o = 0; o < n->nout; o++)
                writes(&s, n->out[o]);
        }
        for (int k = 0; k < poise_graph_values(r.g); k++) {
            poise_value *v = poise_graph_value(r.g, k);
            if (v->role == POISE_INPUT || (!v->forward && poise_graph_is_output(r.g, v)))
                must_hold(&s, v, seed);
        }
        for (int k = 0; k < p.ncopy; k++)
            must_hold(&s, p.copy[k].from, seed);
        for (int k = 0; k < r.options.ngradient; k++) {
            poise_value *root = root_of(poise_resolve(r.gradient[k]));
            int copied = 0;
            for (int c = 0; c < p.ncopy; c++)
                copied |= p.copy[c].param == r.param[k];
            if (!copied) {
                assert_int_equal(p.slot[root->id].where, POISE__GRADIENT);
                assert_int_equal(p.slot[root->id].index, r.param[k]);
                must_hold(&s, root, seed);
                pinned++;
            }
        }
        r.options.no_reuse = 1;
        assert_int_equal(poise__plan_make(r.g, &r.options, &no_lanes, &q, &err), 0);
        inplace += p.inplace;
        copies += p.ncopy;
        reused += p.bytes;
        apart += q.bytes;
        assert_true(p.bytes <= q.bytes);
        assert_int_equal(q.inplace, 0);
        poise__plan_done(&p);
        poise__plan_done(&q);
        free(s.arena);
        free(s.gradient);
        random_graph_free(&r);
    }
    /* The property says nothing if the graphs never share anything. */
    assert_true(inplace > GRAPHS && copies > GRAPHS / 4 && pinned > GRAPHS);
    assert_true(reused < apart * 2 / 3);
}

/* What reuse computes is what separate bytes compute, bit for bit, run after run. */
static void reuse_does_not_change_a_bit(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        random_graph r;
        random_graph_make(&r, seed + 10000);
        poise_session_options apart = r.options;
        apart.no_reuse = 1;
        poise_error err = {0};
        poise_session *a = poise_session_new(r.g, &r.options, &err);
        poise_session *b = poise_session_new(r.g, &apart, &err);
        assert_true(a && b);
        size_t slab = poise_store_dense_size(r.store) * sizeof(float);
        float *kept = malloc(slab);
        for (int k = 0; k < poise_graph_values(r.g); k++) {
            poise_value *v = poise_graph_value(r.g, k);
            for (int64_t i = 0; v->role == POISE_INPUT && i < poise_value_count(v); i++)
                ((float *)poise_session_data(a, v))[i] = ((float *)poise_session_data(b, v))[i] =
                    0.25f * (float)(i % 7) - 0.5f;
        }
        for (int run = 0; run < 2; run++) {
            assert_int_equal(poise_session_run(a, &(poise_run){.threads = 1}, &err), 0);
            memcpy(kept, poise_store_gradients(r.store), slab);
            memset(poise_store_gradients(r.store), 0, slab);
            assert_int_equal(poise_session_run(b, &(poise_run){.threads = 2}, &err), 0);
            assert_memory_equal(kept, poise_store_gradients(r.store), slab);
            for (int k = 0; k < poise_graph_values(r.g); k++) {
                poise_value *v = poise_graph_value(r.g, k);
                if (poise_graph_is_output(r.g, v))
                    assert_memory_equal(poise_session_data(a, v), poise_session_data(b, v),
                                        (size_t)poise_value_count(v) * 4);
            }
        }
        free(kept);
        poise_session_free(a);
        poise_session_free(b);
        random_graph_free(&r);
    }
}

static void blocks_that_live_together_are_apart_and_the_rest_is_shared(void **state)
{
    (void)state;
    enum { N = 120 };
    for (uint64_t seed = 0; seed < 50; seed++) {
        poise__block b[N];
        size_t total, most = 0, sum = 0;
        for (uint64_t k = 0; k < N; k++) {
            uint32_t w[3];
            poise_random_fill(seed, 2, 0, 4 * k, w, 3);
            b[k] = (poise__block){.bytes = 64 * (1 + w[0] % 40), .first = (int)(w[1] % 100)};
            b[k].last = b[k].first + (int)(w[2] % 20);
            sum += b[k].bytes;
        }
        assert_int_equal(poise__plan_place(N, b, &total, NULL), 0);
        for (int i = 0; i < N; i++) {
            assert_true(b[i].offset + b[i].bytes <= total);
            for (int j = 0; j < i; j++)
                if (b[i].first <= b[j].last && b[j].first <= b[i].last)
                    assert_true(b[i].offset + b[i].bytes <= b[j].offset ||
                                b[j].offset + b[j].bytes <= b[i].offset);
        }
        for (int t = 0; t < 120;
             t++) { /* no plan can be smaller than the most that lives at once */
            size_t alive = 0;
            for (int i = 0; i < N; i++)
                alive += b[i].first <= t && t <= b[i].last ? b[i].bytes : 0;
            most = alive > most ? alive : most;
        }
        /* Best fit is not optimal: a third is room enough. */
        assert_true(total >= most && total < most + most / 3 && total < sum / 3);
    }
}

static void a_total_that_overflows_is_refused(void **state)
{
    (void)state;
    poise__block b[4];
    size_t total;
    poise_error err = {0};
    for (int k = 0; k < 4; k++)
        b[k] = (poise__block){.bytes = SIZE_MAX / 4 / 64 * 64, .first = 0, .last = 1};
    assert_int_equal(poise__plan_place(4, b, &total, &err), -1);
    assert_int_equal(err.code, POISE_E_MEMORY);
    assert_int_equal(poise__plan_place(0, b, &total, &err), 0);
    assert_int_equal(total, 0);
}

/* A chain of operators in place needs the input, which must survive, and one more block. */
static void a_chain_in_place_needs_one_block(void **state)
{
    (void)state;
    poise_store *store = poise_store_new(NULL);
    poise_graph *g = poise_graph_new(store, NULL);
    poise_value *v = poise_input(g, "x", POISE_F32, 1, (int64_t[]){100}, NULL);
    for (int k = 0; k < 20; k++)
        v = toy1(g, &toy_square, v, NULL);
    poise_graph_output(g, v, NULL);
    poise__plan p;
    assert_int_equal(poise__plan_make(g, NULL, &no_lanes, &p, NULL), 0);
    assert_int_equal(p.nblock, 2);
    assert_int_equal(p.inplace, 19);
    assert_int_equal(p.bytes, 2 * 448);
    poise__plan_done(&p);
    poise_graph_free(g);
    poise_store_free(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_is_overwritten_before_its_last_use),
        cmocka_unit_test(reuse_does_not_change_a_bit),
        cmocka_unit_test(blocks_that_live_together_are_apart_and_the_rest_is_shared),
        cmocka_unit_test(a_total_that_overflows_is_refused),
        cmocka_unit_test(a_chain_in_place_needs_one_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
