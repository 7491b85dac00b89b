#include "signals.h"

#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "profile.h"
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
    poise_value **weight;      /* [T] or [G, T] of [1]: the balancer's answer */
    int *group;                /* [nparam] place in the scope, -1: not in it */
    int nscope;
    poise_gradient *grad; /* [nparam]: the result */
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
    if (!b->scoped || !b->after || !b->layer || !b->read || !b->param || !b->cut)
        return -1;
    for (size_t k = 0; k < nvalue; k++) {
        poise_value *v = poise_graph_value(b->g, (int)k);
        if (poise__trained(b->g, v) && owner(b, v) != POISE__NOBODY)
            b->param[b->nparam++] = v;
    }
    qsort(b->param, (size_t)b->nparam, sizeof(poise_value *), by_parameter);
    b->grad = poise__calloc((size_t)b->nparam, sizeof(poise_gradient), err);
    b->task_grad = poise__calloc((size_t)b->nparam * ntask, sizeof(poise_gradient), err);
    b->group = poise__calloc((size_t)b->nparam, sizeof *b->group, err);
    return b->grad && b->task_grad && b->group ? 0 : -1;
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
    free(b->group);
    free(b->grad);
}

static int listed(int n, const int *list, int x)
{
    for (int k = 0; k < n; k++)
        if (list[k] == x)
            return 1;
    return 0;
}

static int nothing_shared(poise_error *err)
{
    return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                      "the balancer asks for gradients of the shared layers, but no parameter is "
                      "shared by two tasks; give the tasks a common layer, or choose a balancer "
                      "that needs losses only");
}

static int in_scope(const builder *b, const poise_value *v)
{
    const poise_signal_plan *plan = b->plan;

    if (owner(b, v) != POISE__SHARED)
        return 0;
    if (plan->param)
        return listed(plan->nparam, plan->param, v->param);
    return plan->scope == POISE_SCOPE_ALL ||
           (plan->scope == POISE_SCOPE_LAST && b->reach.last[v->id]);
}

/* Which parameters are in scope, which nodes are in the region, where the cut is. */
static int divide(builder *b, poise_error *err)
{
    const poise_signal_plan *plan = b->plan;
    int scoped = plan->signals || plan->by_element || plan->group_weights;

    for (int k = 0; k < b->nparam; k++) {
        int in = scoped && in_scope(b, b->param[k]);
        b->scoped[b->param[k]->id] = (unsigned char)in;
        b->group[k] = in ? b->nscope++ : -1;
    }
    if (scoped && b->nscope == 0 && plan->scope != POISE_SCOPE_REPRESENTATION)
        return nothing_shared(err);
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
    if (scoped && b->nscope == 0 && b->ncut == 0)
        return nothing_shared(err);
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

/* The T gradients of every parameter in scope, or of every value of the cut: what norms and Gram
 * matrices are of.  [n, T] */
static poise_value **signal_gradients(builder *b, int *n, poise_error *err)
{
    size_t ntask = (size_t)b->ntask;
    int representation = b->nscope == 0;

    *n = representation ? b->ncut : b->nscope;
    poise_value **grad = poise__calloc((size_t)*n * ntask, sizeof *grad, err);
    if (!grad)
        return NULL;
    if (representation)
        memcpy(grad, b->task_cut, (size_t)b->ncut * ntask * sizeof *grad);
    for (int k = 0; !representation && k < b->nparam; k++)
        for (int t = 0; b->group[k] >= 0 && t < b->ntask; t++)
            grad[b->group[k] * b->ntask + t] = b->task_grad[k * b->ntask + t].value;
    return grad;
}

/* The Gram matrix of the even rows' and the odd rows' gradients: 2T more backward passes. */
static poise_value *halves(builder *b, poise_error *err)
{
    size_t n = (size_t)b->nscope, twice = 2 * (size_t)b->ntask;
    poise_value **x = poise__calloc(n, sizeof *x, err), *gram = NULL;
    poise_value **grad = poise__calloc(n * twice, sizeof *grad, err);
    poise_gradient *dx = poise__calloc(n, sizeof *dx, err);
    int status = x && grad && dx ? 0 : -1;

    for (int k = 0; status == 0 && k < b->nparam; k++)
        if (b->group[k] >= 0)
            x[b->group[k]] = b->param[k];
    for (size_t t = 0; status == 0 && t < twice; t++) {
        poise_value *y = b->plan->half_loss[t];
        status = poise_backward(b->g, 1, &y, NULL, b->nscope, x, dx, err);
        for (size_t k = 0; status == 0 && k < n; k++)
            grad[k * twice + t] = dx[k].value;
    }
    if (status == 0)
        gram = poise_gram(b->g, (int)twice, b->nscope, grad, err);
    free(x);
    free(grad);
    free(dx);
    return gram;
}

/* The signals; those asked for are put into `in`, in the order of the plan's contract. */
static int measure(builder *b, poise_value *const *labelled, poise_step_graph *out,
                   poise_value **in, int *nin, poise_error *err)
{
    int n, t = b->ntask, status = 0;
    unsigned signals = b->plan->signals;
    poise_value **grad = signal_gradients(b, &n, err);

    if (!grad)
        return -1;
    in[(*nin)++] = out->loss = poise_concat(b->g, 0, t, b->loss, err);
    in[(*nin)++] = out->labelled = poise_concat(b->g, 0, t, labelled, err);
    if (signals & POISE_SIGNAL_NORM)
        in[(*nin)++] = out->norm = poise_grad_norm(b->g, t, n, grad, err);
    if (signals & POISE_SIGNAL_GRAM)
        in[(*nin)++] = out->gram = poise_gram(b->g, t, n, grad, err);
    if (signals & POISE_SIGNAL_GROUPS) {
        out->group_gram = poise__calloc((size_t)b->nscope, sizeof(poise_value *), err);
        status = out->group_gram ? 0 : -1;
        for (int k = 0; status == 0 && k < b->nscope; k++)
            in[(*nin)++] = out->group_gram[k] = poise_gram(b->g, t, 1, grad + k * t, err);
    }
    if (status == 0 && signals & POISE_SIGNAL_HALVES)
        in[(*nin)++] = out->half_gram = halves(b, err);
    free(grad);
    for (int k = 0; status == 0 && k < *nin; k++)
        status = in[k] ? 0 : -1;
    return status;
}

/* The balancer: its inputs, the node, its answer cut into scalars. */
static int balance(builder *b, poise_value *const *labelled, poise_step_graph *out,
                   poise_error *err)
{
    int nin = 0, nweight = b->plan->group_weights ? b->nscope * b->ntask : b->ntask;
    poise_value **in = poise__calloc((size_t)(5 + b->nscope + b->plan->nextra), sizeof *in, err);
    int status = in ? measure(b, labelled, out, in, &nin, err) : -1;

    if (status == 0 && !b->plan->by_element) {
        for (int k = 0; k < b->plan->nextra; k++)
            in[nin++] = b->plan->extra[k];
        out->weight = poise_balance_node(b->g, b->plan->balance, nin, in, err);
        b->weight = poise__calloc((size_t)nweight, sizeof(poise_value *), err);
        status = out->weight && b->weight ? 0 : -1;
        for (int k = 0; status == 0 && k < nweight; k++) {
            b->weight[k] = poise_slice(b->g, out->weight, 0, k, k + 1, err);
            status = b->weight[k] ? 0 : -1;
        }
    }
    free(in);
    return status;
}

/* Losses only, the whole loss weighted: one backward pass for everything. */
static int backward_of_sum(builder *b, poise_error *err)
{
    return poise_backward(b->g, b->ntask, b->loss, b->weight, b->nparam, b->param, b->grad, err);
}

/* sum over t of weight_t dx_t, over the tasks that have one; NULL where none has. */
static int combine(builder *b, poise_value *const *weight, poise_value *const *dx,
                   poise_value **sum, poise_error *err)
{
    poise_value **s = poise__calloc((size_t)b->ntask, sizeof *s, err);
    poise_value **x = poise__calloc((size_t)b->ntask, sizeof *x, err);
    int n = 0, status = s && x ? 0 : -1;

    *sum = NULL;
    for (int t = 0; status == 0 && t < b->ntask; t++)
        if (dx[t]) {
            s[n] = weight[t];
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

/* A parameter of one task alone. */
static int take_own(builder *b, int k, int task, poise_error *err)
{
    b->grad[k] = b->task_grad[k * b->ntask + task];
    if (!b->grad[k].value || b->plan->shared_only || b->plan->by_element)
        return 0;
    b->grad[k].value = poise_scale_by(b->g, b->grad[k].value, b->weight[task], err);
    return b->grad[k].value ? 0 : -1;
}

/* What each task's backward left becomes one gradient per parameter.  A table's comes from the pass
 * below the cut, once for all tasks, unless its weights are its own: its rows are those of every
 * task, since they depend on the ids alone. */
static int combine_parameters(builder *b, poise_error *err)
{
    poise_value **dx = poise__calloc((size_t)b->ntask, sizeof *dx, err);
    int status = dx ? 0 : -1;

    for (int k = 0; status == 0 && k < b->nparam; k++) {
        poise_gradient *of = &b->task_grad[k * b->ntask];
        poise_value *const *weight = b->weight, *rows = NULL;
        int who = owner(b, b->param[k]);
        if (who >= 0) {
            status = take_own(b, k, who, err);
            continue;
        }
        if (b->plan->by_element)
            continue;
        if (b->plan->group_weights)
            weight += b->group[k] * b->ntask;
        for (int t = 0; t < b->ntask; t++) {
            dx[t] = of[t].value;
            if (of[t].rows)
                rows = of[t].rows;
        }
        if (!rows || b->plan->group_weights) {
            status = combine(b, weight, dx, &b->grad[k].value, err);
            b->grad[k].rows = rows;
        }
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

    for (int k = 0; status == 0 && k < b->nparam; k++) {
        uint32_t id = b->param[k]->id;
        if (owner(b, b->param[k]) == POISE__SHARED &&
            (!b->grad[k].value || (!b->scoped[id] && b->read[id] & READ_OUTSIDE))) {
            x[nx] = b->param[k];
            index[nx++] = k;
        }
    }
    for (int k = 0; status == 0 && nx > 0 && k < b->ncut; k++) {
        status = combine(b, b->weight, &b->task_cut[k * b->ntask], &dy[ny], err);
        if (status == 0 && dy[ny])
            y[ny++] = b->cut[k];
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

static int mark(const builder *b, poise_value *v, poise_error *err)
{
    return v ? poise_graph_output(b->g, v, err) : 0;
}

static int mark_gradient(const builder *b, const poise_gradient *g, poise_error *err)
{
    return mark(b, g->value, err) < 0 || mark(b, g->rows, err) < 0 ? -1 : 0;
}

/* Hand over the lists and mark the outputs. */
static int finish(builder *b, poise_step_graph *out, poise_error *err)
{
    size_t nparam = (size_t)b->nparam, nscope = (size_t)b->nscope, ntask = (size_t)b->ntask;
    poise_value *keep[] = {out->loss, out->labelled, out->weight,
                           out->norm, out->gram,     out->half_gram};

    out->param = poise__calloc(nparam, sizeof *out->param, err);
    out->gradient = poise__calloc(nparam, sizeof *out->gradient, err);
    out->owner = poise__calloc(nparam, sizeof *out->owner, err);
    out->scope = poise__calloc(nscope, sizeof *out->scope, err);
    if (b->plan->by_element)
        out->task_gradient = poise__calloc(nscope * ntask, sizeof *out->task_gradient, err);
    if (!out->param || !out->gradient || !out->owner || !out->scope ||
        (b->plan->by_element && !out->task_gradient))
        return -1;
    for (size_t k = 0; k < sizeof keep / sizeof *keep; k++)
        if (mark(b, keep[k], err) < 0)
            return -1;
    for (size_t k = 0; out->group_gram && k < nscope; k++)
        if (mark(b, out->group_gram[k], err) < 0)
            return -1;
    out->nparam = b->nparam;
    out->nscope = b->nscope;
    for (int k = 0; k < b->nparam; k++) {
        int who = owner(b, b->param[k]), group = b->group[k];
        out->param[k] = b->param[k]->param;
        out->gradient[k] = b->grad[k];
        out->owner[k] = who >= 0 ? who : -1;
        if (mark_gradient(b, &b->grad[k], err) < 0)
            return -1;
        if (group < 0)
            continue;
        out->scope[group] = b->param[k]->param;
        for (size_t t = 0; out->task_gradient && t < ntask; t++) {
            poise_gradient *of = &out->task_gradient[(size_t)group * ntask + t];
            *of = b->task_grad[(size_t)k * ntask + t];
            if (mark_gradient(b, of, err) < 0)
                return -1;
        }
    }
    return 0;
}

int poise_step_build(poise_graph *g, int ntask, poise_value *const *loss,
                     poise_value *const *labelled, const poise_signal_plan *plan,
                     poise_step_graph *out, poise_error *err)
{
    builder b = {.g = g, .ntask = ntask, .loss = loss, .plan = plan};
    int per_task = plan->signals || plan->shared_only || plan->by_element || plan->group_weights;

    *out = (poise_step_graph){0};
    int status = poise_graph_at(g, "balancer", POISE_NOWHERE, err);
    if (status == 0)
        status = start(&b, err);
    if (status == 0)
        status = divide(&b, err);
    poise_graph_part(g, POISE_PART_TASK);
    for (int t = 0; status == 0 && per_task && t < ntask; t++)
        status = backward_of_task(&b, t, err);
    poise_graph_part(g, POISE_PART_SIGNALS);
    if (status == 0)
        status = balance(&b, labelled, out, err);
    poise_graph_part(g, POISE_PART_SHARED);
    if (status == 0)
        status = per_task ? combine_parameters(&b, err) : backward_of_sum(&b, err);
    if (status == 0 && per_task && !plan->by_element)
        status = backward_below(&b, err);
    if (status == 0)
        status = finish(&b, out, err);
    poise_graph_part(g, POISE_PART_FORWARD);
    done(&b);
    if (status < 0)
        poise_step_graph_done(out);
    return status;
}

void poise_step_graph_done(poise_step_graph *s)
{
    free(s->param);
    free(s->gradient);
    free(s->owner);
    free(s->scope);
    free(s->group_gram);
    free(s->task_gradient);
    *s = (poise_step_graph){0};
}
