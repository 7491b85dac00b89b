/* poise schema -- the spec language for editors, as a JSON Schema. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../core/search.h"
#include "../models/json_schema.h"
#include "run.h"

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

static int run(const tool_arguments *a)
{
    poise_error err;
    char *text;
    int k = 0;

    while (k < FILES && strcmp(a->word[0], files[k]) != 0)
        k++;
    if (k == FILES)
        return unknown(a);
    text = poise_json_schema((poise_file_kind)k, &err);
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
    .text = "Draft 7, from the same tables as the checks and the help. An installed tree has both\n"
            "as share/poise/schema/run.json and model.json.\n",
    .option = options,
    .run = run};
