/* poise bench -- the time of a training step, beside what the machine could do. */
#include <stdio.h>
#include <string.h>
#include "../bench/step.h"
#include "../core/search.h"
#include "../ops/passes.h"
#include "bench_gemm.h"
#include "profile.h"
#include "run.h"

enum { MAX_CASES = 16, PEAK_TRIES = 7 };

typedef struct figures {
    const bench_case *c;
    const char *balancer;
    poise_scope scope;
    int threads, lanes;
    bench_times time;
    double peak, start, work; /* FLOP/s; seconds; FLOP of all products of a step */
    size_t arena, parameters;
    int json, layers;
    unsigned without; /* passes */
} figures;

static const char *passes(void)
{
    return ""
#define X(name, run, about) #name " "
        POISE_PASSES(X)
#undef X
            "all";
}

static int leave_out(unsigned *without, const char *name)
{
    if (!strcmp(name, "all")) {
        *without = POISE_PASSES_ALL;
        return 0;
    }
    for (int k = 0; k < POISE_PASS_COUNT; k++)
        if (!strcmp(name, poise_pass_name(k))) {
            *without |= 1U << k;
            return 0;
        }
    return -1;
}

static int unknown_case(const tool_arguments *a, const char *name)
{
    const char *names[MAX_CASES];
    const char *nearest;
    int n = 0;

    for (const bench_case *c = bench_cases; c->name && n < MAX_CASES; c++)
        names[n++] = c->name;
    nearest = poise__nearest(name, n, names);
    if (nearest)
        return tool_wrong(a->command, "unknown case '%s'; did you mean '%s'?", name, nearest);
    return tool_wrong(a->command, "unknown case '%s'; it is tiny, census, ctr, wide or tables",
                      name);
}

static void print(const figures *f, const bench_step *s)
{
    char arena[32], parameters[32];
    const bench_times *t = &f->time;
    double flops = bench_case_flops(f->c) / t->median;

    printf("case %s, %d task%s, balancer %s, %d thread%s, %d lane%s\n", f->c->name, f->c->tasks,
           f->c->tasks == 1 ? "" : "s", f->balancer, f->threads, f->threads == 1 ? "" : "s",
           f->lanes, f->lanes == 1 ? "" : "s");
    printf("  %12.0f samples/s\n", (double)f->c->batch / t->median);
    printf("  %12.3f ms per step of %d rows, %.3f to %.3f (%d blocks of %d steps after %d)\n",
           1e3 * t->median, (int)f->c->batch, 1e3 * t->least, 1e3 * t->most, t->blocks, t->steps,
           t->warm_up);
    printf("  %12.1f ms from the start to the first step\n", 1e3 * f->start);
    printf("  %12.1f GFLOP/s, %.0f %% of the GEMM peak\n", flops / 1e9, 100 * flops / f->peak);
    printf("  %12.1f GFLOP/s GEMM peak\n", f->peak / 1e9);
    printf("  %12.3f GFLOP in products, task passes too: %.0f %% of the GEMM peak\n", f->work / 1e9,
           100 * f->work / t->median / f->peak);
    printf("  %12s arena, %s parameters\n\n",
           tool_bytes_text((double)f->arena, arena, sizeof arena),
           tool_bytes_text((double)f->parameters, parameters, sizeof parameters));
    tool_print_parts(t->part);
    if (f->layers) {
        printf("\n");
        tool_print_layers(s->profile);
    }
}

static void print_json_text(const char *text)
{
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20)
            printf("\\u%04x", (unsigned)c);
        else
            putchar(c);
    }
    putchar('"');
}

static void print_json(const figures *f)
{
    const bench_times *t = &f->time;
    double flops = bench_case_flops(f->c);

    printf("{\"case\": \"%s\", \"tasks\": %d, \"balancer\": ", f->c->name, f->c->tasks);
    print_json_text(f->balancer);
    printf(", \"threads\": %d, \"samples_per_s\": %.0f, \"ms_per_step\": %.4f, \"ms_least\": %.4f, "
           "\"ms_most\": %.4f, \"blocks\": %d, \"steps_per_block\": %d, \"warm_up_steps\": %d, "
           "\"start_ms\": %.2f, "
           "\"gflop\": %.4f, \"gflops\": %.2f, \"gemm_peak_gflops\": %.2f, \"gemm_peak_share\": "
           "%.4f, \"work_gflop\": %.4f, "
           "\"arena_bytes\": %zu, \"parameter_bytes\": %zu, \"parts_ms\": {",
           f->threads, (double)f->c->batch / t->median, 1e3 * t->median, 1e3 * t->least,
           1e3 * t->most, t->blocks, t->steps, t->warm_up, 1e3 * f->start, flops / 1e9,
           flops / t->median / 1e9, f->peak / 1e9, flops / t->median / f->peak, f->work / 1e9,
           f->arena, f->parameters);
    for (int p = 0; p < POISE_PART_COUNT; p++)
        printf("%s\"%s\": %.4f", p ? ", " : "", poise_part_name((poise_part)p), 1e3 * t->part[p]);
    printf("}}\n");
}

static void show(const figures *f, const bench_step *s)
{
    if (f->json)
        print_json(f);
    else
        print(f, s);
}

static int measure(figures *f, int steps, int blocks, poise_error *err)
{
    bench_step s = {.without = f->without};
    int status = bench_gemm_peak(f->threads, PEAK_TRIES, &f->peak, err);

    /* The peak first: its matrices are gone when the step's memory is taken. */
    if (status < 0 ||
        bench_step_open(&s, f->c, f->balancer, f->scope, f->threads, f->lanes, err) < 0)
        return -1;
    f->work = poise_session_flops(s.training->main.session);
    f->start = s.start;
    status = bench_step_time(&s, steps, blocks, &f->time, err);
    f->lanes = poise_session_lanes(s.training->main.session);
    f->arena = poise_session_arena_bytes(s.training->main.session);
    f->parameters = bench_step_parameter_bytes(&s);
    if (status == 0)
        show(f, &s);
    bench_step_close(&s);
    return status;
}

static int run(const tool_arguments *a)
{
    const char *name = tool_value(a, "case"), *balancer = tool_value(a, "balancer");
    const char *scope = tool_value(a, "scope");
    char path[TOOL_PATH] = "none";
    uint64_t threads = 1, lanes = 0, steps = 0, blocks = 5, tasks = 0;
    const bench_case *known = bench_case_find(name ? name : "ctr");
    bench_case c;
    figures f = {.c = &c, .balancer = path};
    poise_error err;
    int status;

    if (!known)
        return unknown_case(a, name);
    if (scope && strcmp(scope, "last") != 0 && strcmp(scope, "all") != 0)
        return tool_wrong(a->command, "unknown scope '%s'; it is last or all", scope);
    f.scope = scope && !strcmp(scope, "all") ? POISE_SCOPE_ALL : POISE_SCOPE_LAST;
    if (balancer && tool_balancer_path(balancer, path, sizeof path, &err) < 0)
        return tool_failed(&err);
    steps = (uint64_t)known->steps;
    tasks = (uint64_t)known->tasks;
    status = tool_number(a, "tasks", 1, BENCH_MAX_TASKS, &tasks);
    if (status == TOOL_OK)
        status = tool_number(a, "threads", 1, 1024, &threads);
    if (status == TOOL_OK)
        status = tool_number(a, "lanes", 0, 16, &lanes);
    if (status == TOOL_OK)
        status = tool_number(a, "steps", 1, 1000000, &steps);
    if (status == TOOL_OK)
        status = tool_number(a, "blocks", 1, 1000, &blocks);
    if (status != TOOL_OK)
        return status;
    c = bench_case_with_tasks(known, (int)tasks);
    f.threads = (int)threads;
    for (int k = 0; (name = tool_value_at(a, "without", k)); k++)
        if (leave_out(&f.without, name) < 0)
            return tool_wrong(a->command, "there is no pass '%s'; they are: %s", name, passes());
    f.lanes = (int)lanes;
    f.json = tool_flag(a, "json");
    f.layers = tool_flag(a, "layers");
    if (tool_flag(a, "gemm"))
        return tool_bench_gemm(&c, path, f.scope, f.lanes, f.without, f.json, &err) < 0
                   ? tool_failed(&err)
                   : TOOL_OK;
    return measure(&f, (int)steps, (int)blocks, &err) < 0 ? tool_failed(&err) : TOOL_OK;
}

static const tool_option options[] = {
    {"case", "CASE", "tiny, census, ctr (default), wide or tables", TOOL_ONCE},
    {"tasks", "N", "tasks, 1 to 64; default: the case's", TOOL_ONCE},
    {"balancer", "NAME", "none (default), gram, gramall, or a strategy as for train", TOOL_ONCE},
    {"scope", "SCOPE", "what a strategy's gradient signals are of: last (default) or all",
     TOOL_ONCE},
    {"threads", "N", "threads to use; default 1", TOOL_ONCE},
    {"lanes", "N", "slices of a batch that run on their own; 0 (default): chosen, 1: none",
     TOOL_ONCE},
    {"steps", "N", "steps per block; default: the case's", TOOL_ONCE},
    {"blocks", "N", "blocks; the median is shown; default 5", TOOL_ONCE},
    {"without", "PASS", "leave out a rewrite of the graph: its name, or all", TOOL_MANY},
    {"layers", NULL, "the time of every layer too", TOOL_ONCE},
    {"gemm", NULL, "time the step's matrix products instead, by every backend", TOOL_ONCE},
    {"json", NULL, "print one JSON object", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_bench = {
    .name = "bench",
    .words = "",
    .summary = "time a training step of a fixed size on random data",
    .text =
        "  case    batch  features (dense; categorical x rows x dim)  experts          towers\n"
        "  tiny      256  16                                           8 x [16]         [8] x 2\n"
        "  census    512  8; 32 x 64 x 4                               8 x [64]         [32] x 2\n"
        "  ctr      2048  13; 26 x 100000 x 16                         8 x [256, 128]   [64] x 3\n"
        "  wide     4096  40 x 250000 x 32                             16 x [512, 256]  [128, 64] "
        "x 8\n"
        "  tables   2048  26 x 100000 x 16                             none             one logit\n"
        "\n"
        "gram asks for the Gram matrix of the last shared layer, gramall for that of every\n"
        "expert parameter. GFLOP/s count the linear maps and mixtures; the GEMM peak is\n"
        "measured in the same process on a product of 2048 x 1024 x 1024 per thread.\n"
        "\n"
        "Blocks of steps that are timed as a whole and blocks in which every operator is timed\n"
        "take turns: the step's time is the median of the former, its parts are of the latter.\n",
    .option = options,
    .run = run};
