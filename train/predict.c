#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "file.h"
#include "prediction.h"
#include "trained.h"
#include "trainer.h"

/* The whole CSV in memory; NULL on failure. */
static char *as_csv(const poise__trained_run *run, float *const *score, int64_t rows, size_t *bytes,
                    poise_error *err)
{
    const poise_schema *s = run->schema;
    char *text = NULL;
    FILE *f = open_memstream(&text, bytes);
    int bad = !f;

    for (int t = 0; !bad && t < s->ntask; t++)
        bad = fprintf(f, "%s%s", t ? "," : "", s->task[t].name) < 0;
    for (int64_t k = 0; !bad && k < rows; k++) {
        bad = fputc('\n', f) < 0;
        for (int t = 0; !bad && t < s->ntask; t++) {
            int64_t width = poise__engine_width(&run->engine, t);
            bad = fprintf(f, "%s%.9g", t ? "," : "",
                          poise__prediction(s->task[t].kind, score[t] + k * width, width)) < 0;
        }
    }
    bad = bad || fputc('\n', f) < 0;
    if (f && fclose(f) != 0)
        bad = 1;
    if (bad) {
        free(text);
        (void)poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory for the predictions");
        return NULL;
    }
    return text;
}

static int check_finite(const float *score, int64_t rows, int64_t width, const char *task,
                        poise_error *err)
{
    for (int64_t k = 0; k < rows * width; k++)
        if (!isfinite(score[k]))
            return poise_fail(err, POISE_E_NUMERIC, POISE_NOWHERE,
                              "the score of task '%s' for row %lld is %g; is model.safetensors "
                              "damaged, or a number of that row far from all in training?",
                              task, (long long)(k / width + 1), (double)score[k]);
    return 0;
}

static int score_and_write(poise__trained_run *run, const poise_dataset *d, const char *out,
                           poise_error *err)
{
    int ntask = run->schema->ntask, status;
    int64_t rows = poise_dataset_rows(d);
    size_t bytes;
    char *text = NULL;
    poise__arena *a = poise__arena_new(err);
    float **score = a ? poise__arena_alloc(a, (size_t)ntask, sizeof *score, err) : NULL;

    status = score ? 0 : -1;
    for (int t = 0; status == 0 && t < ntask; t++) {
        score[t] = poise__arena_alloc(
            a, (size_t)rows * (size_t)poise__engine_width(&run->engine, t), sizeof(float), err);
        status = score[t] ? 0 : -1;
    }
    if (status == 0)
        status = poise__engine_score(&run->engine, d, score, err);
    for (int t = 0; status == 0 && t < ntask; t++)
        status = check_finite(score[t], rows, poise__engine_width(&run->engine, t),
                              run->schema->task[t].name, err);
    if (status == 0)
        status = (text = as_csv(run, score, rows, &bytes, err)) ? 0 : -1;
    if (status == 0)
        status = poise__file_replace(out, 1, &(poise__piece){text, bytes}, err);
    free(text);
    poise__arena_free(a);
    return status;
}

int poise_predict(const char *folder, const char *data, const char *out, int threads, int64_t *rows,
                  poise_error *err)
{
    poise__trained_run run;

    if (poise__trained_open(&run, folder, threads, err) < 0)
        return -1;
    poise_dataset *d = poise_dataset_read(&run.spec->data, data, run.schema, 0, err);
    int status = d ? score_and_write(&run, d, out, err) : -1;
    if (status == 0)
        *rows = poise_dataset_rows(d);
    poise_dataset_free(d);
    poise__trained_close(&run);
    return status;
}
