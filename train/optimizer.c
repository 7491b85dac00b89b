#include "optimizer.h"
#include <math.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "../models/sections.h"
#include "rate.h"
#include "update.h"

enum { PART = 16384, ALIGN = 16, MAX_SLABS = 2 };
enum { ROW_PARTS = 4, FETCHED = 8 }; /* parts of a table's rows; rows asked for ahead */

/* Dense parameters, or tables. */
typedef struct side {
    poise_optimizer_spec spec;
    poise__update *update;
    size_t from, size; /* its part of the store's slabs */
    int slabs;
    const char *name[MAX_SLABS];
    float *slab[MAX_SLABS];   /* [size] each */
    void *base[MAX_SLABS];    /* owned: where their memory begins */
    poise__update_step *step; /* [ngroup] set by begin */
} side;

/* What parameters have in common: how they differ from the spec's settings. */
typedef struct group {
    double rate; /* times */
    double l2;   /* below 0: the spec's */
} group;

/* A stretch of dense parameters of one group. */
typedef struct stretch {
    int64_t from, to;
    int group;
} stretch;

struct poise_optimizer {
    poise_store *store; /* borrowed */
    poise_rate_schedule schedule;
    uint64_t run;
    int ngroup;
    group *group;
    int *of; /* [parameters] each one's group */
    int nstretch;
    stretch *stretch;
    side dense, table;
};

/* The settings that the kind does not use are not looked at. */
static int check(const poise_optimizer_spec *o, const poise_store *s, poise_error *err)
{
    int adam = o->kind == POISE_ADAM || o->kind == POISE_ADAMW;
    int sgd = o->kind == POISE_SGD;
    double below1 = nextafter(1, 0);
    const struct bound {
        const char *name;
        int used;
        double value, min, max;
    } bound[] = {
        {"rate", 1, o->rate, 0, 1e6},         {"weight_decay", 1, o->weight_decay, 0, 1e6},
        {"momentum", sgd, o->momentum, 0, 1}, {"beta1", adam, o->beta1, 0, below1},
        {"beta2", adam, o->beta2, 0, below1}, {"eps", !sgd, o->eps, 1e-30, 1e6},
    };

    if (!sgd && !adam && o->kind != POISE_ADAGRAD)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "there is no optimizer number %d",
                          (int)o->kind);
    for (size_t k = 0; k < sizeof bound / sizeof *bound; k++) {
        const struct bound *b = &bound[k];

        if (b->used && !(b->value >= b->min && b->value <= b->max))
            return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                              "the optimizer's %s is %g; it must be between %g and %g", b->name,
                              b->value, b->min, b->max);
    }
    if (!poise_store_sealed(s))
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "an optimizer needs a sealed store; call poise_store_seal first");
    return 0;
}

/* The kernels for this processor. */
static const poise__update_table *kernels(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        return &poise__update_avx2;
#endif
    return &poise__update_plain;
}

static void choose(side *p, int embedding)
{
    static const char *const names[][2] = {{"momentum", "embedding/momentum"},
                                           {"m", "embedding/m"},
                                           {"v", "embedding/v"},
                                           {"sum", "embedding/sum"}};
    const poise__update_table *table = kernels();
    int first = 0;

    switch (p->spec.kind) {
    case POISE_SGD:
        p->slabs = p->spec.momentum > 0;
        p->update = p->slabs ? table->momentum : table->plain;
        break;
    case POISE_ADAM:
    case POISE_ADAMW:
        p->slabs = 2;
        p->update = table->adam;
        first = 1;
        break;
    case POISE_ADAGRAD:
        p->slabs = 1;
        p->update = embedding && p->spec.by_row ? table->adagrad_row : table->adagrad;
        first = 3;
        break;
    }
    for (int k = 0; k < p->slabs; k++)
        p->name[k] = names[first + k][embedding];
}

static int side_init(side *p, const poise_optimizer *o, const poise_optimizer_spec *spec,
                     int embedding, poise_error *err)
{
    p->spec = *spec;
    choose(p, embedding);
    p->step = poise__calloc((size_t)o->ngroup, sizeof *p->step, err);
    if (!p->step)
        return -1;
    if (p->size > SIZE_MAX / sizeof(float))
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "%zu moments are too many", p->size);
    for (int k = 0; k < p->slabs; k++) {
        if (!(p->slab[k] = poise__alloc_late(p->size * sizeof(float), &p->base[k], err)))
            return -1;
        if (!embedding)
            poise__use_often(p->slab[k], p->size * sizeof(float));
    }
    return 0;
}

/* ---- groups ---- */

static int find_group(const poise_optimizer *o, group g)
{
    int k = 0;

    while (k < o->ngroup && (o->group[k].rate < g.rate || o->group[k].rate > g.rate ||
                             o->group[k].l2 < g.l2 || o->group[k].l2 > g.l2))
        k++;
    return k;
}

/* The group of every parameter; a pattern that names none is refused. */
static int group_parameters(poise_optimizer *o, const poise_train_spec *t, poise_error *err)
{
    int n = poise_store_count(o->store);
    int *named = poise__calloc((size_t)t->ntuning + 1, sizeof *named, err);

    o->of = poise__calloc((size_t)n + 1, sizeof *o->of, err);
    o->group = poise__calloc((size_t)t->ntuning + 1, sizeof *o->group, err);
    if (!named || !o->of || !o->group) {
        free(named);
        return -1;
    }
    o->group[o->ngroup++] = (group){1, -1};
    for (int k = 0; k < n; k++) {
        const char *name = poise_store_at(o->store, k)->name;
        int first = -1;
        for (int i = t->ntuning - 1; i >= 0; i--)
            if (poise__glob_names(t->tuning[i].pattern, name)) {
                named[i] = 1;
                first = i;
            }
        group g = first < 0 ? o->group[0] : (group){t->tuning[first].rate, t->tuning[first].l2};
        o->of[k] = find_group(o, g);
        if (o->of[k] == o->ngroup)
            o->group[o->ngroup++] = g;
    }
    for (int i = 0; i < t->ntuning; i++)
        if (!named[i]) {
            free(named);
            return poise_fail(err, POISE_E_SPEC, t->tuning[i].place,
                              "tuning: no parameter's name matches '%.80s'", t->tuning[i].pattern);
        }
    free(named);
    return 0;
}

/* Stretches of dense parameters that lie together and are of one group; where the tables begin. */
static int lay_out(poise_optimizer *o, poise_error *err)
{
    int n = poise_store_count(o->store);
    size_t dense = poise_store_dense_size(o->store), size = poise_store_size(o->store);

    o->dense.size = dense;
    o->table.from = size;
    o->stretch = poise__calloc((size_t)n + 1, sizeof *o->stretch, err);
    if (!o->stretch)
        return -1;
    for (int k = 0; k < n; k++)
        if (poise_store_at(o->store, k)->kind == POISE_TABLE &&
            poise_store_at(o->store, k)->offset < o->table.from)
            o->table.from = poise_store_at(o->store, k)->offset;
    o->table.size = size - o->table.from;
    for (int64_t at = 0; at < (int64_t)dense;) {
        /* the parameter that lies at or, past padding, after `at` */
        int next = -1;
        for (int k = 0; k < n; k++) {
            const poise_parameter *p = poise_store_at(o->store, k);
            if (p->kind == POISE_DENSE && (int64_t)p->offset >= at &&
                (next < 0 || p->offset < poise_store_at(o->store, next)->offset))
                next = k;
        }
        if (next < 0)
            break;
        const poise_parameter *p = poise_store_at(o->store, next);
        stretch *last = o->nstretch ? &o->stretch[o->nstretch - 1] : NULL;
        if (!last || last->group != o->of[next])
            *(last = &o->stretch[o->nstretch++]) = (stretch){(int64_t)p->offset, 0, o->of[next]};
        last->to = at = (int64_t)p->offset + p->count;
    }
    return 0;
}

/* ---- making one ---- */

poise_optimizer *poise_optimizer_of(const poise_train_spec *t, poise_store *s, poise_error *err)
{
    const poise_optimizer_spec *tables = t->own_embeddings ? &t->embeddings : &t->optimizer;
    poise_optimizer *o;

    if (check(&t->optimizer, s, err) < 0 || check(tables, s, err) < 0 ||
        !(o = poise__calloc(1, sizeof *o, err)))
        return NULL;
    o->store = s;
    o->schedule = t->schedule;
    if (group_parameters(o, t, err) < 0 || lay_out(o, err) < 0 ||
        side_init(&o->dense, o, &t->optimizer, 0, err) < 0 ||
        side_init(&o->table, o, tables, 1, err) < 0) {
        poise_optimizer_free(o);
        return NULL;
    }
    poise_optimizer_begin(o, 1);
    return o;
}

poise_optimizer *poise_optimizer_new(const poise_optimizer_spec *spec, poise_store *s,
                                     poise_error *err)
{
    return poise_optimizer_of(&(poise_train_spec){.optimizer = *spec}, s, err);
}

static void side_done(side *p)
{
    for (int k = 0; k < MAX_SLABS; k++)
        free(p->base[k]);
    free(p->step);
}

void poise_optimizer_free(poise_optimizer *o)
{
    if (!o)
        return;
    side_done(&o->dense);
    side_done(&o->table);
    free(o->group);
    free(o->of);
    free(o->stretch);
    free(o);
}

/* ---- a step ---- */

void poise_optimizer_run(poise_optimizer *o, uint64_t steps)
{
    o->run = steps;
}

double poise_optimizer_rate(const poise_optimizer *o, uint64_t t)
{
    return o->dense.spec.rate * poise_rate_factor(&o->schedule, t - 1, o->run);
}

/* The constants of step t.  Tables correct Adam's v as PyTorch's SparseAdam does: not in eps. */
static poise__update_step constants(const side *p, group g, double factor, uint64_t t, int table)
{
    const poise_optimizer_spec *o = &p->spec;
    double rate = o->rate * factor * g.rate, decay = g.l2 < 0 ? o->weight_decay : g.l2;
    double eps = o->eps;
    poise__update_step s = {
        .rate = (float)rate, .shrink = 1, .decay = (float)decay, .momentum = (float)o->momentum};

    if (p->slabs == 2) {
        double correct1 = 1 - pow(o->beta1, (double)t);
        double correct2 = sqrt(1 - pow(o->beta2, (double)t));

        /* rate/c1 m / (sqrt(v)/c2 + eps), with the c2 taken out of the loop */
        s.rate = (float)(rate * correct2 / correct1);
        s.add1 = (float)(1 - o->beta1);
        s.keep2 = (float)o->beta2;
        s.add2 = (float)(1 - o->beta2);
        if (!table)
            eps *= correct2;
        if (o->kind == POISE_ADAMW) {
            s.shrink = (float)(1 - rate * decay);
            s.decay = 0;
        }
    }
    s.eps = (float)eps;
    return s;
}

void poise_optimizer_begin(poise_optimizer *o, uint64_t t)
{
    double factor = poise_rate_factor(&o->schedule, t - 1, o->run);

    for (int k = 0; k < o->ngroup; k++) {
        o->dense.step[k] = constants(&o->dense, o->group[k], factor, t, 0);
        o->table.step[k] = constants(&o->table, o->group[k], factor, t, 1);
    }
}

static float *at(const side *p, int k, size_t offset)
{
    return p->slab[k] ? p->slab[k] + (offset - p->from) : NULL;
}

struct pass {
    poise_optimizer *o;
    int64_t n;
    int parts;
};

static void dense_part(int part, void *arg)
{
    struct pass *p = arg;
    poise_optimizer *o = p->o;
    int64_t from, to;

    poise__part(p->n, p->parts, ALIGN, part, &from, &to);
    for (int k = 0; k < o->nstretch; k++) {
        const stretch *s = &o->stretch[k];
        int64_t a = s->from > from ? s->from : from, b = s->to < to ? s->to : to;
        if (a < b)
            o->dense.update(b - a, &o->dense.step[s->group], poise__store_slab(o->store) + a,
                            poise_store_gradients(o->store) + a, at(&o->dense, 0, (size_t)a),
                            at(&o->dense, 1, (size_t)a));
    }
}

void poise_optimizer_dense(poise_optimizer *o, int threads)
{
    struct pass p = {.o = o, .n = (int64_t)poise_store_dense_size(o->store)};

    p.parts = (int)((p.n + PART - 1) / PART);
    poise__parallel(p.parts, threads, dense_part, &p);
}

/* Rows and their moments lie anywhere: they are asked for ahead, of wide ones the first lines. */
static void fetch_row(const side *p, const float *w, size_t offset, int64_t width)
{
    for (int64_t i = 0; i < width && i < 64; i += 16) {
        poise__prefetch(w + i);
        for (int k = 0; k < p->slabs; k++)
            poise__prefetch(at(p, k, offset) + i);
    }
}

/* Rows [from, to) of the gradient, as far as they are used. */
static void update_rows(poise_optimizer *o, const poise_table_gradient *t, int64_t from, int64_t to)
{
    const poise_parameter *p = poise_store_at(o->store, t->param);
    const int64_t width = p->dim[0] > 0 ? p->count / p->dim[0] : 0;
    const poise__update_step *step = &o->table.step[o->of[t->param]];
    float *w = poise__store_place(o->store, t->param);

    for (int64_t k = from; k < to && t->rows[k] >= 0; k++) {
        int64_t first = t->rows[k] * width;

        if (k + FETCHED < to && t->rows[k + FETCHED] >= 0)
            fetch_row(&o->table, w + t->rows[k + FETCHED] * width,
                      p->offset + (size_t)(t->rows[k + FETCHED] * width), width);
        o->table.update(width, step, w + first, t->value + k * width,
                        at(&o->table, 0, p->offset + (size_t)first),
                        at(&o->table, 1, p->offset + (size_t)first));
    }
}

struct tables {
    poise_optimizer *o;
    const poise_table_gradient *table;
};

static void tables_part(int part, void *arg)
{
    struct tables *p = arg;
    const poise_table_gradient *t = &p->table[part / ROW_PARTS];
    int64_t from, to;

    poise__part(t->n, ROW_PARTS, 1, part % ROW_PARTS, &from, &to);
    update_rows(p->o, t, from, to);
}

void poise_optimizer_tables(poise_optimizer *o, int n, const poise_table_gradient *t, int threads)
{
    for (int k = 0; k < n; k++)
        poise__store_rows(o->store, t[k].param, t[k].n, t[k].rows, 1);
    poise__parallel(n * ROW_PARTS, threads, tables_part, &(struct tables){o, t});
}

void poise_optimizer_rows(poise_optimizer *o, int param, int64_t n, const int32_t *rows,
                          const float *value)
{
    poise__store_rows(o->store, param, n, rows, 1);
    update_rows(o, &(poise_table_gradient){param, n, rows, value}, 0, n);
}

int poise_optimizer_slabs(const poise_optimizer *o)
{
    return o->dense.slabs + o->table.slabs;
}

float *poise_optimizer_slab(poise_optimizer *o, int k, const char **name, size_t *size)
{
    const side *p = k < o->dense.slabs ? &o->dense : &o->table;

    k -= p == &o->table ? o->dense.slabs : 0;
    if (name)
        *name = p->name[k];
    if (size)
        *size = p->size;
    return p->slab[k];
}
