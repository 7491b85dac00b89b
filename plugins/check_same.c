/* check_same.c -- checks that run a balancer twice and want the same bits. */
#include <pthread.h>
#include <stdlib.h>

#include "check_parts.h"

enum { STEPS = 24, ROUNDS = 6, THREAD_STEPS = 80 };

static const poise__weather some = {.name = "ordinary signals, some labels missing",
                                    .labels = POISE__LABELS_SOME};

/* What each step left behind. */
typedef struct trace {
    uint64_t weights[THREAD_STEPS], state[THREAD_STEPS];
} trace;

static poise__rig_options plain(const poise__checking *c, uint32_t ntask)
{
    return (poise__rig_options){.ntask = ntask, .param = c->table->nparam, .weather = &some};
}

/* Steps [from, to), with their traces; 1 if all were done. */
static int traced(poise__rig *r, uint64_t from, uint64_t to, trace *out)
{
    for (uint64_t k = from; k < to; k++) {
        if (!poise__rig_run(r, k, k + 1, POISE_CHECK_NOTE))
            return 0;
        out->weights[k] = poise__rig_weights_hash(r);
        out->state[k] = poise__rig_state_hash(r);
    }
    return 1;
}

/* A finding where the traces differ in [from, to). */
static void compare(poise__checking *c, const trace *a, const trace *b, uint64_t from, uint64_t to,
                    const char *what)
{
    for (uint64_t k = from; k < to; k++) {
        int weights = a->weights[k] != b->weights[k];
        if (!weights && a->state[k] == b->state[k])
            continue;
        poise__find(c->report, POISE_CHECK_FAILURE, "%s: the %s not the same bits", what,
                    weights ? "weights are" : "state is");
        return;
    }
}

/* ---- repetition ---- */

/* What a balancer that reads a variable before it sets it will find. */
static void soil_stack(int byte)
{
    volatile unsigned char ground[16384];

    for (size_t k = 0; k < sizeof ground; k++)
        ground[k] = (unsigned char)byte;
}

static int soiled(poise__rig *r, trace *out, int byte)
{
    void (*volatile soil)(int) = soil_stack; /* not to be inlined */

    for (uint64_t k = 0; k < STEPS; k++) {
        soil(byte);
        if (!traced(r, k, k + 1, out))
            return 0;
    }
    return 1;
}

static void twice(poise__checking *c, const void *user, uint32_t param, double x)
{
    static const uint32_t wish[] = {1, 3, 17};
    trace a, b;

    (void)user;
    for (int k = 0; k < 3; k++) {
        poise__rig_options o = plain(c, poise__tasks(c->table, wish[k]));
        o.param = param;
        o.value = x;
        poise__rig *one = poise__rig_new(c, &o, POISE_CHECK_NOTE),
                   *two = one ? poise__rig_new(c, &o, POISE_CHECK_NOTE) : NULL;
        if (two && soiled(one, &a, 0x00) && soiled(two, &b, 0x3F))
            compare(c, &a, &b, 0, STEPS, "the same inputs again");
        poise__rig_free(one);
        poise__rig_free(two);
    }
}

void poise__check_repeat(poise__checking *c)
{
    poise__each_param(c, NULL, twice);
}

/* ---- resume ---- */

/* After every step of a run, what a checkpoint would hold goes into a fresh one that runs on. */
static void resumed(poise__checking *c, const void *user, uint32_t param, double x)
{
    poise__rig_options o = plain(c, poise__tasks(c->table, 3));
    trace whole, rest;

    (void)user;
    o.param = param;
    o.value = x;
    poise__rig *a = poise__rig_new(c, &o, POISE_CHECK_NOTE),
               *b = a ? poise__rig_new(c, &o, POISE_CHECK_NOTE) : NULL;
    int go = b && traced(a, 0, STEPS, &whole);
    for (uint64_t k = 1; go && k < STEPS; k++) {
        poise__rig *fresh = NULL;
        go =
            traced(b, k - 1, k, &rest) && (fresh = poise__rig_new(c, &o, POISE_CHECK_NOTE)) != NULL;
        if (go) {
            poise__rig_copy(fresh, b);
            go = traced(fresh, k, STEPS, &rest);
        }
        if (go)
            compare(c, &whole, &rest, k, STEPS, "after a resume");
        poise__rig_free(fresh);
    }
    poise__rig_free(a);
    poise__rig_free(b);
}

void poise__check_resume(poise__checking *c)
{
    poise__each_param(c, NULL, resumed);
}

/* ---- two states ---- */

typedef struct pair {
    poise__rig *a, *b;
} pair;

/* Two of them, with different numbers of tasks. */
static int pair_new(poise__checking *c, pair *p, int quiet)
{
    poise__rig_options o = plain(c, poise__tasks(c->table, 2)), q = o;

    *p = (pair){NULL, NULL};
    q.ntask = poise__tasks(c->table, 5);
    o.quiet = q.quiet = quiet;
    p->a = poise__rig_new(c, &o, POISE_CHECK_NOTE);
    p->b = p->a ? poise__rig_new(c, &q, POISE_CHECK_NOTE) : NULL;
    return p->b != NULL;
}

static void pair_free(pair *p)
{
    poise__rig_free(p->a);
    poise__rig_free(p->b);
}

/* Each for itself: what the others are compared to. */
static int alone(poise__checking *c, uint64_t steps, trace *a, trace *b)
{
    pair p;
    int go = pair_new(c, &p, 0) && traced(p.a, 0, steps, a) && traced(p.b, 0, steps, b);

    pair_free(&p);
    return go;
}

void poise__check_interleaved(poise__checking *c)
{
    trace a, b, x, y;
    pair p = {NULL, NULL};
    int go = alone(c, STEPS, &a, &b) && pair_new(c, &p, 0);

    for (uint64_t k = 0; go && k < STEPS; k++)
        go = traced(p.a, k, k + 1, &x) && traced(p.b, k, k + 1, &y);
    poise__scene(c->report, "two states in turns");
    if (go) {
        compare(c, &a, &x, 0, STEPS, "beside another state");
        compare(c, &b, &y, 0, STEPS, "beside another state");
    }
    pair_free(&p);
}

typedef struct worker {
    poise__rig *rig;
    trace trace;
    int done;
    pthread_barrier_t *start;
} worker;

static void *work(void *of)
{
    worker *w = of;

    pthread_barrier_wait(w->start);
    w->done = traced(w->rig, 0, THREAD_STEPS, &w->trace);
    return NULL;
}

/* 1 if both threads ran. */
static int side_by_side(worker *a, worker *b)
{
    pthread_barrier_t start;
    pthread_t thread;

    if (pthread_barrier_init(&start, NULL, 2))
        return 0;
    a->start = b->start = &start;
    int ran = !pthread_create(&thread, NULL, work, a);
    if (ran) {
        work(b);
        pthread_join(thread, NULL);
    }
    pthread_barrier_destroy(&start);
    return ran;
}

void poise__check_threads(poise__checking *c)
{
    trace a, b;
    worker *w = calloc(2, sizeof *w);
    int go = w && alone(c, THREAD_STEPS, &a, &b);

    for (int round = 0; go && round < ROUNDS; round++) {
        pair p;
        if (!pair_new(c, &p, 1)) {
            pair_free(&p);
            break;
        }
        w[0].rig = p.a;
        w[1].rig = p.b;
        poise__scene(c->report, "two states on two threads");
        if (!side_by_side(&w[0], &w[1])) {
            poise__find(c->report, POISE_CHECK_SKIPPED, "no second thread could be started");
            go = 0;
        } else if (!w[0].done || !w[1].done) {
            poise__find(c->report, POISE_CHECK_FAILURE,
                        "beside another thread: %s, which alone it does not do",
                        w[0].done ? p.b->message : p.a->message);
            go = 0;
        } else {
            compare(c, &a, &w[0].trace, 0, THREAD_STEPS, "beside another thread");
            compare(c, &b, &w[1].trace, 0, THREAD_STEPS, "beside another thread");
        }
        pair_free(&p);
    }
    free(w);
}

/* ---- slices ---- */

void poise__check_slices(poise__checking *c)
{
    static const struct {
        uint32_t slice;
        int backwards;
        const char *what;
    } way[] = {{0, 0, "in whole groups"},
               {0, 1, "from the last group to the first"},
               {1, 0, "element by element"},
               {7, 1, "in slices of 7, from the last to the first"},
               {16, 0, "in slices of 16"}};
    static const uint32_t wish[] = {1, 3, 17};
    trace first, other;

    if (!c->table->edit && !c->table->blend) {
        poise__find(c->report, POISE_CHECK_SKIPPED, "it has neither edit() nor blend()");
        return;
    }
    for (size_t k = 0; k < sizeof way / sizeof way[0] * 3; k++) {
        size_t j = k % (sizeof way / sizeof way[0]);
        poise__rig_options o =
            plain(c, poise__tasks(c->table, wish[k / (sizeof way / sizeof way[0])]));
        o.slice = way[j].slice;
        o.backwards = way[j].backwards;
        poise__rig *r = poise__rig_new(c, &o, POISE_CHECK_NOTE);
        if (r && traced(r, 0, STEPS, j ? &other : &first) && j)
            compare(c, &first, &other, 0, STEPS, way[j].what);
        poise__rig_free(r);
    }
}
