/* Which layers two tasks need. */
#include <stdlib.h>
#include "network.h"

enum { NOBODY = -1, SEVERAL = -2 }; /* else the task that needs the instance */

typedef struct walk {
    int *needs; /* [ninstance] */
    int by;     /* who needs the instance whose sources are seen */
} walk;

static void need(walk *w, const poise__instance *i)
{
    int *needs = &w->needs[i->id];
    *needs = *needs == NOBODY || *needs == w->by ? w->by : SEVERAL;
}

static int join(void *user, const poise__source *s)
{
    if (s->instance)
        need(user, s->instance);
    return 0;
}

int poise__shared_instances(const poise_model *m, int *shared, poise_error *err)
{
    walk w = {.needs = poise__calloc((size_t)m->ninstance, sizeof(*w.needs), err)};
    if (!w.needs)
        return -1;
    for (int k = 0; k < m->ninstance; k++)
        w.needs[k] = NOBODY;
    for (w.by = 0; w.by < m->ntask; w.by++) { /* a row weight is not learnt from */
        need(&w, m->output[w.by]);
        if (m->extra[POISE__PENALTY][w.by])
            need(&w, m->extra[POISE__PENALTY][w.by]);
    }
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
