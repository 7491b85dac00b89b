/* What a task's label and its mask are: columns, other tasks, conditions. */
#include <stdio.h>
#include <string.h>
#include "../data/condition.h"
#include "sections.h"

static int read_positive(poise__reading *r, const poise__yaml *v, void *into);

typedef struct label_keys {
    const char *column;
    poise__texts positive;
} label_keys;

static const poise_key label_rows[] = {
    {.name = "column",
     .kind = POISE_KEY_TEXT,
     .required = 1,
     POISE__INTO(label_keys, column),
     .help = "the column that holds the answer"},
    {.name = "positive",
     .kind = POISE_KEY_OWN,
     .read = read_positive,
     .form = "text, or list of texts",
     .schema = "text | list of text",
     .help = "the text, or the texts, that mean 1, every other 0; without it the column holds "
             "numbers"},
};
const poise_section poise__label_section = {
    .name = "label", .about = "a label with a positive value", POISE__ROWS(label_rows)};

static int read_positive(poise__reading *r, const poise__yaml *v, void *into)
{
    label_keys *k = into;
    static const poise_key row = {
        .name = "positive", .kind = POISE_KEY_TEXTS, POISE__INTO(label_keys, positive)};
    if (v->kind == POISE__LIST && v->n > 0)
        return poise__key_read(r, &row, v, into);
    char show[120];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place,
                              "positive is %s; it must be a text, or a list of them",
                              poise__yaml_show(v, show, sizeof(show)));
    const char **text = poise__reading_alloc(r, 1, sizeof(*text));
    if (!text)
        return -1;
    *text = v->text;
    k->positive = (poise__texts){1, text};
    return 0;
}

/* A mark that the text does not hold, to stand around it; 0 where it holds all. */
static char quote_for(const char *text, const char *marks)
{
    for (; *marks; marks++)
        if (!strchr(text, *marks))
            return *marks;
    return 0;
}

/* `column` in ['a', 'b'] */
static const char *as_condition(poise__reading *r, const poise__yaml *v, const label_keys *k)
{
    poise_error err;
    char mark = quote_for(k->column, "`'\"");
    char *text =
        mark ? poise__arena_printf(r->arena, &err, "%c%s%c in [", mark, k->column, mark) : NULL;
    for (int i = 0; mark && text && i < k->positive.n; i++) {
        mark = quote_for(k->positive.text[i], "'\"");
        if (mark)
            text = poise__arena_printf(r->arena, &err, "%s%s%c%s%c", text, i ? ", " : "", mark,
                                       k->positive.text[i], mark);
    }
    if (!mark) {
        poise_diagnose(r->diag, v->place, "a text with both kinds of quotes cannot be in a list");
        return NULL;
    }
    text = text ? poise__arena_printf(r->arena, &err, "%s]", text) : NULL;
    if (!text)
        poise_diagnose_error(r->diag, &err);
    return text;
}

static int read_mapping(poise__reading *r, const poise__yaml *v, poise_task *t)
{
    label_keys k = {0};
    if (poise__keys_read(r, v, "label", &poise__label_section, &k) < 0)
        return -1;
    t->label = k.column;
    if (k.positive.n == 1)
        t->positive = k.positive.text[0];
    if (poise__column_check(r, poise__yaml_get(v, "column")->place, "label", k.column) < 0)
        return -1;
    if (k.positive.n < 2)
        return 0;
    t->label = as_condition(r, v, &k);
    t->label_tests = 1;
    return t->label ? 0 : -1;
}

/* Where a byte of a scalar's text stands in the file: quotes move it by one. */
static poise_place within(const poise__yaml *v, size_t at)
{
    poise_place place = v->place;
    if (place.line > 0)
        place.column += (uint32_t)at + (v->plain ? 0 : 1);
    return place;
}

/* NULL after a diagnosis. */
static const poise__condition *parse(poise__reading *r, const poise__yaml *v, const char *text)
{
    poise_error err;
    poise__condition *c = poise__reading_alloc(r, 1, sizeof(*c));
    if (c && poise__condition_parse(text, within(v, 0), r->arena, c, &err) < 0) {
        poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    return c;
}

int poise__read_label(poise__reading *r, const poise__yaml *v, poise_task *t)
{
    if (v->kind == POISE__MAP)
        return read_mapping(r, v, t);
    static const poise_key row = {
        .name = "label", .kind = POISE_KEY_TEXT, POISE__INTO(poise_task, label)};
    if (poise__key_read(r, &row, v, t) < 0)
        return -1;
    if (poise__column_find(r, t->label) >= 0 || !poise__is_condition(t->label))
        return poise__column_check(r, v->place, "label", t->label);
    t->label_tests = 1;
    const poise__condition *c = parse(r, v, t->label);
    int bad = c ? 0 : -1;
    for (int k = 0; c && k < c->ntest; k++)
        bad |= poise__column_check(r, within(v, c->test[k].at), "label", c->test[k].name);
    return bad;
}

/* The nearest column or other task. */
static int no_name(poise__reading *r, poise_place place, int t, const char *name)
{
    const poise_schema *s = r->spec->schema;
    int n = 0;
    if (r->ncolumn < 0 || poise__column_find(r, name) >= 0)
        return 0;
    const char **known =
        poise__reading_alloc(r, (size_t)r->ncolumn + (size_t)s->ntask, sizeof(*known));
    if (!known)
        return -1;
    for (int c = 0; c < r->ncolumn; c++)
        known[n++] = r->column[c];
    for (int k = 0; k < s->ntask; k++)
        if (k != t && poise__column_find(r, s->task[k].name) < 0)
            known[n++] = s->task[k].name;
    return poise__unknown(r, place, "when: there is no column or task", name, n, known);
}

/* A name of a mask: a column, or a task that is not the mask's own. */
static int check_name(poise__reading *r, poise_place place, int t, const char *name)
{
    static const char *const kinds[] = {POISE_TASK_KINDS};
    const poise_schema *s = r->spec->schema;
    int other = poise__task_find(s, name);
    if (other == t && poise__column_find(r, name) < 0)
        return poise_diagnose(r->diag, place, "task '%s' cannot wait for itself", s->task[t].name);
    if (other < 0 || other == t)
        return no_name(r, place, t, name);
    if (r->untyped && r->untyped[other])
        return -1;
    if (s->task[other].kind != POISE_BINARY) {
        poise_diagnose(r->diag, place, "when: task '%s' is %s; it must be binary",
                       s->task[other].name, kinds[s->task[other].kind]);
        poise__note_kind(r->diag, &s->task[other]);
        return -1;
    }
    return 0;
}

int poise__check_when(poise__reading *r, const poise__yaml *v, int t)
{
    poise_task *task = &r->spec->schema->task[t];
    if (!task->when || !v)
        return 0;
    int named = poise__task_find(r->spec->schema, task->when) >= 0 ||
                poise__column_find(r, task->when) >= 0;
    if (named || !poise__is_condition(task->when))
        return check_name(r, v->place, t, task->when);
    task->when_tests = 1;
    const poise__condition *c = parse(r, v, task->when);
    int bad = c ? 0 : -1;
    for (int k = 0; c && k < c->ntest; k++)
        if (poise__column_find(r, c->test[k].name) < 0)
            bad |= check_name(r, within(v, c->test[k].at), t, c->test[k].name);
    return bad;
}

void poise__task_columns(poise__reading *r, const poise_task *t, int all,
                         void (*seen)(void *user, const char *column), void *user)
{
    const char *const text[] = {t->label, all ? t->when : NULL};
    const int tests[] = {t->label_tests, t->when_tests};
    poise_error err;
    for (int k = 0; k < 2; k++) {
        poise__condition c = {0};
        if (text[k] && !tests[k])
            seen(user, text[k]);
        else if (text[k] && poise__condition_parse(text[k], POISE_NOWHERE, r->arena, &c, &err) == 0)
            for (int i = 0; i < c.ntest; i++)
                seen(user, c.test[i].name);
    }
    if (all && t->weight)
        seen(user, t->weight);
}
