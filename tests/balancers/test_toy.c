/* The strategies on problems of two numbers that papers draw their pictures of (toy.h): where each
 * path ends.
 *
 *     balancers_toy                  the tests
 *     balancers_toy --points FILE    the paths over the valleys, for bench/toy_picture.py
 *
 * The bounds on x1 are what the rules in closed form for two tasks give, from the start and from
 * twelve starts that are moved by about 1e-9: paths that cross a valley of log f bounce between its
 * sides, and end elsewhere after a change in the last digit.  famo's are those of its authors'
 * program.  Under a sanitizer only the first path of each strategy is walked. */
#include "toy.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOW = 1 };
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
enum { SLOW = 1 };
#else
enum { SLOW = 0 };
#endif
#else
enum { SLOW = 0 };
#endif

enum { LONG = 100000, SHORT = 35000, FAMO = 50000 };

/* FRONT: on the Pareto set.  STUCK: in a valley, before the line x2 = 0.  LATE: not on the Pareto set
 * yet.  ANYWHERE: after so many steps that hangs on the last digit. */
typedef enum end { FRONT, STUCK, LATE, ANYWHERE } end;

typedef struct path {
    const char *strategy, *settings;
    double scale; /* of the first loss */
    int steps;
    double start[2];
    end end;
    double low, high; /* bounds of x1 at the end */
} path;

/* clang-format off */
#define CAGRAD   "c=0.5 rescale=linear"
#define SMALL    "reg_eps=1e-7"
#define BOUNDS   "min_loss=-2.1,-21 weight_decay=0"
static const path paths[] = {
    /* CAGrad's picture: three starts, scale 1 */
    {"equal",    "weight=0.5",  1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"equal",    "weight=0.5",  1, LONG, {-8.5, 7.5}, STUCK, -5.20, -4.90},
    {"equal",    "weight=0.5",  1, LONG, {9, 9},      STUCK,  4.90,  5.20},
    {"pcgrad",   "",            1, LONG, {-8.5, -5},  FRONT, -6.45, -6.41},
    {"pcgrad",   "",            1, LONG, {-8.5, 7.5}, FRONT, -4.00, -1.70},
    {"pcgrad",   "",            1, LONG, {9, 9},      FRONT,  1.70,  4.80},
    {"mgda",     "",            1, LONG, {-8.5, -5},  FRONT, -7.01, -6.97},
    {"mgda",     "",            1, LONG, {-8.5, 7.5}, FRONT, -3.35, -3.29},
    {"mgda",     "",            1, LONG, {9, 9},      FRONT,  3.30,  3.36},
    {"cagrad",   CAGRAD,        1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"cagrad",   CAGRAD,        1, LONG, {-8.5, 7.5}, FRONT, -0.02,  0.02},
    {"cagrad",   CAGRAD,        1, LONG, {9, 9},      FRONT, -0.02,  0.02},
    {"imtl_g",   "",            1, LONG, {-8.5, -5},  FRONT, -6.68, -6.62},
    {"imtl_g",   "",            1, LONG, {-8.5, 7.5}, FRONT, -2.60, -2.10},
    {"imtl_g",   "",            1, LONG, {9, 9},      FRONT,  2.00,  2.40},
    {"nash",     "",            1, LONG, {-8.5, -5},  FRONT, -6.35, -6.15},
    /* with two tasks half of pcgrad, but for what keeps their programs regular: that moves them
     * along the front */
    {"upgrad",   SMALL,         1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"upgrad",   SMALL,         1, LONG, {-8.5, 7.5}, FRONT, -0.02,  0.02},
    {"upgrad",   SMALL,         1, LONG, {9, 9},      FRONT, -0.02,  0.02},
    {"dualproj", SMALL,         1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"dualproj", SMALL,         1, LONG, {-8.5, 7.5}, FRONT, -0.02,  0.02},
    {"dualproj", SMALL,         1, LONG, {9, 9},      FRONT, -0.02,  0.02},
    /* opposite gradients are one direction, of rank 1: the mean's */
    {"aligned",  "",            1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"aligned",  "",            1, LONG, {-8.5, 7.5}, FRONT, -0.02,  0.02},
    {"aligned",  "",            1, LONG, {9, 9},      FRONT, -0.02,  0.02},
    {"config",   "",            1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"config",   "",            1, LONG, {-8.5, 7.5}, FRONT, -0.02,  0.02},
    {"config",   "",            1, LONG, {9, 9},      FRONT, -0.02,  0.02},
    {"gradvac",  "",            1, LONG, {-8.5, -5},  FRONT, -0.02,  0.02},
    {"gradvac",  "",            1, LONG, {-8.5, 7.5}, ANYWHERE, -8,  -5},
    {"gradvac",  "",            1, LONG, {9, 9},      ANYWHERE,  5,   8},
    /* Nash-MTL's picture: five starts, scale 0.1 */
    {"equal",    "weight=0.5", .1, SHORT, {0, 0},      FRONT, -5.75, -5.70},
    {"equal",    "weight=0.5", .1, SHORT, {-8.5, 7.5}, ANYWHERE, -9, -5},
    {"equal",    "weight=0.5", .1, SHORT, {9, 9},      STUCK,  4.90,  5.10},
    {"equal",    "weight=0.5", .1, SHORT, {-7.5, -.5}, FRONT, -5.75, -5.70},
    {"equal",    "weight=0.5", .1, SHORT, {9, -1},     FRONT, -5.75, -5.70},
    {"pcgrad",   "",           .1, SHORT, {0, 0},      FRONT, -3.38, -3.32},
    {"pcgrad",   "",           .1, SHORT, {-8.5, 7.5}, FRONT, -5.50, -3.80},
    {"pcgrad",   "",           .1, SHORT, {9, 9},      LATE,   5.30,  7.00},
    {"pcgrad",   "",           .1, SHORT, {-7.5, -.5}, FRONT, -3.85, -3.79},
    {"pcgrad",   "",           .1, SHORT, {9, -1},     FRONT,  5.01,  5.07},
    {"mgda",     "",           .1, SHORT, {0, 0},      FRONT,  6.07,  6.13},
    {"mgda",     "",           .1, SHORT, {-8.5, 7.5}, FRONT, -2.01, -1.95},
    {"mgda",     "",           .1, SHORT, {9, 9},      FRONT,  6.95,  7.01},
    {"mgda",     "",           .1, SHORT, {-7.5, -.5}, FRONT, -4.29, -4.23},
    {"mgda",     "",           .1, SHORT, {9, -1},     FRONT,  6.97,  7.03},
    {"cagrad",   "c=0.4",      .1, SHORT, {0, 0},      FRONT, -5.75, -5.70},
    {"cagrad",   "c=0.4",      .1, SHORT, {-8.5, 7.5}, ANYWHERE, -9, -4},
    {"cagrad",   "c=0.4",      .1, SHORT, {9, 9},      LATE,   4.80,  7.20},
    {"cagrad",   "c=0.4",      .1, SHORT, {-7.5, -.5}, FRONT, -5.75, -5.70},
    {"cagrad",   "c=0.4",      .1, SHORT, {9, -1},     FRONT, -5.75, -5.70},
    {"imtl_g",   "",           .1, SHORT, {0, 0},      FRONT, -0.03,  0.03},
    {"imtl_g",   "",           .1, SHORT, {-8.5, 7.5}, FRONT, -2.40, -2.10},
    {"imtl_g",   "",           .1, SHORT, {9, 9},      FRONT,  2.40,  2.46},
    {"imtl_g",   "",           .1, SHORT, {-7.5, -.5}, FRONT, -3.42, -3.36},
    {"imtl_g",   "",           .1, SHORT, {9, -1},     FRONT,  5.27,  5.33},
    {"nash",     "",           .1, SHORT, {0, 0},      FRONT, -0.03,  0.03},
    {"nash",     "",           .1, SHORT, {-8.5, 7.5}, FRONT, -3.02, -2.84},
    {"nash",     "",           .1, SHORT, {9, 9},      FRONT,  2.84,  3.02},
    {"nash",     "",           .1, SHORT, {-7.5, -.5}, FRONT, -3.37, -3.20},
    {"nash",     "",           .1, SHORT, {9, -1},     FRONT,  4.82,  4.99},
    {"fairgrad", "",           .1, SHORT, {9, -1},     FRONT,  4.82,  4.99},
    {"famo",     BOUNDS,       .1, FAMO,  {0, 0},      FRONT,  0.03,  0.13},
    {"famo",     BOUNDS,       .1, FAMO,  {-8.5, 7.5}, FRONT, -0.41, -0.21},
    {"famo",     BOUNDS,       .1, FAMO,  {9, 9},      FRONT,  0.26,  0.46},
    {"famo",     BOUNDS,       .1, FAMO,  {-7.5, -.5}, FRONT, -1.00, -0.90},
    {"famo",     BOUNDS,       .1, FAMO,  {9, -1},     FRONT,  1.70,  1.80},
};
/* clang-format on */
enum { PATHS = sizeof paths / sizeof paths[0] };

static toy_walk walk_of(const path *p)
{
    return (toy_walk){.strategy = p->strategy,
                      .settings = p->settings,
                      .problem = toy_valleys,
                      .scale = p->scale,
                      .rate = 1e-3,
                      .adam = 1};
}

static int same_strategy(const path *a, const path *b)
{
    return !strcmp(a->strategy, b->strategy) && !strcmp(a->settings, b->settings) &&
           fabs(a->scale - b->scale) < 1e-9;
}

static int ends_as_said(const path *p, const double x[2])
{
    double off = fabs(x[1] - toy_front(fmin(fmax(x[0], -7), 7)));
    int place = p->end == FRONT   ? off < 0.05
                : p->end == STUCK ? x[1] > 1
                : p->end == LATE  ? off > 1
                                  : 1;

    if (place && x[0] >= p->low && x[0] <= p->high)
        return 1;
    print_error("%s %s, scale %g, from (%g, %g): ends at (%.4f, %.4f); wanted x1 in [%g, %g] %s\n",
                p->strategy, p->settings, p->scale, p->start[0], p->start[1], x[0], x[1], p->low,
                p->high,
                p->end == FRONT   ? "on the Pareto set"
                : p->end == STUCK ? "above the line x2 = 1"
                : p->end == LATE  ? "not yet on the Pareto set"
                                  : "");
    return 0;
}

static void paths_end_where_the_rules_lead(void **state)
{
    int wrong = 0;

    (void)state;
    for (int k = 0; k < PATHS; k++) {
        double x[2] = {paths[k].start[0], paths[k].start[1]};
        toy_walk w = walk_of(&paths[k]);

        if (SLOW && k && same_strategy(&paths[k], &paths[k - 1]))
            continue;
        toy_go(&w, paths[k].steps, x);
        wrong += !ends_as_said(&paths[k], x);
    }
    assert_int_equal(wrong, 0);
}

static void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance))
        fail_msg("%.8g, not %.8g", got, want);
}

/* Losses at the starts and on the front, worked out from the formulas by hand; gradients against
 * differences of the losses. */
static void the_losses_are_the_papers(void **state)
{
    static const struct {
        double x[2], loss[2];
    } rows[] = {{{-8.5, 7.5}, {6.55236, 7.90080}},    {{-8.5, -5}, {4.05992, -19.42150}},
                {{9, 9}, {7.94395, 6.69150}},         {{0, 0}, {0, 0}},
                {{-7.5, -0.5}, {0.38881, -4.75448}},  {{9, -1}, {-8.83106, 2.81429}},
                {{0, -8.3552}, {-15.0916, -15.0916}}, {{7, -8.3552}, {-19.9893, -0.3986}}};
    double loss[2], grad[2][2], other[2], unused[2][2];

    (void)state;
    for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
        toy_valleys(rows[k].x, 1, loss, grad);
        for (int t = 0; t < 2; t++)
            near(loss[t], rows[k].loss[t], 6e-5);
        for (int i = 0; fabs(rows[k].x[1]) > 0 && i < 2; i++) {
            double x[2] = {rows[k].x[0], rows[k].x[1]}, up[2];

            x[i] += 1e-6;
            toy_valleys(x, 1, up, unused);
            x[i] -= 2e-6;
            toy_valleys(x, 1, other, unused);
            for (int t = 0; t < 2; t++)
                near((up[t] - other[t]) / 2e-6, grad[t][i], 1e-7 * (1 + fabs(grad[t][i])));
        }
    }
    toy_valleys((double[]){0, 0}, 1, loss, grad);
    near(grad[0][1], 10.85638, 6e-6);
    near(grad[1][1], 10.85638, 6e-6);
    near(toy_front(0), -8.3552, 1.5e-4);
}

/* A strategy on the quadratic problems; `rate` makes its step as long as the mean's. */
static const struct quadratic {
    const char *strategy, *settings;
    double rate;
    int no_conflict_is_mean; /* where gradients do not conflict, the step is the mean's */
    double off;              /* how near to the ellipses' Pareto set it comes in 500 steps */
} quadratics[] = {
    {"equal", "weight=0.5", 1, 1, 0.1},
    {"pcgrad", "", 0.5, 1, 0.01},
    {"gradvac", "", 0.5, 1, 0.1},
    {"upgrad", SMALL, 1, 1, 0.01},
    {"dualproj", SMALL, 1, 1, 0.1},
    {"mgda", "", 1, 0, 0.3},
    {"cagrad", "rescale=none", 1, 0, 0.1},
    {"config", "", 1, 0, 0.02},
    {"nash", "", 0.5, 0, 0.1},
    {"aligned", "", 1, 0, 1},
};
enum { QUADRATICS = sizeof quadratics / sizeof quadratics[0] };

/* On x1^2 and x2^2, whose gradients are orthogonal, the mean's path is a geometric sequence; the
 * others come nearer to (0, 0) or to an axis, where one task cannot gain any more. */
static void without_conflict_projections_do_nothing(void **state)
{
    static const double start[][2] = {{3, -2}, {0, -3}, {-4, 4}, {-3, 4}, {-3.5, -0.75}};
    const double rate = 0.075, left = pow(1 - rate, 50);

    (void)state;
    for (int k = 0; k < QUADRATICS; k++)
        for (int s = 0; s < 5; s++) {
            toy_walk w = {quadratics[k].strategy,
                          quadratics[k].settings,
                          toy_squares,
                          1,
                          rate * quadratics[k].rate,
                          0,
                          NULL,
                          NULL};
            double x[2] = {start[s][0], start[s][1]};

            toy_go(&w, 50, x);
            for (int i = 0; i < 2; i++) {
                assert_true(fabs(x[i]) <= fabs(start[s][i]));
                if (quadratics[k].no_conflict_is_mean)
                    near(x[i], start[s][i] * left, 1e-9);
            }
            if (!strcmp(w.strategy, "mgda"))
                assert_true(fabs(x[0] * x[1]) < 0.01);
        }
}

static void quadratic_paths_end_on_the_pareto_set(void **state)
{
    static const double start[][2] = {{0.5, 0.5}, {-1, 7}, {0, 0}, {1, 6}};

    (void)state;
    for (int k = 0; k < QUADRATICS; k++)
        for (int s = 0; s < 4; s++) {
            toy_walk w = {quadratics[k].strategy,
                          quadratics[k].settings,
                          toy_ellipses,
                          1,
                          0.05 * quadratics[k].rate,
                          0,
                          NULL,
                          NULL};
            double x[2] = {start[s][0], start[s][1]}, off;

            toy_go(&w, 500, x);
            off = toy_off_ellipses(x);
            if (!(off <= quadratics[k].off))
                fail_msg("%s from (%g, %g): (%.4f, %.4f) is %g off", w.strategy, start[s][0],
                         start[s][1], x[0], x[1], off);
        }
}

/* ---- the points of a picture ---- */

typedef struct pen {
    FILE *f;
    const path *path;
    double last[2]; /* the point written last */
    int step;
} pen;

static void put(pen *p, int step, const double x[2])
{
    (void)fprintf(p->f, "%g,%s,%g,%g,%d,%.4f,%.4f\n", p->path->scale, p->path->strategy,
                  p->path->start[0], p->path->start[1], step, x[0], x[1]);
    p->last[0] = x[0];
    p->last[1] = x[1];
}

static void draw(void *user, int step, const double x[2])
{
    pen *p = user;

    if (!step || hypot(x[0] - p->last[0], x[1] - p->last[1]) > 0.1)
        put(p, step, x);
}

static int write_points(const char *file)
{
    pen p = {.f = fopen(file, "w")};
    int status;

    if (!p.f) {
        print_error("%s cannot be written\n", file);
        return 1;
    }
    (void)fprintf(p.f, "scale,strategy,start1,start2,step,x1,x2\n");
    for (int k = 0; k < PATHS; k++) {
        double x[2] = {paths[k].start[0], paths[k].start[1]};
        toy_walk w = walk_of(&paths[k]);

        p.path = &paths[k];
        w.seen = draw;
        w.user = &p;
        toy_go(&w, paths[k].steps, x);
        put(&p, paths[k].steps, x);
    }
    status = ferror(p.f);
    return fclose(p.f) || status;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_losses_are_the_papers),
        cmocka_unit_test(paths_end_where_the_rules_lead),
        cmocka_unit_test(without_conflict_projections_do_nothing),
        cmocka_unit_test(quadratic_paths_end_on_the_pareto_set),
    };

    if (argc == 3 && !strcmp(argv[1], "--points"))
        return write_points(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
