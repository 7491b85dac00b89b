/* A session runs a graph: gradients land in the slab, nothing is allocated, errors have a place. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/count_alloc.h"
#include "toy_ops.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

int omp_get_max_threads(void);
void omp_set_num_threads(int n);

enum { N = 5 };

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_value *x, *w, *v; /* input and two dense parameters, f32[N] */
    poise_error err;
} fixture;

static const poise_run once = {.seed = 1, .threads = 1};

static int setup(void **state)
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

static int teardown(void **state)
{
    fixture *f = *state;
    poise_graph_free(f->g);
    poise_store_free(f->store);
    return 0;
}

static poise_session *make(fixture *f, const poise_session_options *o)
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

/* ---- gradients in the slab ---- */

static void expect(fixture *f, int param, float a, float b)
{
    const float *d = poise_store_gradient(f->store, param);
    for (int k = 0; k < N; k++) {
        float x = (float)k - 1.0f, want = a * x + b;
        if (d[k] != want)
            fail_msg("parameter %d, element %d: %g is not %g", param, k, (double)d[k],
                     (double)want);
    }
}

/* Each row gives the gradients of w and v as values that are hard to pin. */
typedef struct pins {
    poise_value *w, *v;
} pins;

static pins two_computed(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_mul, f->x, f->w, NULL); /* 1.5 x */
    return (pins){toy2(f->g, &toy_add, t, f->x, NULL), t};
}
static pins the_same_value(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){t, t};
}
static pins an_input_and_a_parameter(fixture *f)
{
    return (pins){f->x, f->v};
}
static pins in_place_of_each_other(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){toy2(f->g, &toy_add, t, f->x, NULL), t};
}
static poise_value *view(fixture *f, poise_value *x, int64_t a, int64_t b)
{
    return toy_shaped(f->g, &toy_reshape, x, 0, 2, (int64_t[]){a, b}, NULL);
}
static pins views_of_one(fixture *f)
{
    poise_value *t = toy2(f->g, &toy_add, f->x, f->x, NULL);
    return (pins){view(f, t, 1, N), view(f, view(f, t, 1, N), N, 1)};
}
static pins a_view_of_an_input(fixture *f)
{
    return (pins){view(f, f->x, N, 1), view(f, f->w, N, 1)};
}

static void gradients_are_computed_into_the_slab(void **state)
{
    static const struct {
        pins (*make)(fixture *);
        float wa, wb, va, vb; /* want: a x + b */
        int copies;
    } rows[] = {
        {two_computed, 2.5f, 0, 1.5f, 0, 0},
        {the_same_value, 2, 0, 2, 0, 1},
        {an_input_and_a_parameter, 1, 0, 0, 1.5f, 2},
        {in_place_of_each_other, 3, 0, 2, 0, 0},
        {views_of_one, 2, 0, 2, 0, 1},
        {a_view_of_an_input, 1, 0, 0, 1.5f, 2},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        teardown(state);
        setup(state);
        fixture *f = *state;
        pins p = rows[r].make(f);
        poise_value *gradient[] = {p.w, p.v};
        poise_graph_output(f->g, p.w, NULL);
        poise_graph_output(f->g, p.v, NULL);
        assert_true(poise_rewrite_dead(f->g, &f->err) >= 0);
        poise_session *s = make(
            f,
            &(poise_session_options){.ngradient = 2, .gradient = gradient, .param = (int[]){0, 1}});
        int copies = 0;
        for (int k = 0; k < poise_session_steps(s); k++)
            copies += strcmp(poise_session_step(s, k)->node->op->name, "copy") == 0;
        assert_int_equal(copies, rows[r].copies);
        assert_int_equal(poise_session_run(s, &once, &f->err), 0);
        expect(f, 0, rows[r].wa, rows[r].wb);
        expect(f, 1, rows[r].va, rows[r].vb);
        if (rows[r].copies == 0)
            assert_ptr_equal(poise_session_data(s, p.w), poise_store_gradient(f->store, 0));
        poise_session_free(s);
    }
}

static void wrong_gradients_are_refused(void **state)
{
    fixture *f = *state;
    int64_t n = N, small = 2;
    poise_init zero = {.kind = POISE_INIT_ZERO};
    poise_weight(f->g, "mean", POISE_STATE, 1, &n, zero, NULL); /* parameter 2 */
    poise_value *t = toy1(f->g, &toy_square, f->x, NULL);
    poise_value *dead = toy1(f->g, &toy_sum, t, NULL);
    poise_value *few = poise_input(f->g, "few", POISE_F32, 1, &small, NULL);
    poise_value *ids = poise_input(f->g, "ids", POISE_I32, 1, &n, NULL);
    poise_graph_output(f->g, t, NULL);
    poise_rewrite_dead(f->g, NULL);
    poise_value *both[] = {t, f->x};
    poise_value *gone = toy_shaped(f->g, &toy_spread, dead, 0, 1, &n, NULL);
    gone->producer->dead = 1;
    const struct {
        int n;
        poise_value *gradient[2];
        int param[2];
        const char *want;
    } rows[] = {
        {1, {NULL}, {0}, "not a value"},
        {1, {t}, {-1}, "parameter -1"},
        {1, {t}, {3}, "parameter 3"},
        {1, {t}, {2}, "parameter 2, which is not a dense"},
        {1, {few}, {0}, "\"w\" is f32[2]; 5 elements"},
        {1, {ids}, {0}, "i32[5]"},
        {2, {both[0], both[1]}, {1, 1}, "two gradients are given for \"v\""},
        {1, {gone}, {0}, "removed"},
    };
    assert_null(poise_session_new(f->g, NULL, &f->err));
    assert_non_null(strstr(f->err.message, "sealed"));
    poise_store_seal(f->store, 1, NULL);
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        poise_session_options o = {
            .ngradient = rows[r].n, .gradient = rows[r].gradient, .param = rows[r].param};
        assert_null(poise_session_new(f->g, &o, &f->err));
        assert_int_equal(f->err.code, POISE_E_GRADIENT);
        if (!strstr(f->err.message, rows[r].want))
            fail_msg("row %zu: \"%s\" has no \"%s\"", r, f->err.message, rows[r].want);
    }
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

/* ---- looking for NaN ---- */

static void the_first_node_that_is_not_finite_is_found(void **state)
{
    fixture *f = *state;
    int effects = 0;
    poise_graph_at(f->g, "tower", (poise_place){"m.yaml", 5, 1}, NULL);
    poise_value *a = toy2(f->g, &toy_mul, f->x, f->w, NULL);
    poise_value *b = toy1(f->g, &toy_square, a, NULL);
    poise_node *e = poise_apply(f->g, &toy_effect, 1, &b, &(poise_attr){.p = &effects}, NULL);
    poise_value *c = toy1(f->g, &toy_sum, e->out[0], NULL);
    poise_graph_output(f->g, c, NULL);
    poise_session *s = make(f, NULL);
    float *x = poise_session_data(s, f->x);
    const poise_value *v;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    assert_int_equal(f->err.code, POISE_OK);
    assert_null(v);
    assert_int_equal(effects, 0); /* the run was dry */

    x[3] = 1e30f; /* a is finite, b = a a is not */
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), b->producer);
    assert_ptr_equal(v, b);
    x[3] = NAN;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), a->producer);
    assert_ptr_equal(v, f->x);
    x[3] = 1;
    poise_store_weight(f->store, 0)[1] = INFINITY;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), a->producer);
    assert_ptr_equal(v, f->w);
    assert_int_equal(effects, 0);
    poise_session_free(s);
}

static int zeros(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                 const poise_run *r, poise_error *err)
{
    (void)k, (void)in, (void)scratch, (void)r, (void)err;
    memset(out[0], 0, N * sizeof(float));
    return 0;
}

static int compile_zeros(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n, (void)err;
    k->run = zeros;
    return 0;
}

/* A node may hide a NaN.  In an input that is how a label is missing; in a parameter it is not. */
static void a_hidden_parameter_is_found_and_a_missing_label_is_not(void **state)
{
    fixture *f = *state;
    poise_op op = counted;
    op.compile = compile_zeros;
    poise_value *a = toy1(f->g, &op, f->x, NULL);
    poise_value *seen = toy_shaped(f->g, &toy_reshape, f->w, 0, 2, (int64_t[]){N, 1}, NULL);
    poise_value *b = toy1(f->g, &op, seen, NULL);
    poise_graph_output(f->g, a, NULL);
    poise_session *s = make(f, NULL);
    const poise_value *v;
    ((float *)poise_session_data(s, f->x))[0] = NAN;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    poise_store_weight(f->store, 0)[0] = NAN;
    assert_ptr_equal(poise_session_find_nonfinite(s, &once, &v, &f->err), b->producer);
    assert_ptr_equal(v, f->w);
    poise_session_free(s);
}

static void a_failing_search_says_so(void **state)
{
    fixture *f = *state;
    toy1(f->g, &toy_broken, f->x, NULL);
    poise_session *s = make(f, NULL);
    const poise_value *v;
    assert_null(poise_session_find_nonfinite(s, &once, &v, &f->err));
    assert_int_equal(f->err.code, POISE_E_DATA);
    poise_session_free(s);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_session_computes_its_graph),
        TEST(gradients_are_computed_into_the_slab),
        TEST(wrong_gradients_are_refused),
        TEST(every_kernel_is_done_once_also_when_a_later_one_fails),
        TEST(impossible_scratch_and_missing_kernels_are_errors),
        TEST(the_first_error_of_a_run_has_its_place),
        TEST(a_blas_called_in_a_kernel_sees_one_thread),
        TEST(running_allocates_nothing),
        TEST(a_second_graph_sees_what_the_first_one_trains),
        TEST(an_effect_may_change_a_state_parameter),
        TEST(sessions_of_one_graph_run_side_by_side),
        TEST(the_first_node_that_is_not_finite_is_found),
        TEST(a_hidden_parameter_is_found_and_a_missing_label_is_not),
        TEST(a_failing_search_says_so),
        TEST(an_empty_graph_and_leaves_as_outputs_run),
        TEST(what_was_removed_too_early_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
