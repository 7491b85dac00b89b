/* run.h -- one training run over data that is already open.  Internal. */
#ifndef POISE_RUN_H
#define POISE_RUN_H

#include "trainer.h"

/* As poise_train, with the parts of the data given: several runs of a comparison share them. */
int poise__run(const poise_spec *spec, const poise_data *data, const poise_train_options *o,
               poise_result *r, poise_error *err);

#endif
