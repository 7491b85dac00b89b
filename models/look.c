#include "look.h"

#include <inttypes.h>
#include <stdlib.h>
#include "../core/memory.h"

enum { BATCH = 1024 };

typedef struct seen {
    int64_t rows; /* that count for the task */
    float least, most;
} seen;

static void add(seen *s, const float *label, const float *weight, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        if (!(weight[i] > 0))
            continue;
        if (s->rows++ == 0)
            s->least = s->most = label[i];
        s->least = label[i] < s->least ? label[i] : s->least;
        s->most = label[i] > s->most ? label[i] : s->most;
    }
}

static int go_over(const poise_schema *s, poise_stream *stream, seen *task, poise_error *err)
{
    poise_batch b;
    int64_t n;
    poise_stream_seek(stream, 0, 0);
    while ((n = poise_stream_next(stream, &b, err)) > 0)
        for (int t = 0; t < s->ntask; t++)
            add(&task[t], b.label[t], b.weight[t], n);
    return n < 0 ? -1 : 0;
}

static void warn(const poise_task *t, const seen *s, int64_t rows, int part,
                 poise_diagnostics *diag)
{
    const char *first = part ? "first " : "";
    if (s->rows == 0 && t->when)
        poise_warn(diag, t->place,
                   "task '%.80s': none of the %s%" PRId64 " training rows counts: 'when: %.80s' "
                   "never holds",
                   t->name, first, rows, t->when);
    else if (s->rows == 0)
        poise_warn(diag, t->place,
                   "task '%.80s': none of the %s%" PRId64 " training rows has a label", t->name,
                   first, rows);
    else if (s->least >= s->most)
        poise_warn(diag, t->place,
                   "task '%.80s': the label is %g in all of the %" PRId64
                   " rows that count, of the %s%" PRId64 " training rows",
                   t->name, (double)s->least, s->rows, first, rows);
}

int poise_spec_look(const poise_spec *s, const poise_dataset *rows, int part,
                    poise_diagnostics *diag, poise_error *err)
{
    const poise_schema *schema = s->schema;
    poise_stream *stream = poise_stream_new(rows, BATCH, 0, 0, err);
    seen *task = stream ? poise__calloc((size_t)schema->ntask, sizeof(*task), err) : NULL;
    int done = task ? go_over(schema, stream, task, err) : -1;
    for (int t = 0; done == 0 && t < schema->ntask; t++)
        warn(&schema->task[t], &task[t], poise_dataset_rows(rows), part, diag);
    free(task);
    poise_stream_free(stream);
    return done;
}
