/* What a task's loss has besides its output: `row_weight:` and `penalty:`. */
#include <stdio.h>
#include <string.h>
#include "network.h"
#include "sections.h"

const char *const poise__extra_name[POISE__EXTRAS] = {"row_weight", "penalty"};

static const poise__layer *find_layer(const poise_model *m, const char *name)
{
    for (int k = 0; k < m->nlayer; k++)
        if (strcmp(m->layer[k].name, name) == 0)
            return &m->layer[k];
    return NULL;
}

/* One layer: of one with `each` every task's own, where it has one. */
static int read_layer(poise__reading *r, poise_model *m, int extra)
{
    const poise__yaml *v = m->extras[extra];
    char show[120], via[80];
    if (v->wrong)
        return -1;
    if (v->kind != POISE__SCALAR || poise__yaml_null(v)) {
        poise_diagnose(r->diag, v->place,
                       "%s is %s%s; it must be a layer, or a mapping of task: layer",
                       poise__extra_name[extra], poise__yaml_show(v, show, sizeof(show)),
                       poise__via(v, via, sizeof(via)));
        poise__note_use(r, v);
        return -1;
    }
    const poise__layer *l = find_layer(m, v->text);
    const char *known[POISE__MOST_LAYERS];
    if (!l && r->unnamed)
        return -1;
    if (!l) {
        for (int k = 0; k < m->nlayer; k++)
            known[k] = m->layer[k].name;
        char what[40];
        snprintf(what, sizeof(what), "%s: there is no layer", poise__extra_name[extra]);
        return poise__unknown(r, v->place, what, v->text, m->nlayer, known);
    }
    for (int i = 0; i < l->ninstance; i++)
        for (int t = 0; t < m->ntask; t++)
            if (l->instance[i].task == t || (!l->each && !l->task))
                m->extra[extra][t] = &l->instance[i];
    return 0;
}

static int read_tasks(poise__reading *r, poise_model *m, int extra)
{
    const poise__yaml *map = m->extras[extra];
    char what[40];
    int bad = 0;
    snprintf(what, sizeof(what), "%s: there is no task", poise__extra_name[extra]);
    for (size_t k = 0; k < map->n; k++) {
        int t = poise__task_find(r->spec->schema, map->key[k]->text);
        if (t < 0 && map->key[k]->wrong)
            bad = -1;
        else if (t < 0)
            bad = poise__task_unknown(r, map->key[k]->place, what, map->key[k]->text);
        else
            m->extra[extra][t] =
                poise__output_resolve(r, m, poise__extra_name[extra], map->item[k], t);
        if (t >= 0 && !m->extra[extra][t])
            bad = -1;
    }
    return bad;
}

int poise__extras_read(poise__reading *r, poise_model *m)
{
    int bad = 0;
    for (int e = 0; e < POISE__EXTRAS; e++) {
        m->extra[e] = poise__reading_alloc(r, (size_t)m->ntask, sizeof(*m->extra[e]));
        if (!m->extra[e])
            return -1;
        if (m->extras[e])
            bad |= m->extras[e]->kind == POISE__MAP ? read_tasks(r, m, e) : read_layer(r, m, e);
    }
    return bad;
}

const poise__instance *poise__needed_by(const poise_model *m, int task, int k)
{
    for (int e = -1; e < POISE__EXTRAS; e++) {
        const poise__instance *i = e < 0 ? m->output[task] : m->extra[e][task];
        if (i && k-- == 0)
            return i;
    }
    return NULL;
}
