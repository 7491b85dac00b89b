#include "optimizer.h"
#include <math.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../core/parallel.h"
#include "update.h"

enum { PART = 16384, ALIGN = 16, MAX_SLABS = 2 };
enum { ROW_PARTS = 4, FETCHED = 8 }; /* parts of a table's rows; rows asked for ahead */

struct poise_optimizer {
    poise_optimizer_spec spec;
    poise_store *store;          /* borrowed */
    poise__update *update, *row; /* of the slab; of a table's row */
    int slabs;
    const char *name[MAX_SLABS];
    float *slab[MAX_SLABS];         /* [poise_store_size] each */
    void *base[MAX_SLABS];          /* owned: where their memory begins */
    poise__update_step dense, rows; /* set by begin; they differ in eps alone */
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

static void choose(poise_optimizer *o)
{
    const poise__update_table *table = kernels();

    switch (o->spec.kind) {
    case POISE_SGD:
        o->slabs = o->spec.momentum > 0;
        o->update = o->slabs ? table->momentum : table->plain;
        o->name[0] = "momentum";
        break;
    case POISE_ADAM:
    case POISE_ADAMW:
        o->slabs = 2;
        o->update = table->adam;
        o->name[0] = "m";
        o->name[1] = "v";
        break;
    case POISE_ADAGRAD:
        o->slabs = 1;
        o->update = table->adagrad;
        o->name[0] = "sum";
        break;
    }
    o->row = o->spec.kind == POISE_ADAGRAD && o->spec.by_row ? table->adagrad_row : o->update;
}

poise_optimizer *poise_optimizer_new(const poise_optimizer_spec *spec, poise_store *s,
                                     poise_error *err)
{
    poise_optimizer *o;

    if (check(spec, s, err) < 0 || !(o = poise__calloc(1, sizeof *o, err)))
        return NULL;
    o->spec = *spec;
    o->store = s;
    choose(o);
    for (int k = 0; k < o->slabs; k++) {
        size_t size = poise_store_size(s);

        if (size > SIZE_MAX / sizeof(float)) {
            poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE, "%zu moments are too many", size);
            goto fail;
        }
        o->slab[k] = poise__alloc_late(size * sizeof(float), &o->base[k], err);
        if (!o->slab[k])
            goto fail;
    }
    poise_optimizer_begin(o, 1);
    return o;
fail:
    poise_optimizer_free(o);
    return NULL;
}

void poise_optimizer_free(poise_optimizer *o)
{
    if (!o)
        return;
    for (int k = 0; k < MAX_SLABS; k++)
        free(o->base[k]);
    free(o);
}

void poise_optimizer_begin(poise_optimizer *o, uint64_t t)
{
    const poise_optimizer_spec *p = &o->spec;
    poise__update_step s = {.rate = (float)p->rate,
                            .shrink = 1,
                            .decay = (float)p->weight_decay,
                            .momentum = (float)p->momentum,
                            .eps = (float)p->eps};
    double eps = p->eps;

    if (o->slabs == 2) {
        double correct1 = 1 - pow(p->beta1, (double)t);
        double correct2 = sqrt(1 - pow(p->beta2, (double)t));

        /* rate/c1 m / (sqrt(v)/c2 + eps), with the c2 taken out of the loop */
        s.rate = (float)(p->rate * correct2 / correct1);
        s.add1 = (float)(1 - p->beta1);
        s.keep2 = (float)p->beta2;
        s.add2 = (float)(1 - p->beta2);
        eps *= correct2;
        if (p->kind == POISE_ADAMW) {
            s.shrink = (float)(1 - p->rate * p->weight_decay);
            s.decay = 0;
        }
    }
    o->rows = s;
    o->dense = s;
    o->dense.eps = (float)eps;
}

static float *at(float *slab, size_t offset)
{
    return slab ? slab + offset : NULL;
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
    if (from < to)
        o->update(to - from, &o->dense, poise__store_slab(o->store) + from,
                  poise_store_gradients(o->store) + from, at(o->slab[0], (size_t)from),
                  at(o->slab[1], (size_t)from));
}

void poise_optimizer_dense(poise_optimizer *o, int threads)
{
    struct pass p = {.o = o, .n = (int64_t)poise_store_dense_size(o->store)};

    p.parts = (int)((p.n + PART - 1) / PART);
    poise__parallel(p.parts, threads, dense_part, &p);
}

/* Rows and their moments lie anywhere: they are asked for ahead, of wide ones the first lines. */
static void fetch_row(const poise_optimizer *o, const float *w, size_t offset, int64_t first,
                      int64_t width)
{
    for (int64_t i = 0; i < width && i < 64; i += 16) {
        poise__prefetch(w + first + i);
        for (int k = 0; k < o->slabs; k++)
            poise__prefetch(o->slab[k] + offset + first + i);
    }
}

/* Rows [from, to) of the gradient, as far as they are used. */
static void update_rows(poise_optimizer *o, const poise_table_gradient *t, int64_t from, int64_t to)
{
    const poise_parameter *p = poise_store_at(o->store, t->param);
    const int64_t width = p->dim[0] > 0 ? p->count / p->dim[0] : 0;
    float *w = poise__store_place(o->store, t->param);

    for (int64_t k = from; k < to && t->rows[k] >= 0; k++) {
        int64_t first = t->rows[k] * width;

        if (k + FETCHED < to && t->rows[k + FETCHED] >= 0)
            fetch_row(o, w, p->offset, t->rows[k + FETCHED] * width, width);
        o->row(width, &o->rows, w + first, t->value + k * width,
               at(o->slab[0], p->offset + (size_t)first),
               at(o->slab[1], p->offset + (size_t)first));
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
    return o->slabs;
}

float *poise_optimizer_slab(poise_optimizer *o, int k, const char **name)
{
    if (name)
        *name = o->name[k];
    return o->slab[k];
}
