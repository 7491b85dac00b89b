/* step.h -- one case made ready to run, and its time. */
#ifndef POISE_BENCH_STEP_H
#define POISE_BENCH_STEP_H

#include "../train/optimizer.h"
#include "../train/training.h"
#include "case.h"

/* Strategies of the benchmark's own, which ask for signals and leave all weights at 1: name, needs,
 * layers in scope (NULL: as asked for), what they are for. */
#define BENCH_SIGNALS(X)                         \
    X(none, 0, NULL, "all weights 1, no signal") \
    X(gram, POISE_GRAM, NULL, "a Gram matrix")   \
    X(gramall, POISE_GRAM, "expert", "the Gram matrix of every expert parameter")

enum { BENCH_BATCHES = 8 }; /* different random batches, in turns */

typedef struct bench_step {
    const bench_case *c;
    int threads, lanes;
    unsigned without; /* rewrites that are left out (ops/passes.h) */
    poise_store *store;
    poise_schema *schema; /* T binary tasks called t0, t1, ... */
    poise_plugin *plugin;
    poise_balance *balance;
    poise_balancer_spec options;
    const char *layer[1];
    poise__training *training;
    poise_optimizer *optimizer;
    poise_profile *profile; /* of the profiled steps of bench_step_time */
    double start;           /* seconds until it could run, its inputs aside */
    uint64_t done;          /* steps */
    float *numeric;         /* [BENCH_BATCHES, B, dense] */
    int32_t *ids;           /* [BENCH_BATCHES, B, cats] */
    float *label;           /* [BENCH_BATCHES, T, B] */
    float *weight;          /* [B] of ones */
} bench_step;

/* s->without stays as it is.  balancer: a row of BENCH_SIGNALS, a strategy's name or a path; scope:
 * LAST or ALL; lanes: as in poise_session_options.  On failure nothing is left. */
int bench_step_open(bench_step *s, const bench_case *c, const char *balancer, poise_scope scope,
                    int threads, int lanes, poise_error *err);
void bench_step_close(bench_step *s);

/* One training step on the next batch: inputs, forward, balancer, backward, optimiser. */
int bench_step_run(bench_step *s, poise_error *err);

/* Seconds per step, each the median over blocks; blocks that are timed as a whole and blocks in which
 * every operator is timed take turns. */
typedef struct bench_times {
    int warm_up, steps, blocks;    /* steps before; steps per block; blocks of each kind */
    double median, least, most;    /* of the former blocks */
    double part[POISE_PART_COUNT]; /* medians of the latter blocks */
} bench_times;

/* A warm-up of a tenth of `steps`, at least every batch once, then the blocks. */
int bench_step_time(bench_step *s, int steps, int blocks, bench_times *t, poise_error *err);

size_t bench_step_parameter_bytes(const bench_step *s);

/* ---- peak.c ---- */

/* FLOP/s of C[2048, 1024] = A[2048, 1024] B[1024, 1024], one product on each of `threads` threads:
 * the best of `tries` and of the backends (ops/gemm.h). */
int bench_gemm_peak(int threads, int tries, double *flops, poise_error *err);

double bench_seconds(void); /* of a clock that only goes forward */

#endif
