/* Columns as read become a data set: codes to ids, numbers to standard scores. */
#include "table.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "../core/memory.h"

static int64_t row_at(const poise__rows *rows, int64_t i)
{
    return rows->row ? rows->row[i] : i;
}

static float *float_column(int64_t rows, poise_error *err)
{
    return poise__calloc((size_t)rows, sizeof(float), err);
}

/* A number into out[0], out[width], ...; then whether it is missing into out[1], out[width + 1], ... */
static void encode_number(const double *number, const poise__rows *rows, const poise_feature *f,
                          float *out, int width)
{
    double missing = isnan(f->missing) ? f->mean : poise_feature_number(f, f->missing);
    double shift = f->standardise ? f->mean : 0, scale = f->standardise ? f->deviation : 1;
    for (int64_t i = 0; i < rows->n; i++, out += width) {
        double x = number[row_at(rows, i)];
        double z = ((isnan(x) ? missing : x) - shift) / scale;
        int k = 0;
        if (!f->bin_only) /* rows not trained on may lie any number of deviations away */
            out[k++] = (float)fmax(fmin(z, (double)FLT_MAX), (double)-FLT_MAX);
        if (f->indicator)
            out[k] = isnan(x) ? 1.0F : 0.0F;
    }
}

static void encode_bin(const double *number, const poise__rows *rows, const poise_feature *f,
                       int32_t *out, int width)
{
    for (int64_t i = 0; i < rows->n; i++)
        out[i * width] = (int32_t)poise_feature_bin(f, number[row_at(rows, i)]);
}

static int32_t *id_of_codes(const poise__feature_column *c, const poise_feature *f,
                            poise_error *err)
{
    uint32_t n = poise__dictionary_count(c->words);
    const char *const *text = poise__dictionary_texts(c->words);
    int32_t *id = poise__calloc(n, sizeof *id, err);
    for (uint32_t k = 0; id && k < n; k++)
        id[k] = (int32_t)poise_feature_id(f, text[k]);
    return id;
}

static int encode_categorical(const poise__feature_column *c, const poise__rows *rows,
                              const poise_feature *f, int32_t *out, int width, poise_error *err)
{
    int32_t *id = id_of_codes(c, f, err);
    if (!id)
        return -1;
    for (int64_t i = 0; i < rows->n; i++)
        out[i * width] = id[c->code[row_at(rows, i)]];
    free(id);
    return 0;
}

static int encode_list(const poise__feature_column *c, const poise__rows *rows,
                       const poise_feature *f, poise__list *out, poise_error *err)
{
    int64_t from, to, n = 0;
    out->length = f->length;
    out->start = poise__calloc((size_t)rows->n + 1, sizeof *out->start, err);
    for (int64_t i = 0; out->start && i < rows->n; i++) {
        poise__list_items(c, row_at(rows, i), &from, &to);
        out->start[i + 1] = n += to - from;
    }
    out->item = out->start ? poise__calloc((size_t)n, sizeof *out->item, err) : NULL;
    int32_t *id = out->item ? id_of_codes(c, f, err) : NULL;
    if (!id)
        return -1;
    n = 0;
    for (int64_t i = 0; i < rows->n; i++) {
        poise__list_items(c, row_at(rows, i), &from, &to);
        for (int64_t k = from; k < to; k++)
            out->item[n++] = id[c->code[k]];
    }
    free(id);
    return 0;
}

static int encode_task(const poise__columns *c, const poise__rows *rows, const poise_schema *s,
                       int t, poise_dataset *d, poise_error *err)
{
    float *label = d->label[t] = float_column(rows->n, err);
    float *weight = label ? d->weight[t] = float_column(rows->n, err) : NULL;
    if (!weight)
        return -1;
    int when = poise__when_task(s, t);
    for (int64_t i = 0; i < rows->n; i++) {
        int64_t row = row_at(rows, i);
        label[i] = c->labelled ? c->task[t].label[row] : NAN;
        if (c->labelled && poise__counts(c, t, when, row))
            weight[i] =
                (c->weight ? c->weight[row] : 1) * (c->task[t].weight ? c->task[t].weight[row] : 1);
    }
    if (!c->task[t].truth)
        return 0;
    d->truth[t] = float_column(rows->n, err);
    for (int64_t i = 0; d->truth[t] && i < rows->n; i++)
        d->truth[t][i] = c->task[t].truth[row_at(rows, i)];
    return d->truth[t] ? 0 : -1;
}

static poise_dataset *dataset_new(int64_t rows, const poise_schema *s, poise_error *err)
{
    poise_dataset *d = poise__calloc(1, sizeof *d, err);
    if (!d)
        return NULL;
    d->rows = rows;
    d->nnumeric = poise_schema_numeric(s);
    d->ncategorical = poise_schema_categorical(s);
    d->nlist = poise_schema_lists(s);
    d->ntask = s->ntask;
    size_t n = (size_t)rows;
    if (!(d->numeric = poise__calloc(n, sizeof *d->numeric * (size_t)d->nnumeric, err)) ||
        !(d->ids = poise__calloc(n, sizeof *d->ids * (size_t)d->ncategorical, err)) ||
        !(d->list = poise__calloc((size_t)d->nlist, sizeof *d->list, err)) ||
        !(d->label = poise__calloc((size_t)d->ntask, sizeof *d->label, err)) ||
        !(d->weight = poise__calloc((size_t)d->ntask, sizeof *d->weight, err)) ||
        !(d->truth = poise__calloc((size_t)d->ntask, sizeof *d->truth, err))) {
        poise_dataset_free(d);
        return NULL;
    }
    return d;
}

poise_dataset *poise__encode(const poise__columns *c, const poise__rows *rows,
                             const poise_schema *s, poise_error *err)
{
    poise_dataset *d = dataset_new(rows->n, s, err);
    if (!d)
        return NULL;
    int numeric = 0, categorical = 0, list = 0, ok = 1;
    for (int f = 0; f < s->nfeature && ok; f++) {
        const poise_feature *p = &s->feature[f];
        int32_t *ids = d->ids + categorical;
        if (p->kind == POISE_CATEGORICAL) {
            ok = encode_categorical(&c->feature[f], rows, p, ids, d->ncategorical, err) == 0;
        } else if (p->kind == POISE_LIST) {
            ok = encode_list(&c->feature[f], rows, p, &d->list[list++], err) == 0;
        } else {
            encode_number(c->feature[f].number, rows, p, d->numeric + numeric, d->nnumeric);
            if (p->bins > 0)
                encode_bin(c->feature[f].number, rows, p, ids, d->ncategorical);
        }
        numeric += poise_feature_numbers(p);
        categorical += poise_feature_ids(p);
    }
    for (int t = 0; t < s->ntask && ok; t++)
        ok = encode_task(c, rows, s, t, d, err) == 0;
    if (ok)
        return d;
    poise_dataset_free(d);
    return NULL;
}

void poise_dataset_free(poise_dataset *d)
{
    if (!d)
        return;
    for (int t = 0; t < d->ntask; t++) {
        if (d->label)
            free(d->label[t]);
        if (d->weight)
            free(d->weight[t]);
        if (d->truth)
            free(d->truth[t]);
    }
    for (int k = 0; d->list && k < d->nlist; k++) {
        free(d->list[k].start);
        free(d->list[k].item);
    }
    free(d->list);
    free(d->numeric);
    free(d->ids);
    free(d->label);
    free(d->weight);
    free(d->truth);
    free(d);
}
