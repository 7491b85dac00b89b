/* crash.h -- what is said when the process crashes during a run. */
#ifndef POISE_TOOLS_CRASH_H
#define POISE_TOOLS_CRASH_H

#include "../train/trainer.h"

/* From now on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT are answered with a few lines on standard
 * error: the balancer, its function and the step if one runs, and the last checkpoint of the run;
 * then the process ends as it would have.  What is told is kept in the result, which belongs to
 * poise_train_options.where. */
poise_train_where *tool_crash_watch(void);

#endif
