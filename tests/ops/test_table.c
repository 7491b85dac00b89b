/* Every operator of the table computes its formula and its gradient, and none goes untested:
 * forward against a double-precision reference, gradients against central differences of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ops/table.h"
#include "reference.h"
#include "rig.h"

static void make(rig *r, const op_case *c)
{
    char text[POISE_ERROR_TEXT];
    if (rig_make(r, c) < 0)
        fail_msg("%s: %s", c->op, poise_error_text(&r->err, text, sizeof text));
}

static void run(rig *r, int threads)
{
    char text[POISE_ERROR_TEXT];
    const poise_run how = rig_run(threads);
    if (poise_session_run(r->s, &how, &r->err) < 0)
        fail_msg("%s: %s", r->c->op, poise_error_text(&r->err, text, sizeof text));
}

/* ---- a case in double ---- */

typedef struct doubles {
    double *in[MAX_INPUTS];
    double *out[4];
} doubles;

static double *zeros(int64_t count)
{
    double *x = calloc((size_t)count, sizeof *x);
    assert_non_null(x);
    return x;
}

/* The inputs as they are before the run: it may change them (the running mean). */
static doubles double_of(const rig *r)
{
    doubles d = {{NULL}, {NULL}};
    for (int k = 0; k < r->nin; k++) {
        if (r->in[k] == NULL)
            continue;
        d.in[k] = zeros(poise_value_count(r->in[k]));
        for (int64_t i = 0; i < poise_value_count(r->in[k]); i++)
            d.in[k][i] = rig_at(r, r->in[k], i);
    }
    for (int o = 0; o < r->node->nout; o++)
        d.out[o] = zeros(poise_value_count(r->node->out[o]));
    return d;
}

static void done(doubles *d)
{
    for (int k = 0; k < MAX_INPUTS; k++)
        free(d->in[k]);
    for (int o = 0; o < 4; o++)
        free(d->out[o]);
}

/* The case's inputs in the order of the node's, which a builder may have changed. */
static void evaluate(const rig *r, doubles *d)
{
    const double *in[MAX_INPUTS] = {NULL};
    const poise_run how = rig_run(1);
    for (int i = 0; i < r->node->nin; i++)
        for (int k = 0; k < r->nin; k++)
            if (r->node->in[i] != NULL && r->node->in[i] == r->in[k])
                in[i] = d->in[k];
    reference_of(r->c->op)(r->node, in, d->out, &how);
}

/* ---- forward ---- */

static void compare(const rig *r, const char *what, int64_t i, double got, double wanted,
                    double tolerance)
{
    char text[400];
    if (!(fabs(got - wanted) <= tolerance))
        fail_msg("%s: %s[%lld] is %.9g, the reference has %.9g (%.2g apart, %.2g allowed)",
                 rig_text(r, text, sizeof text), what, (long long)i, got, wanted,
                 fabs(got - wanted), tolerance);
}

static void forward_agrees(const rig *r, const doubles *d)
{
    char what[32];
    for (int o = 0; o < r->node->nout; o++) {
        poise_value *v = r->node->out[o];
        const double relative = v->dtype == POISE_F64 ? 1e-13 : 2e-6;
        double largest = 0.0;
        for (int64_t i = 0; i < poise_value_count(v); i++)
            largest = fmax(largest, fabs(d->out[o][i]));
        snprintf(what, sizeof what, "output %d", o);
        for (int64_t i = 0; i < poise_value_count(v); i++)
            compare(r, what, i, rig_at(r, v, i), d->out[o][i], relative * largest);
    }
}

/* ---- gradients ---- */

/* sum over i of dy[i] y[i], of the reference */
static double weighed(const rig *r, doubles *d)
{
    double sum = 0.0;
    evaluate(r, d);
    for (int64_t i = 0; i < poise_value_count(r->node->out[0]); i++)
        sum += rig_at(r, r->dy, i) * d->out[0][i];
    return sum;
}

static double difference(const rig *r, doubles *d, int k, int64_t i)
{
    const double x = d->in[k][i], h = 1e-5;
    d->in[k][i] = x + h;
    const double above = weighed(r, d);
    d->in[k][i] = x - h;
    const double below = weighed(r, d);
    d->in[k][i] = x;
    return (above - below) / (2.0 * h);
}

/* The gradient of input k as a dense array; that of a table is given by rows. */
static double *gradient(const rig *r, int k)
{
    char text[400];
    const int64_t count = poise_value_count(r->in[k]);
    double *g = zeros(count);
    poise_value *value = r->din[k].value, *rows = r->din[k].rows;
    assert_non_null(value);
    assert_true((rows != NULL) == (r->c->in[k].fill == TABLE));
    const int64_t width = rows ? value->dim[1] : count;
    int ended = 0;
    for (int64_t b = 0; b < (rows ? value->dim[0] : 1); b++) {
        const int64_t row = rows ? (int64_t)rig_at(r, rows, b) : 0;
        ended |= row < 0;
        for (int64_t i = 0; i < width; i++) {
            const double v = rig_at(r, value, b * width + i);
            if (ended && (row >= 0 || v != 0.0))
                fail_msg("%s: rows go on after the end, at %lld", rig_text(r, text, sizeof text),
                         (long long)b);
            if (!ended)
                g[row * width + i] += v;
        }
        for (int64_t a = 0; rows != NULL && !ended && a < b; a++)
            if (rig_at(r, rows, a) == (double)row)
                fail_msg("%s: row %lld is there twice", rig_text(r, text, sizeof text),
                         (long long)row);
    }
    return g;
}

static void gradients_agree(const rig *r, doubles *d)
{
    enum { PLACES = 16 }; /* of a large input, spread evenly */
    char what[32];
    for (int k = 0; k < r->nin; k++) {
        if (r->dy == NULL || !rig_wants(r, k))
            continue;
        double *got = gradient(r, k), largest = 0.0;
        const int64_t count = poise_value_count(r->in[k]);
        for (int64_t i = 0; i < count; i++)
            largest = fmax(largest, fabs(got[i]));
        const int64_t step = count > 4 * PLACES || poise_value_count(r->dy) > 4000
                                 ? (count + PLACES - 1) / PLACES
                                 : 1;
        snprintf(what, sizeof what, "gradient %d", k);
        for (int64_t i = 0; i < count; i += step)
            compare(r, what, i, got[i], difference(r, d, k, i), 1e-5 * largest + 1e-7);
        free(got);
    }
}

static void every_operator_agrees_with_its_reference(void **state)
{
    (void)state;
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        rig r;
        make(&r, c);
        assert_string_equal(r.node->op->name, c->op);
        doubles d = double_of(&r);
        run(&r, 1);
        evaluate(&r, &d);
        forward_agrees(&r, &d);
        gradients_agree(&r, &d);
        done(&d);
        rig_done(&r);
    }
}

/* ---- completeness ---- */

static const char *const forward[] = {
#define F(name) #name,
#define B(name)
#define R(name)
    POISE__OPS(F, B, R)
#undef F
#undef B
#undef R
};

static const char *const backward[] = {
#define F(name)
#define B(name) #name,
#define R(name)
    POISE__OPS(F, B, R)
#undef F
#undef B
#undef R
};

/* How many operators rewrites alone make. */
enum {
    REWRITTEN = 0
#define F(name)
#define B(name)
#define R(name) +1
    POISE__OPS(F, B, R)
#undef F
#undef B
#undef R
};

static void every_forward_operator_has_a_case_and_a_reference(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof forward / sizeof *forward; k++) {
        int cases = 0;
        for (const op_case *c = op_cases; c->op != NULL; c++)
            cases += strcmp(c->op, forward[k]) == 0;
        if (cases == 0)
            fail_msg("%s has no case in tests/ops/cases.c", forward[k]);
        if (reference_of(forward[k]) == NULL)
            fail_msg("%s has no reference in tests/ops/reference_*.c", forward[k]);
    }
}

static void every_backward_operator_is_part_of_a_case(void **state)
{
    (void)state;
    int seen[sizeof backward / sizeof *backward] = {0};
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        rig r;
        make(&r, c);
        for (int i = 0; i < poise_graph_nodes(r.g); i++)
            for (size_t k = 0; k < sizeof backward / sizeof *backward; k++)
                seen[k] |= strcmp(poise_graph_node(r.g, i)->op->name, backward[k]) == 0;
        rig_done(&r);
    }
    for (size_t k = 0; k < sizeof backward / sizeof *backward; k++)
        if (!seen[k])
            fail_msg("%s is not run by any case", backward[k]);
}

static void a_forward_operator_has_a_gradient_or_says_that_it_has_none(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof forward / sizeof *forward; k++) {
        const poise_op *op = poise_op_find(forward[k]);
        assert_non_null(op);
        const int stops = (op->flags & POISE_OP_STOP) != 0;
        if (strcmp(op->name, "weighted_sum") != 0 && (op->backward == NULL) != stops)
            fail_msg("%s %s", op->name, stops ? "stops, yet has a gradient" : "has no gradient");
    }
}

static void rows_of_the_table_are_complete_and_named_once(void **state)
{
    (void)state;
    int n = 0;
    for (const poise_op *const *o = poise_ops(); *o != NULL; o++, n++) {
        assert_ptr_equal(poise_op_find((*o)->name), *o);
        assert_true(strlen((*o)->formula) > 0);
        assert_non_null((*o)->shape);
        assert_true(((*o)->flags & POISE_OP_VIEW) != 0 || (*o)->compile != NULL);
        assert_true((*o)->max_in < 0 || (*o)->max_in >= (*o)->min_in);
    }
    assert_int_equal(n, sizeof forward / sizeof *forward + sizeof backward / sizeof *backward +
                            REWRITTEN);
    assert_null(poise_op_find("no_such_operator"));
}

static void no_step_runs_on_reference_code(void **state)
{
    (void)state;
    for (const op_case *c = op_cases; c->op != NULL; c++) {
        rig r;
        make(&r, c);
        for (int i = 0; i < poise_session_steps(r.s); i++) {
            const poise_kernel *k = poise_session_step(r.s, i);
            const char *name = k->node->op->name;
            assert_non_null(k->impl);
            if (strstr(k->impl, "ref") != NULL)
                fail_msg("%s runs on %s", name, k->impl);
            if (strstr(name, "linear") != NULL) {
                assert_true(strncmp(k->impl, "own:", 4) == 0 || strcmp(k->impl, "dnnl:sgemm") == 0);
                assert_true(k->flops > 0.0);
            }
        }
        rig_done(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_operator_agrees_with_its_reference),
        cmocka_unit_test(every_forward_operator_has_a_case_and_a_reference),
        cmocka_unit_test(every_backward_operator_is_part_of_a_case),
        cmocka_unit_test(a_forward_operator_has_a_gradient_or_says_that_it_has_none),
        cmocka_unit_test(rows_of_the_table_are_complete_and_named_once),
        cmocka_unit_test(no_step_runs_on_reference_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
