/* session.c -- a graph made ready to run.
 *
 *     step[nstep]   compiled nodes in order, views left out; copies of gradients at the end
 *     in, out       every step's pointers, resolved once
 *     arena         blocks of the plan | scratch, shared by all steps
 *                   | with lanes, for each: its own values, partial sums, scratch
 */
#include "graph_parts.h"
#include "parallel.h"
#include "session_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- copying a gradient into the slab ---- */

static int copy_run(const poise_kernel *k, void *const *in, void *const *out, void *scratch,
                    const poise_run *r, poise_error *err)
{
    (void)scratch;
    (void)r;
    (void)err;
    memmove(out[0], in[0], (size_t)poise_value_count(k->node->out[0]) * sizeof(float));
    return 0;
}

static int copy_compile(const poise_node *n, poise_kernel *k, poise_error *err)
{
    (void)n;
    (void)err;
    k->run = copy_run;
    k->impl = "own";
    return 0;
}

static int copy_shape(poise_node *n, poise_error *err)
{
    (void)n;
    (void)err;
    return 0;
}

static const poise_op copy_op = {
    .name = "copy",
    .formula = "y = x",
    .min_in = 1,
    .max_in = 1,
    .nout = 1,
    .shape = copy_shape,
    .compile = copy_compile,
};

/* A node that is the session's own: the graph does not know it. */
static const poise_node *copy_node(poise_session *s, const poise__copy *c, poise_error *err)
{
    poise_node *n = poise__arena_alloc(s->small, 1, sizeof *n, err);
    poise_value *v = n ? poise__arena_alloc(s->small, 1, sizeof *v, err) : NULL;
    poise_value **end = v ? poise__arena_alloc(s->small, 2, sizeof(*end), err) : NULL;
    if (!end)
        return NULL;
    const poise_parameter *p = poise_store_at(s->g->store, c->param);
    *v = *c->from;
    v->role = POISE_COMPUTED;
    v->producer = n;
    v->slot = 0;
    v->param = -1;
    v->name = p->name;
    *n = (poise_node){.op = &copy_op, .nin = 1, .nout = 1, .layer = p->name, .place = p->place};
    n->part = c->from->producer ? c->from->producer->part : 0;
    n->in = end;
    n->out = end + 1;
    n->in[0] = c->from;
    n->out[0] = v;
    return n;
}

/* ---- making a session ---- */

void *poise__session_bytes(const poise_session *s, const poise_value *v, int lane)
{
    poise__slot slot = s->plan.slot[v->id];
    switch (slot.where) {
    case POISE__ARENA:
        return s->arena + s->plan.block[slot.index].offset;
    case POISE__APART:
        return s->apart + (size_t)lane * s->apart_bytes + s->plan.apart[slot.index].offset;
    case POISE__WEIGHT:
        return poise__store_place(s->g->store, slot.index); /* rows are drawn when they are read */
    case POISE__GRADIENT:
        return poise_store_gradient(s->g->store, slot.index);
    case POISE__NOWHERE:
        break;
    }
    return NULL;
}

/* sliced: the node is cut into slices, though no lane runs it */
static int compile(poise_session *s, const poise_node *n, int segment, int sliced, poise_error *err)
{
    const poise_node *whole = n;
    if (segment >= 0 && !(n = poise__lane_node(s, n, err)))
        return -1;
    poise_kernel k = {.node = n};
    if (sliced)
        k.slice = s->lanes.rows / s->lanes.slices;
    if (!n->op->compile)
        return poise_node_fail(n, POISE_E_SHAPE, err, "this operator cannot be run");
    if (n->op->compile(n, &k, err) < 0)
        return -1;
    k.node = n;
    if (segment >= 0)
        k.flops *= s->lanes.count;
    s->step[s->nstep++] = (poise__step){.kernel = k, .node = whole, .segment = segment};
    s->flops += k.flops;
    return 0;
}

static int segment_of(const poise_session *s, size_t node)
{
    return s->lanes.count > 1 ? s->lanes.segment[node] : POISE__WHOLE;
}

static int is_sliced(const poise_session *s, size_t node)
{
    return s->lanes.slices > s->lanes.count && s->lanes.segment[node] >= 0;
}

/* Compile every node that makes a step, and the copies. */
static int compile_all(poise_session *s, poise_error *err)
{
    const poise_graph *g = s->g;
    s->step = poise__calloc(g->nnode + (size_t)s->plan.ncopy, sizeof *s->step, err);
    if (!s->step)
        return -1;
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        if (!n->dead && !poise__is_view(n) &&
            compile(s, n, segment_of(s, k), is_sliced(s, k), err) < 0)
            return -1;
    }
    for (int k = 0; k < s->plan.ncopy; k++) {
        const poise_node *n = copy_node(s, &s->plan.copy[k], err);
        if (!n || compile(s, n, POISE__WHOLE, 0, err) < 0)
            return -1;
    }
    return 0;
}

static size_t most_scratch(const poise_session *s, int in_lanes)
{
    size_t most = 0;
    for (int k = 0; k < s->nstep; k++)
        if ((s->step[k].segment >= 0) == in_lanes && s->step[k].kernel.scratch > most)
            most = s->step[k].kernel.scratch;
    return most;
}

static int allocate(poise_session *s, poise_error *err)
{
    const size_t align = POISE__BLOCK_ALIGN, limit = SIZE_MAX / 1024;
    size_t scratch = most_scratch(s, 0), lane_scratch = most_scratch(s, 1);
    size_t lanes = s->lanes.count > 1 ? (size_t)s->lanes.count : 0;
    poise__lane_partials(s);
    if (scratch > limit || lane_scratch > limit || s->partial_bytes > limit)
        return poise_fail(err, POISE_E_MEMORY, POISE_NOWHERE,
                          "an operator wants %zu bytes of scratch",
                          scratch > lane_scratch ? scratch : lane_scratch);
    scratch = (scratch + align - 1) / align * align;
    s->lane_scratch_bytes = (lane_scratch + align - 1) / align * align;
    s->apart_bytes = s->plan.apart_bytes;
    size_t own = s->apart_bytes + s->partial_bytes + s->lane_scratch_bytes;
    s->arena = poise__alloc_late(s->plan.bytes + scratch + lanes * own, &s->arena_base, err);
    if (!s->arena)
        return -1;
    poise__use_often(s->arena, s->plan.bytes + scratch + lanes * own);
    s->scratch = s->arena + s->plan.bytes; /* plan.bytes is a multiple of 64 */
    s->apart = s->arena + s->plan.bytes + scratch;
    s->partial = s->apart + lanes * s->apart_bytes;
    s->lane_scratch = s->partial + lanes * s->partial_bytes;
    s->lane_seconds = poise__calloc(lanes * (size_t)s->nstep + 1, sizeof *s->lane_seconds, err);
    return s->lane_seconds ? 0 : -1;
}

/* The step's pointers, from p on: returns what comes after them. */
static void **whole_pointers(poise_session *s, poise__step *t, int copy, void **p)
{
    const poise_node *n = t->kernel.node;
    t->in = p;
    for (int i = 0; i < n->nin; i++, p++)
        if (n->in[i])
            *p = poise__session_bytes(s, poise_resolve(n->in[i]), 0);
    t->out = p;
    if (copy >= 0) {
        *p++ = poise_store_gradient(s->g->store, s->plan.copy[copy].param);
        return p;
    }
    for (int o = 0; o < n->nout; o++)
        *p++ = poise__session_bytes(s, n->out[o], 0);
    return p;
}

static int resolve_pointers(poise_session *s, poise_error *err)
{
    size_t count = 0;
    for (int k = 0; k < s->nstep; k++) {
        const poise_node *n = s->step[k].kernel.node;
        count += ((size_t)n->nin + (size_t)n->nout) *
                 (size_t)(s->step[k].segment >= 0 ? s->lanes.count : 1);
    }
    void **p = s->pool = poise__calloc(count, sizeof(*s->pool), err);
    if (!p)
        return -1;
    for (int k = 0, copies = s->nstep - s->plan.ncopy; k < s->nstep; k++)
        if (s->step[k].segment >= 0)
            p = poise__lane_pointers(s, &s->step[k], p);
        else
            p = whole_pointers(s, &s->step[k], k - copies, p);
    return 0;
}

/* Draw what is read as a whole. */
static void draw_tables(const poise_graph *g)
{
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        for (int i = 0; i < n->nin && !n->dead && !(n->op->flags & POISE_OP_TABLES); i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (v && v->role == POISE_PARAM)
                (void)poise_store_weight(g->store, v->param);
        }
    }
}

/* A live node must not read what a removed one made. */
static int check_inputs(const poise_graph *g, poise_error *err)
{
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        for (int i = 0; i < n->nin && !n->dead; i++) {
            const poise_value *v = poise_resolve(n->in[i]);
            if (v && v->producer && v->producer->dead)
                return poise_node_fail(n, POISE_E_SHAPE, err,
                                       "input %d is made by a node that was removed; build the "
                                       "graph before poise_rewrite_dead, not after",
                                       i);
        }
    }
    for (size_t k = 0; k < g->nvalue; k++) {
        const poise_value *v = g->value[k];
        if (g->output[k] && !v->forward && v->producer && v->producer->dead)
            return poise_node_fail(v->producer, POISE_E_SHAPE, err,
                                   "it was removed before its value was made an output; mark "
                                   "outputs before poise_rewrite_dead");
    }
    return 0;
}

poise_session *poise_session_new(poise_graph *g, const poise_session_options *o, poise_error *err)
{
    if (!poise_store_sealed(g->store)) {
        poise_fail(err, POISE_E_SPEC, POISE_NOWHERE,
                   "the store is not sealed; call poise_store_seal before making a session");
        return NULL;
    }
    poise_session *s = poise__calloc(1, sizeof *s, err);
    if (!s)
        return NULL;
    s->g = g;
    s->no_reuse = o && o->no_reuse;
    draw_tables(g);
    s->lanes.count = s->lanes.slices = 1;
    if (!(s->small = poise__arena_new(err)) || check_inputs(g, err) < 0 ||
        poise__lanes_choose(g, o, &s->lanes, err) < 0 ||
        poise__plan_make(g, o, &s->lanes, &s->plan, err) < 0 || compile_all(s, err) < 0 ||
        allocate(s, err) < 0 || resolve_pointers(s, err) < 0) {
        poise_session_free(s);
        return NULL;
    }
    return s;
}

void poise_session_free(poise_session *s)
{
    if (!s)
        return;
    for (int k = 0; k < s->nstep; k++)
        if (s->step[k].kernel.done)
            s->step[k].kernel.done(s->step[k].kernel.state);
    poise__plan_done(&s->plan);
    poise__lanes_done(&s->lanes);
    poise__arena_free(s->small);
    free(s->lane_seconds);
    free(s->step);
    free(s->pool);
    free(s->arena_base);
    free(s);
}

/* ---- running ---- */

/* A kernel's error, with the node's name and place where it has none. */
static int add_place(const poise_node *n, poise_error *err)
{
    if (!err || err->line || err->file[0])
        return -1;
    char prefix[256];
    poise_error copy = *err;
    poise_node_fail(n, copy.code, err, "%s", "");
    size_t cut = strlen(err->message);
    if (cut < sizeof prefix && strncmp(copy.message, err->message, cut) == 0)
        return poise_fail(err, copy.code, n->place, "%s", copy.message);
    return poise_node_fail(n, copy.code, err, "%s", copy.message);
}

int poise__session_step_fail(const poise_session *s, int k, poise_error *err)
{
    return add_place(s->step[k].node, err);
}

static int run_step(const poise_session *s, int k, const poise_run *r, poise_error *err)
{
    const poise__step *t = &s->step[k];
    if (t->kernel.run(&t->kernel, t->in, t->out, s->scratch, r, err) < 0)
        return add_place(t->node, err);
    return 0;
}

static int segment_start(const poise_session *s, int k)
{
    while (k > 0 && s->step[k - 1].segment == s->step[k].segment)
        k--;
    return k;
}

/* The step after those that run together with step k. */
static int end_of(const poise_session *s, int k)
{
    int segment = s->step[k].segment, end = k + 1;
    while (segment >= 0 && end < s->nstep && s->step[end].segment == segment)
        end++;
    return end;
}

int poise_session_run(poise_session *s, const poise_run *r, poise_error *err)
{
    poise_run run = *r;
    run.store = s->g->store;
    run.row = 0;
    if (run.threads < 1)
        run.threads = 1;
    int held = poise__threads_hold(), status = 0;
    double from = s->now ? s->now() : 0;
    for (int k = 0, end; k < s->nstep && status == 0; k = end) {
        end = end_of(s, k);
        if (s->step[k].segment >= 0)
            status = poise__lanes_run(s, k, end, &run, err);
        else
            status = run_step(s, k, &run, err);
        if (s->now) {
            double to = s->now();
            if (s->step[k].segment < 0)
                s->step[k].seconds += to - from;
            from = to;
        }
    }
    poise__threads_release(held);
    return status;
}

void poise_session_profile(poise_session *s, double (*now)(void))
{
    s->now = now;
    for (int k = 0; k < s->nstep; k++)
        s->step[k].seconds = 0;
}

double poise_session_seconds(const poise_session *s, int index)
{
    return s->step[index].seconds;
}

void *poise_session_data(const poise_session *s, poise_value *v)
{
    v = poise_resolve(v);
    if (!v || !poise__graph_owns(s->g, v))
        return NULL;
    poise__slot slot = s->plan.slot[v->id];
    if (v->role == POISE_COMPUTED && !s->no_reuse && slot.where != POISE__GRADIENT &&
        !s->g->output[v->id])
        return NULL;
    return v->role == POISE_PARAM ? poise_store_weight(s->g->store, v->param)
                                  : poise__session_bytes(s, v, 0);
}

/* ---- looking for NaN and infinity ---- */

static int finite(const poise_value *v, const void *data)
{
    int64_t n = poise_value_count(v);
    if (v->dtype == POISE_F32) {
        const float *x = data;
        for (int64_t k = 0; k < n; k++)
            if (!isfinite(x[k]))
                return 0;
    } else if (v->dtype == POISE_F64) {
        const double *x = data;
        for (int64_t k = 0; k < n; k++)
            if (!isfinite(x[k]))
                return 0;
    }
    return 1;
}

/* The input or parameter behind v when v is one, or a view of one; else NULL. */
static const poise_value *leaf(poise_value *v)
{
    v = poise__view_root(v);
    return v && v->role != POISE_COMPUTED ? v : NULL;
}

static int lanes_of(const poise_session *s, const poise__step *t)
{
    return t->segment >= 0 ? s->lanes.count : 1;
}

/* The first non-finite leaf among the step's inputs; parameters only, if so wanted. */
static const poise_value *bad_leaf(const poise_session *s, const poise__step *t, int parameters)
{
    const poise_node *n = t->node;
    for (int i = 0; i < lanes_of(s, t) * n->nin; i++) {
        const poise_value *v = leaf(n->in[i % n->nin]), *seen = t->kernel.node->in[i % n->nin];
        if (v && (!parameters || v->role == POISE_PARAM) && !finite(seen, t->in[i]))
            return v;
    }
    return NULL;
}

static const poise_value *bad_output(const poise_session *s, const poise__step *t)
{
    const poise_node *n = t->node;
    for (int o = 0; o < lanes_of(s, t) * n->nout; o++)
        if (!finite(t->kernel.node->out[o % n->nout], t->out[o]))
            return n->out[o % n->nout];
    return NULL;
}

const poise_node *poise_session_find_nonfinite(poise_session *s, const poise_run *r,
                                               const poise_value **value, poise_error *err)
{
    poise_run run = *r;
    run.dry = 1;
    run.store = s->g->store;
    if (run.threads < 1)
        run.threads = 1;
    *value = NULL;
    if (err)
        err->code = POISE_OK;
    const poise_node *found = NULL;
    int held = poise__threads_hold(), status = 0;
    for (int k = 0; k < s->nstep && status == 0 && !found; k++) {
        const poise__step *t = &s->step[k];
        status = t->segment >= 0 ? poise__lanes_step(s, k, &run, err) : run_step(s, k, &run, err);
        if (status == 0 && (*value = bad_output(s, t))) {
            const poise_value *cause = bad_leaf(s, t, 0);
            if (cause)
                *value = cause;
            found = t->node;
        }
        if (t->segment >= 0 && end_of(s, k) == k + 1)
            poise__lanes_merge(s, segment_start(s, k), k + 1, 1);
    }
    /* A parameter that spoiled nothing it went into, as a relu can hide it. */
    for (int k = 0; k < s->nstep && status == 0 && !found; k++)
        if ((*value = bad_leaf(s, &s->step[k], 1)))
            found = s->step[k].node;
    poise__threads_release(held);
    return found;
}

/* ---- looking at it ---- */

int poise_session_steps(const poise_session *s)
{
    return s->nstep;
}

const poise_kernel *poise_session_step(const poise_session *s, int index)
{
    return &s->step[index].kernel;
}

size_t poise_session_arena_bytes(const poise_session *s)
{
    size_t own = s->lanes.count > 1 ? s->apart_bytes + s->partial_bytes : 0;
    return s->plan.bytes + (size_t)s->lanes.count * own;
}

int poise_session_lanes(const poise_session *s)
{
    return s->lanes.slices;
}

double poise_session_flops(const poise_session *s)
{
    return s->flops;
}
