/* schema_names.h -- what is installed, for the schema of run files. */
#ifndef POISE_TOOLS_SCHEMA_NAMES_H
#define POISE_TOOLS_SCHEMA_NAMES_H

#include <jansson.h>
#include "../core/error.h"

/* Put the names of the strategies and models that can be found into the schema of run files, and for
 * each which settings or parameters go with it: `balancer: {use: gradnorm, alhpa: 1}` is then wrong.
 * A strategy or model that cannot be loaded is left out.  0, or -1 with *err. */
int tool_schema_names(json_t *root, poise_error *err);

#endif
