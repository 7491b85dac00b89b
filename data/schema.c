#include "schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../core/memory.h"

poise_schema *poise_schema_new(poise_error *err)
{
    poise_schema *s = poise__calloc(1, sizeof *s, err);
    if (!s)
        return NULL;
    s->arena = poise__arena_new(err);
    if (!s->arena) {
        free(s);
        return NULL;
    }
    return s;
}

void poise_schema_free(poise_schema *s)
{
    if (!s)
        return;
    poise__arena_free(s->arena);
    free(s);
}

int poise_feature_numbers(const poise_feature *f)
{
    if (f->kind == POISE_CATEGORICAL || f->kind == POISE_LIST)
        return 0;
    return !f->bin_only + (f->indicator != 0);
}

int poise_feature_ids(const poise_feature *f)
{
    return f->kind == POISE_CATEGORICAL || (f->kind != POISE_LIST && f->bins > 0);
}

int poise_schema_numeric(const poise_schema *s)
{
    int n = 0;
    for (int i = 0; i < s->nfeature; i++)
        n += poise_feature_numbers(&s->feature[i]);
    return n;
}

int poise_schema_categorical(const poise_schema *s)
{
    int n = 0;
    for (int i = 0; i < s->nfeature; i++)
        n += poise_feature_ids(&s->feature[i]);
    return n;
}

int poise_schema_lists(const poise_schema *s)
{
    int n = 0;
    for (int i = 0; i < s->nfeature; i++)
        n += s->feature[i].kind == POISE_LIST;
    return n;
}

int64_t poise_feature_rows(const poise_feature *f)
{
    if (f->kind == POISE_CATEGORICAL || f->kind == POISE_LIST)
        return f->nvalue + 1;
    return f->bins > 0 ? f->nedge + 2 : 0;
}

int64_t poise_feature_width(const poise_feature *f)
{
    return poise_feature_numbers(f) + (poise_feature_rows(f) > 0 ? f->dim : 0);
}

int poise_feature_owner(const poise_schema *s, int k)
{
    const char *table = s->feature[k].table;
    for (int f = 0; table && f < s->nfeature; f++)
        if (strcmp(s->feature[f].name, table) == 0)
            return f;
    return k;
}

int poise_feature_alone(const poise_feature *f)
{
    return !f->table && f->users == 0;
}

void poise__schema_tables(poise_schema *s)
{
    for (int k = 0; k < s->nfeature; k++)
        s->feature[k].users = 0;
    for (int k = 0; k < s->nfeature; k++) {
        poise_feature *f = &s->feature[k], *owner = &s->feature[poise_feature_owner(s, k)];
        if (f == owner)
            continue;
        owner->users++;
        f->dim = owner->dim;
        f->min_count = owner->min_count;
        f->nvalue = owner->nvalue;
        f->value = owner->value;
    }
}

const char *poise_feature_column(const poise_feature *f)
{
    return f->column ? f->column : f->name;
}

double poise_feature_number(const poise_feature *f, double x)
{
    if (isnan(x))
        return x;
    if (f->clip)
        x = fmin(fmax(x, f->low), f->high);
    switch (f->transform) {
    case POISE_AS_IS:
        return x;
    case POISE_LOG1P:
        return copysign(log1p(fabs(x)), x);
    case POISE_SQRT:
        return copysign(sqrt(fabs(x)), x);
    }
    return x;
}

uint32_t poise_feature_bin(const poise_feature *f, double x)
{
    int64_t low = 0, high = f->nedge;
    if (isnan(x))
        return 0;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        if (f->edge[mid] <= x)
            low = mid + 1;
        else
            high = mid;
    }
    return (uint32_t)(low + 1);
}

uint32_t poise_feature_id(const poise_feature *f, const char *text)
{
    int64_t low = 0, high = f->nvalue;
    while (low < high) {
        int64_t mid = low + (high - low) / 2;
        int c = strcmp(f->value[mid], text);
        if (c == 0)
            return (uint32_t)(mid + 1);
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return 0;
}
