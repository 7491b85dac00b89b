/* balancer_state.h -- a balancer's state as a JSON file, for `poise balancer try`.
 *
 *     {"balancer": "dwa", "version": "1.0.0", "state_version": 1, "task": ["click", "buy"],
 *      "step": 100, "epoch": 0, "weights": [1, 1], "loss_init": [0.69, 0.71], "state": "00ff..."}
 *
 * `state` is the flat block in hexadecimal digits, as it lies in memory; null in loss_init is a
 * task that had no labels yet.  It is of the machine that wrote it.
 */
#ifndef POISE_TOOLS_BALANCER_STATE_H
#define POISE_TOOLS_BALANCER_STATE_H

#include "signal_lines.h"

/* step and epoch: those with which the next line goes on. */
int tool_state_write(const char *path, const poise_balance *b, const tool_signals_reader *r,
                     uint64_t step, uint32_t epoch, poise_error *err);

/* Into a balance and a reader that were made for the same tasks.  A file of another balancer, of
 * other tasks, or that is damaged, is a FORMAT error. */
int tool_state_read(const char *path, poise_balance *b, tool_signals_reader *r, poise_error *err);

#endif
