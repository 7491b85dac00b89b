/* readers.c -- how many nodes read a value. */
#include "graph_parts.h"

int *poise__readers(const poise_graph *g, poise_error *err)
{
    int *readers = poise__calloc(g->nvalue, sizeof *readers, err);
    if (!readers)
        return NULL;
    for (size_t k = 0; k < g->nnode; k++) {
        const poise_node *n = g->node[k];
        for (int i = 0; i < n->nin && !n->dead; i++)
            if (n->in[i])
                readers[poise_resolve(n->in[i])->id]++;
    }
    for (size_t k = 0; k < g->nvalue; k++)
        readers[k] += g->output[k];
    return readers;
}
