/* record.h -- `poise train --record-signals FILE`: a line of signal_lines.h per training step. */
#ifndef POISE_TOOLS_RECORD_H
#define POISE_TOOLS_RECORD_H

#include <stdio.h>
#include "../train/trainer.h"
#include "command.h"

typedef struct tool_recording {
    const char *path; /* NULL: nothing is recorded */
    FILE *file;
    int ntask;
    const char **task; /* [T]; NULL once the first line has been written */
    int failed;        /* errno of what could not be written */
} tool_recording;

/* path NULL: nothing is recorded.  A file that is there is written over.  TOOL_OK, or the status
 * after the reason was printed.  The spec outlives the recording. */
int tool_recording_open(tool_recording *r, const char *path, const poise_spec *spec);

/* Lets a run write into it. */
void tool_recording_use(tool_recording *r, poise_train_options *o);

/* Returns `status`, or, where that is TOOL_OK and the recording failed, that after a message. */
int tool_recording_close(tool_recording *r, int status);

#endif
