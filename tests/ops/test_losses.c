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

typedef poise_value *build(poise_graph *, poise_value *, poise_value *, poise_value *,
                           poise_value **, poise_error *);

typedef struct loss {
    const char *name;
    int width;   /* of z */
    int classes; /* 0: a real label */
    build *build;
} loss;

#define WITH(name, ...)                                                                \
    static poise_value *name(poise_graph *g, poise_value *z, poise_value *label,       \
                             poise_value *weight, poise_value **sum, poise_error *err) \
    {                                                                                  \
        return poise_loss_##__VA_ARGS__;                                               \
    }
WITH(huber, huber(g, z, label, weight, 0.5, sum, err))
WITH(smoothed_bce, bce_with(g, z, label, weight, 0.1, 3.0, sum, err))
WITH(focal, focal(g, z, label, weight, 2.0, 0.25, 0.75, sum, err))
WITH(smoothed_softmax, softmax_with(g, z, label, weight, 0.1, sum, err))

static const loss losses[] = {
    {"bce", 1, 0, poise_loss_bce},
    {"softmax", C, C, poise_loss_softmax},
    {"squared", 1, 0, poise_loss_squared},
    {"huber", 1, 0, huber},
    {"bce, smoothed and weighted", 1, 0, smoothed_bce},
    {"focal", 1, 0, focal},
    {"poisson", 1, 0, poise_loss_poisson},
    {"mean", 1, 0, poise_loss_mean},
    {"softmax, smoothed", C, C, smoothed_softmax},
    {"ordinal", C - 1, C, poise_loss_ordinal},
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
    f->z = poise_input(f->g, "z", POISE_F32, 2, (int64_t[]){B, l->width}, &f->err);
    f->label =
        poise_input(f->g, "label", l->classes ? POISE_I32 : POISE_F32, 1, (int64_t[]){B}, &f->err);
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
    for (int i = 0; i < B * l->width; i++)
        z[i] = (float)(i % 17 - 8) / 4.0f - 6.0f * (float)(i % l->width);
    for (int b = 0; b < B; b++) {
        weight[b] = (float)(b % 5 + 1) / 3.0f;
        if (l->classes)
            ((int32_t *)poise_session_data(f->s, f->label))[b] = b % C;
        else
            ((float *)poise_session_data(f->s, f->label))[b] = (float)(b % 2);
    }
    return B * l->width;
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
        for (int c = 0; c < l->width; c++)
            z[b * l->width + c] = rubbish;
        if (way != BY_LABEL)
            weight[b] = way == BY_WEIGHT ? 0.0f : -2.0f;
        else if (l->classes)
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
                    for (int c = 0; c < l->width; c++)
                        if (row_is_masked(b) && !(dz[b * l->width + c] == 0.0f))
                            fail_msg("%s: row %d has the gradient %g", l->name, b,
                                     (double)dz[b * l->width + c]);
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
    for (int k = 0; k < LOSSES; k++) {
        fixture f;
        if (!losses[k].classes)
            continue;
        make(&f, &losses[k]);
        fill(&f, &losses[k]);
        ((int32_t *)poise_session_data(f.s, f.label))[12] = C;
        assert_int_equal(run(&f), -1);
        assert_int_equal(f.err.code, POISE_E_DATA);
        assert_non_null(
            strstr(f.err.message, "the label of row 12 is class 5; there are 5 classes"));
        ((float *)poise_session_data(f.s, f.weight))[12] = 0.0f;
        assert_int_equal(run(&f), 0);
        done(&f);
    }
}

/* The slope is finite where cumulative logits touch or cross, and pushes them apart. */
static void touching_thresholds_are_pushed_apart(void **state)
{
    (void)state;
    const loss *ordinal = &losses[LOSSES - 1];
    fixture f;
    make(&f, ordinal);
    fill(&f, ordinal);
    float *z = poise_session_data(f.s, f.z), *weight = poise_session_data(f.s, f.weight);
    int32_t *label = poise_session_data(f.s, f.label);
    memset(weight, 0, B * sizeof *weight);
    weight[0] = weight[1] = 1.0f;
    label[0] = label[1] = 2;
    z[1] = z[2] = 0.5f;
    z[C - 1 + 1] = 0.0f; /* the second row's cross */
    z[C - 1 + 2] = 3.0f;
    assert_int_equal(run(&f), 0);
    assert_true(isfinite(*(float *)poise_session_data(f.s, f.loss)));
    const float *dz = poise_session_data(f.s, f.dz);
    for (int row = 0; row < 2; row++, dz += C - 1)
        assert_true(isfinite(dz[1]) && dz[1] < -1e3f && isfinite(dz[2]) && dz[2] > 1e3f);
    done(&f);
}

/* Settings out of range are refused; NULL and a message, no graph that trains something else. */
static void settings_are_checked(void **state)
{
    (void)state;
    poise_error err = {0};
    poise_store *store = poise_store_new(&err);
    poise_graph *g = poise_network_graph(store, &err);
    poise_value *z = poise_input(g, "z", POISE_F32, 2, (int64_t[]){3, 1}, &err);
    poise_value *y = poise_input(g, "y", POISE_F32, 1, (int64_t[]){3}, &err);
    poise_value *c = poise_input(g, "c", POISE_I32, 1, (int64_t[]){3}, &err);
    assert_null(poise_loss_bce_with(g, z, y, y, 1.5, 1.0, NULL, &err));
    assert_string_equal(err.message, "loss_bce: smoothing is 1.5; it must be within 0 .. 1");
    assert_null(poise_loss_bce_with(g, z, y, y, 0.0, -1.0, NULL, &err));
    assert_null(poise_loss_focal(g, z, y, y, -1.0, 1.0, 1.0, NULL, &err));
    assert_null(poise_loss_focal(g, z, y, y, NAN, 1.0, 1.0, NULL, &err));
    assert_null(poise_loss_softmax_with(g, z, c, y, -0.1, NULL, &err));
    assert_null(poise_loss_huber(g, z, y, y, 0.0, NULL, &err));
    poise_graph_free(g);
    poise_store_free(store);
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
        cmocka_unit_test(touching_thresholds_are_pushed_apart),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(far_logits_are_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
