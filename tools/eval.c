/* poise eval -- the figures of a trained run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "run.h"

/* The test rows where the run has any, else the validation rows, else those it was trained on. */
static const char *held_out(const tool_arguments *a, int *status)
{
    char path[TOOL_PATH];
    poise_spec *spec;
    const char *part;

    tool_join(a->word[0], "spec.yaml", path, sizeof path);
    if (!tool_exists(path)) {
        *status =
            tool_wrong(a->command, "%s is not there: %s is not a run's folder", path, a->word[0]);
        return NULL;
    }
    spec = tool_spec(a, path, status);
    if (!spec)
        return NULL;
    part = spec->data.test || spec->data.generate      ? "test"
           : spec->data.valid || spec->data.valid_from ? "valid"
                                                       : "train";
    poise_spec_free(spec);
    return part;
}

static int print(const tool_arguments *a, const poise_result *r)
{
    poise_error err;
    char *json;

    if (!tool_flag(a, "json")) {
        tool_print_result(r);
        return TOOL_OK;
    }
    json = poise_result_json(r, &err);
    if (!json)
        return tool_failed(&err);
    printf("%s\n", json);
    free(json);
    return TOOL_OK;
}

static int run(const tool_arguments *a)
{
    const char *part = tool_value(a, "part");
    uint64_t threads = 0;
    poise_result r;
    poise_error err;
    int status = tool_number(a, "threads", 0, 1024, &threads);

    if (status != TOOL_OK)
        return status;
    if (part && strcmp(part, "train") && strcmp(part, "valid") && strcmp(part, "test"))
        return tool_wrong(a->command, "--part is '%s'; it must be train, valid or test", part);
    if (!part)
        part = held_out(a, &status);
    if (!part)
        return status;
    if (poise_evaluate(a->word[0], part, (int)threads, &r, &err) < 0)
        return tool_failed(&err);
    status = print(a, &r);
    poise_result_done(&r);
    return status;
}

static const tool_option options[] = {
    {"part", "PART", "train, valid or test; default: test where there is one, else valid",
     TOOL_ONCE},
    {"threads", "N", "threads to use; 0 (default): chosen by size", TOOL_ONCE},
    {"json", NULL, "print one JSON object: the figures as in result.json", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_eval = {
    .name = "eval",
    .words = "DIR",
    .min_words = 1,
    .max_words = 1,
    .summary = "figures of a trained run on a part of its data",
    .text = "Reads the run's model.safetensors and the data that its spec.yaml names.\n",
    .option = options,
    .run = run};
