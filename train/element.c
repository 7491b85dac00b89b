#include "element.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"

/* Elements at a time: T gradients of this many stay in the second cache. */
enum { SLICE = 8192 };

static const poise_gradient *gradient(const poise__element *e, int k, int t)
{
    return &e->step->task_gradient[k * e->ntask + t];
}

/* The rows of the table at place k, NULL for a dense parameter. */
static const poise_gradient *of_table(const poise__element *e, int k)
{
    for (int t = 0; t < e->ntask; t++)
        if (gradient(e, k, t)->rows)
            return gradient(e, k, t);
    return NULL;
}

/* Elements of the gradient of the parameter at place k. */
static size_t extent(const poise__element *e, int k)
{
    const poise_gradient *table = of_table(e, k);
    return (size_t)(table ? poise_value_count(table->value)
                          : poise_store_at(e->store, e->step->scope[k])->count);
}

int poise__element_init(poise__element *e, poise_store *s, const poise_step_graph *step,
                        const poise__host *h, poise_error *err)
{
    size_t n = (size_t)step->nscope, ntask = (size_t)h->ntask, nkeep;

    *e = (poise__element){.ntask = h->ntask, .nscope = step->nscope, .store = s, .step = step};
    nkeep = poise_balance_keep(h->balance);
    e->nkeep = (int)nkeep;
    e->first = poise__calloc(n, sizeof *e->first, err);
    e->at = poise__calloc(n, sizeof *e->at, err);
    if (!e->first || !e->at)
        return -1;
    for (int k = 0; k < e->nscope; k++) {
        e->first[k] = e->total;
        e->at[k] = e->room;
        e->total += (size_t)poise_store_at(s, step->scope[k])->count;
        e->room += extent(e, k);
    }
    e->keep = poise__calloc(nkeep ? nkeep : 1, (e->total ? e->total : 1) * sizeof(float), err);
    e->edited = poise__calloc(ntask, e->room * sizeof(float), err);
    e->blended = poise__calloc(e->room, sizeof(float), err);
    e->zero = poise__calloc(SLICE, sizeof(float), err);
    e->gram = poise__calloc(n * ntask * ntask, sizeof(double), err);
    e->grad = poise__calloc(ntask, sizeof *e->grad, err);
    e->out = poise__calloc(ntask, sizeof *e->out, err);
    e->kept = poise__calloc(nkeep, sizeof *e->kept, err);
    return e->keep && e->edited && e->blended && e->zero && e->gram && e->grad && e->out && e->kept
               ? 0
               : -1;
}

void poise__element_done(poise__element *e)
{
    free(e->first);
    free(e->at);
    free(e->keep);
    free(e->edited);
    free(e->blended);
    free(e->zero);
    free(e->gram);
    free((void *)e->grad);
    free(e->out);
    free(e->kept);
    *e = (poise__element){0};
}

const float *poise__element_rows(const poise__element *e, int k)
{
    return e->blended + e->at[k];
}

/* One slice: where it lies in the gradient (from) and among the parameter's elements (element). */
typedef struct slice {
    int k;
    size_t from, element, n;
} slice;

/* Call visit for every slice of the scope. */
static int each_slice(poise__element *e, const poise_session *s,
                      int (*visit)(poise__element *e, const slice *at, void *arg, poise_error *err),
                      void *arg, poise_error *err)
{
    for (int k = 0; k < e->nscope; k++) {
        const poise_gradient *table = of_table(e, k);
        const int32_t *rows = table ? poise_session_data(s, table->rows) : NULL;
        size_t width = table ? (size_t)table->value->dim[1] : SLICE, n = extent(e, k);
        for (size_t from = 0; from < n; from += width) {
            slice at = {k, from, from, n - from < width ? n - from : width};
            if (rows && rows[from / width] < 0)
                break;
            if (rows)
                at.element = (size_t)rows[from / width] * width;
            /* A row wider than the slice of zeros is cut. */
            for (size_t done = 0; done < at.n; done += SLICE) {
                slice part = {k, at.from + done, at.element + done,
                              at.n - done < SLICE ? at.n - done : SLICE};
                if (visit(e, &part, arg, err) < 0)
                    return -1;
            }
        }
    }
    return 0;
}

typedef struct pass {
    const poise_session *session;
    poise__host *host;
    int raw; /* blend what the graph left, not what edit() made */
} pass;

static poise_stretch stretch(poise__element *e, const slice *at, const pass *p, int edited)
{
    for (int t = 0; t < e->ntask; t++) {
        const poise_gradient *g = gradient(e, at->k, t);
        float *mine = e->edited + (size_t)t * e->room + e->at[at->k] + at->from;
        const float *raw =
            g->value ? (const float *)poise_session_data(p->session, g->value) + at->from : e->zero;
        e->grad[t] = edited ? mine : raw;
        e->out[t] = mine;
    }
    for (int j = 0; j < e->nkeep; j++)
        e->kept[j] = e->keep + (size_t)j * e->total + e->first[at->k] + at->element;
    return (poise_stretch){.size = sizeof(poise_stretch),
                           .group = (uint32_t)at->k,
                           .first = e->first[at->k] + at->element,
                           .n = at->n,
                           .grad = e->grad,
                           .keep = e->kept};
}

static int edit_slice(poise__element *e, const slice *at, void *arg, poise_error *err)
{
    pass *p = arg;
    poise_stretch s = stretch(e, at, p, 0);
    double *gram = e->gram + (size_t)at->k * (size_t)(e->ntask * e->ntask);

    if (poise_balance_edit(p->host->balance, &p->host->in, &s, e->out, err) < 0)
        return -1;
    for (int i = 0; i < e->ntask; i++)
        for (int j = 0; j <= i; j++) {
            double sum = 0;
            for (size_t c = 0; c < at->n; c++)
                sum += (double)e->out[i][c] * (double)e->out[j][c];
            gram[i * e->ntask + j] += sum;
        }
    return 0;
}

static int blend_slice(poise__element *e, const slice *at, void *arg, poise_error *err)
{
    pass *p = arg;
    poise_stretch s = stretch(e, at, p, !p->raw);
    float *to = of_table(e, at->k)
                    ? e->blended + e->at[at->k] + at->from
                    : poise_store_gradient(e->store, e->step->scope[at->k]) + at->from;

    return poise_balance_blend(p->host->balance, &p->host->in, &s, p->host->weight, to, err);
}

/* The signals of step() are those of the edited gradients, as far as they were asked for. */
static void measure(poise__element *e, poise__host *h)
{
    size_t n = (size_t)e->ntask, square = n * n;

    for (size_t k = 0; k < (size_t)e->nscope; k++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                e->gram[k * square + j * n + i] = e->gram[k * square + i * n + j];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double sum = 0;
            for (size_t k = 0; k < (size_t)e->nscope; k++)
                sum += e->gram[k * square + i * n + j];
            h->gram[i * n + j] = sum;
        }
    for (size_t i = 0; i < n; i++)
        h->norm[i] = sqrt(h->gram[i * n + i]);
    if (h->in.group_gram)
        memcpy(h->group_gram, e->gram, (size_t)e->nscope * square * sizeof(double));
}

static void scale_own(poise__element *e, const poise_session *s, const poise__host *h)
{
    for (int k = 0; k < e->step->nparam; k++) {
        int task = e->step->owner[k];
        const poise_gradient *g = &e->step->gradient[k];
        if (task < 0 || !g->value)
            continue;
        float *x = poise_session_data(s, g->value);
        for (int64_t c = 0; c < poise_value_count(g->value); c++)
            x[c] *= (float)h->weight[task];
    }
}

int poise__element_step(poise__element *e, const poise_session *s, poise__host *h, int shared_only,
                        poise_error *err)
{
    uint32_t flags = poise_plugin_get(poise_balance_plugin(h->balance))->flags;
    pass p = {.session = s, .host = h, .raw = (flags & POISE_EDIT_SIGNALS) != 0};

    memset(e->gram, 0, (size_t)e->nscope * (size_t)(e->ntask * e->ntask) * sizeof *e->gram);
    if (each_slice(e, s, edit_slice, &p, err) < 0)
        return -1;
    measure(e, h);
    if (poise__host_decide(h, err) < 0 || each_slice(e, s, blend_slice, &p, err) < 0)
        return -1;
    if (!shared_only)
        scale_own(e, s, h);
    return 0;
}
