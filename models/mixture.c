/* The kind mixture: a gate's softmax weighs experts (Jacobs et al., 1991; Ma et al., KDD 2018). */
#include <stdlib.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

static int read_experts(poise__reading *r, const poise__yaml *v, void *into);
static int read_gate(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key rows[] = {
    {.name = "mixture",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_experts,
     .form = "reference, or list",
     .help = "the experts: stacks (every copy is one) and single layers, equally wide"},
    {.name = "gate",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_gate,
     .form = "reference, or list",
     .help = "what decides: softmax of a dense layer over it, one output per expert"},
};

static int read_experts(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__layer *l = into;
    l->kind_at = v->place;
    return poise__references_read(r, v, &l->input);
}

static int read_gate(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__references_read(r, v, &((poise__layer *)into)->gate);
}

static int shape(const poise__shaper *c, const poise__layer *l, int task, poise__shape *out)
{
    poise__shape experts, gate;
    *out = (poise__shape){0};
    if (l->copies)
        return poise_diagnose(c->diag, l->place,
                              "mixture '%s' has copies; give them to its experts instead", l->name);
    int bad = poise__experts_shape(c, l, task, &experts);
    bad |= poise__concat_shape(c, l, "gate", &l->gate, task, 0, &gate);
    if (bad)
        return -1;
    out->width = experts.width;
    out->parameters = gate.width ? experts.stack * (gate.width + 1) : 0;
    return 0;
}

static poise_value *build(poise__builder *b, const poise__layer *l, int task, const char *name)
{
    int n = poise__sources_count(b->model, &l->input, task);
    const char *path = poise_graph_text(b->g, b->err, "%s/gate", name);
    poise_value **x = poise__calloc((size_t)n, sizeof(poise_value *), b->err), *y = NULL;
    if (x && path && poise__expert_values(b, &l->input, task, n, x) == n) {
        int64_t experts = 0;
        for (int k = 0; k < n; k++)
            experts += x[k]->dim[1];
        poise_value *gate = poise__concat_value(b, &l->gate, task);
        if (gate)
            gate = poise__linear(b, gate, path, 0, gate->dim[1], experts, POISE__ACT_none);
        y = poise_mixture(b->g, poise_softmax(b->g, gate, b->err), n, x, b->err);
    }
    free(x);
    return y;
}

const poise__layer_kind poise__mixture = {
    .section = {.name = "mixture",
                .about = "experts weighed by a gate: sum over e of softmax(gate)[e] expert[e]",
                POISE__ROWS(rows)},
    .shape = shape,
    .build = build};
