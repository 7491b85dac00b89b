/* A session runs a graph: the right numbers, nothing allocated, errors with a place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "session_fixture.h"
#include "tests/count_alloc.h"

#include <pthread.h>
#include <string.h>

int omp_get_max_threads(void);
void omp_set_num_threads(int n);

static void a_session_computes_its_graph(void **state)
{
    fixture *f = *state;
    poise_value *h = toy2(f->g, &toy_mul, f->x, f->w, &f->err);
    poise_value *y = toy1(f->g, &toy_sum, toy1(f->g, &toy_square, h, &f->err), &f->err);
    poise_graph_output(f->g, y, NULL);
    poise_session *s = make(f, NULL);
    assert_int_equal(poise_session_steps(s), 3);
    assert_string_equal(poise_session_step(s, 1)->node->op->name, "square");
    assert_int_equal((int)poise_session_flops(s), 2 * N + 1);
    for (int run = 0; run < 2; run++) {
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
        assert_true(*(float *)poise_session_data(s, y) == 2.25f * (1 + 0 + 1 + 4 + 9));
    }
    assert_null(poise_session_data(s, h));
    assert_ptr_equal(poise_session_data(s, f->w), poise_store_weight(f->store, 0));
    poise_session_free(s);
    s = make(f, &(poise_session_options){.no_reuse = 1});
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_true(((float *)poise_session_data(s, h))[4] == 4.5f);
    poise_session_free(s);
    poise_session_free(NULL);
}

/* ---- kernels ---- */

typedef struct count {
    int compiled, done, fail_at;
} count;

static int counted_run(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                       const poise_run *r, poise_error *err)
{
    (void)in, (void)out, (void)r, (void)err;
    if ((uintptr_t)scratch % 64 != 0)
        return -1;
    memset(scratch, 0xff, k->scratch); /* must be nobody else's memory */
    memset(out[0], 0, N * sizeof(float));
    return 0;
}

static void counted_done(void *state)
{
    count *c = state;
    c->done++;
}

static int counted_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    count *c = (count *)(uintptr_t)n->attr.p;
    if (c->compiled == c->fail_at)
        return poise_node_fail(n, POISE_E_MEMORY, err, "no room");
    c->compiled++;
    k->run = counted_run;
    k->done = counted_done;
    k->state = c;
    k->scratch = (size_t)n->attr.i[0];
    return 0;
}

static const poise_op counted = {.name = "counted",
                                 .formula = "y = 0",
                                 .min_in = 1,
                                 .max_in = 1,
                                 .nout = 1,
                                 .shape = toy_same_shape,
                                 .compile = counted_compile};

static void every_kernel_is_done_once_also_when_a_later_one_fails(void **state)
{
    for (int fail_at = 0; fail_at <= 3; fail_at++) {
        teardown(state);
        setup(state);
        fixture *f = *state;
        count c = {.fail_at = fail_at};
        for (int k = 0; k < 3; k++) {
            poise_attr a = {.i = {100 * (3 - k)}, .p = &c};
            poise_node *n = poise_apply(f->g, &counted, 1, &f->x, &a, NULL);
            poise_graph_output(f->g, n->out[0], NULL);
        }
        poise_store_seal(f->store, 1, NULL);
        poise_session *s = poise_session_new(f->g, NULL, &f->err);
        assert_int_equal(s != NULL, fail_at == 3);
        if (s) {
            assert_int_equal(poise_session_run(s, &once, &f->err), 0);
            for (int k = 0; k < 3; k++) {
                const float *y = poise_session_data(s, poise_graph_node(f->g, k)->out[0]);
                for (int i = 0; i < N; i++)
                    assert_true(y[i] == 0);
            }
            assert_int_equal(c.done, 0);
        } else {
            assert_non_null(strstr(f->err.message, "no room"));
        }
        poise_session_free(s);
        assert_int_equal(c.compiled, fail_at);
        assert_int_equal(c.done, c.compiled);
    }
}

static int compile_too_much(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = counted_run;
    k->scratch = SIZE_MAX - 10;
    return 0;
}

static void impossible_scratch_and_missing_kernels_are_errors(void **state)
{
    fixture *f = *state;
    poise_op op = counted;
    op.compile = compile_too_much;
    toy1(f->g, &op, f->x, NULL);
    poise_store_seal(f->store, 1, NULL);
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_int_equal(f->err.code, POISE_E_MEMORY);
    op.compile = NULL;
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_non_null(strstr(f->err.message, "counted: this operator cannot be run"));
}

static void the_first_error_of_a_run_has_its_place(void **state)
{
    fixture *f = *state;
    poise_graph_at(f->g, "city", (poise_place){"run.yaml", 8, 3}, NULL);
    int after = 0;
    poise_value *y = toy1(f->g, &toy_broken, f->x, NULL);
    poise_apply(f->g, &toy_effect, 1, &y, &(poise_attr){.p = &after}, NULL);
    poise_session *s = make(f, NULL);
    assert_int_equal(poise_session_run(s, &once, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_DATA);
    assert_string_equal(f->err.message, "city, broken: id 7 is not in [0, 3)");
    assert_string_equal(f->err.file, "run.yaml");
    assert_int_equal(f->err.line, 8);
    assert_int_equal(after, 0);
    assert_int_equal(poise_session_run(s, &once, NULL), -1);
    poise_session_free(s);
}

static int fail_with_name(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                          const poise_run *r, poise_error *err)
{
    (void)in, (void)out, (void)scratch, (void)r;
    return poise_node_fail(k->node, POISE_E_NUMERIC, err, "row 3 is not finite");
}

static int compile_fail_with_name(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = fail_with_name;
    return 0;
}

static void a_name_that_is_in_the_message_is_not_added_again(void **state)
{
    fixture *f = *state;
    poise_op op = counted;
    op.compile = compile_fail_with_name;
    poise_graph_at(f->g, "mix", POISE_NOWHERE, NULL);
    toy1(f->g, &op, f->x, NULL);
    poise_session *s = make(f, NULL);
    assert_int_equal(poise_session_run(s, &once, &f->err), -1);
    assert_int_equal(f->err.code, POISE_E_NUMERIC);
    assert_string_equal(f->err.message, "mix, counted: row 3 is not finite");
    poise_session_free(s);
}

/* ---- threads and memory ---- */

static int threads_seen(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                        const poise_run *r, poise_error *err)
{
    (void)k, (void)in, (void)scratch, (void)err;
    ((float *)out[0])[0] = (float)omp_get_max_threads();
    ((float *)out[0])[1] = (float)r->threads;
    return 0;
}

static int compile_threads_seen(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = threads_seen;
    return 0;
}

static void a_blas_called_in_a_kernel_sees_one_thread(void **state)
{
    fixture *f = *state;
    poise_op op = counted;
    op.compile = compile_threads_seen;
    poise_value *y = toy1(f->g, &op, f->x, NULL);
    poise_graph_output(f->g, y, NULL);
    poise_session *s = make(f, NULL);
    omp_set_num_threads(2);
    assert_int_equal(poise_session_run(s, &(poise_run){.threads = 0}, &f->err), 0);
    assert_true(((float *)poise_session_data(s, y))[0] == 1);
    assert_true(((float *)poise_session_data(s, y))[1] == 1);
    assert_int_equal(omp_get_max_threads(), 2);
    poise_session_free(s);
}

static void running_allocates_nothing(void **state)
{
    fixture *f = *state;
    if (!COUNT_ALLOC) {
        print_message("this build has another allocator: not counted\n");
        skip();
    }
    poise_value *y = toy1(f->g, &toy_square, toy2(f->g, &toy_mul, f->x, f->w, NULL), NULL);
    poise_gradient dx;
    assert_int_equal(poise_backward(f->g, 1, &y, NULL, 1, &f->w, &dx, &f->err), 0);
    poise_graph_output(f->g, y, NULL);
    long before = count_alloc();
    poise_session *s = make(
        f, &(poise_session_options){.ngradient = 1, .gradient = &dx.value, .param = (int[]){0}});
    assert_true(count_alloc() > before); /* the counter counts */
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    before = count_alloc();
    for (int k = 0; k < 10; k++)
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_int_equal(count_alloc() - before, 0);
    poise_session_free(s);
}

/* ---- two graphs, one store ---- */

static void a_second_graph_sees_what_the_first_one_trains(void **state)
{
    fixture *f = *state;
    poise_value *y = toy2(f->g, &toy_mul, f->x, f->w, NULL);
    poise_graph_output(f->g, y, NULL);
    poise_session *s = make(f, NULL);
    poise_graph *g2 = poise_graph_new(f->store, NULL); /* built after the seal */
    int64_t n = N;
    poise_value *x2 = poise_input(g2, "x", POISE_F32, 1, &n, NULL);
    poise_value *w2 = poise_weight(g2, "w", POISE_DENSE, 1, &n, (poise_init){0}, NULL);
    poise_value *y2 = toy2(g2, &toy_add, x2, w2, NULL);
    poise_graph_output(g2, y2, NULL);
    poise_session *s2 = poise_session_new(g2, NULL, &f->err);
    assert_non_null(s2);
    poise_store_weight(f->store, 0)[2] = 10;
    ((float *)poise_session_data(s2, x2))[2] = 7;
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_int_equal(poise_session_run(s2, &once, &f->err), 0);
    assert_true(((float *)poise_session_data(s, y))[2] == 10);
    assert_true(((float *)poise_session_data(s2, y2))[2] == 17);
    assert_null(poise_session_data(s2, y)); /* a value of another graph */
    poise_session_free(s2);
    poise_graph_free(g2);
    poise_session_free(s);
}

static void an_effect_may_change_a_state_parameter(void **state)
{
    fixture *f = *state;
    int64_t n = N;
    poise_init eight = {.kind = POISE_INIT_CONSTANT, .value = 8};
    poise_value *mean = poise_weight(f->g, "mean", POISE_STATE, 1, &n, eight, NULL);
    poise_value *y = toy2(f->g, &toy_blend, f->x, mean, NULL);
    poise_graph_output(f->g, y, NULL);
    poise_session *s = make(f, NULL);
    for (int k = 0; k < 3; k++)
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_true(((float *)poise_session_data(s, y))[1] == 2); /* x is 0 there; 8, 4, then 2 */
    assert_true(poise_store_weight(f->store, 2)[1] == 1);
    poise_session_free(s);
}

/* ---- sessions side by side ---- */

typedef struct lane {
    poise_session *s;
    poise_value *x, *y;
    float base;
    int wrong;
} lane;

static void *run_lane(void *arg)
{
    lane *l = arg;
    float *x = poise_session_data(l->s, l->x);
    const float *y = poise_session_data(l->s, l->y);
    for (int run = 0; run < 500; run++) {
        for (int k = 0; k < N; k++)
            x[k] = l->base + (float)(run + k);
        if (poise_session_run(l->s, &once, NULL) < 0)
            l->wrong++;
        for (int k = 0; k < N; k++) {
            float t = (l->base + (float)(run + k)) * 1.5f;
            l->wrong += y[k] != t * t + x[k];
        }
    }
    return NULL;
}

static void sessions_of_one_graph_run_side_by_side(void **state)
{
    fixture *f = *state;
    poise_value *h = toy2(f->g, &toy_mul, f->x, f->w, NULL);
    poise_value *y = toy2(f->g, &toy_add, toy1(f->g, &toy_square, h, NULL), f->x, NULL);
    poise_graph_output(f->g, y, NULL);
    lane lanes[3];
    pthread_t thread[3];
    for (int k = 0; k < 3; k++)
        lanes[k] = (lane){make(f, NULL), f->x, y, (float)(100 * k), 0};
    for (int k = 0; k < 3; k++)
        assert_int_equal(pthread_create(&thread[k], NULL, run_lane, &lanes[k]), 0);
    for (int k = 0; k < 3; k++) {
        pthread_join(thread[k], NULL);
        assert_int_equal(lanes[k].wrong, 0);
        poise_session_free(lanes[k].s);
    }
}

/* ---- odd graphs ---- */

static void an_empty_graph_and_leaves_as_outputs_run(void **state)
{
    fixture *f = *state;
    poise_graph_output(f->g, f->x, NULL);
    poise_graph_output(f->g, f->w, NULL);
    poise_session *s = make(f, NULL);
    assert_int_equal(poise_session_steps(s), 0);
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_true(((float *)poise_session_data(s, f->x))[4] == 3);
    poise_session_free(s);
}

static int looks;

static double ticks(void)
{
    return looks++;
}

static void steps_are_timed_with_the_clock_that_was_given_and_only_then(void **state)
{
    fixture *f = *state;
    poise_value *y = toy1(f->g, &toy_sum, toy1(f->g, &toy_square, f->x, NULL), NULL);
    poise_graph_output(f->g, y, NULL);
    poise_session *s = make(f, NULL);
    looks = 0;
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_int_equal(looks, 0);
    poise_session_profile(s, ticks);
    for (int run = 0; run < 3; run++)
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_int_equal(looks, 9);
    assert_true(poise_session_seconds(s, 0) == 3 && poise_session_seconds(s, 1) == 3);
    poise_session_profile(s, NULL);
    assert_int_equal(poise_session_run(s, &once, &f->err), 0);
    assert_int_equal(looks, 9);
    assert_true(poise_session_seconds(s, 0) == 0);
    poise_session_free(s);
}

static void nodes_keep_the_part_they_were_made_for(void **state)
{
    fixture *f = *state;
    poise_value *a = toy1(f->g, &toy_square, f->x, NULL);
    poise_graph_part(f->g, 3);
    poise_value *b = toy1(f->g, &toy_square, a, NULL);
    assert_int_equal(a->producer->part, 0);
    assert_int_equal(b->producer->part, 3);
}

static void what_was_removed_too_early_is_an_error(void **state)
{
    fixture *f = *state;
    poise_value *a = toy1(f->g, &toy_square, f->x, NULL);
    poise_rewrite_dead(f->g, NULL);
    poise_graph_output(f->g, a, NULL);
    poise_store_seal(f->store, 1, NULL);
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_non_null(strstr(f->err.message, "square: it was removed"));
    poise_graph_output(f->g, toy1(f->g, &toy_sum, a, NULL), NULL);
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_non_null(strstr(f->err.message, "sum: input 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_computes_its_graph),
        TEST(every_kernel_is_done_once_also_when_a_later_one_fails),
        TEST(impossible_scratch_and_missing_kernels_are_errors),
        TEST(the_first_error_of_a_run_has_its_place),
        TEST(a_name_that_is_in_the_message_is_not_added_again),
        TEST(a_blas_called_in_a_kernel_sees_one_thread),
        TEST(running_allocates_nothing),
        TEST(a_second_graph_sees_what_the_first_one_trains),
        TEST(an_effect_may_change_a_state_parameter),
        TEST(sessions_of_one_graph_run_side_by_side),
        TEST(an_empty_graph_and_leaves_as_outputs_run),
        TEST(steps_are_timed_with_the_clock_that_was_given_and_only_then),
        TEST(nodes_keep_the_part_they_were_made_for),
        TEST(what_was_removed_too_early_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
