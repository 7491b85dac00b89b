/* Every strategy that TorchJD has too, on 240 matrices from well-conditioned to singular, against
 * what TorchJD 0.18 gave (from_torchjd.py; torchjd.bin).
 *
 * Weights are compared where the method has only one answer.  Where gradients may be dependent and
 * the method does not choose among equal answers, the steps are: the sums of the weighted gradients.
 * Where TorchJD stops before the solution, ours must be at least as good, by what is minimised. */
#include "gram_rig.h"

enum { WEIGHTS, STEP, LENGTH, FAIR };
enum { ONCE, TWICE, HALVES };

static const struct {
    const char *name, *parameters;
    int how, run;
    double tolerance; /* of FAIR: alpha */
} methods[] = {
    {"mgda", "", LENGTH, ONCE, 0.02},
    {"pcgrad", "order=fixed", WEIGHTS, ONCE, 1e-6},
    {"gradvac", "order=fixed", WEIGHTS, TWICE, 1e-5},
    {"cagrad", "rescale=none", STEP, ONCE, 1e-3},
    {"imtl_g", "form=pinv", STEP, ONCE, 1e-5},
    {"nash", "", FAIR, ONCE, 1},
    {"fairgrad", "", FAIR, ONCE, 1},
    {"fairgrad", "alpha=2", FAIR, ONCE, 2},
    {"aligned", "", WEIGHTS, ONCE, 1e-5},
    {"aligned", "scale_mode=median", WEIGHTS, ONCE, 1e-5},
    {"aligned", "scale_mode=rmse", WEIGHTS, ONCE, 1e-5},
    {"upgrad", "norm_eps=1e-4", WEIGHTS, ONCE, 1e-5},
    {"dualproj", "norm_eps=1e-4", WEIGHTS, ONCE, 1e-5},
    {"config", "", STEP, ONCE, 1e-5},
    {"krum", "f=1 m=2", WEIGHTS, ONCE, 0},
    /* at the lr 10 that it has by default, 20 rounds make a percent of the last bit */
    {"sdmgrad", "lr=0.5", WEIGHTS, HALVES, 1e-5},
    {"modo", "gamma=0.1", WEIGHTS, HALVES, 1e-6},
    {"pcd", "tau=0.1 beta=0.9", STEP, TWICE, 1e-5},
};
enum { NMETHOD = sizeof methods / sizeof methods[0] };

/* The file: for each method, for each matrix, T floats, little-endian. */
struct recorded {
    unsigned char *bytes;
    size_t size, at;
};

static int open_recorded(void **state)
{
    static struct recorded r;
    size_t want = 0;
    FILE *f = fopen(TEST_SOURCE "/balancers/torchjd.bin", "rb");
    assert_non_null(f);
    for (size_t k = 0; k < GRAM_MATRICES; k++)
        want += 4 * NMETHOD * (2 + k % 19);
    r.bytes = malloc(want + 1);
    assert_non_null(r.bytes);
    r.size = fread(r.bytes, 1, want + 1, f);
    fclose(f);
    assert_int_equal(r.size, want);
    *state = &r;
    return 0;
}

static int close_recorded(void **state)
{
    free(((struct recorded *)*state)->bytes);
    return 0;
}

static double next(struct recorded *r)
{
    const unsigned char *b = r->bytes + r->at;
    uint32_t bits =
        (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    r->at += 4;
    return value;
}

static void run(int method, uint32_t k, double *weight)
{
    static gram_gradients m, other;
    gram_matrix(k, 0, &m);
    gram_rig *r = gram_new(methods[method].name, methods[method].parameters, m.ntask);

    for (uint32_t salt = methods[method].run == ONCE ? 0 : 1;; salt--) {
        gram_matrix(k, salt, &m);
        gram_products(&m, &m, r->gram);
        if (methods[method].run == HALVES) { /* the second half's gradients differ a little */
            gram_matrix(k, salt + 2, &other);
            for (size_t i = 0; i < m.ntask; i++)
                for (size_t j = 0; j < m.columns; j++)
                    other.a[i][j] = m.a[i][j] + 0.25 * other.a[i][j];
            gram_products(&m, &other, r->half_gram);
        }
        gram_step(r);
        if (!salt)
            break;
    }
    memcpy(weight, r->weight, m.ntask * sizeof *weight);
    gram_free(r);
}

/* |sum of (x_t - y_t) g_t|; y may be NULL */
static double apart(const gram_gradients *m, const double *x, const double *y)
{
    double sum = 0;
    for (size_t j = 0; j < m->columns; j++) {
        double d = 0;
        for (size_t t = 0; t < m->ntask; t++)
            d += (x[t] - (y ? y[t] : 0)) * m->a[t][j];
        sum += d * d;
    }
    return sqrt(sum);
}

static double top(const double *x, size_t n)
{
    double most = 0;
    for (size_t k = 0; k < n; k++)
        most = fmax(most, fabs(x[k]));
    return most;
}

/* w'Gw / 2 - sum of w^(1 - q) / (1 - q), q = 1 / alpha, with the diagonal 1e-10 larger, without which
 * there is no least value where gradients are Pareto-stationary. */
static double unfair(const gram_gradients *m, const double *w, double alpha, double *residual)
{
    double value = pow(apart(m, w, NULL), 2) / 2, q = 1 / alpha;
    static double g[GRAM_TASKS * GRAM_TASKS];
    gram_products(m, m, g);
    *residual = 0;
    for (size_t t = 0; t < m->ntask; t++) {
        double have = poise_math_dot(g + t * m->ntask, w, m->ntask), want = pow(w[t], -q);
        value += 1e-10 * g[t * m->ntask + t] * w[t] * w[t] / 2;
        value -= alpha == 1 ? log(w[t]) : pow(w[t], 1 - q) / (1 - q);
        *residual = fmax(*residual, fabs(have / want - 1));
    }
    return value;
}

/* Solutions of G w = w^(-1/alpha): ours leaves no more of the objective than theirs, and where
 * theirs is one (*solved counts these), both make the same step. */
static int fair(const gram_gradients *m, const double *got, const double *want, int method,
                int *solved)
{
    double ours, theirs, alpha = methods[method].tolerance;
    double a = unfair(m, got, alpha, &ours), b = unfair(m, want, alpha, &theirs);
    if (a > b + 1e-6 * fmax(1, fabs(b))) /* theirs is in single precision */
        return 0;
    if (theirs > 1e-3)
        return 1;
    ++*solved;
    return apart(m, got, want) < 0.01 * apart(m, want, NULL);
}

static int agrees(const gram_gradients *m, const double *got, const double *want, int method,
                  int *solved)
{
    double tolerance = methods[method].tolerance, scale = 0;

    switch (methods[method].how) {
    case WEIGHTS:
        for (size_t t = 0; t < m->ntask; t++)
            if (!(fabs(got[t] - want[t]) <= tolerance * top(want, m->ntask) + 1e-9))
                return 0;
        return 1;
    case LENGTH: { /* the shortest point: ours is not longer, theirs is near it */
        double ours = apart(m, got, NULL), theirs = apart(m, want, NULL), longest = 0;
        for (size_t t = 0; t < m->ntask; t++)
            longest = fmax(longest, sqrt(poise_math_dot(m->a[t], m->a[t], m->columns)));
        return ours <= theirs + 1e-6 * longest && apart(m, got, want) <= tolerance * longest;
    }
    case FAIR:
        return fair(m, got, want, method, solved);
    default: /* the scale is for steps that all but vanish */
        for (size_t t = 0; t < m->ntask; t++)
            scale += fmax(fabs(want[t]), 0.1) * sqrt(poise_math_dot(m->a[t], m->a[t], m->columns));
        return apart(m, got, want) <= tolerance * apart(m, want, NULL) + 1e-6 * scale;
    }
}

static void strategies_agree_with_torchjd(void **state)
{
    struct recorded *r = *state;
    static gram_gradients m;
    int wrong = 0;

    r->at = 0;
    for (int method = 0; method < NMETHOD; method++) {
        int compared = 0, solved = 0;
        for (uint32_t k = 0; k < GRAM_MATRICES; k++) {
            double want[GRAM_TASKS], got[GRAM_TASKS];
            gram_matrix(k, 0, &m);
            for (uint32_t t = 0; t < m.ntask; t++)
                want[t] = next(r);
            if (isnan(want[0]))
                continue;
            compared++;
            run(method, k, got);
            if (agrees(&m, got, want, method, &solved))
                continue;
            wrong++;
            print_error("%s %s, matrix %u (kind %u, %u tasks): ", methods[method].name,
                        methods[method].parameters, (unsigned)k, (unsigned)k % 6,
                        (unsigned)m.ntask);
            for (uint32_t t = 0; t < m.ntask; t++)
                print_error(" %g|%g", got[t], want[t]);
            print_error("\n");
        }
        if (compared < 200)
            fail_msg("%s: only %d matrices were compared", methods[method].name, compared);
        if (methods[method].how == FAIR && solved < 100)
            fail_msg("%s: TorchJD solved only %d", methods[method].name, solved);
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strategies_agree_with_torchjd),
    };
    return cmocka_run_group_tests_name("torchjd", tests, open_recorded, close_recorded);
}
