/* lanes.c -- from the graph to segments, and the rule of how many lanes. */
#include "lanes.h"
#include "graph_parts.h"

#include <stdlib.h>

/* Fewer rows and a matrix product spends its time at its edges. */
#define LANE_ROWS 64
/* A lane's work that is worth its share of a fork and a join: about 0.1 ms. */
#define LANE_FLOPS 4e6
/* Time, in nanoseconds, is flops / 40 for the steps and bytes / 16 for adding the sums; each lane
 * after the first writes its sum, and it is read with the total and written. */
#define FLOPS_PER_NS 40.0
#define BYTES_PER_NS 16.0
#define MERGE_SHARE  0.04
/* A segment of fewer steps is left to the operators. */
enum { LEAST_STEPS = 4 };
/* Dropout draws four numbers at a time, from where the lane begins. */
enum { LANE_STEP = 4 };

typedef struct finder {
    const poise_graph *g;
    poise__lanes *l;
    int *made;          /* [values] the segment that makes the value, or POISE__WHOLE */
    unsigned char *sum; /* [values] it is a sum over the rows */
    poise_error *err;
} finder;

static int has_rows(const poise_value *v, int64_t rows)
{
    return v->rank > 0 && v->dim[0] == rows;
}

/* Does the operator take input i row by row, where it is there? */
static int by_row(const poise_node *n, int i)
{
    return n->in[i] && (i < 32 ? (n->op->by_row >> i & 1u) != 0 : n->op->by_row == UINT32_MAX);
}

int poise__lane_cuts(const poise_node *n, int i, int64_t rows)
{
    return by_row(n, i) && has_rows(n->in[i], rows);
}

/* Can n run in a lane at all?  What should be cut must have the batch's rows, or be one number. */
static int fits(const poise_node *n, int64_t rows)
{
    if (!(n->op->flags & (POISE_OP_ROWS | POISE_OP_SUMS)) || (n->op->flags & POISE_OP_EFFECT))
        return 0;
    int cut = 0;
    for (int i = 0; i < n->nin; i++) {
        if (!by_row(n, i))
            continue;
        if (has_rows(n->in[i], rows))
            cut = 1;
        else if (poise_value_count(n->in[i]) != 1)
            return 0;
    }
    for (int o = 0; o < n->nout && cut; o++)
        if (n->op->flags & POISE_OP_ROWS ? !has_rows(n->out[o], rows)
                                         : n->out[o]->dtype != POISE_F32)
            return 0;
    return cut;
}

/* Does n have to wait for all lanes of the segment that is open? */
static int waits(const finder *f, const poise_node *n, int open)
{
    for (int i = 0; i < n->nin; i++) {
        const poise_value *v = n->in[i] ? poise__view_root(n->in[i]) : NULL;
        if (v && f->made[v->id] == open && (f->sum[v->id] || !poise__lane_cuts(n, i, f->l->rows)))
            return 1;
    }
    return 0;
}

/* Segments in the order of the nodes. */
static void walk(finder *f)
{
    int open = POISE__WHOLE;
    for (size_t k = 0; k < f->g->nnode; k++) {
        const poise_node *n = f->g->node[k];
        f->l->segment[k] = POISE__WHOLE;
        if (n->dead || poise__is_view(n))
            continue;
        if (!fits(n, f->l->rows)) {
            open = POISE__WHOLE;
        } else {
            if (open == POISE__WHOLE || waits(f, n, open))
                open = f->l->nsegment++;
            f->l->segment[k] = open;
        }
        for (int o = 0; o < n->nout; o++) {
            f->made[n->out[o]->id] = open;
            f->sum[n->out[o]->id] = (n->op->flags & POISE_OP_SUMS) != 0;
        }
    }
}

static int drop_short(finder *f)
{
    int *steps = poise__calloc((size_t)f->l->nsegment + 1, sizeof *steps, f->err);
    if (!steps)
        return -1;
    for (size_t k = 0; k < f->g->nnode; k++)
        if (f->l->segment[k] >= 0)
            steps[f->l->segment[k]]++;
    for (size_t k = 0; k < f->g->nnode; k++)
        if (f->l->segment[k] >= 0 && steps[f->l->segment[k]] < LEAST_STEPS)
            f->l->segment[k] = POISE__WHOLE;
    for (size_t k = 0; k < f->g->nvalue; k++)
        if (f->made[k] >= 0 && steps[f->made[k]] < LEAST_STEPS)
            f->made[k] = POISE__WHOLE;
    free(steps);
    return 0;
}

/* A value is apart until somebody else needs it. */
static void find_apart(finder *f, const poise_session_options *o)
{
    const poise_graph *g = f->g;
    unsigned char *apart = f->l->apart;
    for (size_t k = 0; k < g->nvalue; k++)
        apart[k] = !o->no_reuse && f->made[k] >= 0 && !f->sum[k];
    for (size_t k = 0; k < g->nvalue; k++)
        if (g->output[k])
            apart[poise__view_root(g->value[k])->id] = 0;
    for (int k = 0; k < o->ngradient; k++)
        if (o->gradient[k])
            apart[poise__view_root(o->gradient[k])->id] = 0;
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        for (int i = 0; i < n->nin && !n->dead && !poise__is_view(n); i++) {
            const poise_value *v = n->in[i] ? poise__view_root(n->in[i]) : NULL;
            if (v && (f->l->segment[k] != f->made[v->id] || !poise__lane_cuts(n, i, f->l->rows)))
                apart[v->id] = 0;
        }
    }
    for (size_t k = 0; k < g->nvalue; k++) /* views go with what they show */
        apart[k] = apart[poise__view_root(g->value[k])->id];
}

/* Floating point operations and bytes of sums of all segments. */
static int weigh(const finder *f, double *flops, double *bytes, poise_error *err)
{
    *flops = *bytes = 0;
    for (size_t k = 0; k < f->g->nnode; k++) {
        const poise_node *n = f->g->node[k];
        poise_kernel kernel = {.node = n};
        if (f->l->segment[k] < 0)
            continue;
        if (!n->op->compile || n->op->compile(n, &kernel, err) < 0)
            return -1;
        if (kernel.done)
            kernel.done(kernel.state);
        *flops += kernel.flops;
        for (int o = 0; o < n->nout && (n->op->flags & POISE_OP_SUMS); o++)
            *bytes += (double)poise_value_count(n->out[o]) * sizeof(float);
    }
    return 0;
}

static int can_cut(int64_t rows, int count)
{
    return rows % count == 0 && rows / count % LANE_STEP == 0;
}

static int choose(const finder *f, double flops, double bytes)
{
    for (int count = POISE__LANES; count > 1; count /= 2) {
        double work = flops / FLOPS_PER_NS, merge = 4 * (count - 1) * bytes / BYTES_PER_NS;
        if (can_cut(f->l->rows, count) && f->l->rows / count >= LANE_ROWS &&
            flops / count >= LANE_FLOPS && merge <= MERGE_SHARE * work)
            return count;
    }
    return 1;
}

int poise__lanes_choose(const poise_graph *g, const poise_session_options *o, poise__lanes *l,
                        poise_error *err)
{
    *l = (poise__lanes){.slices = 1, .count = 1, .rows = o ? o->rows : 0};
    if (!o || o->rows < 2 || o->lanes == 1)
        return 0;
    if (o->lanes < 0 || o->lanes > POISE__LANES_MOST)
        return poise_fail(err, POISE_E_SPEC, POISE_NOWHERE, "%d lanes; 0 to %d are possible",
                          o->lanes, POISE__LANES_MOST);
    if (o->lanes > 1 && !can_cut(o->rows, o->lanes))
        return poise_fail(
            err, POISE_E_SPEC, POISE_NOWHERE,
            "a batch of %lld rows cannot be cut into %d lanes of equally many rows, a "
            "multiple of %d",
            (long long)o->rows, o->lanes, LANE_STEP);
    finder f = {.g = g, .l = l, .err = err};
    double flops = 0, bytes = 0;
    l->segment = poise__calloc(g->nnode, sizeof *l->segment, err);
    l->apart = l->segment ? poise__calloc(g->nvalue, 1, err) : NULL;
    f.made = l->apart ? poise__calloc(g->nvalue, sizeof *f.made, err) : NULL;
    f.sum = f.made ? poise__calloc(g->nvalue, 1, err) : NULL;
    int status = f.sum ? 0 : -1;
    if (status == 0) {
        for (size_t k = 0; k < g->nvalue; k++)
            f.made[k] = POISE__WHOLE;
        walk(&f);
        status = drop_short(&f);
    }
    if (status == 0)
        find_apart(&f, o);
    if (status == 0 && o->lanes < 1)
        status = weigh(&f, &flops, &bytes, err);
    if (status == 0)
        l->slices = o->lanes > 1 ? o->lanes : choose(&f, flops, bytes);
    l->count = o->threads == 1 ? 1 : l->slices;
    free(f.made);
    free(f.sum);
    return status;
}

void poise__lanes_done(poise__lanes *l)
{
    free(l->segment);
    free(l->apart);
    *l = (poise__lanes){0};
}
