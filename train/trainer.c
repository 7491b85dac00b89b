#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "checkpoint.h"
#include "figures.h"
#include "file.h"
#include "run.h"

int poise_train(const poise_spec *spec, const poise_train_options *o, poise_result *r,
                poise_error *err)
{
    poise_data data = {0};

    *r = (poise_result){0};
    if (poise_data_open(&spec->data, spec->schema, &data, err) < 0)
        return -1;
    int status = poise__run(spec, &data, o, r, err);
    poise_data_done(&data);
    return status;
}

void poise_result_done(poise_result *r)
{
    poise__arena_free(r->arena);
    *r = (poise_result){0};
}
