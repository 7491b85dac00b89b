/* bench_gemm.h -- what `poise bench --gemm` prints. */
#ifndef POISE_TOOLS_BENCH_GEMM_H
#define POISE_TOOLS_BENCH_GEMM_H

#include "../bench/gemm.h"

/* The products of the case's training step, by every backend, to the standard output. */
int tool_bench_gemm(const bench_case *c, const char *balancer, poise_scope scope, int lanes,
                    unsigned without, int json, poise_error *err);

#endif
