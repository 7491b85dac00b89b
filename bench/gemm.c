#include "gemm.h"

#include <stdlib.h>
#include <time.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "../ops/affine.h"

/* A round of a backend takes about so long. */
#define ROUND_SECONDS 4e-3

static double work(const bench_product *p)
{
    return 2.0 * (double)p->g.m * (double)p->g.n * (double)p->g.k;
}

static int same(const poise__gemm *a, const poise__gemm *b)
{
    return a->ta == b->ta && a->tb == b->tb && a->m == b->m && a->n == b->n && a->k == b->k &&
           a->lda == b->lda && a->ldb == b->ldb && a->ldc == b->ldc;
}

static int by_work(const void *a, const void *b)
{
    const bench_product *x = a, *y = b;
    const double left = work(x) * (double)x->count, right = work(y) * (double)y->count;

    return (left < right) - (left > right);
}

int bench_products(const bench_step *s, bench_product list[BENCH_MOST_PRODUCTS])
{
    const poise_session *session = s->training->main.session;
    int n = 0;

    for (int k = 0; k < poise_session_steps(session); k++) {
        const poise_kernel *kernel = poise_session_step(session, k);
        bench_product p = {.layer = kernel->node->layer, .op = kernel->node->op->name};
        int at = 0;

        p.count = poise__affine_products(kernel, &p.g);
        if (p.count == 0)
            continue;
        while (at < n && !same(&list[at].g, &p.g))
            at++;
        if (at < n) {
            list[at].count += p.count;
        } else if (n < BENCH_MOST_PRODUCTS) {
            p.g.act = POISE__ACT_NONE;
            p.g.map = NULL;
            p.chosen = poise__gemm_choose(&p.g);
            list[n++] = p;
        }
    }
    qsort(list, (size_t)n, sizeof *list, by_work);
    return n;
}

bench_product bench_peak_product(void)
{
    bench_product p = {
        .g = {.m = 2048, .n = 1024, .k = 1024, .lda = 1024, .ldb = 1024, .ldc = 1024}};

    p.chosen = poise__gemm_choose(&p.g);
    p.count = 0;
    p.layer = p.op = "";
    return p;
}

static float *filled(int64_t n, poise_error *err)
{
    float *x = poise__alloc_aligned((size_t)n * sizeof *x, err);

    for (int64_t k = 0; x && k < n; k++)
        x[k] = (float)(k % 7) - 3;
    return x;
}

/* Of this thread alone, so that what else the machine does counts for less. */
static double seconds_of_thread(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least seconds of one product. */
static int one_round(const poise__gemm_backend *by, const poise__gemm *g, int times, void *scratch,
                     double *least, poise_error *err)
{
    double from = seconds_of_thread(), each;

    for (int k = 0; k < times; k++)
        if (by->run(g, scratch, err) < 0)
            return -1;
    each = (seconds_of_thread() - from) / times;
    if (*least == 0 || each < *least)
        *least = each;
    return 0;
}

static int rounds_of_all(bench_product *p, poise__gemm *g, int rounds, void *const *state,
                         void *scratch, poise_error *err)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    double least[POISE__GEMM_BACKENDS] = {0}, flops = work(p);
    const int n = poise__gemm_all(list), times = (int)(ROUND_SECONDS / (flops / 50e9)) + 1;

    for (int r = 0; r < rounds; r++)
        for (int k = 0; k < n; k++) {
            g->state = state[k];
            if ((list[k] != &poise__gemm_plain || p->chosen == list[k]) &&
                one_round(list[k], g, times, scratch, &least[k], err) < 0)
                return -1;
        }
    for (int k = 0; k < n; k++)
        p->flops[k] = least[k] > 0 ? flops / least[k] : 0;
    return 0;
}

/* Every backend with what it makes for this shape. */
static int time_all(bench_product *p, poise__gemm *g, int rounds, void *scratch, poise_error *err)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    void *state[POISE__GEMM_BACKENDS] = {NULL};
    const int n = poise__gemm_all(list);
    int status = 0;

    for (int k = 0; k < n && status == 0; k++)
        if (list[k]->open)
            status = list[k]->open(g, &state[k], err);
    if (status == 0)
        status = rounds_of_all(p, g, rounds, state, scratch, err);
    for (int k = 0; k < n; k++)
        if (state[k])
            list[k]->close(state[k]);
    return status;
}

int bench_product_time(bench_product *p, int rounds, poise_error *err)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int n = poise__gemm_all(list);
    poise__gemm g = p->g;
    size_t most = 0;
    int status = -1;

    for (int k = 0; k < n; k++)
        most = list[k]->scratch(&g) > most ? list[k]->scratch(&g) : most;
    float *a = filled((g.ta ? g.k : g.m) * g.lda, err),
          *b = filled((g.tb ? g.n : g.k) * g.ldb, err);
    float *c = filled(g.m * g.ldc, err);
    void *scratch = poise__alloc_aligned(most, err);
    if (a && b && c && scratch) {
        const int held = poise__threads_hold();

        g.a = a;
        g.b = b;
        g.c = c;
        status = time_all(p, &g, rounds, scratch, err);
        poise__threads_release(held);
    }
    free(a);
    free(b);
    free(c);
    free(scratch);
    return status;
}
