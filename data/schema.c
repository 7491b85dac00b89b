#include "schema.h"

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

int poise_schema_numeric(const poise_schema *s)
{
    int n = 0;
    for (int i = 0; i < s->nfeature; i++)
        n += s->feature[i].kind == POISE_NUMERIC;
    return n;
}

int poise_schema_categorical(const poise_schema *s)
{
    return s->nfeature - poise_schema_numeric(s);
}

int64_t poise_feature_rows(const poise_feature *f)
{
    return f->kind == POISE_CATEGORICAL ? f->nvalue + 1 : 0;
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
