/* A network worked out for drawing: shapes, and which task needs what. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "show_parts.h"

typedef struct walk {
    const poise__drawing *d;
    char *needs;
    int by; /* the instance whose sources are seen */
} walk;

static int inherit(void *user, const poise__source *s)
{
    walk *w = user;
    int ntask = w->d->model->ntask;
    for (int t = 0; s->instance && t < ntask; t++)
        w->needs[s->instance->id * ntask + t] |= w->needs[w->by * ntask + t];
    return 0;
}

/* From the last instance to the first: what a task needs, it needs the sources of. */
static void find_needs(poise__drawing *d)
{
    const poise_model *m = d->model;
    walk w = {.d = d, .needs = d->needs};
    for (int t = 0; t < m->ntask; t++)
        for (int k = 0; poise__needed_by(m, t, k); k++)
            w.needs[poise__needed_by(m, t, k)->id * m->ntask + t] = 1;
    for (w.by = m->ninstance - 1; w.by >= 0; w.by--)
        poise__all_sources(m, m->instance[w.by], inherit, &w);
}

static int work_out(poise__drawing *d, poise_error *err)
{
    const poise_model *m = d->model;
    size_t n = (size_t)m->ninstance;
    poise_diagnostics *diag = poise_diagnostics_new(err);
    d->shape = diag ? poise__calloc(n, sizeof(*d->shape), err) : NULL;
    d->needs = d->shape ? poise__calloc(n, (size_t)m->ntask, err) : NULL;
    int done = d->needs ? poise__shapes(m, d->schema, d->shape, diag) : -1;
    if (d->needs && done < 0)
        *err = *poise_diagnostics_first(diag);
    poise_diagnostics_free(diag);
    if (done == 0)
        find_needs(d);
    return done;
}

int poise__drawing_begin(poise__drawing *d, const poise_spec *s, poise_error *err)
{
    *d = (poise__drawing){.spec = s, .model = s->model, .schema = s->schema};
    if (work_out(d, err) == 0) {
        d->out = open_memstream(&d->text, &d->size);
        if (d->out)
            return 0;
        poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    }
    free(d->shape);
    free(d->needs);
    return -1;
}

char *poise__drawing_end(poise__drawing *d, poise_error *err)
{
    int bad = ferror(d->out);
    bad |= fclose(d->out) != 0;
    free(d->shape);
    free(d->needs);
    if (!bad && d->text)
        return d->text;
    free(d->text);
    poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    return NULL;
}

void poise__drawing_tasks(const poise__drawing *d, const poise__layer *l, char *needs)
{
    int ntask = d->model->ntask;
    memset(needs, 0, (size_t)ntask);
    for (int i = 0; i < l->ninstance; i++)
        for (int t = 0; t < ntask; t++)
            needs[t] |= d->needs[l->instance[i].id * ntask + t];
}

const char *poise__drawing_shape(const poise__shape *s, char *buf, size_t size)
{
    char width[32];
    snprintf(width, sizeof(width), s->width ? "%" PRId64 : "?", s->width);
    if (s->stack)
        snprintf(buf, size, "B x %" PRId64 " x %s", s->stack, width);
    else
        snprintf(buf, size, "B x %s", width);
    return buf;
}

int poise__drawing_has_table(const poise_feature *f)
{
    return poise_feature_ids(f) > 0 || f->kind == POISE_LIST;
}

static int64_t table(const poise_schema *s, const poise_feature *f)
{
    if (!poise__drawing_has_table(f) || f->table)
        return 0;
    return s->learnt ? poise_feature_rows(f) * f->dim : -1;
}

/* The features that an input is of: how many, and the k-th. */
static int count_of(const poise__drawing *d, const poise__source *s)
{
    return s->layer == POISE__FEATURES ? d->schema->nfeature
           : s->layer == POISE__GROUP  ? d->model->groups->at[s->feature].n
                                       : 1;
}

static const poise_feature *feature_of(const poise__drawing *d, const poise__source *s, int k)
{
    int f = s->layer == POISE__FEATURES ? k
            : s->layer == POISE__GROUP  ? d->model->groups->at[s->feature].feature[k]
                                        : s->feature;
    return &d->schema->feature[f];
}

int64_t poise__drawing_width(const poise__drawing *d, const poise__source *s)
{
    int64_t width = 0;
    for (int k = 0; k < count_of(d, s); k++)
        width += poise_feature_width(feature_of(d, s, k));
    return width;
}

int64_t poise__drawing_weights(const poise__drawing *d, const poise__source *s)
{
    int64_t all = 0;
    for (int k = 0; k < count_of(d, s); k++) {
        int64_t n = table(d->schema, feature_of(d, s, k));
        if (n < 0)
            return -1;
        all += n;
    }
    return all;
}

int poise_show_needs_data(const poise_spec *s)
{
    for (int t = 0; t < s->schema->ntask; t++)
        if (poise__task_width(&s->schema->task[t]) == 0)
            return 1;
    return 0;
}
