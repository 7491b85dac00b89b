/* Rows that do not count change no bit of a loss or of its gradient, whatever they hold; their
 * own gradient is exactly 0; and a loss over no rows is 0. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include "core/session.h"
#include "ops/ops.h"

enum { B = 301, C = 5 };

typedef struct loss {
    const char *name;
    int classes; /* 1: a real label */
    poise_value *(*build)(poise_graph *, poise_value *, poise_value *, poise_value *,
                          poise_value **, poise_error *);
} loss;

static poise_value *huber(poise_graph *g, poise_value *z, poise_value *label, poise_value *weight,
                          poise_value **sum, poise_error *err)
{
    return poise_loss_huber(g, z, label, weight, 0.5, sum, err);
}

static const loss losses[] = {
    {"bce", 1, poise_loss_bce},
    {"softmax", C, poise_loss_softmax},
    {"squared", 1, poise_loss_squared},
    {"huber", 1, huber},
};
enum { LOSSES = sizeof losses / sizeof *losses };

typedef struct fixture {
    poise_store *store;
    poise_graph *g;
    poise_session *s;
    poise_value *z, *label, *weight, *loss, *sum, *dz;
    poise_error err;
} fixture;

static void make(fixture *f, const loss *l)
{
    char text[POISE_ERROR_TEXT];
    *f = (fixture){0};
    f->store = poise_store_new(&f->err);
    f->g = poise_network_graph(f->store, &f->err);
    f->z = poise_input(f->g, "z", POISE_F32, 2, (int64_t[]){B, l->classes}, &f->err);
    f->label = poise_input(f->g, "label", l->classes > 1 ? POISE_I32 : POISE_F32, 1, (int64_t[]){B},
                           &f->err);
    f->weight = poise_input(f->g, "weight", POISE_F32, 1, (int64_t[]){B}, &f->err);
    f->loss = l->build(f->g, f->z, f->label, f->weight, &f->sum, &f->err);
    poise_gradient d = {0};
    if (f->loss == NULL || poise_backward(f->g, 1, &f->loss, NULL, 1, &f->z, &d, &f->err) < 0 ||
        poise_graph_output(f->g, f->loss, &f->err) < 0 ||
        poise_graph_output(f->g, f->sum, &f->err) < 0 ||
        poise_graph_output(f->g, f->dz = d.value, &f->err) < 0 ||
        poise_store_seal(f->store, 1, &f->err) < 0 ||
        (f->s = poise_session_new(f->g, NULL, &f->err)) == NULL)
        fail_msg("%s: %s", l->name, poise_error_text(&f->err, text, sizeof text));
}

static void done(fixture *f)
{
    poise_session_free(f->s);
    poise_graph_free(f->g);
    poise_store_free(f->store);
}

static int run(fixture *f)
{
    return poise_session_run(f->s, &(poise_run){.threads = 1}, &f->err);
}

/* Ordinary values; returns the number of logits. */
static int fill(fixture *f, const loss *l)
{
    float *z = poise_session_data(f->s, f->z), *weight = poise_session_data(f->s, f->weight);
    for (int i = 0; i < B * l->classes; i++)
        z[i] = (float)(i % 17 - 8) / 4.0f;
    for (int b = 0; b < B; b++) {
        weight[b] = (float)(b % 5 + 1) / 3.0f;
        if (l->classes > 1)
            ((int32_t *)poise_session_data(f->s, f->label))[b] = b % C;
        else
            ((float *)poise_session_data(f->s, f->label))[b] = (float)(b % 2);
    }
    return B * l->classes;
}

static int row_is_masked(int b)
{
    return b % 3 == 1 || b >= 290;
}

/* How a row is made not to count. */
enum { BY_WEIGHT, BY_NEGATIVE_WEIGHT, BY_LABEL, WAYS };

static void mask(fixture *f, const loss *l, int way, float rubbish)
{
    float *z = poise_session_data(f->s, f->z), *weight = poise_session_data(f->s, f->weight);
    for (int b = 0; b < B; b++) {
        if (!row_is_masked(b))
            continue;
        for (int c = 0; c < l->classes; c++)
            z[b * l->classes + c] = rubbish;
        if (way != BY_LABEL)
            weight[b] = way == BY_WEIGHT ? 0.0f : -2.0f;
        else if (l->classes > 1)
            ((int32_t *)poise_session_data(f->s, f->label))[b] = -7;
        else
            ((float *)poise_session_data(f->s, f->label))[b] = NAN;
    }
}

static void masked_rows_change_nothing(void **state)
{
    (void)state;
    static const float rubbish[] = {0.0f, 1e30f, INFINITY, NAN};
    static float wanted[B * C];
    for (int k = 0; k < LOSSES; k++) {
        const loss *l = &losses[k];
        fixture f;
        make(&f, l);
        for (int way = 0; way < WAYS; way++)
            for (int r = 0; r < 4; r++) {
                const int n = fill(&f, l);
                mask(&f, l, way, rubbish[r]);
                assert_int_equal(run(&f), 0);
                const float value = *(float *)poise_session_data(f.s, f.loss);
                const float *dz = poise_session_data(f.s, f.dz);
                assert_true(isfinite(value) && value > 0.0f);
                for (int b = 0; b < B; b++)
                    for (int c = 0; c < l->classes; c++)
                        if (row_is_masked(b) && !(dz[b * l->classes + c] == 0.0f))
                            fail_msg("%s: row %d has the gradient %g", l->name, b,
                                     (double)dz[b * l->classes + c]);
                if (way == 0 && r == 0)
                    memcpy(wanted, dz, (size_t)n * sizeof *dz);
                assert_memory_equal(wanted, dz, (size_t)n * sizeof *dz);
            }
        done(&f);
    }
}

/* The mean over the rows that count, as if the others were not there. */
static void the_mean_is_over_what_counts(void **state)
{
    (void)state;
    for (int k = 0; k < LOSSES; k++) {
        const loss *l = &losses[k];
        fixture f;
        make(&f, l);
        fill(&f, l);
        mask(&f, l, BY_WEIGHT, NAN);
        assert_int_equal(run(&f), 0);
        double sum = 0.0;
        for (int b = 0; b < B; b++)
            if (!row_is_masked(b))
                sum += (double)((float)(b % 5 + 1) / 3.0f);
        assert_true(*(float *)poise_session_data(f.s, f.sum) == (float)sum);
        const float before = *(float *)poise_session_data(f.s, f.loss);
        float *weight = poise_session_data(f.s, f.weight);
        for (int b = 0; b < B; b++)
            weight[b] *= 4.0f; /* a power of two: exact */
        assert_int_equal(run(&f), 0);
        assert_true(*(float *)poise_session_data(f.s, f.loss) == before);
        done(&f);
    }
}

static void no_rows_give_zero(void **state)
{
    (void)state;
    for (int k = 0; k < LOSSES; k++) {
        const loss *l = &losses[k];
        fixture f;
        make(&f, l);
        const int n = fill(&f, l);
        memset(poise_session_data(f.s, f.weight), 0, B * sizeof(float));
        assert_int_equal(run(&f), 0);
        assert_true(*(float *)poise_session_data(f.s, f.loss) == 0.0f);
        assert_true(*(float *)poise_session_data(f.s, f.sum) == 0.0f);
        for (int i = 0; i < n; i++)
            assert_true(((float *)poise_session_data(f.s, f.dz))[i] == 0.0f);
        done(&f);
    }
}

static void a_class_out_of_range_is_named(void **state)
{
    (void)state;
    fixture f;
    make(&f, &losses[1]);
    fill(&f, &losses[1]);
    ((int32_t *)poise_session_data(f.s, f.label))[12] = C;
    assert_int_equal(run(&f), -1);
    assert_int_equal(f.err.code, POISE_E_DATA);
    assert_non_null(strstr(f.err.message, "the label of row 12 is class 5; there are 5 classes"));
    ((float *)poise_session_data(f.s, f.weight))[12] = 0.0f;
    assert_int_equal(run(&f), 0);
    done(&f);
}

/* Logits so far out that e^z overflows still have a finite loss and the right slope. */
static void far_logits_are_finite(void **state)
{
    (void)state;
    fixture f;
    make(&f, &losses[0]);
    fill(&f, &losses[0]);
    float *z = poise_session_data(f.s, f.z), *weight = poise_session_data(f.s, f.weight);
    float *label = poise_session_data(f.s, f.label);
    memset(weight, 0, B * sizeof *weight);
    z[0] = 500.0f;
    label[0] = 0.0f;
    z[1] = -500.0f;
    label[1] = 1.0f;
    weight[0] = weight[1] = 1.0f;
    assert_int_equal(run(&f), 0);
    assert_true(*(float *)poise_session_data(f.s, f.loss) == 500.0f);
    const float *dz = poise_session_data(f.s, f.dz);
    assert_true(dz[0] == 0.5f && dz[1] == -0.5f);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(masked_rows_change_nothing),
        cmocka_unit_test(the_mean_is_over_what_counts),
        cmocka_unit_test(no_rows_give_zero),
        cmocka_unit_test(a_class_out_of_range_is_named),
        cmocka_unit_test(far_logits_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
