#include "signals.h"

#include <stdlib.h>
#include "../core/memory.h"
#include "shared.h"

/* Words used below.  A node in the *region* runs backward once per task: it belongs to one task
 * alone, or it comes after a layer in scope.  An *edge* is a layer in scope outside the region: its
 * weight gradients are formed per task, what it passes down is combined first.  The *cut* are the
 * values that the region reads from outside: below them, one backward pass serves all tasks. */
typedef struct builder {
    poise_graph *g;
    int ntask;
    poise_value *const *loss;
    const poise_signal_plan *plan;
    poise__reach reach;
    unsigned char *scoped; /* by value: a parameter in scope */
    unsigned char *after;  /* by node: strictly after a layer in scope */
    unsigned char *layer;  /* by node: has a parameter in scope */
    unsigned char *read;   /* by value: READ_IN_REGION, READ_OUTSIDE */
    poise_value **param;   /* [nparam] trainable parameters a loss depends on, by store index */
    int nparam;
    poise_value **cut;
    int ncut;
    poise_gradient *task_grad; /* [nparam][T]: d loss_t / d param */
    poise_value **task_cut;    /* [ncut][T]: d loss_t / d cut */
    poise_value **weight;      /* [T] of [1]: the balancer's answer */
    poise_gradient *grad;      /* [nparam]: the result */
} builder;

enum { READ_IN_REGION = 1, READ_OUTSIDE = 2 };

static int owner(const builder *b, const poise_value *v)
{
    return b->reach.value[v->id];
}

static int in_region(const builder *b, const poise_node *n)
{
    return b->reach.node[n->id] >= 0 || b->after[n->id];
}

static int by_parameter(const void *a, const void *b)
{
    const poise_value *const *x = a, *const *y = b;
    return ((*x)->param > (*y)->param) - ((*x)->param < (*y)->param);
}

static int start(builder *b, poise_error *err)
{
    size_t nvalue = (size_t)poise_graph_values(b->g), nnode = (size_t)poise_graph_nodes(b->g);
    size_t ntask = (size_t)b->ntask;

    if (poise__reach_find(b->g, b->ntask, b->loss, &b->reach, err) < 0)
        return -1;
    b->scoped = poise__calloc(nvalue, 1, err);
    b->after = poise__calloc(nnode, 1, err);
    b->layer = poise__calloc(nnode, 1, err);
    b->read = poise__calloc(nvalue, 1, err);
    b->param = poise__calloc(nvalue, sizeof(poise_value *), err);
    b->cut = poise__calloc(nvalue, sizeof(poise_value *), err);
    b->weight = poise__calloc(ntask, sizeof(poise_value *), err);
    if (!b->scoped || !b->after || !b->layer || !b->read || !b->param || !b->cut || !b->weight)
        return -1;
    for (size_t k = 0; k < nvalue; k++) {
        poise_value *v = poise_graph_value(b->g, (int)k);
        if (poise__trained(b->g, v) && owner(b, v) != POISE__NOBODY)
            b->param[b->nparam++] = v;
    }
    qsort(b->param, (size_t)b->nparam, sizeof(poise_value *), by_parameter);
    b->grad = poise__calloc((size_t)b->nparam, sizeof(poise_gradient), err);
    b->task_grad = poise__calloc((size_t)b->nparam * ntask, sizeof(poise_gradient), err);
    return b->grad && b->task_grad ? 0 : -1;
}

static void done(builder *b)
{
    poise__reach_done(&b->reach);
    free(b->scoped);
    free(b->after);
    free(b->layer);
    free(b->read);
    free(b->param);
    free(b->cut);
    free(b->task_grad);
    free(b->task_cut);
    free(b->weight);
    free(b->grad);
}

static int listed(int n, const int *list, int x)
{
    for (int k = 0; k < n; k++)
        if (list[k] == x)
            return 1;
    return 0;
}

/* Which parameters are in scope, which nodes are in the region, where the cut is. */
static int divide(builder *b, poise_error *err)
{
    const poise_signal_plan *plan = b->plan;
    int nscope = 0;

    for (int k = 0; k < b->nparam && plan->signals; k++) {
        const poise_value *v = b->param[k];
        int in = owner(b, v) == POISE__SHARED &&
                 (plan->param ? listed(plan->nparam, plan->param, v->param)
                              : plan->scope == POISE_SCOPE_ALL || b->reach.last[v->id]);
        b->scoped[v->id] = (unsigned char)in;
        nscope += in;
    }
    if (plan->signals && nscope == 0)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                          "the balancer asks for gradients of the shared layers, but no parameter "
                          "is shared by two tasks; give the tasks a common layer, or choose a "
                          "balancer that needs losses only");
    unsigned char *taken = poise__calloc((size_t)poise_graph_values(b->g), 1, err);
    if (!taken)
        return -1;
    for (int k = 0; k < poise_graph_nodes(b->g); k++) {
        const poise_node *n = poise_graph_node(b->g, k);
        if (b->reach.node[k] == POISE__NOBODY)
            continue;
        for (int i = 0; i < n->nin; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (!v)
                continue;
            b->layer[k] |= b->scoped[v->id];
            if (v->producer)
                b->after[k] |= b->layer[v->producer->id] | b->after[v->producer->id];
        }
        for (int i = 0; i < n->nin; i++) {
            poise_value *v = poise_resolve(n->in[i]);
            if (!v)
                continue;
            b->read[v->id] |= in_region(b, n) ? READ_IN_REGION : READ_OUTSIDE;
            if (!in_region(b, n) || !v->producer || !b->reach.active[v->id] || taken[v->id] ||
                in_region(b, v->producer))
                continue;
            taken[v->id] = 1;
            b->cut[b->ncut++] = v;
        }
    }
    free(taken);
    b->task_cut = poise__calloc((size_t)b->ncut * (size_t)b->ntask, sizeof(poise_value *), err);
    return b->task_cut ? 0 : -1;
}

/* Sum a second contribution into a gradient. */
static int accumulate(builder *b, poise_gradient *into, poise_gradient more, poise_error *err)
{
    if (!more.value)
        return 0;
    if (!into->value) {
        *into = more;
        return 0;
    }
    if (into->rows || more.rows)
        return poise_fail(err, POISE_E_GRADIENT, POISE_NOWHERE,
                          "an embedding table is used both inside and below the layers whose "
                          "gradients the balancer asks for");
    into->value = poise_add(b->g, into->value, more.value, err);
    return into->value ? 0 : -1;
}

/* Task t's own backward pass: through the region to its own parameters, to the shared parameters
 * that the region reads, and to the cut; then the weight gradients of the edges. */
static int backward_of_task(builder *b, int t, poise_error *err)
{
    size_t most = (size_t)(b->nparam + b->ncut);
    poise_value **x = poise__calloc(most, sizeof *x, err);
    int *index = poise__calloc(most, sizeof *index, err);
    poise_gradient *dx = poise__calloc(most, sizeof *dx, err);
    poise_value **y = poise__calloc(most, sizeof *y, err),
                **dy = poise__calloc(most, sizeof *dy, err);
    int status = x && index && dx && y && dy ? 0 : -1, nx = 0, ny = 0, nown = 0;

    for (int k = 0; status == 0 && k < b->nparam; k++) {
        int who = owner(b, b->param[k]);
        if (who == t || (who == POISE__SHARED && b->read[b->param[k]->id] & READ_IN_REGION)) {
            x[nx] = b->param[k];
            index[nx++] = k;
        }
    }
    nown = nx;
    for (int k = 0; status == 0 && k < b->ncut; k++)
        x[nx++] = b->cut[k];
    if (status == 0)
        status = poise_backward(b->g, 1, &b->loss[t], NULL, nx, x, dx, err);
    for (int k = 0; status == 0 && k < nown; k++)
        b->task_grad[index[k] * b->ntask + t] = dx[k];
    for (int k = 0; status == 0 && k < b->ncut; k++) {
        b->task_cut[k * b->ntask + t] = dx[nown + k].value;
        if (dx[nown + k].value) {
            y[ny] = b->cut[k];
            dy[ny++] = dx[nown + k].value;
        }
    }
    nx = 0;
    for (int k = 0; status == 0 && k < b->nparam; k++)
        if (b->scoped[b->param[k]->id] && b->read[b->param[k]->id] & READ_OUTSIDE) {
            x[nx] = b->param[k];
            index[nx++] = k;
        }
    if (status == 0 && nx > 0 && ny > 0)
        status = poise_backward(b->g, ny, y, dy, nx, x, dx, err);
    for (int k = 0; status == 0 && ny > 0 && k < nx; k++)
        status = accumulate(b, &b->task_grad[index[k] * b->ntask + t], dx[k], err);
    free(x);
    free(index);
    free(dx);
    free(y);
    free(dy);
    return status;
}

/* The balancer: its inputs, the node, its answer cut into T scalars. */
static int balance(builder *b, poise_value *const *labelled, poise_step_graph *out,
                   poise_error *err)
{
    int nin = 0, nscope = out->nscope;
    poise_value **in = poise__calloc((size_t)(4 + b->plan->nextra), sizeof *in, err);
    poise_value **grad = poise__calloc((size_t)nscope * (size_t)b->ntask, sizeof *grad, err);

    if (!in || !grad) {
        free(in);
        free(grad);
        return -1;
    }
    for (int k = 0, p = 0; k < b->nparam; k++)
        if (b->scoped[b->param[k]->id]) {
            for (int t = 0; t < b->ntask; t++)
                grad[p * b->ntask + t] = b->task_grad[k * b->ntask + t].value;
            p++;
        }
    in[nin++] = out->loss = poise_concat(b->g, 0, b->ntask, b->loss, err);
    in[nin++] = out->labelled = poise_concat(b->g, 0, b->ntask, labelled, err);
    if (b->plan->signals & POISE_SIGNAL_NORM)
        in[nin++] = out->norm = poise_grad_norm(b->g, b->ntask, nscope, grad, err);
    if (b->plan->signals & POISE_SIGNAL_GRAM)
        in[nin++] = out->gram = poise_gram(b->g, b->ntask, nscope, grad, err);
    for (int k = 0; k < b->plan->nextra; k++)
        in[nin++] = b->plan->extra[k];
    out->weight = poise_balance_node(b->g, b->plan->balance, nin, in, err);
    free(in);
    free(grad);
    for (int t = 0; t < b->ntask; t++) {
        b->weight[t] = poise_slice(b->g, out->weight, 0, t, t + 1, err);
        if (!b->weight[t])
            return -1;
    }
    return 0;
}

/* Losses only, the whole loss weighted: one backward pass for everything. */
static int backward_of_sum(builder *b, poise_error *err)
{
    return poise_backward(b->g, b->ntask, b->loss, b->weight, b->nparam, b->param, b->grad, err);
}

/* sum over t of weight_t dx_t, over the tasks that have one; NULL where none has. */
static int combine(builder *b, poise_value *const *dx, poise_value **sum, poise_error *err)
{
    poise_value **s = poise__calloc((size_t)b->ntask, sizeof *s, err);
    poise_value **x = poise__calloc((size_t)b->ntask, sizeof *x, err);
    int n = 0, status = s && x ? 0 : -1;

    *sum = NULL;
    for (int t = 0; status == 0 && t < b->ntask; t++)
        if (dx[t]) {
            s[n] = b->weight[t];
            x[n++] = dx[t];
        }
    if (status == 0 && n > 0) {
        *sum = poise_weighted_sum(b->g, n, s, x, err);
        status = *sum ? 0 : -1;
    }
    free(s);
    free(x);
    return status;
}

/* What each task's backward left becomes one gradient per parameter. */
static int combine_parameters(builder *b, poise_error *err)
{
    poise_value **dx = poise__calloc((size_t)b->ntask, sizeof *dx, err);
    int status = dx ? 0 : -1;

    for (int k = 0; status == 0 && k < b->nparam; k++) {
        poise_gradient *of = &b->task_grad[k * b->ntask], *into = &b->grad[k];
        int who = owner(b, b->param[k]), rows = 0;
        if (who >= 0) {
            *into = of[who];
            if (into->value && !b->plan->shared_only) {
                into->value = poise_scale_by(b->g, into->value, b->weight[who], err);
                status = into->value ? 0 : -1;
            }
            continue;
        }
        for (int t = 0; t < b->ntask; t++) {
            dx[t] = of[t].value;
            rows |= of[t].rows != NULL;
        }
        if (!rows) /* a table's comes from the pass below the cut, once for all tasks */
            status = combine(b, dx, &into->value, err);
    }
    free(dx);
    return status;
}

/* One backward pass from the cut, seeded with the weighted sums, to what is left. */
static int backward_below(builder *b, poise_error *err)
{
    size_t most = (size_t)(b->nparam + b->ncut);
    poise_value **y = poise__calloc(most, sizeof *y, err),
                **dy = poise__calloc(most, sizeof *dy, err);
    poise_value **x = poise__calloc(most, sizeof *x, err);
    poise_gradient *dx = poise__calloc(most, sizeof *dx, err);
    int *index = poise__calloc(most, sizeof *index, err);
    int status = y && dy && x && dx && index ? 0 : -1, ny = 0, nx = 0;

    for (int k = 0; status == 0 && k < b->ncut; k++) {
        status = combine(b, &b->task_cut[k * b->ntask], &dy[ny], err);
        if (status == 0 && dy[ny])
            y[ny++] = b->cut[k];
    }
    for (int k = 0; status == 0 && k < b->nparam; k++) {
        uint32_t id = b->param[k]->id;
        if (owner(b, b->param[k]) == POISE__SHARED &&
            (!b->grad[k].value || (!b->scoped[id] && b->read[id] & READ_OUTSIDE))) {
            x[nx] = b->param[k];
            index[nx++] = k;
        }
    }
    if (status == 0 && ny > 0 && nx > 0)
        status = poise_backward(b->g, ny, y, dy, nx, x, dx, err);
    for (int k = 0; status == 0 && ny > 0 && k < nx; k++)
        status = accumulate(b, &b->grad[index[k]], dx[k], err);
    free(y);
    free(dy);
    free(x);
    free(dx);
    free(index);
    return status;
}

static int finish(builder *b, poise_step_graph *out, poise_error *err)
{
    poise_value *keep[] = {out->loss, out->labelled, out->weight, out->norm, out->gram};

    for (size_t k = 0; k < sizeof keep / sizeof *keep; k++)
        if (keep[k] && poise_graph_output(b->g, keep[k], err) < 0)
            return -1;
    out->param = poise__calloc((size_t)b->nparam, sizeof *out->param, err);
    out->gradient = poise__calloc((size_t)b->nparam, sizeof *out->gradient, err);
    if (!out->param || !out->gradient)
        return -1;
    out->nparam = b->nparam;
    for (int k = 0; k < b->nparam; k++) {
        out->param[k] = b->param[k]->param;
        out->gradient[k] = b->grad[k];
        if ((b->grad[k].value && poise_graph_output(b->g, b->grad[k].value, err) < 0) ||
            (b->grad[k].rows && poise_graph_output(b->g, b->grad[k].rows, err) < 0))
            return -1;
    }
    return 0;
}

static int list_scope(builder *b, poise_step_graph *out, poise_error *err)
{
    out->scope = poise__calloc((size_t)b->nparam, sizeof *out->scope, err);
    if (!out->scope)
        return -1;
    for (int k = 0; k < b->nparam; k++)
        if (b->scoped[b->param[k]->id])
            out->scope[out->nscope++] = b->param[k]->param;
    return 0;
}

int poise_step_build(poise_graph *g, int ntask, poise_value *const *loss,
                     poise_value *const *labelled, const poise_signal_plan *plan,
                     poise_step_graph *out, poise_error *err)
{
    builder b = {.g = g, .ntask = ntask, .loss = loss, .plan = plan};
    int per_task = plan->signals || plan->shared_only, status;

    *out = (poise_step_graph){0};
    status = poise_graph_at(g, "balancer", POISE_NOWHERE, err);
    if (status == 0)
        status = start(&b, err);
    if (status == 0)
        status = divide(&b, err);
    for (int t = 0; status == 0 && per_task && t < ntask; t++)
        status = backward_of_task(&b, t, err);
    if (status == 0)
        status = list_scope(&b, out, err);
    if (status == 0)
        status = balance(&b, labelled, out, err);
    if (status == 0)
        status = per_task ? combine_parameters(&b, err) : backward_of_sum(&b, err);
    if (status == 0 && per_task)
        status = backward_below(&b, err);
    if (status == 0)
        status = finish(&b, out, err);
    done(&b);
    if (status < 0)
        poise_step_graph_done(out);
    return status;
}

void poise_step_graph_done(poise_step_graph *s)
{
    free(s->param);
    free(s->gradient);
    free(s->scope);
    *s = (poise_step_graph){0};
}
