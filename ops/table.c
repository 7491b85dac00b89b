/* table.c -- the list of all operators. */
#include <stddef.h>
#include <string.h>
#include "ops.h"
#include "table.h"

const poise_op *const *poise_ops(void)
{
    static const poise_op *const ops[] = {
#define X(name) &poise__op_##name,
        POISE__OPS(X, X, X)
#undef X
            NULL};
    return ops;
}

const poise_op *poise_op_find(const char *name)
{
    for (const poise_op *const *o = poise_ops(); *o != NULL; o++)
        if (strcmp((*o)->name, name) == 0)
            return *o;
    return NULL;
}

poise_graph *poise_network_graph(poise_store *store, poise_error *err)
{
    poise_graph *g = poise_graph_new(store, err);
    if (g != NULL) {
        poise_graph_sum_with(g, &poise__op_add);
        poise_graph_ones_with(g, &poise__op_fill);
    }
    return g;
}
