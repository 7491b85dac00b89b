/* bench_gemm.c -- `poise bench --gemm`: the matrix products of a case, backend by backend. */
#include "bench_gemm.h"

#include <stdio.h>

enum { ROUNDS = 9 };

static void print_product(const bench_product *p, int n, const poise__gemm_backend *const *list)
{
    printf("  %-14.14s %-23s %5d  %5d x %5d x %5d", p->layer, p->op, (int)p->count, (int)p->g.m,
           (int)p->g.n, (int)p->g.k);
    for (int k = 0; k < n; k++)
        if (p->flops[k] > 0)
            printf("  %11.1f%s", p->flops[k] / 1e9, list[k] == p->chosen ? " *" : "  ");
    printf("\n");
}

static void print_product_json(const bench_product *p, int n,
                               const poise__gemm_backend *const *list)
{
    printf(
        "{\"layer\": \"%s\", \"operator\": \"%s\", \"count\": %d, \"m\": %d, \"n\": %d, \"k\": %d, "
        "\"chosen\": \"%s\", \"gflops\": {",
        p->layer, p->op, (int)p->count, (int)p->g.m, (int)p->g.n, (int)p->g.k, p->chosen->name);
    for (int k = 0, any = 0; k < n; k++)
        if (p->flops[k] > 0)
            printf("%s\"%s\": %.2f", any++ ? ", " : "", list[k]->name, p->flops[k] / 1e9);
    printf("}}");
}

static void print_head(const bench_case *c, const char *balancer, const bench_product *peak, int n,
                       const poise__gemm_backend *const *list)
{
    printf("case %s, balancer %s, one thread, GFLOP/s, * chosen\n", c->name, balancer);
    printf("  %-14s %-23s %5s  %21s", "layer", "operator", "count", "m x     n x     k");
    for (int k = 0; k < n; k++)
        if (peak->flops[k] > 0)
            printf("  %11s  ", list[k]->name);
    printf("\n");
    print_product(peak, n, list);
}

int tool_bench_gemm(const bench_case *c, const char *balancer, poise_scope scope, int lanes,
                    unsigned without, int json, poise_error *err)
{
    const poise__gemm_backend *list[POISE__GEMM_BACKENDS];
    const int nlist = poise__gemm_all(list);
    bench_product product[BENCH_MOST_PRODUCTS], peak = bench_peak_product();
    bench_step s = {.without = without};

    peak.layer = "GEMM peak";
    if (bench_product_time(&peak, ROUNDS, err) < 0 ||
        bench_step_open(&s, c, balancer, scope, 1, lanes, err) < 0)
        return -1;
    const int n = bench_products(&s, product);
    int status = 0;
    if (json) {
        printf("{\"case\": \"%s\", \"products\": [", c->name);
        print_product_json(&peak, nlist, list);
    } else {
        print_head(c, balancer, &peak, nlist, list);
    }
    for (int k = 0; k < n && status == 0; k++) {
        status = bench_product_time(&product[k], ROUNDS, err);
        if (status == 0 && json) {
            printf(", ");
            print_product_json(&product[k], nlist, list);
        } else if (status == 0) {
            print_product(&product[k], nlist, list);
        }
    }
    if (json)
        printf("]}\n");
    bench_step_close(&s);
    return status;
}
