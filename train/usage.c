#include "usage.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/store.h"
#include "trained.h"

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* w and initial are [rows, width]; norm [rows] is scratch. */
static void look_at(const float *w, const float *initial, poise_table_usage *u, double *norm)
{
    int64_t n = 0;

    for (int64_t r = 0; r < u->rows; r++, w += u->width, initial += u->width) {
        double sum = 0;

        if (memcmp(w, initial, (size_t)u->width * sizeof *w) == 0) {
            u->untouched++;
            continue;
        }
        for (int64_t k = 0; k < u->width; k++)
            sum += (double)w[k] * (double)w[k];
        norm[n++] = sqrt(sum);
    }
    qsort(norm, (size_t)n, sizeof *norm, by_size);
    u->least = n ? norm[0] : (double)NAN;
    u->median = n ? (norm[(n - 1) / 2] + norm[n / 2]) / 2 : (double)NAN;
    u->largest = n ? norm[n - 1] : (double)NAN;
}

/* The table of `store` beside the same one as it was drawn. */
static int read_table(poise_store *store, int index, uint64_t seed, poise_usage *u,
                      poise_error *err)
{
    const poise_parameter *p = poise_store_at(store, index);
    poise_table_usage *t = &u->table[u->n];
    double *norm = poise__calloc((size_t)p->dim[0], sizeof *norm, err);
    poise_store *fresh = norm ? poise_store_new(err) : NULL;
    int status = -1;

    *t = (poise_table_usage){.rows = p->dim[0], .width = p->dim[1]};
    t->name = poise__arena_text(u->arena, p->name, err);
    if (fresh && t->name &&
        poise_store_add(fresh, p->name, p->kind, p->rank, p->dim, p->init, p->place, err) >= 0 &&
        poise_store_seal(fresh, seed, err) == 0) {
        look_at(poise_store_weight(store, index), poise_store_weight(fresh, 0), t, norm);
        u->n++;
        status = 0;
    }
    poise_store_free(fresh);
    free(norm);
    return status;
}

int poise_usage_read(const char *folder, poise_usage *u, poise_error *err)
{
    poise__trained_run r;
    int status;

    *u = (poise_usage){.arena = poise__arena_new(err)};
    if (!u->arena || poise__trained_open(&r, folder, 1, err) < 0)
        return -1;
    poise_store *store = r.engine.store;
    u->table =
        poise__arena_alloc(u->arena, (size_t)poise_store_count(store) + 1, sizeof *u->table, err);
    status = u->table ? 0 : -1;
    for (int k = 0; status == 0 && k < poise_store_count(store); k++)
        if (poise_store_at(store, k)->kind == POISE_TABLE)
            status = read_table(store, k, r.spec->train.seed, u, err);
    poise__trained_close(&r);
    return status;
}

void poise_usage_done(poise_usage *u)
{
    poise__arena_free(u->arena);
    *u = (poise_usage){0};
}
