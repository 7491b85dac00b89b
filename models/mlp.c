/* The kinds mlp and dense: linear maps with activations. */
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../core/random.h"
#include "../ops/ops.h"
#include "activation.h"
#include "layer.h"

static int read_width(poise__reading *r, const poise__yaml *v, void *into);

enum { WIDEST = 65536 };
enum { OF_TASK = 0 }; /* `dense: task`: as wide as the task's output must be */
enum { NORM_NONE, NORM_LAYER, NORM_BATCH };

typedef struct mlp_keys {
    poise__ints units; /* of dense one, maybe OF_TASK */
    poise__references input;
    int activation, norm;
    double dropout;
} mlp_keys;

static const double bn_momentum = 0.1, norm_eps = 1e-5; /* as PyTorch */

static const char *const norms[] = {"none", "layer", "batch", NULL};
static const poise_key mlp_rows[] = {
    {.name = "mlp",
     .kind = POISE_KEY_INTS,
     .required = 1,
     .min = 1,
     .max = WIDEST,
     POISE__INTO(mlp_keys, units),
     .help = "widths of its dense layers"},
    {.name = "input",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(mlp_keys, input),
     .help = "what it reads; a list is put side by side"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICE,
     .initial = "relu",
     .choice = poise__activation_names,
     POISE__INTO(mlp_keys, activation),
     .help = "after every dense layer (leaky_relu: slope 0.01)"},
    {.name = "norm",
     .kind = POISE_KEY_CHOICE,
     .initial = "none",
     .choice = norms,
     POISE__INTO(mlp_keys, norm),
     .help = "normalisation between dense layer and activation"},
    {.name = "dropout",
     .kind = POISE_KEY_NUMBER,
     .initial = "0",
     .max = 0.99,
     POISE__INTO(mlp_keys, dropout),
     .help = "after every activation, probability of a zero in training"},
};
static const poise_key dense_rows[] = {
    {.name = "dense",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_width,
     POISE__INTO(mlp_keys, units),
     .form = "integer, 1 .. 65536, or task",
     .schema = "integer 1 65536 | 'task'",
     .help = "outputs; task: as many as the task needs, 1 or its classes"},
    {.name = "input",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(mlp_keys, input),
     .help = "what it reads; a list is put side by side"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICE,
     .initial = "none",
     .choice = poise__activation_names,
     POISE__INTO(mlp_keys, activation),
     .help = "after it (leaky_relu: slope 0.01)"},
};

static int read_width(poise__reading *r, const poise__yaml *v, void *into)
{
    int64_t *width = poise__reading_alloc(r, 1, sizeof(*width));
    if (!width)
        return -1;
    ((mlp_keys *)into)->units = (poise__ints){1, width};
    if (v->kind == POISE__SCALAR && v->plain && strcmp(v->text, "task") == 0) {
        *width = OF_TASK;
        return 0;
    }
    if (poise__yaml_int(v, width) == 0 && *width >= 1 && *width <= WIDEST)
        return 0;
    char show[120], via[80];
    poise_diagnose(r->diag, v->place, "dense is %s%s; it must be an integer, 1 .. %d, or task",
                   poise__yaml_show(v, show, sizeof(show)), poise__via(v, via, sizeof(via)),
                   WIDEST);
    poise__note_use(r, v);
    return -1;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const mlp_keys *k = i->own;
    poise__shape in;
    *out = (poise__shape){.stack = i->copies};
    if (poise__concat_shape(c, i, "input", &k->input, i->copies, &in) < 0)
        return -1;
    int64_t copies = i->copies ? i->copies : 1, width = in.width;
    int known = width > 0;
    for (int j = 0; j < k->units.n; j++) {
        int64_t next = k->units.value[j];
        if (next == OF_TASK) {
            if (i->task < 0)
                return poise_diagnose(c->diag, i->kind_at,
                                      "'%s': dense: task needs each: task beside it",
                                      i->layer->name);
            next = poise__task_width(&c->schema->task[i->task]);
        }
        known &= next > 0;
        out->parameters += copies * next * (width + 1 + (k->norm != NORM_NONE ? 2 : 0));
        width = next;
    }
    if (!known)
        out->parameters = 0;
    out->width = in.width > 0 || width == 0 ? width : k->units.value[k->units.n - 1];
    return 0;
}

static int output(poise__reading *r, const poise__instance *i)
{
    if (((const mlp_keys *)i->own)->activation == POISE__ACT_none)
        return 0;
    return poise_diagnose(r->diag, i->layer->place,
                          "'%s' is the tasks' output: the losses want it without an activation "
                          "(activation: none, or a dense layer)",
                          i->layer->name);
}

/* Copies are normalised each on its own: their gamma and beta are rows of [E, H]. */
static poise_value *layer_norm(poise__builder *b, poise_value *x, const char *path)
{
    poise_init one = {.kind = POISE_INIT_CONSTANT, .value = 1}, zero = {.kind = POISE_INIT_ZERO};
    int64_t stack = x->rank == 3 ? x->dim[1] : 0, width = x->dim[x->rank - 1];
    int64_t dim[] = {stack, width};
    const char *gname = poise_graph_text(b->g, b->err, "%s/norm/gamma", path);
    const char *bname = poise_graph_text(b->g, b->err, "%s/norm/beta", path);
    if (!gname || !bname)
        return NULL;
    int rank = stack ? 2 : 1;
    poise_value *gamma =
        poise_weight(b->g, gname, POISE_DENSE, rank, dim + (stack == 0), one, b->err);
    poise_value *beta =
        gamma ? poise_weight(b->g, bname, POISE_DENSE, rank, dim + (stack == 0), zero, b->err)
              : NULL;
    if (!beta)
        return NULL;
    if (!stack)
        return poise_layer_norm(b->g, x, gamma, beta, norm_eps, b->err);
    poise_value **y = poise__calloc((size_t)stack, sizeof(poise_value *), b->err), *joined = NULL;
    int64_t e = 0;
    for (; y && e < stack; e++) {
        poise_value *ge = poise_slice(b->g, gamma, 0, e, e + 1, b->err);
        poise_value *be = poise_slice(b->g, beta, 0, e, e + 1, b->err);
        ge = poise_reshape(b->g, ge, 1, &width, b->err);
        be = poise_reshape(b->g, be, 1, &width, b->err);
        y[e] = poise_slice(b->g, x, 1, e, e + 1, b->err);
        y[e] = poise_layer_norm(b->g, y[e], ge, be, norm_eps, b->err);
        if (!y[e])
            break;
    }
    if (y && e == stack)
        joined = poise_concat(b->g, 1, (int)stack, y, b->err);
    free(y);
    return joined;
}

/* Channels are independent: a stack is [B, E H] to it. */
static poise_value *batch_norm(poise__builder *b, poise_value *x, const char *path)
{
    static const struct {
        const char *name;
        poise_param_kind kind;
        double start;
    } row[] = {{"gamma", POISE_DENSE, 1},
               {"beta", POISE_DENSE, 0},
               {"mean", POISE_STATE, 0},
               {"variance", POISE_STATE, 1}};
    int64_t width = poise_value_count(x) / x->dim[0], dim[3] = {x->dim[0], x->dim[1], 0};
    int rank = x->rank;
    dim[2] = rank == 3 ? x->dim[2] : 0;
    poise_value *p[4];
    for (int k = 0; k < 4; k++) {
        const char *name = poise_graph_text(b->g, b->err, "%s/norm/%s", path, row[k].name);
        poise_init init = {.kind = POISE_INIT_CONSTANT, .value = row[k].start};
        p[k] = name ? poise_weight(b->g, name, row[k].kind, 1, &width, init, b->err) : NULL;
        if (!p[k])
            return NULL;
    }
    poise_value *counts;
    if (poise__row_counts(b, &counts) < 0)
        return NULL;
    if (rank == 3)
        x = poise_reshape(b->g, x, 2, (int64_t[]){dim[0], width}, b->err);
    x = poise_batch_norm(b->g, x, counts, p[0], p[1], p[2], p[3], bn_momentum, norm_eps, b->err);
    return rank == 3 ? poise_reshape(b->g, x, 3, dim, b->err) : x;
}

static poise_value *one_layer(poise__builder *b, const poise__instance *i, poise_value *x,
                              const char *path, int64_t units)
{
    const mlp_keys *k = i->own;
    x = poise__linear(b, x, path, i->copies, x->dim[x->rank - 1], units, k->activation);
    if (x && k->norm == NORM_LAYER)
        x = layer_norm(b, x, path);
    else if (x && k->norm == NORM_BATCH)
        x = batch_norm(b, x, path);
    x = x ? poise__activate(b->g, x, k->activation, b->err) : NULL;
    if (!x || k->dropout <= 0)
        return x;
    const char *stream = poise_graph_text(b->g, b->err, "dropout/%s", path);
    return stream ? poise_dropout(b->g, x, k->dropout, poise_random_stream(stream), b->err) : NULL;
}

static poise_value *build_mlp(poise__builder *b, const poise__instance *i)
{
    const mlp_keys *k = i->own;
    poise_value *x = poise__concat_value(b, i, &k->input);
    for (int j = 0; x && j < k->units.n; j++) {
        const char *path = poise_graph_text(b->g, b->err, "%s/%d", i->name, j);
        x = path ? one_layer(b, i, x, path, k->units.value[j]) : NULL;
    }
    return x;
}

static poise_value *build_dense(poise__builder *b, const poise__instance *i)
{
    const mlp_keys *k = i->own;
    poise_value *x = poise__concat_value(b, i, &k->input);
    int64_t units = k->units.value[0];
    if (units == OF_TASK)
        units = poise__task_width(&b->schema->task[i->task]);
    return x ? one_layer(b, i, x, i->name, units) : NULL;
}

const poise__layer_kind poise__mlp = {
    .section = {.name = "mlp",
                .about = "dense layers one after the other, each with an activation",
                POISE__ROWS(mlp_rows)},
    .own = sizeof(mlp_keys),
    .shape = shape,
    .output = output,
    .build = build_mlp};
const poise__layer_kind poise__dense = {
    .section = {.name = "dense", .about = "one dense layer: y = x w' + b", POISE__ROWS(dense_rows)},
    .own = sizeof(mlp_keys),
    .shape = shape,
    .output = output,
    .build = build_dense};
