/* report.h -- what a run writes for other programs to read: JSON.  Internal.
 *
 * log.jsonl, one object a line:
 *   {"step", "epoch", "loss": {TASK: x}, "weight": {TASK: x}, "grad_norm": {TASK: x}?,
 *    "metric": {KEY: x | {TASK: x}}?}                          every so many steps
 *   {"step", "epoch", "auc": {TASK: x}, ..., "monitor", "best"}   after an epoch, a key per figure
 *   {"step", "epoch", "rows", "gates": {NAME: {"entropy", "top", "share": {EXPERT: x}}},
 *    "experts": [{"name": [], "share": [], "dead": [NAME], "constant": [NAME], "cka": [[]]}],
 *    "cosine": {TASK: {TASK: x}}}                              after an epoch (diagnosis.h)
 *   {"step", "note": text}                                     what a balancer had to say
 * Numbers that are not finite are written as null.
 */
#ifndef POISE_REPORT_H
#define POISE_REPORT_H

#include <stdio.h>
#include "checkpoint.h"
#include "diagnosis.h"
#include "trainer.h"

enum { POISE__METRICS = 64 };

/* What the balancer reported with host->metric() since the last line; the newest value of each. */
typedef struct poise__metrics {
    int n;
    struct {
        char key[48];
        int32_t task;
        double value;
    } of[POISE__METRICS];
} poise__metrics;

void poise__metric(poise__metrics *m, const char *key, int32_t task, double value);

int poise__log_step(FILE *log, const poise__engine *e, const poise__position *p,
                    const poise__metrics *m, poise_error *err);
int poise__log_epoch(FILE *log, const poise__position *p, int epoch, int ntask,
                     const poise_task_result *figure, double monitor, int best, poise_error *err);
int poise__log_diagnosis(FILE *log, const poise__position *p, const poise__diagnosis *d,
                         poise_error *err);
int poise__log_note(FILE *log, uint64_t step, const char *text, poise_error *err);
/* Keep the lines of steps up to `step`: what a killed run logged past its last checkpoint goes. */
int poise__log_cut(const char *path, uint64_t step, poise_error *err);

#endif
