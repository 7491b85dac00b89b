/* Which layers two tasks need. */
#include <stdlib.h>
#include "network.h"

enum { NOBODY = -1, SEVERAL = -2 }; /* else the task that needs the instance */

typedef struct walk {
    int *needs; /* [ninstance] */
    int by;     /* who needs the instance whose sources are seen */
} walk;

static int join(void *user, const poise__source *s)
{
    walk *w = user;
    if (s->layer >= 0) {
        int *needs = &w->needs[s->instance];
        *needs = *needs == NOBODY || *needs == w->by ? w->by : SEVERAL;
    }
    return 0;
}

int poise__shared_layers(const poise_model *m, int *shared, poise_error *err)
{
    walk w = {.needs = poise__calloc((size_t)m->ninstance, sizeof(*w.needs), err)};
    if (!w.needs)
        return -1;
    for (int k = 0; k < m->ninstance; k++)
        w.needs[k] = NOBODY;
    for (int t = 0; t < m->ntask; t++)
        w.needs[m->layer[m->output].first + t] = t;
    for (int k = m->nlayer - 1; k >= 0; k--) { /* all that need a layer come after it */
        const poise__layer *l = &m->layer[k];
        shared[k] = 0;
        for (int t = 0; t < (l->each ? m->ntask : 1); t++) {
            w.by = w.needs[l->first + t];
            shared[k] |= w.by == SEVERAL;
            if (w.by == NOBODY)
                continue;
            poise__sources(m, &l->input, t, join, &w);
            poise__sources(m, &l->gate, t, join, &w);
        }
    }
    free(w.needs);
    return 0;
}
