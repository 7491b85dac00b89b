/* What is there and does nothing: layers that no task needs, features that no layer reads. */
#include <stdio.h>
#include <string.h>
#include "network.h"

enum { NAMED = 3 }; /* unread features of one key that the warning names */

typedef struct walk {
    char *used;            /* [ninstance] */
    char *read, *all_read; /* [nfeature]; 1: `features` is read */
    const poise__groups *groups;
} walk;

static int mark(void *user, const poise__source *s)
{
    walk *w = user;
    if (s->instance)
        w->used[s->instance->id] = 1;
    else if (s->layer == POISE__ONE_FEATURE)
        w->read[s->feature] = 1;
    else if (s->layer == POISE__FEATURES)
        *w->all_read = 1;
    else
        for (int k = 0; k < w->groups->at[s->feature].n; k++)
            w->read[w->groups->at[s->feature].feature[k]] = 1;
    return 0;
}

static void see_layers(poise__reading *r, poise_model *m, const char *used)
{
    for (int k = 0; k < m->nlayer; k++) {
        poise__layer *l = &m->layer[k];
        int any = 0;
        for (int i = 0; i < l->ninstance; i++) {
            l->instance[i].idle = !used[l->instance[i].id];
            any |= !l->instance[i].idle;
        }
        if (!any)
            poise_warn(r->diag, l->place, "no task needs layer '%s'", l->name);
        for (int i = 0; any && !l->of_tasks && i < l->ninstance; i++)
            if (l->instance[i].idle)
                poise_warn(r->diag, l->place, "no task needs layer '%s'", l->instance[i].name);
    }
}

static int same_place(poise_place a, poise_place b)
{
    return a.file == b.file && a.line == b.line && a.column == b.column;
}

/* One warning for all features that a key (a pattern, a generator) made. */
static void warn_features(poise__reading *r, char *read)
{
    const poise_schema *s = r->spec->schema;
    for (int k = 0; k < s->nfeature; k++) {
        char names[400];
        int n = 0;
        size_t used = 0;
        if (read[k])
            continue;
        for (int j = k; j < s->nfeature; j++) {
            if (read[j] || !same_place(s->feature[j].place, s->feature[k].place))
                continue;
            read[j] = 1;
            if (n++ < NAMED && used < sizeof(names))
                used += (size_t)snprintf(names + used, sizeof(names) - used, "%s'%.80s'",
                                         n > 1 ? ", " : "", s->feature[j].name);
        }
        if (n > NAMED && used < sizeof(names))
            snprintf(names + used, sizeof(names) - used, " and %d more", n - NAMED);
        poise_warn(r->diag, s->feature[k].place, "no layer reads %s %s",
                   n > 1 ? "features" : "feature", names);
    }
}

/* From the last instance to the first: what a used one needs is used. */
int poise__find_unused(poise__reading *r, poise_model *m)
{
    const poise_schema *s = r->spec->schema;
    char all_read = 0;
    walk w = {.all_read = &all_read, .groups = m->groups};
    if (m->ntask == 0) /* which was diagnosed */
        return 0;
    w.used = poise__reading_alloc(r, (size_t)m->ninstance, 1);
    w.read = poise__reading_alloc(r, (size_t)s->nfeature, 1);
    if (!w.used || !w.read)
        return -1;
    for (int t = 0; t < m->ntask; t++)
        for (int k = 0; poise__needed_by(m, t, k); k++)
            w.used[poise__needed_by(m, t, k)->id] = 1;
    for (int k = m->ninstance - 1; k >= 0; k--)
        if (w.used[k])
            poise__all_sources(m, m->instance[k], mark, &w);
    see_layers(r, m, w.used);
    if (!all_read) {
        char *read = poise__reading_alloc(r, (size_t)s->nfeature, 1);
        if (!read)
            return -1;
        memcpy(read, w.read, (size_t)s->nfeature);
        m->read = read;
        warn_features(r, w.read);
    }
    return 0;
}
