/* signal_rows.h -- what signal_write.c and signal_read.c know of each signal: one row. */
#ifndef POISE_TOOLS_SIGNAL_ROWS_H
#define POISE_TOOLS_SIGNAL_ROWS_H

#include "signal_lines.h"

enum tool_shape { PER_TASK, PER_PAIR, PER_GROUP_PAIR, ONE };

typedef struct tool_signal_row {
    const char *key;
    uint32_t bit;
    enum tool_shape shape;
    int maybe_unknown; /* null is allowed for a task with labels too */
    size_t offset;     /* of its pointer in poise_signals */
} tool_signal_row;

enum {
    LABELLED,
    LOSS,
    LOSS_INIT,
    GRAD_NORM,
    GRAM,
    KPI,
    LOSS_AFTER,
    RATE,
    GROUP_GRAM,
    HALF_GRAM,
    ROWS
};
extern const tool_signal_row tool_signal_rows[ROWS];

#endif
