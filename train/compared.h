/* compared.h -- what an earlier comparison has left in its folder.  Internal.
 *
 * compare.json says what was asked for and holds the rows that were finished; a run's spec.yaml says of
 * what settings it is, its result.json what came out of it.
 */
#ifndef POISE_COMPARED_H
#define POISE_COMPARED_H

#include "trainer.h"

typedef enum poise__begun { POISE__NOT_BEGUN, POISE__STOPPED, POISE__ENDED } poise__begun;

/* Is the comparison at `path`, compare.json, one of the models, strategies, repeats and seed of c?  0,
 * or -1: SPEC with what differs; SYSTEM or FORMAT where the file cannot be read. */
int poise__compared_same(const char *path, const poise_comparison *c, poise_error *err);

/* How far the run in `folder` is.  One that began with other settings than `spec`'s (threads do not
 * count) is a SPEC error, which names the first that differs. */
int poise__compared_run(const char *folder, const poise_spec *spec, poise__begun *begun,
                        poise_error *err);

/* What an earlier run here was of does not count: it has not begun. */
int poise__compared_forget(const char *folder, poise_error *err);

/* The figures of a run that ended: figure[t * stride] of what c compares task t by, and its best
 * possible AUC into c.  As result.json has them, so that a comparison that was stopped comes to the
 * same numbers. */
int poise__compared_figures(const char *folder, const poise_comparison *c, double *figure,
                            int stride, double *seconds_per_epoch, poise_error *err);

#endif
