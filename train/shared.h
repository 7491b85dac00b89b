/* shared.h -- which losses depend on what: found by walking the graph.  Internal. */
#ifndef POISE_SHARED_H
#define POISE_SHARED_H

#include "../core/graph.h"
#include "../core/op.h"

enum { POISE__NOBODY = -1, POISE__SHARED = -2 };

/* By value and by node: the one task whose loss depends on it (>= 0), POISE__SHARED for two or
 * more, POISE__NOBODY for none.  `active`: it depends on a trainable parameter through operators
 * that have a gradient.  With a single task everything that its loss depends on counts as shared:
 * there is nothing to set apart. */
typedef struct poise__reach {
    int *value;
    int *node;
    unsigned char *active; /* by value */
    unsigned char *last;   /* by value: a parameter of the last shared layer */
} poise__reach;

int poise__reach_find(const poise_graph *g, int ntask, poise_value *const *loss, poise__reach *r,
                      poise_error *err);
void poise__reach_done(poise__reach *r);

/* 1 for a parameter that is trained. */
int poise__trained(const poise_graph *g, const poise_value *v);

#endif
