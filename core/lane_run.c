/* lane_run.c -- segments at work: each lane runs all steps on its rows, then sums are added.
 *
 * A lane's kernel is the operator compiled for a batch of the lane's size, so no operator knows of
 * lanes.  Of a sum, lane 0 makes its part where the total is wanted and each other one in memory of
 * its own.
 */
#include "graph_parts.h"
#include "parallel.h"
#include "session_parts.h"

#include <string.h>

static const size_t ALIGN = POISE__BLOCK_ALIGN;

/* ---- making ---- */

static poise_value *lane_value(poise_session *s, const poise_value *v, int cut, poise_error *err)
{
    poise_value *copy = poise__arena_alloc(s->small, 1, sizeof *copy, err);
    if (!copy)
        return NULL;
    *copy = *v;
    if (cut)
        copy->dim[0] /= s->lanes.count;
    return copy;
}

const poise_node *poise__lane_node(poise_session *s, const poise_node *n, poise_error *err)
{
    size_t ends = (size_t)n->nin + (size_t)n->nout;
    poise_node *copy = poise__arena_alloc(s->small, 1, sizeof *copy, err);
    poise_value **end = copy ? poise__arena_alloc(s->small, ends, sizeof *end, err) : NULL;
    if (!end)
        return NULL;
    *copy = *n;
    copy->in = end;
    copy->out = end + n->nin;
    for (int i = 0; i < n->nin; i++)
        if (!n->in[i])
            end[i] = NULL;
        else if (!(end[i] = lane_value(s, poise_resolve(n->in[i]),
                                       poise__lane_cuts(n, i, s->lanes.rows), err)))
            return NULL;
    for (int o = 0; o < n->nout; o++) {
        int cut = (n->op->flags & POISE_OP_ROWS) != 0;
        if (!(copy->out[o] = lane_value(s, n->out[o], cut, err)))
            return NULL;
        copy->out[o]->producer = copy;
    }
    return copy;
}

static int sums(const poise__step *t)
{
    return t->segment >= 0 && (t->kernel.node->op->flags & POISE_OP_SUMS) != 0;
}

static size_t padded(size_t bytes)
{
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

void poise__lane_partials(poise_session *s)
{
    size_t at = 0;
    for (int k = 0; k < s->nstep; k++) {
        poise__step *t = &s->step[k];
        if (k > 0 && t->segment != s->step[k - 1].segment)
            at = 0; /* the last segment's are added by now */
        if (!sums(t))
            continue;
        t->partial = at;
        for (int o = 0; o < t->kernel.node->nout; o++)
            at += padded(poise__value_bytes(t->kernel.node->out[o]));
        if (at > s->partial_bytes)
            s->partial_bytes = at;
    }
}

void **poise__lane_pointers(poise_session *s, poise__step *t, void **p)
{
    const poise_node *n = t->kernel.node, *whole = t->node;
    t->in = p;
    for (int lane = 0; lane < s->lanes.count; lane++)
        for (int i = 0; i < n->nin; i++, p++) {
            const poise_value *v = n->in[i] ? poise_resolve(whole->in[i]) : NULL;
            if (!v)
                continue;
            unsigned char *at = poise__session_bytes(s, v, lane);
            int own = s->plan.slot[v->id].where == POISE__APART;
            if (!own && poise__lane_cuts(whole, i, s->lanes.rows))
                at += (size_t)lane * poise__value_bytes(n->in[i]);
            *p = at;
        }
    t->out = p;
    for (int lane = 0; lane < s->lanes.count; lane++) {
        size_t partial = t->partial + (size_t)(lane - (lane > 0)) * s->partial_bytes;
        for (int o = 0; o < n->nout; o++, p++) {
            const poise_value *v = whole->out[o];
            unsigned char *at = poise__session_bytes(s, v, lane);
            if (sums(t) && lane > 0) {
                at = s->partial + partial;
                partial += padded(poise__value_bytes(v));
            } else if (!sums(t) && s->plan.slot[v->id].where != POISE__APART) {
                at += (size_t)lane * poise__value_bytes(n->out[o]);
            }
            *p = at;
        }
    }
    return p;
}

/* ---- running ---- */

typedef struct work {
    poise_session *s;
    int first, end;
    const poise_run *run;
    int failed[POISE__LANES_MOST]; /* by lane: 1 + the step */
    poise_error error[POISE__LANES_MOST];
} work;

static int lane_step(const poise_session *s, int k, int lane, const poise_run *r, poise_error *err)
{
    const poise__step *t = &s->step[k];
    const poise_node *n = t->kernel.node;
    return t->kernel.run(&t->kernel, t->in + lane * n->nin, t->out + lane * n->nout,
                         s->lane_scratch + (size_t)lane * s->lane_scratch_bytes, r, err);
}

static poise_run lane_run(const poise_session *s, int lane, const poise_run *r)
{
    poise_run own = *r;
    own.threads = 1;
    own.row = lane * (s->lanes.rows / s->lanes.count);
    return own;
}

static void run_lane(int lane, void *arg)
{
    work *w = arg;
    poise_session *s = w->s;
    poise_run r = lane_run(s, lane, w->run);
    double *seconds = s->lane_seconds + (size_t)lane * (size_t)s->nstep;
    double from = s->now ? s->now() : 0;
    w->failed[lane] = 0;
    for (int k = w->first; k < w->end && !w->failed[lane]; k++) {
        if (lane_step(s, k, lane, &r, &w->error[lane]) < 0)
            w->failed[lane] = 1 + k;
        if (s->now) {
            double to = s->now();
            seconds[k] = to - from;
            from = to;
        }
    }
}

/* Lanes side by side share the time that passes. */
static void add_seconds(poise_session *s, int first, int end, int threads)
{
    int beside = threads < s->lanes.count ? threads : s->lanes.count;
    for (int k = first; k < end; k++)
        for (int lane = 0; lane < s->lanes.count; lane++)
            s->step[k].seconds +=
                s->lane_seconds[(size_t)lane * (size_t)s->nstep + (size_t)k] / beside;
}

int poise__lanes_run(poise_session *s, int first, int end, const poise_run *r, poise_error *err)
{
    work w;
    w.s = s;
    w.first = first;
    w.end = end;
    w.run = r;
    poise__parallel(s->lanes.count, r->threads, run_lane, &w);
    for (int lane = 0; lane < s->lanes.count; lane++)
        if (w.failed[lane]) {
            if (err)
                *err = w.error[lane];
            return poise__session_step_fail(s, w.failed[lane] - 1, err);
        }
    double from = 0;
    if (s->now) {
        add_seconds(s, first, end, r->threads);
        from = s->now();
    }
    poise__lanes_merge(s, first, end, r->threads);
    if (s->now)
        s->step[end - 1].seconds += s->now() - from;
    return 0;
}

int poise__lanes_step(poise_session *s, int k, const poise_run *r, poise_error *err)
{
    for (int lane = 0; lane < s->lanes.count; lane++) {
        poise_run own = lane_run(s, lane, r);
        if (lane_step(s, k, lane, &own, err) < 0)
            return poise__session_step_fail(s, k, err);
    }
    return 0;
}

/* ---- adding the sums ---- */

enum { MERGE_PARTS = 8 };

typedef struct merge {
    poise_session *s;
    int first, end, parts;
} merge;

static void add(int64_t n, const float *x, float *y)
{
    for (int64_t i = 0; i < n; i++)
        y[i] += x[i];
}

static void merge_part(int part, void *arg)
{
    const merge *m = arg;
    const poise_session *s = m->s;
    for (int k = m->first; k < m->end; k++) {
        const poise__step *t = &s->step[k];
        int nout = sums(t) ? t->kernel.node->nout : 0;
        for (int o = 0; o < nout; o++) {
            int64_t from, to;
            poise__part(poise_value_count(t->kernel.node->out[o]), m->parts, 16, part, &from, &to);
            for (int lane = 1; lane < s->lanes.count; lane++)
                add(to - from, (const float *)t->out[lane * nout + o] + from,
                    (float *)t->out[o] + from);
        }
    }
}

void poise__lanes_merge(poise_session *s, int first, int end, int threads)
{
    size_t bytes = 0;
    for (int k = first; k < end; k++)
        for (int o = 0; sums(&s->step[k]) && o < s->step[k].kernel.node->nout; o++)
            bytes += poise__value_bytes(s->step[k].kernel.node->out[o]);
    if (!bytes)
        return;
    merge m = {s, first, end, bytes < 65536 ? 1 : MERGE_PARTS};
    poise__parallel(m.parts, threads, merge_part, &m);
}
