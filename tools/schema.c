/* poise schema -- the spec language for editors, as a JSON Schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "../models/json_schema.h"
#include "run.h"
#include "schema_names.h"

static const char *const files[] = {[POISE_RUN_FILE] = "run", [POISE_MODEL_FILE] = "model"};

enum { FILES = sizeof files / sizeof files[0] };

static int unknown(const tool_arguments *a)
{
    const char *nearest = poise__nearest(a->word[0], FILES, files);

    return nearest
               ? tool_wrong(a->command, "no schema of '%s'; did you mean '%s'?", a->word[0],
                            nearest)
               : tool_wrong(a->command, "no schema of '%s'; it must be run or model", a->word[0]);
}

/* The tables' schema with what is installed; malloc'd. */
static char *run_schema(poise_error *err)
{
    char *plain = poise_json_schema(POISE_RUN_FILE, err), *text = NULL;
    json_t *root = plain ? json_loads(plain, 0, NULL) : NULL;

    if (root && tool_schema_names(root, err) == 0) {
        text = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(12));
        if (!text)
            poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "no memory for the schema");
    }
    json_decref(root);
    free(plain);
    return text;
}

static int run(const tool_arguments *a)
{
    poise_error err;
    char *text;
    int k = 0;

    while (k < FILES && strcmp(a->word[0], files[k]) != 0)
        k++;
    if (k == FILES)
        return unknown(a);
    text = k == POISE_RUN_FILE ? run_schema(&err) : poise_json_schema(POISE_MODEL_FILE, &err);
    if (!text)
        return tool_failed(&err);
    puts(text);
    free(text);
    return TOOL_OK;
}

static const tool_option options[] = {TOOL_OPTION_END};

const tool_command tool_schema = {
    .name = "schema",
    .words = "run | model",
    .min_words = 1,
    .max_words = 1,
    .summary = "print the JSON Schema of run or model files, for editors",
    .text =
        "Draft 7, from the same tables as the checks and the help; that of run files also knows\n"
        "the strategies and models that are installed, and their settings. An installed tree\n"
        "has both as share/poise/schema/run.json and model.json.\n",
    .option = options,
    .run = run};
