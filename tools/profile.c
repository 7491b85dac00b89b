#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double tool_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double sum(const double seconds[POISE_PART_COUNT])
{
    double all = 0;

    for (int p = 0; p < POISE_PART_COUNT; p++)
        all += seconds[p];
    return all;
}

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

void tool_print_parts(const double seconds[POISE_PART_COUNT])
{
    double all = sum(seconds);

    printf("  %-16s %10s %8s\n", "part", "ms", "share");
    for (int p = 0; p < POISE_PART_COUNT; p++)
        printf("  %-16s %10.3f %6.1f %%\n", poise_part_name((poise_part)p), 1e3 * seconds[p],
               percent(seconds[p], all));
    printf("  %-16s %10.3f\n", "all", 1e3 * all);
}

static int slower(const void *a, const void *b)
{
    const poise_profile_layer *x = *(const poise_profile_layer *const *)a;
    const poise_profile_layer *y = *(const poise_profile_layer *const *)b;
    double tx = sum(x->seconds), ty = sum(y->seconds);

    return (ty > tx) - (ty < tx);
}

static void print_layer(const poise_profile_layer *l, double steps, double whole)
{
    double all = sum(l->seconds), ms = 1e3 / steps;

    printf("  %-20.40s %9.3f", l->name, ms * all);
    for (poise_part p = POISE_PART_FORWARD; p <= POISE_PART_SHARED; p++)
        printf(" %9.3f", ms * l->seconds[p]);
    printf(" %6.1f %%", percent(all, whole));
    if (l->flops > 0)
        printf(" %8.1f", l->flops / all / 1e9);
    else
        printf(" %8s", "-");
    if (l->place.file)
        printf("  %s:%u", l->place.file, (unsigned)l->place.line);
    printf("\n");
}

void tool_print_layers(const poise_profile *p)
{
    int n = poise_profile_layers(p);
    const poise_profile_layer **row = malloc((size_t)(n > 0 ? n : 1) * sizeof *row);

    if (!row || p->steps == 0) {
        free((void *)row);
        return;
    }
    for (int k = 0; k < n; k++)
        row[k] = poise_profile_layer_at(p, k);
    qsort((void *)row, (size_t)n, sizeof *row, slower);
    printf("  %-20s %9s %9s %9s %9s %9s %8s %8s\n", "layer", "ms", "forward", "task b.", "signals",
           "shared b.", "share", "GFLOP/s");
    for (int k = 0; k < n; k++)
        print_layer(row[k], (double)p->steps, sum(p->seconds));
    free((void *)row);
}

void tool_print_profile(const poise_profile *p)
{
    double each[POISE_PART_COUNT];

    if (p->steps == 0) {
        printf("no step was timed\n");
        return;
    }
    printf("profile of %llu steps, a step in the mean\n", (unsigned long long)p->steps);
    for (int k = 0; k < POISE_PART_COUNT; k++)
        each[k] = p->seconds[k] / (double)p->steps;
    tool_print_parts(each);
    printf("\n");
    tool_print_layers(p);
}
