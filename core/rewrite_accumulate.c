/* rewrite_accumulate.c -- a product added to where it is needed, not made and then added.
 *
 *     p = linear_data(dy, w)   s = add(z, p)          s = z + linear_data(dy, w)
 *
 * where p is read by the sum alone.  The sum's node takes over: it comes after z and dy, and the
 * value that it makes stays the same one.
 */
#include "graph_parts.h"

#include <stdlib.h>

/* What makes term t of the sum, where it can be added onto the other term. */
static poise_node *maker_of(const poise_node *sum, int t, const int *readers)
{
    const poise_value *v = poise_resolve(sum->in[t]);
    poise_node *maker = v->producer;
    return maker && maker->nout == 1 && maker->op->onto && readers[v->id] == 1 ? maker : NULL;
}

/* The later term first: the shorter what it reads has to be kept for the sum. */
static int later_term(const poise_node *sum)
{
    const poise_node *a = poise_resolve(sum->in[0])->producer,
                     *b = poise_resolve(sum->in[1])->producer;
    return a && b && a->id > b->id ? 0 : 1;
}

static int take_over(poise_graph *g, poise_node *sum, int term, poise_node *maker, poise_error *err)
{
    poise_value **in = poise__arena_alloc(g->arena, (size_t)maker->nin + 1, sizeof(*in), err);
    if (!in)
        return -1;
    in[0] = sum->in[1 - term];
    for (int i = 0; i < maker->nin; i++)
        in[i + 1] = maker->in[i];
    sum->op = maker->op->onto;
    sum->attr = maker->attr;
    sum->layer = maker->layer;
    sum->place = maker->place;
    sum->in = in;
    sum->nin = maker->nin + 1;
    maker->dead = 1;
    return 0;
}

int poise_rewrite_accumulate(poise_graph *g, poise_error *err)
{
    int *readers = poise__readers(g, err), taken = 0, status = readers ? 0 : -1;
    for (size_t k = 0; k < g->nnode && status == 0; k++) {
        poise_node *n = g->node[k];
        if (n->dead || !g->sum || n->op != g->sum)
            continue;
        int term = later_term(n);
        poise_node *maker = maker_of(n, term, readers);
        if (!maker) {
            term = 1 - term;
            maker = maker_of(n, term, readers);
        }
        if (maker) {
            status = take_over(g, n, term, maker, err);
            taken++;
        }
    }
    free(readers);
    return status < 0 ? -1 : taken;
}
