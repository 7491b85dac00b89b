/* A model becomes a graph: inputs, layers, losses. */
#include <inttypes.h>
#include <stdlib.h>
#include "../core/graph_parts.h"
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

static int build_numeric(poise__builder *b, poise_network *net)
{
    int64_t n = poise_schema_numeric(b->schema);
    if (n == 0)
        return 0;
    b->numeric = poise_input(b->g, "numeric", POISE_F32, 2, (int64_t[]){b->batch, n}, b->err);
    net->numeric = b->numeric;
    return b->numeric ? 0 : -1;
}

static int build_ids(poise__builder *b, poise_network *net)
{
    int n = poise_schema_categorical(b->schema);
    if (n == 0)
        return 0;
    net->ids = poise_input(b->g, "ids", POISE_I32, 2, (int64_t[]){b->batch, n}, b->err);
    b->ids = net->ids;
    return b->ids ? 0 : -1;
}

static int build_lists(poise__builder *b, poise_network *net)
{
    const poise_schema *s = b->schema;
    size_t n = (size_t)poise_schema_lists(s);
    b->list = poise__calloc((size_t)s->nfeature, sizeof *b->list, b->err);
    net->list = poise__arena_alloc(b->g->arena, n + 1, sizeof(poise_value *), b->err);
    if (!b->list || !net->list)
        return -1;
    for (int k = 0; k < s->nfeature; k++) {
        const poise_feature *f = &s->feature[k];
        if (f->kind != POISE_LIST)
            continue;
        const char *name = poise_graph_text(b->g, b->err, "list/%s", f->name);
        if (!name || poise_graph_at(b->g, name, f->place, b->err) < 0)
            return -1;
        b->list[k].ids =
            poise_input(b->g, name, POISE_I32, 2, (int64_t[]){b->batch, f->length}, b->err);
        if (!b->list[k].ids)
            return -1;
        net->list[net->nlist++] = b->list[k].ids;
    }
    return 0;
}

/* Of all features with tables: b->embedded, b->list, and b->pooled of what that holds. */
static int build_tables(poise__builder *b)
{
    const int n = b->schema->nfeature;
    int *all = poise__calloc((size_t)n, sizeof *all, b->err), count = 0, bad = !all;
    poise_value **part = poise__calloc((size_t)n, sizeof(poise_value *), b->err);
    for (int k = 0; k < n && !bad; k++)
        all[k] = k;
    const poise__tables t = {.n = n, .feature = all};
    bad = bad || !part || poise__tables_look_up(b, &t, &b->embedded, b->list) < 0 ||
          poise_graph_at(b->g, "features", b->model->place, b->err) < 0;
    for (int k = 0; k < n && !bad; k++)
        if (b->list[k].pooled)
            part[count++] = b->list[k].pooled;
    if (!bad && count > 0) {
        b->pooled = count == 1 ? part[0] : poise_concat(b->g, 1, count, part, b->err);
        bad = !b->pooled;
    }
    free(part);
    free(all);
    return bad ? -1 : 0;
}

static int build_features(poise__builder *b, poise_network *net)
{
    poise_value *part[3];
    int n = 0;
    if (poise_graph_at(b->g, "features", b->model->place, b->err) < 0 ||
        build_numeric(b, net) < 0 || build_ids(b, net) < 0 || build_lists(b, net) < 0 ||
        build_tables(b) < 0)
        return -1;
    if (b->numeric)
        part[n++] = b->numeric;
    if (b->embedded)
        part[n++] = b->embedded;
    if (b->pooled)
        part[n++] = b->pooled;
    if (n == 0)
        return poise_fail(b->err, POISE_E_SPEC, b->model->place, "the model has no features");
    b->features = n == 1 ? part[0] : poise_concat(b->g, 1, n, part, b->err);
    return b->features ? 0 : -1;
}

/* Labels and sample weights of every task. */
static int build_targets(poise__builder *b, poise_network *net)
{
    for (int t = 0; t < net->ntask; t++) {
        const poise_task *task = &b->schema->task[t];
        poise_dtype type = poise_task_classed(task) ? POISE_I32 : POISE_F32;
        const char *label = poise_graph_text(b->g, b->err, "label/%s", task->name);
        const char *weight = poise_graph_text(b->g, b->err, "weight/%s", task->name);
        net->task[t] = poise_graph_text(b->g, b->err, "%s", task->name);
        if (!label || !weight || !net->task[t])
            return -1;
        net->label[t] = poise_input(b->g, label, type, 1, &b->batch, b->err);
        net->weight[t] = poise_input(b->g, weight, POISE_F32, 1, &b->batch, b->err);
        if (!net->label[t] || !net->weight[t])
            return -1;
    }
    b->weight = net->weight;
    return 0;
}

static int build_layers(poise__builder *b)
{
    const poise_model *m = b->model;
    for (int k = 0; k < m->ninstance; k++) {
        const poise__instance *i = m->instance[k];
        if (i->idle)
            continue;
        const char *name = poise_graph_text(b->g, b->err, "%s", i->name);
        if (!name || poise_graph_at(b->g, name, i->layer->place, b->err) < 0)
            return -1;
        b->instance[k] = i->layer->kind->build(b, i);
        if (!b->instance[k])
            return -1;
    }
    return 0;
}

/* An ordinal task's output is one score; its thresholds make a logit per boundary of it. */
static poise_value *output_of(poise__builder *b, poise_value *x, int t)
{
    const poise_task *task = &b->schema->task[t];
    if (task->kind != POISE_ORDINAL)
        return x;
    const int64_t n = task->nclass - 1;
    const char *name = poise_graph_text(b->g, b->err, "thresholds/%s", task->name);
    poise_init zero = {.kind = POISE_INIT_ZERO};
    return name ? poise_thresholds(
                      b->g, x, poise_weight(b->g, name, POISE_DENSE, 1, &n, zero, b->err), b->err)
                : NULL;
}

/* The sample weights, each times what the model says of the row; it learns nothing of that. */
static poise_value *row_weights(poise__builder *b, const poise_network *net, int t)
{
    const poise__instance *i = b->model->extra[POISE__ROW_WEIGHT][t];
    if (!i)
        return net->weight[t];
    poise_value *x = poise_reshape(b->g, b->instance[i->id], 1, &b->batch, b->err);
    return poise_multiply(b->g, net->weight[t], poise_stop_gradient(b->g, x, b->err), b->err);
}

/* The loss, and the mean of the penalty over the task's rows.  A class is no label of a mean, a weight
 * is as good. */
static poise_value *with_penalty(poise__builder *b, const poise_network *net, int t,
                                 poise_value *loss)
{
    const poise__instance *i = b->model->extra[POISE__PENALTY][t];
    if (!i || !loss)
        return loss;
    poise_value *label = net->label[t]->dtype == POISE_F32 ? net->label[t] : net->weight[t];
    return poise_add(b->g, loss,
                     poise_loss_mean(b->g, b->instance[i->id], label, net->weight[t], NULL, b->err),
                     b->err);
}

static poise_value *loss_of(poise__builder *b, const poise_network *net, int t, poise_value **sum)
{
    const poise_loss l = poise_task_loss(&b->schema->task[t]);
    poise_value *x = net->output[t], *y = net->label[t], *w = row_weights(b, net, t);
    const double positive = l.alpha > 0 ? l.alpha : 1, negative = l.alpha > 0 ? 1 - l.alpha : 1;
    switch (l.kind) {
    case POISE_LOSS_BCE:
        return poise_loss_bce_with(b->g, x, y, w, l.smoothing, l.positive_weight, sum, b->err);
    case POISE_LOSS_FOCAL:
        return poise_loss_focal(b->g, x, y, w, l.gamma, positive, negative, sum, b->err);
    case POISE_LOSS_SOFTMAX:
        return poise_loss_softmax_with(b->g, x, y, w, l.smoothing, sum, b->err);
    case POISE_LOSS_SQUARED:
        return poise_loss_squared(b->g, x, y, w, sum, b->err);
    case POISE_LOSS_HUBER:
        return poise_loss_huber(b->g, x, y, w, l.delta, sum, b->err);
    case POISE_LOSS_ORDINAL:
        return poise_loss_ordinal(b->g, x, y, w, sum, b->err);
    case POISE_LOSS_POISSON:
        return poise_loss_poisson(b->g, x, y, w, sum, b->err);
    case POISE_LOSS_USUAL:
    case POISE_LOSS_KINDS:
        break;
    }
    return NULL;
}

/* The losses want a logit; of a probability it is taken from its logarithm. */
static poise_value *value_of(poise__builder *b, int id)
{
    return b->log_p[id] ? poise_log_odds(b->g, b->log_p[id], b->err) : b->instance[id];
}

static int build_losses(poise__builder *b, poise_network *net)
{
    for (int t = 0; t < net->ntask; t++) {
        const poise_task *task = &b->schema->task[t];
        const char *name = poise_graph_text(b->g, b->err, "loss/%s", task->name);
        if (!name || poise_graph_at(b->g, name, task->place, b->err) < 0)
            return -1;
        net->output[t] = output_of(b, value_of(b, b->model->output[t]->id), t);
        net->loss[t] = with_penalty(b, net, t, loss_of(b, net, t, &net->labelled[t]));
        if (net->loss[t] && (task->loss_weight < 1 || task->loss_weight > 1))
            net->loss[t] = poise_scale(b->g, net->loss[t], task->loss_weight, b->err);
        if (!net->loss[t])
            return -1;
    }
    return 0;
}

/* Arrays that live as long as the graph. */
static int make_arrays(poise__builder *b, poise_network *net)
{
    size_t n = (size_t)b->model->ntask;
    poise__arena *a = b->g->arena;
    poise_value ***array[] = {&net->output, &net->label, &net->weight, &net->loss, &net->labelled};
    for (size_t k = 0; k < sizeof(array) / sizeof(array[0]); k++) {
        *array[k] = poise__arena_alloc(a, n, sizeof(poise_value *), b->err);
        if (!*array[k])
            return -1;
    }
    net->task = poise__arena_alloc(a, n, sizeof(*net->task), b->err);
    return net->task ? 0 : -1;
}

static int check_shapes(const poise_model *m, const poise_schema *s, poise__shape *shape,
                        poise_error *err)
{
    poise_diagnostics *diag = poise_diagnostics_new(err);
    if (!diag)
        return -1;
    int done = poise__shapes(m, s, shape, diag);
    if (done < 0 && err)
        *err = *poise_diagnostics_first(diag);
    poise_diagnostics_free(diag);
    return done;
}

int poise_model_build(const poise_model *m, const poise_schema *s, poise_graph *g, int64_t batch,
                      poise_network *net, poise_error *err)
{
    poise__builder b = {.model = m, .schema = s, .g = g, .err = err, .batch = batch};
    *net = (poise_network){.batch = batch, .ntask = m->ntask};
    if (batch < 1)
        return poise_fail(err, POISE_E_SPEC, m->place, "a batch of %" PRId64 " rows; it needs 1",
                          batch);
    if (s->ntask != m->ntask)
        return poise_fail(err, POISE_E_SPEC, m->place,
                          "the model was read for %d tasks, but the schema has %d", m->ntask,
                          s->ntask);
    poise__shape *shape = poise__calloc((size_t)m->ninstance, sizeof(*shape), err);
    b.instance = poise__calloc((size_t)m->ninstance, sizeof(poise_value *), err);
    b.log_p = poise__calloc((size_t)m->ninstance, sizeof(poise_value *), err);
    b.shape = shape;
    int done = -1;
    if (shape && b.instance && b.log_p && check_shapes(m, s, shape, err) == 0 &&
        make_arrays(&b, net) == 0 && build_features(&b, net) == 0 && build_targets(&b, net) == 0 &&
        build_layers(&b) == 0)
        done = build_losses(&b, net);
    free(shape);
    free(b.instance);
    free(b.list);
    free(b.log_p);
    return done;
}
