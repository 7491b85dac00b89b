/* The optimisers against PyTorch's values (tests/golden/optimizers.py), and what a slab pass and a
 * row pass must not do. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "train/optimizer.h"
#include "train/update.h"
#include "../golden/optimizers.h"

static const poise_init zero = {.kind = POISE_INIT_ZERO};

/* The three functions of optimizers.py. */
static float weight_at(int i)
{
    return (float)((i * 29) % 31 - 15) / 16;
}

static float gradient_at(int i, int t)
{
    return (float)((i * 37 + t * 101) % 97 - 48) / 32 * ldexpf(1, -8 * (i % 4));
}

static int touched(int r, int t)
{
    return (r * 3 + t) % 4 != 0;
}

static void same(double got, double want, double tolerance, const char *what, int at)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%s [%d]: %.9g, wanted %.9g", what, at, got, want);
}

static void same_bits(size_t n, const float *a, const float *b, const char *what)
{
    if (memcmp(a, b, n * sizeof *a) != 0)
        fail_msg("%s: other bits", what);
}

/* A store with a dense parameter, a running mean and a table. */
typedef struct fixture {
    poise_store *store;
    int dense, state, table;
} fixture;

static fixture make(int64_t n, int64_t rows, int64_t width)
{
    poise_error err = {0};
    fixture f = {.store = poise_store_new(&err)};

    f.table = poise_store_add(f.store, "table", POISE_TABLE, 2, (int64_t[]){rows, width}, zero,
                              POISE_NOWHERE, &err);
    f.dense = poise_store_add(f.store, "dense", POISE_DENSE, 1, &n, zero, POISE_NOWHERE, &err);
    f.state = poise_store_add(f.store, "state", POISE_STATE, 1, (int64_t[]){5}, zero, POISE_NOWHERE,
                              &err);
    assert_true(f.table >= 0 && f.dense >= 0 && f.state >= 0);
    assert_int_equal(poise_store_seal(f.store, 1, &err), 0);
    for (int i = 0; i < n; i++)
        poise_store_weight(f.store, f.dense)[i] = weight_at(i);
    for (int i = 0; i < rows * width; i++)
        poise_store_weight(f.store, f.table)[i] = weight_at(i);
    for (int i = 0; i < 5; i++)
        poise_store_weight(f.store, f.state)[i] = 7;
    return f;
}

static poise_optimizer *optimizer(const poise_optimizer_spec *spec, poise_store *s)
{
    poise_error err = {0};
    poise_optimizer *o = poise_optimizer_new(spec, s, &err);

    if (!o)
        fail_msg("%s", err.message);
    return o;
}

/* Rows that are touched in step t and their gradients, as autodiff hands them over; all != 0: every
 * row.  rows[] ends with -1. */
static void gradients(int t, int all, int32_t *rows, float *value)
{
    int n = 0;

    for (int r = ROWS; r-- > 0;) { /* any order of rows will do */
        if (!all && !touched(r, t))
            continue;
        for (int c = 0; c < WIDTH; c++)
            value[n * WIDTH + c] = gradient_at(r * WIDTH + c, t);
        rows[n++] = r;
    }
    for (; n <= ROWS; n++)
        rows[n] = -1;
}

static void dense_is_pytorch(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(N, ROWS, WIDTH);
        poise_optimizer *o = optimizer(&golden[k].spec, f.store);

        for (int t = 1; t <= STEPS; t++) {
            for (int i = 0; i < N; i++)
                poise_store_gradient(f.store, f.dense)[i] = gradient_at(i, t);
            poise_optimizer_begin(o, (uint64_t)t);
            poise_optimizer_dense(o, 2);
        }
        for (int i = 0; i < N; i++)
            same(poise_store_weight(f.store, f.dense)[i], golden[k].dense[i], 1e-6, golden[k].name,
                 i);
        poise_optimizer_free(o);
        poise_store_free(f.store);
    }
}

static void rows_are_pytorch(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(N, ROWS, WIDTH);
        poise_optimizer *o = optimizer(&golden[k].spec, f.store);
        int32_t rows[ROWS + 1];
        float value[ROWS * WIDTH];

        for (int t = 1; t <= STEPS && golden[k].has_rows; t++) {
            gradients(t, 0, rows, value);
            poise_optimizer_begin(o, (uint64_t)t);
            poise_optimizer_rows(o, f.table, ROWS + 1, rows, value);
        }
        for (int i = 0; i < ROWS * WIDTH && golden[k].has_rows; i++)
            same(poise_store_weight(f.store, f.table)[i], golden[k].rows[i], 1e-6, golden[k].name,
                 i);
        poise_optimizer_free(o);
        poise_store_free(f.store);
    }
}

/* Row-wise Adagrad by its formula in double: PyTorch has no such optimiser of its own. */
static void adagrad_by_row_has_one_sum_for_a_row(void **state)
{
    const poise_optimizer_spec spec = {POISE_ADAGRAD, .rate = 0.05, .eps = 1e-8,
                                       .weight_decay = 0.1, .by_row = 1};
    fixture f = make(3, ROWS, WIDTH);
    poise_optimizer *o = optimizer(&spec, f.store);
    double w[ROWS * WIDTH], sum[ROWS] = {0};
    const float *slab;

    (void)state;
    for (int i = 0; i < ROWS * WIDTH; i++)
        w[i] = (double)weight_at(i);
    for (int t = 1; t <= STEPS; t++) {
        int32_t rows[ROWS + 1];
        float value[(ROWS + 1) * WIDTH];
        gradients(t, 0, rows, value);
        poise_optimizer_begin(o, (uint64_t)t);
        poise_optimizer_rows(o, f.table, ROWS + 1, rows, value);
        for (int k = 0; rows[k] >= 0; k++) {
            double h[WIDTH], square = 0, *row = w + rows[k] * WIDTH;
            for (int i = 0; i < WIDTH; i++) {
                h[i] = (double)value[k * WIDTH + i] + 0.1 * row[i];
                square += h[i] * h[i];
            }
            sum[rows[k]] += square / WIDTH;
            for (int i = 0; i < WIDTH; i++)
                row[i] -= 0.05 * h[i] / (sqrt(sum[rows[k]]) + 1e-8);
        }
    }
    slab = poise_optimizer_slab(o, 1, NULL, NULL); /* of tables, of which there is one */
    for (int i = 0; i < ROWS * WIDTH; i++) {
        same((double)poise_store_weight(f.store, f.table)[i], w[i], 1e-6, "weight", i);
        same((double)slab[i], i % WIDTH ? 0 : sum[i / WIDTH], 1e-5, "sum", i);
    }
    poise_optimizer_free(o);
    poise_store_free(f.store);
}

/* Several tables on any number of threads are the same tables one by one. */
static void tables_together_are_tables_one_by_one(void **state)
{
    enum { MANY = 1000, WIDE = 5 };
    static const poise_optimizer_spec specs[] = {
        {POISE_SGD, .rate = 0.1},
        {POISE_ADAM, .rate = 0.1, .beta1 = 0.9, .beta2 = 0.9, .eps = 1e-8},
        {POISE_ADAGRAD, .rate = 0.1, .eps = 1e-8, .by_row = 1}};
    static int32_t rows[2][MANY];
    static float value[2][MANY * WIDE];

    (void)state;
    for (int j = 0; j < 2; j++)
        for (int k = 0; k < MANY; k++) {
            rows[j][k] = k < MANY - 100 * j ? (k * 37 + j) % MANY : -1; /* 37 and 1000: each once */
            for (int i = 0; i < WIDE; i++)
                value[j][k * WIDE + i] = gradient_at(i, k);
        }
    for (size_t s = 0; s < sizeof specs / sizeof *specs; s++)
        for (int threads = 1; threads <= 3; threads += 2) {
            fixture a = make(3, MANY, WIDE), b = make(3, MANY, WIDE);
            poise_optimizer *one = optimizer(&specs[s], a.store),
                            *all = optimizer(&specs[s], b.store);
            for (int j = 0; j < 2; j++) { /* in turns: the same table twice would not be allowed */
                poise_optimizer_rows(one, a.table, MANY, rows[j], value[j]);
                poise_optimizer_tables(
                    all, 1, &(poise_table_gradient){b.table, MANY, rows[j], value[j]}, threads);
            }
            same_bits(poise_store_size(a.store), poise_store_weights(a.store),
                      poise_store_weights(b.store), "weights");
            poise_optimizer_free(one);
            poise_optimizer_free(all);
            poise_store_free(a.store);
            poise_store_free(b.store);
        }
}

/* For every kind, momentum and decay included.  eps is small against the gradients used, so that
 * SparseAdam's place for it does not show. */
static void row_touched_in_every_step_is_dense(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(ROWS * WIDTH, ROWS, WIDTH);
        poise_optimizer_spec spec = golden[k].spec;
        poise_optimizer *o;
        int32_t rows[ROWS + 1];
        float value[ROWS * WIDTH];

        spec.eps = 1e-20;
        o = optimizer(&spec, f.store);
        for (int t = 1; t <= STEPS; t++) {
            for (int i = 0; i < ROWS * WIDTH; i++)
                poise_store_gradient(f.store, f.dense)[i] = gradient_at(i, t);
            gradients(t, 1, rows, value);
            poise_optimizer_begin(o, (uint64_t)t);
            poise_optimizer_dense(o, 1);
            poise_optimizer_rows(o, f.table, ROWS, rows, value);
        }
        same_bits(ROWS * WIDTH, poise_store_weight(f.store, f.table),
                  poise_store_weight(f.store, f.dense), golden[k].name);
        poise_optimizer_free(o);
        poise_store_free(f.store);
    }
}

static void untouched_rows_keep_their_bits(void **state)
{
    enum { ROW = 3, MOST = 4 };

    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(N, ROWS, WIDTH);
        poise_optimizer *o = optimizer(&golden[k].spec, f.store);
        size_t size[MOST + 1] = {poise_store_size(f.store)};
        size_t row[MOST + 1] = {poise_store_at(f.store, f.table)->offset + ROW * WIDTH};
        float *before[MOST + 1] = {0}, *now[MOST + 1] = {poise_store_weights(f.store)};
        float value[2 * WIDTH];
        int n = 1;

        for (int j = 0; j < poise_optimizer_slabs(o); j++) {
            const char *name;
            now[n] = poise_optimizer_slab(o, j, &name, &size[n]);
            row[n] = row[0] - (size[0] - size[n]); /* tables are the last part of the store */
            n += strncmp(name, "embedding/", 10) == 0;
        }
        assert_int_equal(2 * (n - 1), poise_optimizer_slabs(o));
        for (int i = 0; i < 2 * WIDTH; i++)
            value[i] = 1;
        /* once everywhere, so that there are moments to decay */
        for (int32_t r = 0; r < ROWS; r++)
            poise_optimizer_rows(o, f.table, 1, &r, value);
        for (int j = 0; j < n; j++) {
            before[j] = malloc(size[j] * sizeof(float));
            assert_non_null(before[j]);
            memcpy(before[j], now[j], size[j] * sizeof(float));
        }
        poise_optimizer_begin(o, 2);
        /* what stands behind the -1 is not read */
        poise_optimizer_rows(o, f.table, 3, (int32_t[]){ROW, -1, 99}, value);
        for (int j = 0; j < n; j++) {
            size_t at = row[j], end = at + WIDTH;
            same_bits(at, now[j], before[j], golden[k].name);
            same_bits(size[j] - end, now[j] + end, before[j] + end, golden[k].name);
            assert_true(now[j][at] != before[j][at]);
            free(before[j]);
        }
        poise_optimizer_free(o);
        poise_store_free(f.store);
    }
}

/* Tables, running means and padding are not the dense pass's; the gradients are only read. */
static void dense_pass_stays_in_its_place(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(N, ROWS, WIDTH), g = make(N, ROWS, WIDTH);
        poise_optimizer *o = optimizer(&golden[k].spec, f.store);
        size_t size = poise_store_size(f.store), end = poise_store_dense_size(f.store);
        size_t first = poise_store_at(f.store, f.dense)->offset;

        for (int i = 0; i < N; i++)
            poise_store_gradient(f.store, f.dense)[i] = 1;
        poise_optimizer_begin(o, 1);
        poise_optimizer_dense(o, 1);
        same_bits(size - end, poise_store_weights(f.store) + end,
                  poise_store_weights(g.store) + end, golden[k].name);
        for (int j = -1; j < poise_optimizer_slabs(o); j++) {
            size_t count = end;
            const char *name = "";
            const float *slab =
                j < 0 ? poise_store_weights(f.store) : poise_optimizer_slab(o, j, &name, &count);
            int dense = strncmp(name, "embedding/", 10) != 0;

            assert_true(!dense || count == end);
            for (size_t i = 0; i < count; i++)
                assert_true((dense && i >= first && i < first + N) || slab[i] == 0);
        }
        for (int i = 0; i < N; i++)
            assert_true(poise_store_gradient(f.store, f.dense)[i] == 1);
        poise_optimizer_free(o);
        poise_store_free(f.store);
        poise_store_free(g.store);
    }
}

static void bits_do_not_depend_on_threads(void **state)
{
    enum { LARGE = 70001 };
    static const int threads[] = {1, 2, 3, 7};

    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f[4];

        for (int j = 0; j < 4; j++) {
            poise_optimizer *o;

            f[j] = make(LARGE, 1, 1);
            o = optimizer(&golden[k].spec, f[j].store);
            for (int t = 1; t <= 3; t++) {
                for (int i = 0; i < LARGE; i++)
                    poise_store_gradient(f[j].store, f[j].dense)[i] = gradient_at(i % 1000, t);
                poise_optimizer_begin(o, (uint64_t)t);
                poise_optimizer_dense(o, threads[j]);
            }
            poise_optimizer_free(o);
            same_bits(LARGE, poise_store_weight(f[j].store, f[j].dense),
                      poise_store_weight(f[0].store, f[0].dense), golden[k].name);
        }
        for (int j = 0; j < 4; j++)
            poise_store_free(f[j].store);
    }
}

#if defined(__x86_64__)
static void instruction_sets_give_the_same_bits(void **state)
{
    enum { SIZE = 41 };
    poise__update *const plain[] = {poise__update_plain.plain, poise__update_plain.momentum,
                                    poise__update_plain.adam, poise__update_plain.adagrad,
                                    poise__update_plain.adagrad_row};
    poise__update *const avx2[] = {poise__update_avx2.plain, poise__update_avx2.momentum,
                                   poise__update_avx2.adam, poise__update_avx2.adagrad,
                                   poise__update_avx2.adagrad_row};
    poise__update_step s = {0.01f, 0.99f, 0.1f, 0.9f, 0.1f, 0.999f, 0.001f, 1e-8f};

    (void)state;
    if (!__builtin_cpu_supports("avx2"))
        skip();
    for (int k = 0; k < 5; k++)
        for (int n = 0; n <= SIZE; n++) {
            float w[2][SIZE], g[SIZE], a[2][SIZE], b[2][SIZE];

            for (int i = 0; i < SIZE; i++) {
                w[0][i] = w[1][i] = weight_at(i) / 3;
                g[i] = gradient_at(i, n) / 7;
                a[0][i] = a[1][i] = (float)i / 11;
                b[0][i] = b[1][i] = (float)i / 13;
            }
            plain[k](n, &s, w[0], g, a[0], b[0]);
            avx2[k](n, &s, w[1], g, a[1], b[1]);
            same_bits(SIZE, w[0], w[1], "weights");
            same_bits(SIZE, a[0], a[1], "first moments");
            same_bits(SIZE, b[0], b[1], "second moments");
            for (int i = n; i < SIZE; i++)
                assert_true(w[0][i] == weight_at(i) / 3);
        }
}
#endif

/* Resume stands on it: moments, step number and weights are the whole state. */
static void moments_are_all_there_is_to_remember(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof golden / sizeof *golden; k++) {
        fixture f = make(N, ROWS, WIDTH), g = make(N, ROWS, WIDTH);
        poise_optimizer *o = optimizer(&golden[k].spec, f.store), *p;
        size_t bytes = poise_store_size(f.store) * sizeof(float);

        for (int t = 1; t <= 6; t++) {
            for (int i = 0; i < N; i++)
                poise_store_gradient(f.store, f.dense)[i] =
                    poise_store_gradient(g.store, g.dense)[i] = gradient_at(i, t);
            if (t == 4) { /* move to another optimiser */
                p = optimizer(&golden[k].spec, g.store);
                memcpy(poise_store_weights(g.store), poise_store_weights(f.store), bytes);
                for (int j = 0; j < poise_optimizer_slabs(o); j++) {
                    size_t count;
                    const float *from = poise_optimizer_slab(o, j, NULL, &count);
                    memcpy(poise_optimizer_slab(p, j, NULL, NULL), from, count * sizeof(float));
                }
            }
            poise_optimizer_begin(o, (uint64_t)t);
            poise_optimizer_dense(o, 1);
            if (t >= 4) {
                poise_optimizer_begin(p, (uint64_t)t);
                poise_optimizer_dense(p, 1);
            }
        }
        same_bits(bytes / sizeof(float), poise_store_weights(f.store), poise_store_weights(g.store),
                  golden[k].name);
        poise_optimizer_free(o);
        poise_optimizer_free(p);
        poise_store_free(f.store);
        poise_store_free(g.store);
    }
}

static void slabs_have_names(void **state)
{
    static const struct {
        poise_optimizer_spec spec;
        int n;
        const char *name[2];
    } cases[] = {
        {{POISE_SGD, .rate = 1}, 0, {NULL, NULL}},
        {{POISE_SGD, .rate = 1, .momentum = 0.5}, 1, {"momentum", NULL}},
        {{POISE_ADAM, .rate = 1, .eps = 1e-8}, 2, {"m", "v"}},
        {{POISE_ADAMW, .rate = 1, .eps = 1e-8}, 2, {"m", "v"}},
        {{POISE_ADAGRAD, .rate = 1, .eps = 1e-8}, 1, {"sum", NULL}},
    };

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        fixture f = make(3, 2, 2);
        poise_optimizer *o = optimizer(&cases[k].spec, f.store);

        int n = cases[k].n;
        assert_int_equal(poise_optimizer_slabs(o), 2 * n);
        for (int j = 0; j < 2 * n; j++) {
            char want[40];
            const char *name;
            size_t count;
            const float *slab = poise_optimizer_slab(o, j, &name, &count);

            snprintf(want, sizeof want, j < n ? "%s" : "embedding/%s", cases[k].name[j % n]);
            assert_string_equal(name, want);
            for (size_t i = 0; i < count; i++)
                assert_true(slab[i] == 0);
        }
        poise_optimizer_free(o);
        poise_store_free(f.store);
    }
}

static void bad_settings_are_refused(void **state)
{
    static const struct {
        poise_optimizer_spec spec;
        const char *word;
    } cases[] = {
        {{POISE_SGD, .rate = -1}, "rate"},
        {{POISE_SGD, .rate = (double)NAN}, "rate"},
        {{POISE_SGD, .rate = (double)INFINITY}, "rate"},
        {{POISE_SGD, .rate = 1, .momentum = 1.5}, "momentum"},
        {{POISE_SGD, .rate = 1, .weight_decay = -0.1}, "weight_decay"},
        {{POISE_ADAM, .rate = 1, .beta1 = 1, .eps = 1e-8}, "beta1"},
        {{POISE_ADAMW, .rate = 1, .beta2 = 1, .eps = 1e-8}, "beta2"},
        {{POISE_ADAM, .rate = 1, .eps = 0}, "eps"},
        {{POISE_ADAGRAD, .rate = 1, .eps = -1}, "eps"},
        {{(poise_optimizer_kind)17, .rate = 1}, "17"},
    };
    fixture f = make(3, 2, 2);

    (void)state;
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        poise_error err = {0};

        assert_null(poise_optimizer_new(&cases[k].spec, f.store, &err));
        assert_int_equal(err.code, POISE_E_SPEC);
        if (!strstr(err.message, cases[k].word))
            fail_msg("\"%s\" does not speak of %s", err.message, cases[k].word);
    }
    poise_store_free(f.store);
}

static void store_must_be_sealed(void **state)
{
    poise_error err = {0};
    poise_store *s = poise_store_new(&err);
    poise_optimizer_spec spec = {POISE_SGD, .rate = 1};

    (void)state;
    assert_null(poise_optimizer_new(&spec, s, &err));
    assert_int_equal(err.code, POISE_E_SPEC);
    assert_non_null(strstr(err.message, "seal"));
    poise_store_free(s);
}

static void nonfinite_gradients_are_found(void **state)
{
    enum { SIZE = 9000 };
    static const int places[] = {0, 1, 15, 16, 4095, 4096, 8191, 8192, SIZE - 1};
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    poise_error err = {0};
    poise_store *s = poise_store_new(&err);
    int64_t n = SIZE;
    int first = poise_store_add(s, "a", POISE_DENSE, 1, (int64_t[]){3}, zero, POISE_NOWHERE, &err);
    int second = poise_store_add(s, "b", POISE_DENSE, 1, &n, zero, POISE_NOWHERE, &err);
    int param = -1;
    float *g;

    (void)state;
    assert_int_equal(poise_store_seal(s, 1, &err), 0);
    assert_int_equal(poise_gradients_finite(s, &param), 1);
    g = poise_store_gradient(s, second);
    g[5] = 3.4e38f;
    g[6] = 1e-45f;
    assert_int_equal(poise_gradients_finite(s, &param), 1);
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        for (int j = 0; j < 4; j++) {
            g[places[k]] = bad[j];
            assert_int_equal(poise_gradients_finite(s, &param), 0);
            assert_int_equal(param, second);
            g[places[k]] = 0;
        }
    g[0] = NAN;
    poise_store_gradient(s, first)[2] = INFINITY;
    assert_int_equal(poise_gradients_finite(s, &param), 0);
    assert_int_equal(param, first);
    assert_int_equal(poise_finite(0, NULL), 1);
    poise_store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dense_is_pytorch),
        cmocka_unit_test(rows_are_pytorch),
        cmocka_unit_test(adagrad_by_row_has_one_sum_for_a_row),
        cmocka_unit_test(tables_together_are_tables_one_by_one),
        cmocka_unit_test(row_touched_in_every_step_is_dense),
        cmocka_unit_test(untouched_rows_keep_their_bits),
        cmocka_unit_test(dense_pass_stays_in_its_place),
        cmocka_unit_test(bits_do_not_depend_on_threads),
#if defined(__x86_64__)
        cmocka_unit_test(instruction_sets_give_the_same_bits),
#endif
        cmocka_unit_test(moments_are_all_there_is_to_remember),
        cmocka_unit_test(slabs_have_names),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(store_must_be_sealed),
        cmocka_unit_test(nonfinite_gradients_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
