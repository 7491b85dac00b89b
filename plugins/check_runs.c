/* check_runs.c -- checks that run a balancer under one weather after the other and look at what
 * each step gives back. */
#include <math.h>
#include <stdio.h>

#include "check_parts.h"

enum { STEPS = 16, LONG = 1000 };

/* One rig from its start through `steps` steps. */
static int through(poise__checking *c, const poise__rig_options *o, uint64_t steps,
                   poise__refusal refusal)
{
    poise__rig *r = poise__rig_new(c, o, refusal);
    int done = r && poise__rig_run(r, 0, steps, refusal);

    poise__rig_free(r);
    return done;
}

static poise__rig_options plain(const poise__checking *c, uint32_t ntask, const poise__weather *w)
{
    return (poise__rig_options){.ntask = ntask, .param = c->table->nparam, .weather = w};
}

void poise__check_tasks(poise__checking *c)
{
    static const poise__weather late = {.name = "some labels missing",
                                        .labels = POISE__LABELS_SOME};
    uint32_t n[5];
    int count = poise__task_counts(c->table, n);

    for (int k = 0; k < count; k++) {
        poise__rig_options o = plain(c, n[k], &poise__ordinary);
        through(c, &o, STEPS, POISE_CHECK_FAILURE);
        o.weather = &late;
        through(c, &o, STEPS, POISE_CHECK_FAILURE);
    }
}

/* What is tried of a parameter: the default first, then minimum and maximum, or the other choices. */
static int param_values(const poise_param *p, double *value, int room)
{
    int n = 0;

    value[n++] = p->value;
    if (p->kind == POISE_BOOL) {
        value[n++] = p->value == 0;
        return n;
    }
    if (p->kind == POISE_CHOICE) {
        for (int k = 0; p->choice[k] && n < room; k++)
            if (k != (int)p->value)
                value[n++] = k;
        return n;
    }
    if (p->min != p->value)
        value[n++] = p->min;
    double most = isinf(p->max) ? fmax(1e6, 1000 * fabs(p->value)) : p->max;
    if (most != p->value && most != p->min)
        value[n++] = most;
    return n;
}

void poise__each_param(poise__checking *c, const void *user,
                       void (*check)(poise__checking *c, const void *user, uint32_t k, double x))
{
    const poise_balancer *b = c->table;
    double value[32];

    check(c, user, b->nparam, 0);
    for (uint32_t k = 0; k < b->nparam; k++) {
        int n = param_values(&b->param[k], value, 32);
        for (int j = 1; j < n; j++)
            check(c, user, k, value[j]);
    }
}

/* A value in the declared range must work; what only clashes with the other parameters' defaults
 * may be refused at the start. */
static void at_value(poise__checking *c, const void *user, uint32_t k, double x)
{
    (void)user;
    poise__rig_options o = plain(c, poise__tasks(c->table, 3), &poise__ordinary);

    o.param = k;
    o.value = x;
    /* a range without an end was tried somewhere in it */
    int endless =
        k < c->table->nparam && isinf(c->table->param[k].max) && x != c->table->param[k].min;
    poise__rig *r = poise__rig_new(c, &o,
                                   k == c->table->nparam ? POISE_CHECK_FAILURE
                                   : endless             ? POISE_CHECK_NOTE
                                                         : POISE_CHECK_WARNING);
    if (r)
        poise__rig_run(r, 0, 2 * STEPS, POISE_CHECK_FAILURE);
    poise__rig_free(r);
}

void poise__check_parameters(poise__checking *c)
{
    if (!c->table->nparam)
        poise__find(c->report, POISE_CHECK_SKIPPED, "it has no parameters");
    else
        poise__each_param(c, NULL, at_value);
}

void poise__check_long_run(poise__checking *c)
{
    static const poise__weather gaps = {
        .name = "gaps between steps", .labels = POISE__LABELS_SOME, .gaps = 1};
    poise__rig_options o = plain(c, poise__tasks(c->table, 3), &gaps);

    through(c, &o, LONG, POISE_CHECK_FAILURE);
}

static void at_limit(poise__checking *c, const void *weather, uint32_t param, double x)
{
    poise__rig_options o = plain(c, poise__tasks(c->table, 3), weather);

    o.param = param;
    o.value = x;
    through(c, &o, STEPS, POISE_CHECK_NOTE);
}

/* Each weather with each of a few task counts, and for 3 tasks with every parameter at its limits.
 * None of them is ordinary. */
static void under(poise__checking *c, const poise__weather *w, size_t n)
{
    static const uint32_t wish[] = {1, 2, 5, 17};

    for (size_t k = 0; k < n; k++) {
        for (int j = 0; j < 4; j++) {
            poise__rig_options o = plain(c, poise__tasks(c->table, wish[j]), &w[k]);
            if (o.ntask == wish[j] || j == 3)
                through(c, &o, STEPS, POISE_CHECK_WARNING);
        }
        poise__each_param(c, w + k, at_limit);
    }
}

void poise__check_losses(poise__checking *c)
{
    static const poise__weather w[] = {
        {.name = "losses of 0", .loss = POISE__LOSS_ZERO},
        {.name = "losses of 1e-12", .loss = POISE__LOSS_TINY},
        {.name = "losses of 1e12", .loss = POISE__LOSS_HUGE},
        {.name = "equal losses", .loss = POISE__LOSS_EQUAL},
        {.name = "one loss dominating", .loss = POISE__LOSS_DOMINATED},
    };
    under(c, w, sizeof w / sizeof w[0]);
}

void poise__check_gradients(poise__checking *c)
{
    static const poise__weather w[] = {
        {.name = "gradients of 0", .gradient = POISE__GRAD_ZERO},
        {.name = "one gradient 0", .gradient = POISE__GRAD_ONE_ZERO},
        {.name = "the same gradient for all (Gram matrix of rank 1)", .gradient = POISE__GRAD_SAME},
        {.name = "opposite gradients (their sum may be 0)", .gradient = POISE__GRAD_OPPOSITE},
        {.name = "gradients in one plane (Gram matrix of rank 2)",
         .gradient = POISE__GRAD_TWO_DIRECTIONS},
        {.name = "orthogonal gradients", .gradient = POISE__GRAD_ORTHOGONAL},
        {.name = "one gradient dominating", .gradient = POISE__GRAD_DOMINATED},
        {.name = "gradients of 1e-12", .gradient = POISE__GRAD_TINY},
        {.name = "gradients of 1e12", .gradient = POISE__GRAD_HUGE},
    };
    under(c, w, sizeof w / sizeof w[0]);
}

/* ---- labels ---- */

/* The same run twice: what absent tasks hold is 0 in one and NaN in the other. */
static void with_labels(poise__checking *c, uint32_t ntask, const poise__weather *zeros)
{
    poise__weather nans = *zeros;
    poise__rig_options o = plain(c, ntask, zeros), p = o;
    char name[96];

    snprintf(name, sizeof name, "%s (whose signals are NaN)", zeros->name);
    nans.name = name;
    nans.absent = NAN;
    p.weather = &nans;
    poise__rig *a = poise__rig_new(c, &o, POISE_CHECK_FAILURE),
               *b = poise__rig_new(c, &p, POISE_CHECK_FAILURE);
    for (uint64_t k = 0; a && b && k < STEPS; k++) {
        if (!poise__rig_run(a, k, k + 1, POISE_CHECK_FAILURE) ||
            !poise__rig_run(b, k, k + 1, POISE_CHECK_FAILURE))
            break;
        if (poise__rig_weights_hash(a) != poise__rig_weights_hash(b) ||
            poise__rig_state_hash(a) != poise__rig_state_hash(b)) {
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "the signals of a task without labels change the %s: look at labelled[t] "
                        "first",
                        poise__rig_state_hash(a) != poise__rig_state_hash(b) ? "state" : "weights");
            break;
        }
    }
    poise__rig_free(a);
    poise__rig_free(b);
}

void poise__check_unlabelled(poise__checking *c)
{
    static const poise__weather w[] = {
        {.name = "tasks without labels", .labels = POISE__LABELS_SOME},
        {.name = "all but one task without labels", .labels = POISE__LABELS_FIRST},
        {.name = "no labels at all at first", .labels = POISE__LABELS_LATE},
    };
    uint32_t n[5];
    int count = poise__task_counts(c->table, n);

    for (size_t k = 0; k < sizeof w / sizeof w[0]; k++)
        for (int j = 0; j < count; j++)
            with_labels(c, n[j], &w[k]);
}

/* ---- signals that are only wanted ---- */

static void without(poise__checking *c, uint32_t bits, const char *what)
{
    char name[64];
    poise__weather w = {.withheld = bits};

    snprintf(name, sizeof name, "without %s", what);
    w.name = name;
    for (uint32_t n = 1; n <= 3; n += 2) {
        poise__rig_options o = plain(c, poise__tasks(c->table, n), &w);
        through(c, &o, STEPS, POISE_CHECK_FAILURE);
    }
}

void poise__check_withheld(poise__checking *c)
{
    uint32_t wants = c->table->wants & ~c->table->needs;

    if (!wants) {
        poise__find(c->report, POISE_CHECK_SKIPPED, "it wants nothing beyond its needs");
        return;
    }
    for (uint32_t bit = 1; bit; bit <<= 1)
        if (wants & bit) {
            const char *name = poise_signal_name(bit);
            without(c, bit, name ? name : "a signal that this host does not give");
        }
    without(c, wants, "everything that it wants");
}

/* ---- memory ---- */

static void fenced(poise__checking *c, uint32_t ntask, uint32_t param, double x)
{
    static const poise__weather w = {.name = "fenced memory", .labels = POISE__LABELS_SOME};
    poise__rig_options o = plain(c, ntask, &w);

    o.param = param;
    o.value = x;
    o.fenced = 1;
    o.slice = 13;
    through(c, &o, STEPS, POISE_CHECK_NOTE);
}

static void fenced_at_value(poise__checking *c, const void *user, uint32_t k, double x)
{
    (void)user;
    fenced(c, poise__tasks(c->table, 3), k, x);
}

void poise__check_bounds(poise__checking *c)
{
    uint32_t n[5];
    int count = poise__task_counts(c->table, n);

    for (int k = 0; k < count; k++)
        fenced(c, n[k], c->table->nparam, 0);
    poise__each_param(c, NULL, fenced_at_value);
}
