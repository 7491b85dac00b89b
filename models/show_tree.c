/* The network as a tree:
 *
 *     features                     B x 50           20999  all tasks
 *     └─ expert   mlp              B x 8 x 16        6528  all tasks
 *        └─ mix   mixture  also features  3 times B x 16  3 x 408  one for each task
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "show_parts.h"

enum { LEAST_NAME = 30, LEAST_KIND = 12, SHAPE = 16, WEIGHTS = 14, BRANCH = 3, LISTED = 4 };

/* The layers that the tree has under each: by the layer, or by FEATURES. */
enum { ROOT = -1 };

typedef struct tree {
    poise__drawing *d;
    poise_error *err;
    int name, kind; /* columns of the first and of the second */
    int *under;     /* [nlayer] the layer that it stands under, or ROOT */
    char *task;     /* [ntask] scratch */
    char *open;     /* [nlayer + 1] by depth: more is to come below */
} tree;

/* ---- words ---- */

/* How many columns a text takes on a terminal. */
static int columns(const char *text)
{
    int n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

static void put(const poise__drawing *d, const char *text, int width)
{
    int pad = width - columns(text);
    fprintf(d->out, "%s%*s", text, pad > 1 ? pad : 1, "");
}

static const char *weights_text(int64_t n, int times, char *buf, size_t size)
{
    if (n < 0)
        snprintf(buf, size, "?");
    else if (times > 1)
        snprintf(buf, size, "%d x %" PRId64, times, n);
    else
        snprintf(buf, size, "%" PRId64, n);
    return buf;
}

/* "all tasks", "click, buy", "no task" */
static void put_tasks(const poise__drawing *d, const char *needs)
{
    int n = 0, ntask = d->model->ntask;
    for (int t = 0; t < ntask; t++)
        n += needs[t];
    if (n == ntask && n > 1)
        fprintf(d->out, "shared by all tasks");
    else if (n == 0)
        fprintf(d->out, "no task");
    else
        fprintf(d->out, "%s", n > 1 ? "shared by " : "");
    for (int t = 0, put = 0; n > 0 && (n < ntask || n == 1) && t < ntask; t++)
        if (needs[t])
            fprintf(d->out, "%s%s", put++ ? ", " : "", d->schema->task[t].name);
}

/* 1 if every instance is needed by one task alone, and each by another. */
static int one_each(const poise__drawing *d, const poise__layer *l)
{
    int ntask = d->model->ntask;
    if (l->ninstance < 2)
        return 0;
    for (int i = 0; i < l->ninstance; i++) {
        int n = 0;
        for (int t = 0; t < ntask; t++)
            n += d->needs[l->instance[i].id * ntask + t];
        if (n != 1)
            return 0;
    }
    return 1;
}

/* ---- what stands where ---- */

typedef struct last {
    int id, layer;
} last;

static int later(void *user, const poise__source *s)
{
    last *l = user;
    if (s->instance && s->instance->id > l->id) {
        l->id = s->instance->id;
        l->layer = s->layer;
    }
    return 0;
}

/* Under the last in order of need, of another layer, of what its instances read. */
static void find_places(tree *t)
{
    const poise_model *m = t->d->model;
    for (int k = 0; k < m->nlayer; k++) {
        last l = {-1, ROOT};
        poise__all_sources(m, &m->layer[k].instance[0], later, &l);
        t->under[k] = l.layer == k ? ROOT : l.layer;
    }
}

static int same(const poise__reference *a, const poise__reference *b)
{
    return strcmp(a->name, b->name) == 0 &&
           strcmp(a->select ? a->select : "", b->select ? b->select : "") == 0;
}

/* 1 if the layer reads it in an earlier place too. */
static int told(const poise__layer *l, const poise__reference *r)
{
    const poise__references *refs;
    for (int k = 0; (refs = poise__references_in(l->kind, l->own[0], k)) != NULL; k++)
        for (int i = 0; i < refs->n; i++)
            if (&refs->at[i] == r)
                return 0;
            else if (same(&refs->at[i], r))
                return 1;
    return 0;
}

/* "features, own[*]": what it reads besides the layer it stands under, each once. */
static void put_others(const tree *t, const poise__layer *l)
{
    const poise_model *m = t->d->model;
    const char *under =
        t->under[l - m->layer] == ROOT ? "features" : m->layer[t->under[l - m->layer]].name;
    int n = 0;
    const poise__references *refs;
    for (int k = 0; (refs = poise__references_in(l->kind, l->own[0], k)) != NULL; k++)
        for (int i = 0; i < refs->n; i++) {
            const poise__reference *r = &refs->at[i];
            if ((strcmp(r->name, under) == 0 && !r->select) || told(l, r))
                continue;
            fprintf(t->d->out, "%s%s", n++ ? ", " : "; also reads ", r->name);
            if (r->select)
                fprintf(t->d->out, "[%s]", r->select);
        }
}

/* ---- lines ---- */

static int kind_columns(const poise_model *m)
{
    int most = LEAST_KIND;
    for (int k = 0; k < m->nlayer; k++) {
        int n = (int)strlen(m->layer[k].kind->section.name) + 2;
        most = n > most ? n : most;
    }
    return most;
}

/* How wide the first column is: a name stands BRANCH columns further right than what it is under. */
static int name_columns(const tree *t, int parent, int depth)
{
    int most = LEAST_NAME;
    for (int k = 0; k < t->d->model->nlayer; k++) {
        if (t->under[k] != parent)
            continue;
        int own = BRANCH * depth + columns(t->d->model->layer[k].name) + 1;
        int below = name_columns(t, k, depth + 1);
        most = own > most ? own : most;
        most = below > most ? below : most;
    }
    return most;
}

/* The branches before a name: of every level whether more is to come below. */
static void put_branches(const tree *t, int depth, int is_last, const char *name)
{
    for (int k = 1; k < depth; k++)
        fprintf(t->d->out, t->open[k] ? "│  " : "   ");
    if (depth > 0)
        fprintf(t->d->out, is_last ? "└─ " : "├─ ");
    put(t->d, name, t->name - BRANCH * depth);
}

static void put_layer(const tree *t, const poise__layer *l, int depth, int is_last)
{
    const poise__drawing *d = t->d;
    const poise__shape *shape = &d->shape[l->instance[0].id];
    char text[100];
    int64_t weights = shape->parameters;
    int times = l->ninstance, even = 1;
    for (int i = 1; i < times; i++)
        even &= d->shape[l->instance[i].id].parameters == shape->parameters;
    if (!even) {
        for (int i = 1; i < times; i++)
            weights += d->shape[l->instance[i].id].parameters;
        times = 1;
    }
    put_branches(t, depth, is_last, l->name);
    put(d, l->kind->section.name, t->kind);
    put(d, poise__drawing_shape(shape, text, sizeof(text)), SHAPE);
    fprintf(d->out, "%*s  ", WEIGHTS - 2, weights_text(weights, times, text, sizeof(text)));
    poise__drawing_tasks(d, l, t->task);
    if (one_each(d, l))
        fprintf(d->out, "one for each task");
    else
        put_tasks(d, t->task);
    put_others(t, l);
    fprintf(d->out, "\n");
}

static int children(const tree *t, int parent)
{
    int n = 0;
    for (int k = 0; k < t->d->model->nlayer; k++)
        n += t->under[k] == parent;
    return n;
}

static void put_under(tree *t, int parent, int depth)
{
    int left = children(t, parent);
    for (int k = 0; k < t->d->model->nlayer; k++) {
        if (t->under[k] != parent)
            continue;
        left--;
        put_layer(t, &t->d->model->layer[k], depth, left == 0);
        t->open[depth] = left > 0;
        put_under(t, k, depth + 1);
    }
}

/* ---- features ---- */

/* Those with a table (and its width), or those that are numbers; a number in bins is both. */
static void put_names(const poise__drawing *d, int tables, const char *title)
{
    const poise_schema *s = d->schema;
    int n = 0;
    for (int k = 0; k < s->nfeature; k++) {
        const poise_feature *f = &s->feature[k];
        if (tables ? !poise__drawing_has_table(f) : poise_feature_numbers(f) == 0)
            continue;
        if (n == 0)
            fprintf(d->out, "  %-12s", title);
        if (n++ < LISTED)
            fprintf(d->out, "%s%s", n > 1 ? ", " : "", f->name);
        if (n <= LISTED && tables && f->table)
            fprintf(d->out, " [of %s]", f->table);
        else if (n <= LISTED && tables)
            fprintf(d->out, " [%" PRId64 "]", f->dim);
    }
    if (n > LISTED)
        fprintf(d->out, " and %d more", n - LISTED);
    if (n > 0)
        fprintf(d->out, "\n");
}

static void put_features(tree *t)
{
    const poise__drawing *d = t->d;
    poise__source all = {.layer = POISE__FEATURES, .name = "features"};
    poise__shape shape = {.width = poise__drawing_width(d, &all)};
    char text[100];
    put_names(d, 0, "numbers");
    put_names(d, 1, "embeddings");
    fprintf(d->out, "\n");
    put(d, "layer", t->name);
    put(d, "kind", t->kind);
    put(d, "output", SHAPE);
    fprintf(d->out, "%*s  needed by\n", WEIGHTS - 2, "weights");
    put(d, "features", t->name);
    put(d, "input", t->kind);
    put(d, poise__drawing_shape(&shape, text, sizeof(text)), SHAPE);
    fprintf(d->out, "%*s  ", WEIGHTS - 2,
            weights_text(poise__drawing_weights(d, &all), 1, text, sizeof(text)));
    memset(t->task, 1, (size_t)d->model->ntask);
    put_tasks(d, t->task);
    fprintf(d->out, "\n");
}

/* ---- sums ---- */

static void put_sums(const poise__drawing *d)
{
    const poise_model *m = d->model;
    poise__source all = {.layer = POISE__FEATURES};
    int64_t tables = poise__drawing_weights(d, &all), shared = 0, own = 0;
    for (int i = 0; i < m->ninstance; i++) {
        int n = 0;
        for (int t = 0; t < m->ntask; t++)
            n += d->needs[i * m->ntask + t];
        *(n > 1 ? &shared : &own) += d->shape[i].parameters;
    }
    fprintf(d->out,
            "\n%" PRId64 " weights in layers that tasks share, %" PRId64 " in layers of one task, ",
            shared, own);
    if (tables < 0)
        fprintf(d->out, "and those of the embeddings, whose values are not read yet\n");
    else
        fprintf(d->out, "%" PRId64 " in embeddings\n", tables);
}

char *poise_show_tree(const poise_spec *s, poise_error *err)
{
    poise__drawing d;
    tree t = {.d = &d, .err = err};
    if (poise__drawing_begin(&d, s, err) < 0)
        return NULL;
    t.under = poise__calloc((size_t)d.model->nlayer, sizeof(*t.under), err);
    t.task = poise__calloc((size_t)d.model->ntask + 1, 1, err);
    t.open = poise__calloc((size_t)d.model->nlayer + 2, 1, err);
    if (t.under && t.task && t.open) {
        find_places(&t);
        t.name = name_columns(&t, ROOT, 1);
        t.kind = kind_columns(d.model);
        fprintf(d.out, "%s, %d task%s:", d.model->name, d.model->ntask,
                d.model->ntask == 1 ? "" : "s");
        for (int k = 0; k < d.model->ntask; k++)
            fprintf(d.out, "%s %s", k ? "," : "", s->schema->task[k].name);
        fprintf(d.out, "\n\nfeatures\n");
        put_features(&t);
        put_under(&t, ROOT, 1);
        put_sums(&d);
    }
    int bad = !t.under || !t.task || !t.open;
    free(t.under);
    free(t.task);
    free(t.open);
    char *text = poise__drawing_end(&d, err);
    if (!bad)
        return text;
    free(text);
    poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "out of memory");
    return NULL;
}
