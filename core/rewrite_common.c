/* rewrite_common.c -- one node where several compute the same: merging common subexpressions.
 *
 * One walk in topological order over a hash set of the nodes seen so far, keyed by operator,
 * attributes and inputs.  Inputs are resolved first, so a merge makes its readers comparable.
 */
#include "graph_parts.h"

#include <stdlib.h>
#include <string.h>

static uint64_t hash_bytes(uint64_t h, const void *data, size_t n)
{
    const unsigned char *p = data;
    for (size_t k = 0; k < n; k++)
        h = (h ^ p[k]) * UINT64_C(0x100000001b3); /* FNV-1a */
    return h;
}

static uint64_t hash_node(const poise_node *n)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    h = hash_bytes(h, &n->op, sizeof n->op);
    h = hash_bytes(h, n->attr.f, sizeof n->attr.f);
    h = hash_bytes(h, n->attr.i, sizeof n->attr.i);
    h = hash_bytes(h, &n->attr.p, sizeof n->attr.p);
    for (int k = 0; k < n->nin; k++)
        h = hash_bytes(h, &n->in[k], sizeof n->in[k]);
    return h ^ (h >> 32);
}

/* Bit by bit: 0.0 and -0.0 differ, a NaN equals itself. */
static int same(const poise_node *a, const poise_node *b)
{
    return a->op == b->op && a->nin == b->nin && a->attr.p == b->attr.p &&
           memcmp(a->attr.f, b->attr.f, sizeof a->attr.f) == 0 &&
           memcmp(a->attr.i, b->attr.i, sizeof a->attr.i) == 0 &&
           memcmp(a->in, b->in, (size_t)a->nin * sizeof(*a->in)) == 0;
}

static void merge(poise_graph *g, poise_node *gone, const poise_node *kept)
{
    gone->dead = 1;
    for (int k = 0; k < gone->nout; k++) {
        gone->out[k]->forward = kept->out[k];
        if (g->output[gone->out[k]->id])
            g->output[kept->out[k]->id] = 1;
    }
}

int poise_rewrite_common(poise_graph *g, poise_error *err)
{
    size_t slots = 16;
    while (slots < g->nnode * 2)
        slots *= 2;
    poise_node **seen = poise__calloc(slots, sizeof(*seen), err);
    if (!seen)
        return -1;
    int merged = 0;
    for (size_t k = 0; k < g->nnode; k++) {
        poise_node *n = g->node[k];
        if (n->dead)
            continue;
        for (int i = 0; i < n->nin; i++)
            n->in[i] = poise_resolve(n->in[i]);
        if (n->op->flags & POISE_OP_EFFECT)
            continue;
        size_t at = (size_t)hash_node(n) & (slots - 1);
        while (seen[at] && !same(seen[at], n))
            at = (at + 1) & (slots - 1);
        if (seen[at]) {
            merge(g, n, seen[at]);
            merged++;
        } else {
            seen[at] = n;
        }
    }
    free(seen);
    return merged;
}
