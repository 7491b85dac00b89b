#include "case.h"

#include <string.h>

/* clang-format off */
const bench_case bench_cases[] = {
    {.name = "tiny", .batch = 256, .dense = 16,
     .experts = 8, .nunits = 1, .units = {16}, .ntower = 1, .tower = {8}, .tasks = 2, .steps = 200},
    {.name = "census", .batch = 512, .dense = 8, .cats = 32, .rows = 64, .dim = 4,
     .experts = 8, .nunits = 1, .units = {64}, .ntower = 1, .tower = {32}, .tasks = 2, .steps = 100},
    {.name = "ctr", .batch = 2048, .dense = 13, .cats = 26, .rows = 100000, .dim = 16,
     .experts = 8, .nunits = 2, .units = {256, 128}, .ntower = 1, .tower = {64}, .tasks = 3,
     .steps = 12},
    {.name = "wide", .batch = 4096, .cats = 40, .rows = 250000, .dim = 32,
     .experts = 16, .nunits = 2, .units = {512, 256}, .ntower = 2, .tower = {128, 64}, .tasks = 8,
     .steps = 2},
    {.name = "tables", .batch = 2048, .cats = 26, .rows = 100000, .dim = 16, .tasks = 1, .steps = 50},
    {.name = NULL}};
/* clang-format on */

const bench_case *bench_case_find(const char *name)
{
    for (const bench_case *c = bench_cases; c->name; c++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

bench_case bench_case_with_tasks(const bench_case *c, int tasks)
{
    bench_case other = *c;

    other.tasks = tasks;
    return other;
}

double bench_case_flops(const bench_case *c)
{
    int64_t input = c->dense + c->cats * c->dim, width = input, shared = 0, tower = 0;

    for (int k = 0; k < c->nunits; k++) {
        shared += c->experts * width * c->units[k];
        width = c->units[k];
    }
    shared += c->tasks * c->experts * (input + width); /* gates and mixtures */
    for (int k = 0; k < c->ntower; k++) {
        tower += width * c->tower[k];
        width = c->tower[k];
    }
    tower += width; /* the logit */
    return 6.0 * (double)c->batch * (double)(shared + c->tasks * tower);
}
