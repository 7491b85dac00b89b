/* List features in the graph: ids of a static length, pooled, and item by item where a layer asks. */
#include <stdlib.h>
#include "../core/graph_parts.h"
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

static int is_feature(void *user, const poise__source *s)
{
    return s->layer == POISE__ONE_FEATURE && s->feature == *(const int *)user;
}

/* 1 where a layer of a kind that takes items reads the feature. */
static int items_wanted(const poise_model *m, int feature)
{
    for (int k = 0; k < m->ninstance; k++)
        if (m->instance[k]->layer->kind->items &&
            poise__all_sources(m, m->instance[k], is_feature, &feature))
            return 1;
    return 0;
}

poise_pool poise__pool(const poise_feature *f)
{
    static const poise_pool pool[] = {POISE_POOL_MEAN, POISE_POOL_SUM, POISE_POOL_MAX};
    return pool[f->pool];
}

static int build_list(poise__builder *b, poise_network *net, int feature)
{
    const poise_feature *f = &b->schema->feature[feature];
    poise__list_value *v = &b->list[feature];
    poise_init init = {.kind = POISE_INIT_NORMAL, .value = POISE__EMBEDDING_DEVIATION};
    const char *input = poise_graph_text(b->g, b->err, "list/%s", f->name);
    const char *name = poise_graph_text(b->g, b->err, "embedding/%s", f->name);
    if (!input || !name || poise_graph_at(b->g, name, f->place, b->err) < 0)
        return -1;
    v->ids = poise_input(b->g, input, POISE_I32, 2, (int64_t[]){b->batch, f->length}, b->err);
    poise_value *table =
        v->ids ? poise_weight(b->g, name, POISE_TABLE, 2,
                              (int64_t[]){poise_feature_rows(f), f->dim}, init, b->err)
               : NULL;
    if (!items_wanted(b->model, feature)) {
        v->pooled = poise_embedding_bag(b->g, v->ids, table, poise__pool(f), b->err);
    } else {
        v->items = poise_embedding_list(b->g, v->ids, table, b->err);
        v->pooled = poise_list_pool(b->g, v->ids, v->items, poise__pool(f), b->err);
    }
    net->list[net->nlist++] = v->ids;
    return v->pooled ? 0 : -1;
}

int poise__build_lists(poise__builder *b, poise_network *net)
{
    const poise_schema *s = b->schema;
    size_t n = (size_t)poise_schema_lists(s);
    int count = 0, bad = 0;
    b->list = poise__calloc((size_t)s->nfeature, sizeof *b->list, b->err);
    net->list = poise__arena_alloc(b->g->arena, n + 1, sizeof(poise_value *), b->err);
    poise_value **part = poise__calloc(n, sizeof(poise_value *), b->err);
    bad = b->list && net->list && part ? 0 : -1;
    for (int f = 0; f < s->nfeature && !bad; f++)
        if (s->feature[f].kind == POISE_LIST) {
            bad = build_list(b, net, f);
            part[count++] = b->list[f].pooled;
        }
    if (!bad && n > 0)
        bad = poise_graph_at(b->g, "features", b->model->place, b->err);
    if (!bad && n > 0) {
        b->pooled = n == 1 ? part[0] : poise_concat(b->g, 1, (int)n, part, b->err);
        bad = b->pooled ? 0 : -1;
    }
    free(part);
    return bad;
}
