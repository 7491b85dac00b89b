#include "monitor.h"
#include <stdio.h>
#include <string.h>
#include "sections.h"

static const struct {
    const char *name;
    int better;
    unsigned of;
} figures[] = {
#define X(figure, name, better, of) {name, better, of},
    POISE_FIGURES(X)
#undef X
};

const char *poise_figure_name(poise_figure f)
{
    return figures[f].name;
}

int poise_figure_better(poise_figure f)
{
    return figures[f].better;
}

int poise_figure_of(poise_figure f, poise_task_kind kind)
{
    return (figures[f].of >> kind & 1) != 0;
}

poise_figure poise_figure_headline(poise_task_kind kind)
{
    int f = kind == POISE_REGRESSION ? POISE_RMSE : 0;
    while (!poise_figure_of((poise_figure)f, kind))
        f++;
    return (poise_figure)f;
}

/* ---- reading ---- */

/* The task's figures as a list: "rmse, mae". */
static void list_figures(poise_task_kind kind, char *buf, size_t size)
{
    size_t used = 0;
    for (int f = 0; f < POISE_FIGURE_COUNT && used < size; f++)
        if (poise_figure_of((poise_figure)f, kind))
            used +=
                (size_t)snprintf(buf + used, size - used, used ? ", %s" : "%s", figures[f].name);
}

static int find_figure(poise__reading *r, poise_place place, const char *word)
{
    const char *known[POISE_FIGURE_COUNT];
    for (int f = 0; f < POISE_FIGURE_COUNT; f++) {
        known[f] = figures[f].name;
        if (strcmp(word, figures[f].name) == 0)
            return f;
    }
    return poise__unknown(r, place, "monitor: there is no figure", word, POISE_FIGURE_COUNT, known);
}

/* TASK and figure, with `between` in the middle: ' ' or '.'. */
static int read_term(poise__reading *r, const poise__yaml *v, char between, poise_monitor_term *t)
{
    static const char *const kinds[] = {POISE_TASK_KINDS};
    const poise_schema *s = r->spec->schema;
    const char *cut = v->kind == POISE__SCALAR ? strrchr(v->text, between) : NULL;
    char name[200], show[120], has[100];
    if (!cut || cut == v->text || (size_t)(cut - v->text) >= sizeof(name))
        return poise_diagnose(r->diag, v->place,
                              "monitor is %s; it must be a task or 'mean' and a figure, as 'mean "
                              "auc' or 'TASK logloss', or {TASK.auc: 1, ...}",
                              poise__yaml_show(v, show, sizeof(show)));
    memcpy(name, v->text, (size_t)(cut - v->text));
    name[cut - v->text] = 0;
    int figure = find_figure(r, v->place, cut + 1);
    if (figure < 0)
        return -1;
    *t = (poise_monitor_term){.task = -1, .figure = (poise_figure)figure, .factor = 1};
    if (strcmp(name, "mean") == 0)
        return 0;
    t->task = poise__task_find(s, name);
    if (t->task < 0)
        return poise__task_unknown(r, v->place, "monitor: there is no task", name);
    poise_task_kind kind = s->task[t->task].kind;
    if (r->untyped && r->untyped[t->task])
        return -1;
    if (poise_figure_of(t->figure, kind))
        return 0;
    list_figures(kind, has, sizeof(has));
    poise_diagnose(r->diag, v->place, "monitor: task '%s' is %s: it has no %s; it has %s", name,
                   kinds[kind], figures[figure].name, has);
    poise__note_kind(r->diag, &s->task[t->task]);
    return -1;
}

int poise__monitor_read(poise__reading *r, const poise__yaml *v, poise_monitor *m)
{
    size_t n = v->kind == POISE__MAP ? v->n : 1;
    poise_monitor_term *term = poise__reading_alloc(r, n, sizeof(*term));
    char show[120];
    if (!term)
        return -1;
    *m = (poise_monitor){1, term};
    if (v->kind != POISE__MAP)
        return read_term(r, v, ' ', term);
    if (n == 0)
        return poise_diagnose(r->diag, v->place,
                              "monitor is an empty mapping; name a figure, as "
                              "{TASK.auc: 1}");
    int bad = 0;
    m->n = (int)n;
    for (size_t k = 0; k < n; k++) {
        bad |= read_term(r, v->key[k], '.', &term[k]);
        if (poise__yaml_number(v->item[k], &term[k].factor) == 0 && term[k].factor > 0 &&
            term[k].factor <= 1e6)
            continue;
        bad = poise_diagnose(r->diag, v->item[k]->place,
                             "monitor: the factor of %s is %s; it must be a number above 0 (of "
                             "figures such as logloss less is better, which is known)",
                             v->key[k]->text, poise__yaml_show(v->item[k], show, sizeof(show)));
    }
    return bad ? -1 : 0;
}

/* ---- writing ---- */

poise__yaml *poise__monitor_write(poise__arena *a, const poise_schema *s, const poise_monitor *m,
                                  poise_error *err)
{
    poise__yaml *map = poise__node_map(a, err);
    for (int k = 0; k < m->n; k++) {
        const poise_monitor_term *t = &m->term[k];
        int alone = m->n == 1 && t->factor >= 1 && t->factor <= 1;
        const char *text =
            poise__arena_printf(a, err, "%s%c%s", t->task < 0 ? "mean" : s->task[t->task].name,
                                alone ? ' ' : '.', figures[t->figure].name);
        if (!text)
            return NULL;
        if (alone)
            return poise__node_text(a, text, err);
        if (poise__yaml_set(a, map, text, poise__node_number(a, t->factor, err), err) < 0)
            return NULL;
    }
    return map;
}
