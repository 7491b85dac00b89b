/* rewrite_dead.c -- removing what nobody needs: one walk from the outputs backwards. */
#include "graph_parts.h"

#include <stdlib.h>

int poise_rewrite_dead(poise_graph *g, poise_error *err)
{
    unsigned char *needed = poise__calloc(g->nvalue, 1, err);
    if (!needed)
        return -1;
    int removed = 0;
    for (size_t k = g->nnode; k-- > 0;) {
        poise_node *n = g->node[k];
        if (n->dead)
            continue;
        int keep = (n->op->flags & POISE_OP_EFFECT) != 0;
        for (int o = 0; o < n->nout && !keep; o++)
            keep = g->output[n->out[o]->id] || needed[n->out[o]->id];
        if (!keep) {
            n->dead = 1;
            removed++;
            continue;
        }
        for (int i = 0; i < n->nin; i++)
            if (n->in[i])
                needed[poise_resolve(n->in[i])->id] = 1;
    }
    free(needed);
    return removed;
}
