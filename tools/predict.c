/* poise predict -- scores for the rows of a file. */
#include <inttypes.h>
#include <stdio.h>
#include "run.h"

static int run(const tool_arguments *a)
{
    const char *data = tool_value(a, "data"), *out = tool_value(a, "out");
    uint64_t threads = 0;
    int64_t rows = 0;
    poise_error err;
    int status = tool_number(a, "threads", 0, 1024, &threads);

    if (status != TOOL_OK)
        return status;
    if (poise_predict(a->word[0], data, out, (int)threads, &rows, &err) < 0)
        return tool_failed(&err);
    printf("%" PRId64 " rows -> %s\n", rows, out);
    return TOOL_OK;
}

static const tool_option options[] = {
    {"data", "FILE", "rows in the format of the training data; label columns may be absent",
     TOOL_NEEDED},
    {"out", "FILE", "CSV with a header: one column per task, one line per row, in order",
     TOOL_NEEDED},
    {"threads", "N", "threads to use; 0 (default): chosen by size", TOOL_ONCE},
    TOOL_OPTION_END};

const tool_command tool_predict = {
    .name = "predict",
    .words = "DIR",
    .min_words = 1,
    .max_words = 1,
    .summary = "score the rows of a file with a trained run",
    .text = "Predictions of binary tasks are probabilities.\n"
            "\n"
            "  poise predict runs/census-1 --data new.csv --out scores.csv\n",
    .option = options,
    .run = run};
