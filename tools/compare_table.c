/* compare_table.c -- the table of `poise compare`. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "compare.h"

enum { CELL = 20 };

const char *tool_last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* What tells a row from the others: its strategy, its model, or both. */
static const char *label(const poise_comparison *c, const poise_compare_row *r, char *buf,
                         size_t size)
{
    if (c->nmodel == 1 && c->nbalancer > 0)
        snprintf(buf, size, "%s", r->balancer);
    else if (c->nbalancer < 2)
        snprintf(buf, size, "%s", r->model);
    else
        snprintf(buf, size, "%s, %s", r->model, r->balancer);
    return buf;
}

static int label_width(const poise_comparison *c)
{
    size_t width = strlen("best possible");
    char text[320];

    for (int k = 0; k < c->nrow; k++) {
        size_t own = strlen(label(c, &c->row[k], text, sizeof text)) + (k ? 0 : 4);

        width = own > width ? own : width;
    }
    return (int)width;
}

static void print_name(int width, const char *name)
{
    printf("%-*s", width, name);
}

/* The cell of task t; the last one of a short row is not padded. */
static void print_cell(const poise_comparison *c, int t, int short_row, const char *text)
{
    printf("  %-*s", short_row && t == c->ntask - 1 ? 0 : CELL, text);
}

static void print_row(const poise_comparison *c, const poise_compare_row *r, int width)
{
    char cell[64], text[320], weights[32];

    print_name(width, label(c, r, text, sizeof text));
    for (int t = 0; t < c->ntask; t++) {
        if (isnan(r->mean[t]))
            snprintf(cell, sizeof cell, "-");
        else if (c->repeat == 1) /* one run has no deviation to show */
            snprintf(cell, sizeof cell, " %.5f", r->mean[t]);
        else
            snprintf(cell, sizeof cell, " %.5f +- %.5f", r->mean[t], r->std[t]);
        print_cell(c, t, 0, cell);
    }
    printf("  ");
    tool_print_figure(14, 5, c->repeat == 1 ? NAN : r->mean_std);
    printf("  %9.2f", r->seconds_per_epoch);
    if (c->nmodel > 1)
        printf("  %8s", tool_count_text((double)r->weights, weights, sizeof weights));
    printf("\n");
}

static void print_difference(const poise_comparison *c, const poise_compare_row *r, int width)
{
    char cell[400], text[320];

    snprintf(cell, sizeof cell, "  - %s", label(c, &c->row[0], text, sizeof text));
    print_name(width, cell);
    for (int t = 0; t < c->ntask; t++) {
        double d = r->mean[t] - c->row[0].mean[t];

        snprintf(cell, sizeof cell, isnan(d) ? "-" : "%+.5f", d);
        print_cell(c, t, 1, cell);
    }
    printf("\n");
}

static void print_best(const poise_comparison *c, int width)
{
    char cell[64];
    int known = 0;

    for (int t = 0; t < c->ntask; t++)
        known |= !isnan(c->best_possible[t]);
    if (!known)
        return;
    print_name(width, "best possible");
    for (int t = 0; t < c->ntask; t++) {
        snprintf(cell, sizeof cell, isnan(c->best_possible[t]) ? "-" : " %.5f",
                 c->best_possible[t]);
        print_cell(c, t, 1, cell);
    }
    printf("\n");
}

/* ---- models x strategies ---- */

/* Over the tasks that have an AUC; NaN where none has. */
static double mean_auc(const poise_comparison *c, const poise_compare_row *r)
{
    double sum = 0;
    int n = 0;

    for (int t = 0; t < c->ntask; t++)
        if (c->figure[t] == POISE_AUC && !isnan(r->mean[t])) {
            sum += r->mean[t];
            n++;
        }
    return n ? sum / n : NAN;
}

static int balancer_width(const poise_comparison *c, int k)
{
    size_t length = strlen(c->row[k].balancer);

    return length > 9 ? (int)length : 9;
}

/* One row per model, one column per strategy; what was not reached is "-". */
static void print_matrix(const poise_comparison *c, int width)
{
    printf("\n");
    print_name(width, "mean AUC");
    for (int k = 0; k < c->nbalancer && k < c->nrow; k++)
        printf("  %*s", balancer_width(c, k), c->row[k].balancer);
    printf("\n");
    for (int k = 0; k < c->nrow; k++) {
        if (k % c->nbalancer == 0)
            print_name(width, c->row[k].model);
        printf("  ");
        tool_print_figure(balancer_width(c, k % c->nbalancer), 5, mean_auc(c, &c->row[k]));
        if ((k + 1) % c->nbalancer == 0 || k + 1 == c->nrow)
            printf("\n");
    }
}

void tool_print_comparison(const poise_comparison *c)
{
    int width = label_width(c), others = 0;

    for (int t = 0; t < c->ntask; t++)
        others |= c->figure[t] != POISE_AUC;
    printf("%s +- deviation of %d run%s\n\n", others ? "Mean" : "AUC, mean", c->repeat,
           c->repeat == 1 ? "" : "s");
    print_name(width, "");
    for (int t = 0; t < c->ntask; t++) {
        char head[300];
        snprintf(head, sizeof head, others ? "%s %s" : "%s", c->task[t],
                 poise_figure_name(c->figure[t]));
        printf("   %-*s", CELL - 1, head);
    }
    printf("  %14s  %9s%s\n", "mean deviation", "s/epoch", c->nmodel > 1 ? "   weights" : "");
    for (int k = 0; k < c->nrow; k++) {
        print_row(c, &c->row[k], width);
        if (k > 0)
            print_difference(c, &c->row[k], width);
    }
    print_best(c, width);
    if (c->nmodel > 1 && c->nbalancer > 1)
        print_matrix(c, width);
}
