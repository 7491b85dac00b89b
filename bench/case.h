/* case.h -- the fixed cases of `poise bench`: the MMoE training step that is timed.
 *
 *   name    batch  features (dense; categorical x rows x dim)   experts          towers     tasks
 *   tiny      256  16                                            8 x [16]         [8]        2
 *   census    512  8; 32 x 64 x 4                                8 x [64]         [32]       2
 *   ctr      2048  13; 26 x 100,000 x 16                         8 x [256, 128]   [64]       3
 *   wide     4096  0; 40 x 250,000 x 32                          16 x [512, 256]  [128, 64]  8
 *   tables   2048  0; 26 x 100,000 x 16                          none             none       1
 *
 * tables is the embeddings of ctr and one logit over them.  All linear maps have a bias, activations are relu, gates are softmax, losses are binary cross
 * entropy on logits, the optimiser is Adam at 1e-3 with embeddings updated on touched rows.  Inputs
 * are random: normal numbers, uniform ids, a tenth of the labels positive.  The same work in
 * PyTorch has the same sizes, so that the two can be timed in turns (side_by_side.py).
 */
#ifndef POISE_BENCH_CASE_H
#define POISE_BENCH_CASE_H

#include "../models/model.h"

enum { BENCH_MAX_UNITS = 2, BENCH_MAX_TASKS = 64 };

typedef struct bench_case {
    const char *name;
    int64_t batch;
    int64_t dense;           /* numbers per row */
    int64_t cats, rows, dim; /* categorical features, rows and width of each one's table */
    int64_t experts;
    int nunits;
    int64_t units[BENCH_MAX_UNITS]; /* of every expert */
    int ntower;
    int64_t tower[BENCH_MAX_UNITS];
    int tasks;
    int steps; /* per timed block */
} bench_case;

extern const bench_case bench_cases[]; /* the last row has no name */
const bench_case *bench_case_find(const char *name);
/* The case with another number of tasks, 1 .. BENCH_MAX_TASKS; every task has its gate and tower. */
bench_case bench_case_with_tasks(const bench_case *c, int tasks);

/* Multiply-adds of the linear maps and mixtures of one forward and backward pass, counted as two
 * each, and the backward pass as two forward ones. */
double bench_case_flops(const bench_case *c);

/* Append the network to g (network.c). */
int bench_network_build(const bench_case *c, poise_graph *g, poise_network *net, poise_error *err);

#endif
