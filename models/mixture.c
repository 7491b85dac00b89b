/* The kind mixture: a gate weighs experts (Jacobs et al., 1991; Ma et al., KDD 2018). */
#include <string.h>
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "gate.h"

typedef struct mixture_keys {
    poise__references experts;
    poise__gate gate;
} mixture_keys;

static const poise_key rows[] = {
    {.name = "mixture",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(mixture_keys, experts),
     .help = "the experts: stacks (every copy is one) and single layers, equally wide"},
    {.name = "gate",
     .kind = POISE_KEY_SECTION,
     .required = 1,
     .section = &poise__gate_section,
     POISE__INTO(mixture_keys, gate),
     .help = "what decides: softmax of a dense layer over it, one output per expert"},
};

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const mixture_keys *k = i->own;
    poise__shape experts;
    *out = (poise__shape){0};
    if (poise__experts_shape(c, i, &k->experts, &experts) < 0 ||
        poise__gate_check(c, i, &k->gate, experts.stack) < 0)
        return -1;
    out->width = experts.width;
    out->parameters = poise__gate_parameters(c, i, &k->gate, experts.stack);
    return out->parameters < 0 ? -1 : 0;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const mixture_keys *k = i->own;
    int n = poise__sources_count(b->model, i, &k->experts);
    const char *path = poise_graph_text(b->g, b->err, "%s/gate", i->name);
    poise_value **x = poise__calloc((size_t)n, sizeof(poise_value *), b->err), *y = NULL;
    if (x && path && poise__expert_values(b, i, &k->experts, n, x) == n) {
        int64_t experts = 0;
        for (int e = 0; e < n; e++)
            experts += x[e]->dim[1];
        y = poise_mixture(b->g, poise__gate_weights(b, i, &k->gate, path, experts), n, x, b->err);
    }
    free(x);
    return y;
}

const poise__layer_kind poise__mixture_kind = {
    .section = {.name = "mixture",
                .about = "experts weighed by a gate: sum over e of softmax(gate)[e] expert[e]",
                POISE__ROWS(rows)},
    .own = sizeof(mixture_keys),
    .shape = shape,
    .build = build};

int poise__model_mixes(const poise_model *m, const char *name)
{
    for (int k = 0; k < m->ninstance; k++)
        if (strcmp(m->instance[k]->name, name) == 0)
            return m->instance[k]->layer->kind == &poise__mixture_kind;
    return 0;
}
