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

static int look(const poise_schema *schema, const poise_dataset *rows, int part,
                poise_diagnostics *diag, poise_error *err)
{
    poise_stream *stream = poise_stream_new(rows, BATCH, 0, 0, err);
    seen *task = stream ? poise__calloc((size_t)schema->ntask, sizeof(*task), err) : NULL;
    int done = task ? go_over(schema, stream, task, err) : -1;
    for (int t = 0; done == 0 && t < schema->ntask; t++)
        warn(&schema->task[t], &task[t], poise_dataset_rows(rows), part, diag);
    free(task);
    poise_stream_free(stream);
    return done;
}

int poise_spec_look(const poise_spec *s, const poise_dataset *rows, int part,
                    poise_diagnostics *diag, poise_error *err)
{
    return look(s->schema, rows, part, diag, err);
}

int poise_spec_look_labels(const poise_spec *s, const poise_data_spec *d, int64_t *rows,
                           poise_diagnostics *diag, poise_error *err)
{
    size_t ntask = (size_t)s->schema->ntask;
    poise_data_spec train = *d;
    poise_schema labels = *s->schema; /* what is learnt is left to the copy */
    poise_data data = {0};
    train.valid = train.test = NULL;
    train.valid_from = d->valid_from == 1 ? 1 : 0;
    labels.nfeature = 0;
    labels.learnt = 0;
    labels.task = poise__calloc(ntask, sizeof(*labels.task), err);
    if (!labels.task)
        return -1;
    for (size_t t = 0; t < ntask; t++)
        labels.task[t] = s->schema->task[t];
    int done = poise_data_open(&train, &labels, &data, err);
    if (done == 0) {
        *rows = poise_dataset_rows(data.train);
        done = look(&labels, data.train, d->limit > 0 && *rows >= d->limit, diag, err);
    }
    poise_data_done(&data);
    free(labels.task);
    return done;
}
