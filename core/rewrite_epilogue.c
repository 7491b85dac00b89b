/* rewrite_epilogue.c -- an activation applied where its input is made, while it is at hand.
 *
 *     y = linear(x, w, b)   a = relu(y)          a = linear(x, w, b) with relu
 *
 * where y is read by relu alone.  What relu's gradient reads is a.
 */
#include "graph_parts.h"

#include <stdlib.h>

/* n goes; what it made is what `by` makes. */
static void replace(poise_graph *g, poise_node *n, const poise_node *by)
{
    n->dead = 1;
    n->out[0]->forward = by->out[0];
    if (g->output[n->out[0]->id])
        g->output[by->out[0]->id] = 1;
}

int poise_rewrite_epilogue(poise_graph *g, poise_error *err)
{
    int *readers = poise__readers(g, err), absorbed = 0;
    if (!readers)
        return -1;
    for (size_t k = 0; k < g->nnode; k++) {
        poise_node *n = g->node[k];
        if (n->dead || n->nin != 1 || n->nout != 1 || !n->in[0])
            continue;
        const poise_value *v = poise_resolve(n->in[0]);
        poise_node *maker = v->producer;
        if (!maker || v->slot != 0 || !maker->op->absorb || readers[v->id] != 1 ||
            !maker->op->absorb(maker, n))
            continue;
        readers[v->id] = readers[n->out[0]->id];
        replace(g, n, maker);
        absorbed++;
    }
    free(readers);
    return absorbed;
}
