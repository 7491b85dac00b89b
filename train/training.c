#include "training.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../core/memory.h"
#include "../ops/passes.h"

/* ---- building ---- */

static int build_pass(poise__training *t, const poise__source *source, poise__pass *p,
                      poise_error *err)
{
    p->graph = poise_network_graph(t->store, err);
    if (!p->graph)
        return -1;
    poise_graph_train(p->graph, 1);
    return source->build(source->self, p->graph, &p->net, err);
}

/* The same loss over the rows of a mask. */
static poise_value *masked_loss(poise_graph *g, poise_value *loss, poise_value *mask,
                                poise_error *err)
{
    const poise_node *n = loss->producer;
    poise_value *in[3];

    if (strcmp(n->op->name, "scale") == 0) /* the spec's fixed factor */
        return poise_scale(g, masked_loss(g, n->in[0], mask, err), n->attr.f[0], err);
    if (strcmp(n->op->name, "add") == 0) /* a loss and what the model adds to it */
        return poise_add(g, masked_loss(g, n->in[0], mask, err),
                         masked_loss(g, n->in[1], mask, err), err);
    in[0] = n->in[0];
    in[1] = n->in[1];
    in[2] = poise_multiply(g, n->in[2], mask, err);
    if (!in[2])
        return NULL;
    const poise_node *half = poise_apply(g, n->op, 3, in, &n->attr, err);
    return half ? half->out[0] : NULL;
}

static int build_halves(poise__training *t, poise_value **half, poise_error *err)
{
    int64_t batch = t->main.net.batch;
    int ntask = t->schema->ntask;

    for (int h = 0; h < 2; h++) {
        t->mask[h] =
            poise_input(t->main.graph, h ? "odd rows" : "even rows", POISE_F32, 1, &batch, err);
        for (int k = 0; k < ntask; k++) {
            poise_value *loss =
                t->mask[h] ? masked_loss(t->main.graph, t->main.net.loss[k], t->mask[h], err)
                           : NULL;
            if (!loss)
                return -1;
            half[h * ntask + k] = loss;
        }
    }
    return 0;
}

/* 1 if parameter `name` ("expert/0/weight") is of layer `layer` ("expert", "expert/0"). */
static int of_layer(const char *name, const char *layer)
{
    size_t n = strlen(layer);
    return strncmp(name, layer, n) == 0 && name[n] == '/';
}

static int select_layers(const poise__training *t, const poise_shared *shared, int *param,
                         poise_error *err)
{
    int n = 0;

    for (int l = 0; l < t->options->nlayer; l++) {
        int before = n;
        for (int k = 0; k < shared->nshared; k++)
            if (of_layer(poise_store_at(t->store, shared->shared[k])->name, t->options->layer[l]))
                param[n++] = shared->shared[k];
        if (n == before)
            return poise_fail(err, POISE_E_SPEC, t->options->place,
                              "layer '%s' of the balancer's scope has no parameters that two tasks "
                              "share; `poise check` lists those that are",
                              t->options->layer[l]);
    }
    return n;
}

/* Everything that the plan needs and that is only needed while it is carried out. */
typedef struct planning {
    int64_t *width;
    poise_value **extra, **half;
    const char **group;
    int *param;
    poise_shared shared;
} planning;

static int prepare(poise__training *t, planning *p, poise_error *err)
{
    size_t ntask = (size_t)t->schema->ntask;
    const poise_network *net = &t->main.net;

    if (poise_find_shared(t->main.graph, (int)ntask, net->loss, &p->shared, err) < 0)
        return -1;
    p->width = poise__calloc(ntask, sizeof *p->width, err);
    p->extra = poise__calloc(3 * ntask, sizeof *p->extra, err);
    p->half = poise__calloc(2 * ntask, sizeof *p->half, err);
    p->group = poise__calloc((size_t)p->shared.nshared, sizeof *p->group, err);
    p->param = poise__calloc((size_t)p->shared.nshared, sizeof *p->param, err);
    if (!p->width || !p->extra || !p->half || !p->group || !p->param)
        return -1;
    for (int k = 0; k < p->shared.nshared; k++)
        p->group[k] = poise_store_at(t->store, p->shared.shared[k])->name;
    for (size_t k = 0; k < ntask; k++) {
        p->width[k] = net->output[k]->rank > 1 ? net->output[k]->dim[1] : 1;
        p->extra[3 * k] = net->output[k];
        p->extra[3 * k + 1] = net->label[k];
        p->extra[3 * k + 2] = net->weight[k];
    }
    return 0;
}

static void forget(planning *p)
{
    poise_shared_done(&p->shared);
    free(p->width);
    free(p->extra);
    free(p->half);
    free((void *)p->group);
    free(p->param);
}

static int build_step(poise__training *t, double rate, poise_balance *balance, planning *p,
                      poise_error *err)
{
    const poise_balancer *plugin = poise_plugin_get(poise_balance_plugin(balance));
    int by_group = poise__host_by_group(balance), ntask = t->schema->ntask, nlayer = 0;
    int group_weights = (plugin->flags & POISE_GROUP_WEIGHTS) != 0;

    if (by_group && p->shared.nshared == 0)
        return poise_fail(
            err, POISE_E_SPEC, t->options->place,
            "balancer '%s' works on the shared parameters, and no parameter is shared "
            "by two tasks",
            plugin->id);
    if (!by_group && t->options->scope == POISE_SCOPE_LAYERS &&
        (nlayer = select_layers(t, &p->shared, p->param, err)) < 0)
        return -1;
    if (poise__host_init(&t->host, balance, t->options, t->schema, p->width, t->main.net.batch,
                         rate, p->shared.nshared, p->group, err) < 0 ||
        (t->host.signals & POISE_SIGNAL_HALVES && build_halves(t, p->half, err) < 0))
        return -1;
    t->by_element = poise_balance_by_element(balance);
    t->shared_only = t->options->shared_only >= 0 ? t->options->shared_only
                                                  : (plugin->flags & POISE_SHARED_ONLY) != 0;
    t->shared_only |= group_weights;
    poise_signal_plan plan = {
        .signals = t->host.signals,
        .scope = by_group ? POISE_SCOPE_ALL : t->options->scope,
        .nparam = nlayer,
        .param = nlayer ? p->param : NULL,
        .shared_only = t->shared_only,
        .group_weights = group_weights,
        .by_element = t->by_element,
        .half_loss = p->half,
        .balance = &t->host.call,
        .nextra = t->host.quality ? 3 * ntask : 0,
        .extra = p->extra,
    };
    return poise_step_build(t->main.graph, ntask, t->main.net.loss, t->main.net.labelled, &plan,
                            &t->step, err);
}

/* The values that a balancer outside of the graph reads after it ran. */
static int mark_outputs(poise__training *t, poise_error *err)
{
    for (int k = 0; t->by_element && t->host.quality && k < t->schema->ntask; k++)
        if (poise_graph_output(t->main.graph, t->main.net.output[k], err) < 0)
            return -1;
    for (int k = 0; t->host.after && k < t->schema->ntask; k++)
        if (poise_graph_output(t->probe.graph, t->probe.net.loss[k], err) < 0)
            return -1;
    return 0;
}

poise__training *poise__training_new(const poise__source *source,
                                     const poise_balancer_spec *options, poise_store *store,
                                     poise_balance *balance, poise_error *err)
{
    poise__training *t = poise__calloc(1, sizeof *t, err);
    planning p = {0};

    if (!t)
        return NULL;
    t->store = store;
    t->schema = source->schema;
    t->options = options;
    t->clip = source->clip;
    t->without = source->without;
    t->lanes = source->lanes;
    t->threads = source->threads;
    int status = build_pass(t, source, &t->main, err);
    if (status == 0)
        status = prepare(t, &p, err);
    if (status == 0)
        status = build_step(t, source->rate, balance, &p, err);
    if (status == 0 && t->host.after)
        status = build_pass(t, source, &t->probe, err);
    if (status == 0)
        status = mark_outputs(t, err);
    forget(&p);
    if (status < 0) {
        poise__training_free(t);
        return NULL;
    }
    return t;
}

/* Below this much work in a run, forking and joining costs more than a second thread gives; and on a
 * machine that is busy, threads that wait for each other lose far more. */
#define FLOPS_WORTH_THREADS 1e9

int poise__threads_for(int wanted, const poise_session *s)
{
    long n = wanted;

    if (n <= 0)
        n = poise_session_flops(s) < FLOPS_WORTH_THREADS ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (int)n;
}

/* Dense gradients go straight into the store's slab. */
static poise_session *make_session(const poise__training *t, int threads, poise_error *err)
{
    size_t n = (size_t)t->step.nparam;
    poise_value **gradient = poise__calloc(n, sizeof *gradient, err);
    int *param = poise__calloc(n, sizeof *param, err);
    poise_session *made = NULL;
    poise_session_options o = {.gradient = gradient,
                               .param = param,
                               .rows = t->main.net.batch,
                               .lanes = t->lanes,
                               .threads = threads};

    for (size_t k = 0; gradient && param && k < n; k++)
        if (t->step.gradient[k].value && !t->step.gradient[k].rows) {
            gradient[o.ngradient] = t->step.gradient[k].value;
            param[o.ngradient++] = t->step.param[k];
        }
    if (gradient && param)
        made = poise_session_new(t->main.graph, &o, err);
    free(gradient);
    free(param);
    return made;
}

/* The work is known once there is a session: where one thread is enough for it, it is made again. */
static int start_main(poise__training *t, poise_error *err)
{
    if (poise_passes_run(t->main.graph, t->without, err) < 0 ||
        !(t->main.session = make_session(t, t->threads, err)))
        return -1;
    int wanted = t->threads;
    t->threads = poise__threads_for(wanted, t->main.session);
    if (t->threads == 1 && wanted != 1 && poise_session_lanes(t->main.session) > 1) {
        poise_session_free(t->main.session);
        t->main.session = make_session(t, 1, err);
    }
    return t->main.session ? 0 : -1;
}

int poise__training_start(poise__training *t, poise_error *err)
{
    if (start_main(t, err) < 0)
        return -1;
    if (t->probe.graph) {
        if (poise_passes_run(t->probe.graph, t->without, err) < 0)
            return -1;
        t->probe.session = poise_session_new(t->probe.graph, NULL, err);
        if (!t->probe.session)
            return -1;
    }
    for (int h = 0; h < 2; h++) {
        float *mask = t->mask[h] ? poise_session_data(t->main.session, t->mask[h]) : NULL;
        for (int64_t b = 0; mask && b < t->main.net.batch; b++)
            mask[b] = (float)(b % 2 == h);
    }
    t->table = poise__calloc((size_t)t->step.nparam, sizeof *t->table, err);
    if (!t->table || !t->by_element)
        return t->table ? 0 : -1;
    t->answer = poise__calloc(5 + (size_t)t->step.nscope + 3 * (size_t)t->schema->ntask,
                              sizeof *t->answer, err);
    if (!t->answer)
        return -1;
    return poise__element_init(&t->element, t->store, &t->step, &t->host, err);
}

static void free_pass(poise__pass *p)
{
    poise_session_free(p->session);
    poise_graph_free(p->graph);
}

void poise__training_profile(poise__training *t, poise_profile *p)
{
    poise__pass *pass[] = {&t->main, &t->probe};

    for (int k = 0; k < 2; k++)
        if (pass[k]->session) {
            if (t->profile)
                poise__profile_collect(t->profile, pass[k]->session,
                                       t->profile->steps - t->profile->collected, k == 1);
            poise_session_profile(pass[k]->session, p ? p->now : NULL);
        }
    if (t->profile)
        t->profile->collected = t->profile->steps;
    t->profile = p;
}

void poise__training_free(poise__training *t)
{
    if (!t)
        return;
    poise__training_profile(t, NULL);
    poise__element_done(&t->element);
    free(t->answer);
    free(t->table);
    free_pass(&t->main);
    free_pass(&t->probe);
    poise_step_graph_done(&t->step);
    poise__host_done(&t->host);
    free(t);
}
