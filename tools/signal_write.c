/* signal_write.c -- signals to JSON lines. */
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include "signal_rows.h"

const tool_signal_row tool_signal_rows[ROWS] = {
#define ROW(name, bit, shape, unknown)                            \
    {                                                             \
#name, bit, shape, unknown, offsetof(poise_signals, name) \
    }
    [LABELLED] = ROW(labelled, 0, PER_TASK, 0),
    [LOSS] = ROW(loss, POISE_LOSS, PER_TASK, 0),
    [LOSS_INIT] = ROW(loss_init, POISE_LOSS_INIT, PER_TASK, 1),
    [GRAD_NORM] = ROW(grad_norm, POISE_GRAD_NORM, PER_TASK, 0),
    [GRAM] = ROW(gram, POISE_GRAM, PER_PAIR, 0),
    [KPI] = ROW(kpi, POISE_KPI, PER_TASK, 1),
    [LOSS_AFTER] = ROW(loss_after, POISE_LOSS_AFTER, PER_TASK, 1),
    [RATE] = ROW(rate, POISE_RATE, ONE, 0),
    [GROUP_GRAM] = ROW(group_gram, POISE_GROUP_GRAM, PER_GROUP_PAIR, 0),
    [HALF_GRAM] = ROW(half_gram, POISE_HALF_GRAM, PER_PAIR, 0),
#undef ROW
};

static const double *signal_of(const poise_signals *in, const tool_signal_row *row)
{
    const double *x;

    memcpy(&x, (const char *)in + row->offset, sizeof x);
    return x;
}

/* ---- writing ---- */

static void write_number(FILE *f, double x)
{
    if (isfinite(x))
        fprintf(f, "%.17g", x);
    else
        fputs("null", f);
}

void tool_numbers_write(FILE *f, const double *x, size_t n, size_t row)
{
    fputc('[', f);
    for (size_t k = 0; k<n; k += n> row ? row : 1) {
        fputs(k ? ", " : "", f);
        if (n > row)
            tool_numbers_write(f, x + k, row, row);
        else
            write_number(f, x[k]);
    }
    fputc(']', f);
}

static void write_square(FILE *f, const double *x, size_t n)
{
    fputc('[', f);
    for (size_t k = 0; k < n; k++) {
        fputs(k ? ", " : "", f);
        tool_numbers_write(f, x + k * n, n, n);
    }
    fputc(']', f);
}

static void write_row(FILE *f, const tool_signal_row *row, const double *x, size_t ntask,
                      size_t ngroup)
{
    fprintf(f, ", \"%s\": ", row->key);
    if (row->shape == ONE) {
        write_number(f, x[0]);
    } else if (row->shape == PER_TASK) {
        tool_numbers_write(f, x, ntask, ntask);
    } else if (row->shape == PER_PAIR) {
        write_square(f, x, ntask);
    } else {
        fputc('[', f);
        for (size_t g = 0; g < ngroup; g++) {
            fputs(g ? ", " : "", f);
            write_square(f, x + g * ntask * ntask, ntask);
        }
        fputc(']', f);
    }
}

int tool_signals_write(FILE *f, const poise_signals *in, int ntask, const char *const *task,
                       int ngroup, const double *weight, int nweight)
{
    fprintf(f, "{\"step\": %" PRIu64 ", \"epoch\": %" PRIu32, in->step, in->epoch);
    if (task) {
        json_t *names = json_array();
        for (int t = 0; t < ntask; t++)
            json_array_append_new(names, json_string(task[t]));
        fputs(", \"task\": ", f);
        json_dumpf(names, f, 0);
        json_decref(names);
    }
    for (int k = 0; k < ROWS; k++) {
        const double *x = signal_of(in, &tool_signal_rows[k]);
        if (x)
            write_row(f, &tool_signal_rows[k], x, (size_t)ntask, (size_t)ngroup);
    }
    fputs(", \"weights\": ", f);
    tool_numbers_write(f, weight, (size_t)nweight, (size_t)ntask);
    fputs("}\n", f);
    return ferror(f) ? -1 : 0;
}
