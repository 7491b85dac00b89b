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
    if (s->instance) {
        int *needs = &w->needs[s->instance->id];
        *needs = *needs == NOBODY || *needs == w->by ? w->by : SEVERAL;
    }
    return 0;
}

int poise__shared_instances(const poise_model *m, int *shared, poise_error *err)
{
    walk w = {.needs = poise__calloc((size_t)m->ninstance, sizeof(*w.needs), err)};
    if (!w.needs)
        return -1;
    for (int k = 0; k < m->ninstance; k++)
        w.needs[k] = NOBODY;
    for (int t = 0; t < m->ntask; t++)
        w.needs[m->output[t]->id] = w.needs[m->output[t]->id] == NOBODY ? t : SEVERAL;
    for (int k = m->ninstance - 1; k >= 0; k--) { /* all that need an instance come after it */
        w.by = w.needs[k];
        shared[k] = w.by == SEVERAL;
        if (w.by != NOBODY)
            poise__all_sources(m, m->instance[k], join, &w);
    }
    free(w.needs);
    return 0;
}

int poise__shared_layers(const poise_model *m, int *shared, poise_error *err)
{
    int *instance = poise__calloc((size_t)m->ninstance, sizeof(*instance), err);
    if (!instance || poise__shared_instances(m, instance, err) < 0) {
        free(instance);
        return -1;
    }
    for (int k = 0; k < m->nlayer; k++)
        shared[k] = 0;
    for (int k = 0; k < m->ninstance; k++)
        shared[m->instance[k]->layer - m->layer] |= instance[k];
    free(instance);
    return 0;
}
