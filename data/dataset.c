#include "dataset.h"

#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"
#include "generator.h"
#include "table.h"

/* A part of the data: where its rows come from. */
typedef struct part {
    const char *path;
    poise_place at;
    int64_t first, rows; /* of the generator */
} part;

static int check_spec(const poise_data_spec *d, const poise_schema *s, poise_error *err)
{
    if (d->generate) {
        if (!poise__generator_find(d->generate, d->place, err))
            return -1;
        if (d->rows < 1 || d->rows > POISE__GENERATOR_ROWS)
            return poise_fail(err, POISE_E_SPEC, d->place,
                              "`rows` is %lld; a generator makes 1 to %lld rows",
                              (long long)d->rows, (long long)POISE__GENERATOR_ROWS);
        if (d->train || d->valid || d->test || d->valid_from)
            return poise_fail(err, POISE_E_SPEC, d->place,
                              "a generator makes its own training, validation and test rows; "
                              "remove `train`, `valid` and `test`, or `generate`");
    } else if (!d->train) {
        return poise_fail(err, POISE_E_SPEC, d->place,
                          "there are no training rows; name a file in `train:`, or a generator in "
                          "`generate:`");
    }
    if (d->valid && d->valid_from)
        return poise_fail(err, POISE_E_SPEC, d->valid_at,
                          "validation rows come from a file or from another part, not from both");
    if (d->valid_from == 2 && !d->test)
        return poise_fail(err, POISE_E_SPEC, d->valid_at,
                          "validation rows are to be taken from the test rows, but there is no "
                          "`test:` file");
    for (int t = 0; t < s->ntask; t++)
        if (poise__when_task(s, t) == t)
            return poise_fail(err, POISE_E_SPEC, s->task[t].place,
                              "`when` of task %s names the task itself", s->task[t].name);
    return 0;
}

static int load(const poise_data_spec *d, const part *p, const poise_schema *s, poise__columns *c,
                poise_error *err)
{
    int status = d->generate ? poise__columns_generate(d, p->first, p->rows, s, c, err)
                             : poise__columns_read(d, p->path, p->at, s, 1, c, err);
    if (status < 0 || c->rows > 0)
        return status;
    poise_place at = {c->source, 1, 0};
    poise_fail(err, POISE_E_DATA, at, "there are no rows%s",
               d->header_in_file ? " below the header" : "");
    poise__columns_done(c);
    return -1;
}

/* Load a part, learn from it if it is the training part, and encode it, after setting aside
 * `fraction` of its rows if `aside` is not NULL. */
static int open_part(const poise_data_spec *d, const part *p, int learn, poise_schema *s,
                     poise_dataset **out, poise_dataset **aside, poise_error *err)
{
    poise__columns c;
    poise__rows rest = {0, NULL}, valid = {0, NULL};
    int status = -1;
    if (load(d, p, s, &c, err) < 0)
        return -1;
    rest.n = c.rows;
    if (aside &&
        poise__split(c.rows, d->valid_fraction, d->valid_seed, d->valid_at, &rest, &valid, err) < 0)
        goto done;
    int whole = d->limit == 0 || c.rows < d->limit;
    if (learn && poise__learn(&c, &rest, whole, s, err) < 0)
        goto done;
    *out = poise__encode(&c, &rest, s, err);
    if (*out && aside)
        *aside = poise__encode(&c, &valid, s, err);
    status = *out && (!aside || *aside) ? 0 : -1;
done:
    free(rest.row);
    free(valid.row);
    poise__columns_done(&c);
    return status;
}

int poise_data_open(const poise_data_spec *d, poise_schema *s, poise_data *out, poise_error *err)
{
    *out = (poise_data){NULL, NULL, NULL};
    if (check_spec(d, s, err) < 0)
        return -1;
    int64_t tenth = d->rows / 10 > 0 ? d->rows / 10 : 1;
    part train = {d->train, d->train_at, 0, d->rows};
    part valid = {d->valid, d->valid_at, d->rows, tenth};
    part test = {d->test, d->test_at, d->rows + tenth, tenth};
    if (open_part(d, &train, !s->learnt, s, &out->train, d->valid_from == 1 ? &out->valid : NULL,
                  err) < 0)
        goto failed;
    if ((d->valid || d->generate) && open_part(d, &valid, 0, s, &out->valid, NULL, err) < 0)
        goto failed;
    if ((d->test || d->generate) &&
        open_part(d, &test, 0, s, &out->test, d->valid_from == 2 ? &out->valid : NULL, err) < 0)
        goto failed;
    return 0;
failed:
    poise_data_done(out);
    return -1;
}

void poise_data_done(poise_data *d)
{
    poise_dataset_free(d->train);
    poise_dataset_free(d->valid);
    poise_dataset_free(d->test);
    *d = (poise_data){NULL, NULL, NULL};
}

static char **copy_names(int n, const char *const *name, poise_error *err)
{
    char **out = poise__calloc((size_t)n + 1, sizeof *out, err);
    for (int i = 0; out && i < n; i++) {
        size_t size = strlen(name[i]) + 1;
        out[i] = poise__calloc(size, 1, err);
        if (!out[i]) {
            poise_data_columns_free(out, i);
            return NULL;
        }
        memcpy(out[i], name[i], size);
    }
    return out;
}

char **poise_data_columns(const poise_data_spec *d, int *n, poise_error *err)
{
    *n = 0;
    if (d->generate) {
        const poise__generator *g = poise__generator_find(d->generate, d->place, err);
        if (!g)
            return NULL;
        *n = g->ncolumn;
        return copy_names(g->ncolumn, g->column, err);
    }
    const char *path = d->train ? d->train : d->valid ? d->valid : d->test;
    poise_place at = d->train ? d->train_at : d->valid ? d->valid_at : d->test_at;
    if (!path) {
        poise_fail(err, POISE_E_SPEC, d->place,
                   "there is no data; name a file in `train:`, or a generator in `generate:`");
        return NULL;
    }
    poise__delimited *t = poise__delimited_open(d, path, at, err);
    if (!t)
        return NULL;
    *n = poise__delimited_columns(t);
    char **names = copy_names(*n, poise__delimited_names(t), err);
    poise__delimited_free(t);
    return names;
}

void poise_data_columns_free(char **columns, int n)
{
    for (int i = 0; columns && i < n; i++)
        free(columns[i]);
    free(columns);
}

poise_dataset *poise_dataset_read(const poise_data_spec *d, const char *path, const poise_schema *s,
                                  int labels, poise_error *err)
{
    poise__columns c;
    poise_data_spec all_rows = *d;
    all_rows.limit = 0;
    if (!s->learnt) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "the schema has not been learnt from training rows");
        return NULL;
    }
    if (poise__columns_read(&all_rows, path, POISE_NOWHERE, s, labels, &c, err) < 0)
        return NULL;
    poise__rows all = {c.rows, NULL};
    poise_dataset *out = poise__encode(&c, &all, s, err);
    poise__columns_done(&c);
    return out;
}

int64_t poise_dataset_rows(const poise_dataset *d)
{
    return d->rows;
}

const float *poise_dataset_truth(const poise_dataset *d, int task)
{
    return task >= 0 && task < d->ntask ? d->truth[task] : NULL;
}
