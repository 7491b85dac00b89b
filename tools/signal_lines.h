/* signal_lines.h -- the signals of training steps as JSON lines, one object a step.
 *
 *     {"task": ["click", "buy"], "step": 0, "epoch": 0, "labelled": [512, 31],
 *      "loss": [0.69, 0.71], "loss_init": [0.69, 0.71], "grad_norm": [0.5, 0.2],
 *      "gram": [[0.25, 0.02], [0.02, 0.04]], "weights": [1, 1]}
 *
 * Shapes are those of poise_signals, as nested lists; `rate` is a number.  null is NaN: not known.
 * Written by `poise train --record-signals`, read by `poise balancer try`.  A reader needs only
 * what the strategy needs, and derives the rest where it can:
 *
 *     labelled   1 for every task             grad_norm   roots of the diagonal of gram
 *     step       one more than before         gram        sum of group_gram
 *     epoch      as before                    group_gram  gram, if there is one group
 *     loss_init  the task's first loss with labels
 *
 * `task` and `group` name tasks and groups; in the first line or nowhere.  `weights` is what was
 * used in that step; it is not read.
 */
#ifndef POISE_TOOLS_SIGNAL_LINES_H
#define POISE_TOOLS_SIGNAL_LINES_H

#include <stdio.h>
#include "../plugins/plugin.h"

/* One line.  task: the names, for the first line, else NULL.  weight is [nweight], T or G * T.
 * 0, or -1 when it could not be written. */
int tool_signals_write(FILE *f, const poise_signals *in, int ntask, const char *const *task,
                       int ngroup, const double *weight, int nweight);

/* A list of n numbers, or of rows of `row` numbers where n is larger: "[1, 2]", "[[1, 2], ...]". */
void tool_numbers_write(FILE *f, const double *x, size_t n, size_t row);

typedef struct tool_signals_reader tool_signals_reader;

/* Opens the file and reads the first line, so that the numbers of tasks and groups are known. */
tool_signals_reader *tool_signals_open(const char *path, poise_error *err);
void tool_signals_close(tool_signals_reader *r);

/* Where a run goes on: the number of the next step if the file does not say it, and the losses that
 * were first, NaN unknown: [T]. */
void tool_signals_continue(tool_signals_reader *r, uint64_t step, uint32_t epoch,
                           const double *loss_init);

uint32_t tool_signals_tasks(const tool_signals_reader *r);
const char *const *tool_signals_task_names(const tool_signals_reader *r);
uint32_t tool_signals_groups(const tool_signals_reader *r);
const char *const *tool_signals_group_names(const tool_signals_reader *r);
const double *tool_signals_loss_init(const tool_signals_reader *r); /* [T] of the tasks so far */
poise_place tool_signals_place(const tool_signals_reader *r);       /* the line read last */

/* The next step: 1 with *in, whose arrays live until the next call; 0 at the end; -1 with *err,
 * which has the line.  `signals` are those that the strategy asks for; others are NULL. */
int tool_signals_next(tool_signals_reader *r, uint32_t signals, poise_signals *in,
                      poise_error *err);

#endif
