/* Shapes of all instances, and what a task's output must be. */
#include <inttypes.h>
#include <stdio.h>
#include "layer.h"
#include "sections.h"

const char *poise__shape_text(const poise__shape *s, char *buf, size_t size)
{
    char width[32];
    snprintf(width, sizeof(width), s->width ? "%" PRId64 : "classes", s->width);
    if (s->stack)
        snprintf(buf, size, "B x %" PRId64 " x %s", s->stack, width);
    else
        snprintf(buf, size, "B x %s", width);
    return buf;
}

static int check_output(const poise__shaper *c, const poise__instance *i, int task)
{
    static const char *const kinds[] = {POISE_TASK_KINDS};
    const poise_task *t = &c->schema->task[task];
    poise__shape s = c->shape[i->id];
    int typed = !c->model->untyped || !c->model->untyped[task];
    if (s.stack && !i->copies)
        return poise_diagnose(c->diag, i->layer->place,
                              "'%s' is the tasks' output, but a stack of %" PRId64, i->layer->name,
                              s.stack);
    if (s.width == 0 || s.stack || !typed)
        return 0;
    int bad = 0;
    if (s.probability && t->kind != POISE_BINARY)
        bad = poise_diagnose(c->diag, i->kind_at,
                             "'%s' is a probability, but task '%s' is not binary", i->layer->name,
                             t->name);
    else if (t->kind != POISE_MULTICLASS && s.width != 1)
        bad = poise_diagnose(c->diag, i->kind_at,
                             "'%s' has %" PRId64 " outputs for task '%s'; a %s task has 1",
                             i->layer->name, s.width, t->name, kinds[t->kind]);
    else if (t->kind == POISE_MULTICLASS &&
             (s.width == 1 || (t->nclass > 0 && s.width != t->nclass)))
        bad = poise_diagnose(c->diag, i->kind_at,
                             "'%s' has %" PRId64
                             " outputs for task '%s'; a multiclass task has one per class: say "
                             "dense: task",
                             i->layer->name, s.width, t->name);
    if (bad)
        poise__note_kind(c->diag, t);
    return bad;
}

/* A row weight and a penalty are one number a row. */
static int check_extras(const poise__shaper *c, int task)
{
    int bad = 0;
    for (int k = 1; c->model->output[task] && poise__needed_by(c->model, task, k); k++) {
        const poise__instance *i = poise__needed_by(c->model, task, k);
        const poise__shape s = c->shape[i->id];
        char text[80];
        if (s.stack || s.width > 1)
            bad = poise_diagnose(c->diag, i->kind_at,
                                 "'%s' is %s; a row_weight or penalty is one number a row",
                                 i->layer->name, poise__shape_text(&s, text, sizeof(text)));
    }
    return bad;
}

/* What is read must be there: of the first of several there is none before it. */
static int check_sources(const poise__shaper *c, const poise__instance *i)
{
    const poise__layer *l = i->layer;
    const poise__references *refs;
    for (int v = 0; v < l->nown; v++)
        for (int k = 0; l->own[v] == i->own && (refs = poise__references_in(l->kind, l->own[v], k));
             k++)
            if (refs->n > 0 && poise__sources_count(c->model, i, refs) == 0)
                return poise_diagnose(c->diag, refs->at[0].place,
                                      "'%s[%s]' is nothing for '%s', and '%s' reads nothing else",
                                      refs->at[0].name, refs->at[0].select, i->of, i->name);
    return 0;
}

static int check_copies(const poise__shaper *c, const poise__instance *i)
{
    if (!i->copies || i->layer->kind->copies)
        return 0;
    return poise_diagnose(c->diag, i->layer->place,
                          "'%s' has copies; a layer of kind %s has none: what it reads may be a "
                          "stack",
                          i->layer->name, i->layer->kind->section.name);
}

int poise__shapes(const poise_model *m, const poise_schema *s, poise__shape *shape,
                  poise_diagnostics *diag)
{
    poise__shaper c = {m, s, shape, diag};
    int bad = 0;
    for (int k = 0; k < m->ninstance; k++) {
        const poise__instance *i = m->instance[k];
        shape[k] = (poise__shape){0};
        if (!i->layer->wrong && (check_copies(&c, i) < 0 || check_sources(&c, i) < 0 ||
                                 i->layer->kind->shape(&c, i, &shape[k]) < 0)) {
            shape[k] = (poise__shape){0};
            bad = -1;
        }
        if (i->idle)
            shape[k].parameters = 0;
    }
    const poise__layer *last = NULL; /* of one layer one task's output says enough */
    for (int t = 0; t < m->ntask; t++)
        if (m->output[t] && m->output[t]->layer != last && check_output(&c, m->output[t], t) < 0) {
            last = m->output[t]->layer;
            bad = -1;
        }
    for (int t = 0; t < m->ntask; t++)
        bad |= check_extras(&c, t);
    return bad;
}
