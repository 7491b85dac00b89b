#include "table.h"

#include <math.h>
#include <stdlib.h>

#include "../core/memory.h"
#include "../core/random.h"

struct poise_stream {
    const poise_dataset *data;
    int64_t batch, batches, next;
    int shuffle;
    uint32_t epoch;
    uint64_t seed, stream;
    int64_t *row;
    float *numeric;
    int32_t *ids;
    float **label, **weight; /* [T] into one block: [T, B] each */
    int32_t **list;          /* [nlist] each [B, length] */
};

static void *block(int64_t count, int64_t width, size_t size, poise_error *err)
{
    if (width > 0 && (uint64_t)count > SIZE_MAX / size / (uint64_t)width) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "a batch of %lld rows is too large",
                   (long long)count);
        return NULL;
    }
    return poise__alloc_aligned((size_t)count * (size_t)width * size, err);
}

/* [T] pointers into [T, B] floats, which the first one owns. */
static float **task_block(int ntask, int64_t batch, poise_error *err)
{
    float **rows = poise__calloc((size_t)ntask + 1, sizeof *rows, err);
    if (!rows)
        return NULL;
    rows[0] = block(batch, ntask > 0 ? ntask : 1, sizeof(float), err);
    if (!rows[0]) {
        free(rows);
        return NULL;
    }
    for (int t = 1; t < ntask; t++)
        rows[t] = rows[0] + (size_t)t * (size_t)batch;
    return rows;
}

static int32_t **list_blocks(const poise_dataset *d, int64_t batch, poise_error *err)
{
    int32_t **list = poise__calloc((size_t)d->nlist + 1, sizeof *list, err);
    for (int k = 0; list && k < d->nlist; k++)
        if (!(list[k] = block(batch, d->list[k].length, sizeof **list, err))) {
            while (k-- > 0)
                free(list[k]);
            free(list);
            return NULL;
        }
    return list;
}

poise_stream *poise_stream_new(const poise_dataset *d, int64_t batch, int shuffle, uint64_t seed,
                               poise_error *err)
{
    if (batch < 1) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "a batch has %lld rows; it needs 1 or more",
                   (long long)batch);
        return NULL;
    }
    poise_stream *s = poise__calloc(1, sizeof *s, err);
    if (!s)
        return NULL;
    s->data = d;
    s->batch = batch;
    s->batches = d->rows / batch + (d->rows % batch != 0);
    s->shuffle = shuffle;
    s->seed = seed;
    s->stream = poise_random_stream("shuffle");
    if (!(s->row = block(batch, 1, sizeof *s->row, err)) ||
        !(s->numeric = block(batch, d->nnumeric + 1, sizeof *s->numeric, err)) ||
        !(s->ids = block(batch, d->ncategorical + 1, sizeof *s->ids, err)) ||
        !(s->list = list_blocks(d, batch, err)) || !(s->label = task_block(d->ntask, batch, err)) ||
        !(s->weight = task_block(d->ntask, batch, err))) {
        poise_stream_free(s);
        return NULL;
    }
    return s;
}

void poise_stream_free(poise_stream *s)
{
    if (!s)
        return;
    for (int k = 0; s->list && k < s->data->nlist; k++)
        free(s->list[k]);
    free(s->list);
    free(s->row);
    free(s->numeric);
    free(s->ids);
    if (s->label)
        free(s->label[0]);
    if (s->weight)
        free(s->weight[0]);
    free(s->label);
    free(s->weight);
    free(s);
}

int64_t poise_stream_batches(const poise_stream *s)
{
    return s->batches;
}

void poise_stream_seek(poise_stream *s, uint32_t epoch, int64_t index)
{
    s->epoch = epoch;
    s->next = index < 0 ? 0 : index;
}

/* The rows of batch `next`; how many there are. */
static int64_t choose(poise_stream *s)
{
    int64_t first = s->next * s->batch, n = s->data->rows - first;
    if (n > s->batch)
        n = s->batch;
    for (int64_t i = 0; i < n; i++) {
        uint64_t at = (uint64_t)(first + i);
        s->row[i] = (int64_t)(s->shuffle ? poise_random_permute(s->seed, s->stream, s->epoch,
                                                                (uint64_t)s->data->rows, at)
                                         : at);
    }
    for (int64_t i = n; i < s->batch; i++)
        s->row[i] = -1;
    return n;
}

/* The lists of the chosen rows, -1 where they have ended. */
static void gather_list(const poise_stream *s, int64_t n, const poise__list *from, int32_t *to)
{
    for (int64_t i = 0; i < s->batch; i++, to += from->length) {
        int64_t first = i < n ? from->start[s->row[i]] : 0;
        int64_t items = i < n ? from->start[s->row[i] + 1] - first : 0;
        for (int64_t k = 0; k < from->length; k++)
            to[k] = k < items ? from->item[first + k] : -1;
    }
}

int64_t poise_stream_next(poise_stream *s, poise_batch *b, poise_error *err)
{
    (void)err; /* rows in memory cannot fail; rows on disk will */
    const poise_dataset *d = s->data;
    if (s->next >= s->batches)
        return 0;
    int64_t n = choose(s), width = d->nnumeric, wide = d->ncategorical;
    for (int64_t i = 0; i < n; i++) {
        const float *number = d->numeric + s->row[i] * width;
        const int32_t *id = d->ids + s->row[i] * wide;
        for (int64_t k = 0; k < width; k++)
            s->numeric[i * width + k] = number[k];
        for (int64_t k = 0; k < wide; k++)
            s->ids[i * wide + k] = id[k];
    }
    for (int64_t i = n * width; i < s->batch * width; i++)
        s->numeric[i] = 0;
    for (int64_t i = n * wide; i < s->batch * wide; i++)
        s->ids[i] = 0;
    for (int t = 0; t < d->ntask; t++)
        for (int64_t i = 0; i < s->batch; i++) {
            s->label[t][i] = i < n ? d->label[t][s->row[i]] : NAN;
            s->weight[t][i] = i < n ? d->weight[t][s->row[i]] : 0;
        }
    for (int k = 0; k < d->nlist; k++)
        gather_list(s, n, &d->list[k], s->list[k]);
    s->next++;
    *b = (poise_batch){n, s->row, s->numeric, s->ids, s->label, s->weight, s->list};
    return n;
}
