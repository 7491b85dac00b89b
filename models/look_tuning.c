/* Which parameters the patterns of train.tuning are of: known when the vocabularies are. */
#include "../ops/ops.h"
#include "look.h"
#include "model.h"
#include "sections.h"

/* The first pattern that names the parameter; ntuning where none does. */
static int first_of(const poise_train_spec *t, const char *name)
{
    int k = 0;
    while (k < t->ntuning && !poise__glob_names(t->tuning[k].pattern, name))
        k++;
    return k;
}

static int look_at(const poise_train_spec *t, int k, const poise_store *store,
                   poise_diagnostics *diag)
{
    const poise_tuning *row = &t->tuning[k];
    int before = -1; /* the pattern that has what this one names */
    for (int i = 0; i < poise_store_count(store); i++) {
        const char *name = poise_store_at(store, i)->name;
        if (!poise__glob_names(row->pattern, name))
            continue;
        before = first_of(t, name);
        if (before == k)
            return 0;
    }
    if (before < 0)
        return poise_diagnose(diag, row->place, "tuning: no parameter's name matches '%.80s'",
                              row->pattern);
    poise_warn(diag, row->place,
               "tuning: '%.80s' is of no parameter: patterns before it, such as '%.80s', match all "
               "of its own, and the first that matches counts",
               row->pattern, t->tuning[before].pattern);
    return 0;
}

int poise_spec_look_tuning(const poise_spec *s, poise_diagnostics *diag)
{
    poise_error err;
    poise_network net;
    if (s->train.ntuning == 0)
        return 0;
    poise_store *store = poise_store_new(&err);
    poise_graph *g = store ? poise_network_graph(store, &err) : NULL;
    int bad = 0;
    if (!g || poise_model_build(s->model, s->schema, g, s->train.batch, &net, &err) < 0)
        bad = poise_diagnose_error(diag, &err);
    for (int k = 0; k < s->train.ntuning && g && !bad; k++)
        bad = look_at(&s->train, k, store, diag);
    poise_graph_free(g);
    poise_store_free(store);
    return bad;
}
