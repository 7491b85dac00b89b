/* at_work.h -- the balancer that a run works with at the moment.  Internal.
 *
 * A schedule replaces it between two epochs; a file that was built anew replaces it between two
 * steps.  The parameters, the optimiser and what is remembered of the tasks go on.
 */
#ifndef POISE_AT_WORK_H
#define POISE_AT_WORK_H

#include <sys/stat.h>
#include "engine.h"
#include "trainer.h"

typedef struct poise__at_work {
    const poise_spec *spec;
    const poise_train_options *options;
    const char *const *task; /* [T] */
    poise_balance_sink sink; /* where the balancer's notes go, and ours */
    poise__engine *engine;
    poise_plugin *plugin;
    poise_balance *balance;
    int phase;          /* of the schedule */
    struct stat object; /* of the balancer's file, when it was loaded */
    double looked;      /* clock: when that was last checked */
} poise__at_work;

/* Load phase w->phase's balancer (all fields above `plugin` are set), and open the engine with it. */
int poise__at_work_open(poise__at_work *w, poise_error *err);
void poise__at_work_close(poise__at_work *w); /* the engine must be closed */

/* Change the balancer where the schedule says so for this epoch (from 0). */
int poise__at_work_follow(poise__at_work *w, uint32_t epoch, poise_error *err);
/* Look, not more than twice a second, whether the balancer's file has changed; `now` is a clock. */
void poise__at_work_watch(poise__at_work *w, double now);

#endif
