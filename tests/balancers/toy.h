/* toy.h -- two losses of two numbers, and the path that a strategy takes over them.
 *
 * The problems are those that papers draw their pictures of; theta = (x1, x2), losses and gradients
 * in double precision:
 *
 *   valleys    log f1 and log f2 above the line x2 = 0, two bowls q1 and q2 below it, blended by
 *              c1 = max(tanh(x2 / 2), 0), c2 = max(tanh(-x2 / 2), 0):
 *                f1 = log(max(|(-x1 - 7) / 2 + tanh(x2)|, 5e-6)) + 6
 *                f2 = log(max(|(-x1 + 3) / 2 - tanh(x2) + 2|, 5e-6)) + 6
 *                q1, q2 = ((x1 -+ 7)^2 + (x2 + 8)^2 / 10) / 10 - 20
 *                L1 = scale (f1 c1 + q1 c2),  L2 = f2 c1 + q2 c2
 *              Pareto set: x2 = -8.3552, x1 in [-7, 7] (CAGrad, Nash-MTL, FAMO: their toy.py)
 *   squares    x1^2, x2^2: the Pareto set is (0, 0) (TorchJD trajectories, "EWQ")
 *   ellipses   (x - u_i)' A_i (x - u_i), two narrow bowls at (1, 0) and (-1, 0) (TorchJD, "CQF")
 *
 * toy_walk does what training does: losses, gradients, their Gram matrix, the strategy's weights,
 * one step of Adam or of gradient descent along the weighted sum.  The losses after a step are those
 * at the next point. */
#ifndef TOY_H
#define TOY_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plugins/plugin.h"

enum { TOY_SETTINGS = 4 };
typedef void toy_problem(const double x[2], double scale, double loss[2], double grad[2][2]);

static inline void toy_valleys(const double x[2], double scale, double loss[2], double grad[2][2])
{
    const double least = 5e-6, t = tanh(x[1]), half = tanh(x[1] / 2), slope = 1 - half * half;
    double c[2] = {fmax(half, 0), fmax(-half, 0)};
    double dc[2] = {half >= 0 ? slope / 2 : 0, half <= 0 ? -slope / 2 : 0};

    for (int k = 0; k < 2; k++) {
        double sign = k ? -1 : 1; /* f1, q1; f2, q2 */
        double h = (k ? (3 - x[0]) / 2 + 2 : (-7 - x[0]) / 2) + sign * t;
        double f = log(fmax(fabs(h), least)) + 6, moves = fabs(h) >= least ? 1 / h : 0;
        double away = x[0] - sign * 7, down = x[1] + 8;
        double q = (away * away + 0.1 * down * down) / 10 - 20, s = k ? 1 : scale;

        loss[k] = s * (f * c[0] + q * c[1]);
        grad[k][0] = s * (-0.5 * moves * c[0] + away / 5 * c[1]);
        grad[k][1] =
            s * (sign * (1 - t * t) * moves * c[0] + f * dc[0] + down / 50 * c[1] + q * dc[1]);
    }
}

/* x2 of the valleys' Pareto set above x1 in [-7, 7]: where the gradients are opposite.  It hardly
 * bends: -8.3551 at 0, -8.4344 at the ends. */
static inline double toy_front(double x1)
{
    double low = -10, high = -7, loss[2], g[2][2];

    for (int k = 0; k < 60; k++) {
        double x[2] = {x1, (low + high) / 2};

        toy_valleys(x, 1, loss, g);
        if (g[0][0] * g[1][1] - g[0][1] * g[1][0] < 0)
            high = x[1];
        else
            low = x[1];
    }
    return (low + high) / 2;
}

static inline void toy_squares(const double x[2], double scale, double loss[2], double grad[2][2])
{
    (void)scale;
    for (int k = 0; k < 2; k++) {
        loss[k] = x[k] * x[k];
        grad[k][k] = 2 * x[k];
        grad[k][1 - k] = 0;
    }
}

/* A_1 and A_2 of the ellipses: A = B B', B_1 = [[c, -s], [s, c]] diag(1, 0.1) and
 * B_2 = [[c, s], [-s, c]] diag(sqrt(3), 0.1), with c and s the cosine and sine of pi / 16. */
static inline void toy_ellipse(int k, double a[2][2])
{
    const double angle = acos(-1.0) / 16, c = cos(angle), s = k ? -sin(angle) : sin(angle);
    const double d[2] = {k ? 3 : 1, 0.01};

    a[0][0] = c * c * d[0] + s * s * d[1];
    a[1][1] = s * s * d[0] + c * c * d[1];
    a[0][1] = a[1][0] = c * s * (d[0] - d[1]);
}

static inline void toy_ellipses(const double x[2], double scale, double loss[2], double grad[2][2])
{
    (void)scale;
    for (int k = 0; k < 2; k++) {
        double a[2][2], y[2] = {x[0] - (k ? -1 : 1), x[1]};

        toy_ellipse(k, a);
        for (int i = 0; i < 2; i++)
            grad[k][i] = 2 * (a[i][0] * y[0] + a[i][1] * y[1]);
        loss[k] = (grad[k][0] * y[0] + grad[k][1] * y[1]) / 2;
    }
}

/* How far x is from the Pareto set of the ellipses, the points
 * x(w) = (w A_1 + (1 - w) A_2)^-1 (w A_1 u_1 + (1 - w) A_2 u_2) for w in [0, 1]. */
static inline double toy_off_ellipses(const double x[2])
{
    enum { GRID = 4000 };
    double a[2][2][2], nearest = INFINITY;

    toy_ellipse(0, a[0]);
    toy_ellipse(1, a[1]);
    for (int k = 0; k <= GRID; k++) {
        double w = (double)k / GRID, m[2][2], b[2];

        for (int i = 0; i < 2; i++) {
            b[i] = w * a[0][i][0] - (1 - w) * a[1][i][0];
            for (int j = 0; j < 2; j++)
                m[i][j] = w * a[0][i][j] + (1 - w) * a[1][i][j];
        }
        double det = m[0][0] * m[1][1] - m[0][1] * m[1][0];
        double dx = (m[1][1] * b[0] - m[0][1] * b[1]) / det - x[0];
        double dy = (m[0][0] * b[1] - m[1][0] * b[0]) / det - x[1];
        nearest = fmin(nearest, sqrt(dx * dx + dy * dy));
    }
    return nearest;
}

typedef struct toy_walk {
    const char *strategy;
    const char *settings; /* "name=value ..."; "name=v1,v2" one for each task */
    toy_problem *problem;
    double scale, rate;
    int adam;                                              /* 0: gradient descent */
    void (*seen)(void *user, int step, const double x[2]); /* may be NULL */
    void *user;
} toy_walk;

static inline poise_balance *toy_balance(const toy_walk *w, poise_plugin **plugin)
{
    static const char *const task[] = {"a", "b"};
    char copy[256], path[512], *rest = copy;
    const char *text[TOY_SETTINGS][2];
    poise_setting setting[TOY_SETTINGS];
    int n = 0;
    poise_error err = {0};
    poise_balance *b = NULL;

    snprintf(copy, sizeof copy, "%s", w->settings ? w->settings : "");
    for (char *word; (word = strtok_r(rest, " ", &rest)) != NULL; n++) {
        char *value = strchr(word, '='), *comma;

        assert_true(n < TOY_SETTINGS && value);
        *value++ = 0;
        comma = strchr(value, ',');
        if (comma)
            *comma++ = 0;
        text[n][0] = value;
        text[n][1] = comma;
        setting[n] = (poise_setting){.name = word, .n = comma ? 2 : 1, .text = text[n]};
        if (comma)
            setting[n].task = task;
    }
    snprintf(path, sizeof path, "%s/balancers/%s.so", TEST_BUILD, w->strategy);
    *plugin = poise_plugin_load(path, &err);
    if (*plugin)
        b = poise_balance_new(*plugin, 2, task, 7, n, setting, NULL, &err);
    if (!b)
        fail_msg("%s: %s", w->strategy, err.message);
    return b;
}

/* Take `steps` steps from x, which ends where the path ends. */
static inline void toy_go(const toy_walk *w, int steps, double x[2])
{
    double labelled[2] = {1, 1}, loss[2], first[2], after[2] = {(double)NAN, (double)NAN}, norm[2],
           kpi[2] = {(double)NAN, (double)NAN}, gram[4], grad[2][2], weight[2], m[2] = {0, 0},
           v[2] = {0, 0}, b1 = 1, b2 = 1;
    poise_signals in = {.size = sizeof in,
                        .labelled = labelled,
                        .loss = loss,
                        .loss_init = first,
                        .loss_after = after,
                        .grad_norm = norm,
                        .gram = gram,
                        .group_gram = gram,
                        .kpi = kpi,
                        .rate = &w->rate};
    poise_plugin *plugin;
    poise_balance *b = toy_balance(w, &plugin);
    poise_error err = {0};

    for (int k = 0; k < steps; k++) {
        w->problem(x, w->scale, loss, grad);
        for (int i = 0; i < 4; i++)
            gram[i] = grad[i / 2][0] * grad[i % 2][0] + grad[i / 2][1] * grad[i % 2][1];
        for (int t = 0; t < 2; t++) {
            norm[t] = sqrt(gram[3 * t]);
            first[t] = k ? first[t] : loss[t];
            after[t] = k ? loss[t] : (double)NAN;
        }
        in.step = (uint64_t)k;
        if (w->seen)
            w->seen(w->user, k, x);
        if (poise_balance_step(b, &in, weight, &err) < 0)
            fail_msg("%s at step %d, (%g, %g): %s", w->strategy, k, x[0], x[1], err.message);
        b1 *= 0.9;
        b2 *= 0.999;
        for (int i = 0; i < 2; i++) {
            double g = weight[0] * grad[0][i] + weight[1] * grad[1][i];

            m[i] = 0.9 * m[i] + 0.1 * g;
            v[i] = 0.999 * v[i] + 0.001 * g * g;
            x[i] -= w->rate * (w->adam ? m[i] / (1 - b1) / (sqrt(v[i] / (1 - b2)) + 1e-8) : g);
        }
    }
    poise_balance_free(b);
    poise_plugin_free(plugin);
}

#endif
