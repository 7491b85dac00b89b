#include <stdio.h>
#include <string.h>
#include "names.h"
#include "sections.h"

enum { MOST_TASKS = 256 };

typedef struct task_keys {
    poise_task task;
    int untyped; /* its type cannot be told, which was diagnosed */
} task_keys;

static int read_label(poise__reading *r, const poise__yaml *v, void *into);
static int read_loss(poise__reading *r, const poise__yaml *v, void *into);
static const char *kind_of(const char *loss);

static const char *const kinds[] = {POISE_TASK_KINDS, NULL};
static const poise_key task_rows[] = {
    {.name = "label",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_label,
     .form = "column, condition, or {column, positive}",
     .schema = "text | <label>",
     .help =
         "the column that holds the answer; of a binary task also what makes it 1: rating >= 4"},
    {.name = "when",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(task_keys, task.when),
     .help = "a column, or another binary task: only rows where it is 1 train and count; or a "
             "condition"},
    {.name = "sample_weight",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(task_keys, task.weight),
     .help = "column of how much a row weighs for this task, times the sample weight of the run"},
    {.name = "type",
     .kind = POISE_KEY_CHOICE,
     .initial = "binary",
     .choice = kinds,
     POISE__INTO(task_keys, task.kind),
     .help = "what the label is: 0 or 1, a number, a class, a grade, how often"},
    {.name = "loss",
     .kind = POISE_KEY_OWN,
     .read = read_loss,
     .form = "bce | focal | squared | huber | softmax | ordinal | poisson | {huber: {delta}}",
     .pick = poise__loss_sections,
     .agrees = "type",
     .agreed = kind_of,
     .help = "binary: bce or focal; regression: squared or huber; multiclass: softmax; ordinal; "
             "count: poisson; the first is the default"},
    {.name = "weight",
     .kind = POISE_KEY_NUMBER,
     .initial = "1",
     .max = 1e6,
     POISE__INTO(task_keys, task.loss_weight),
     .help = "a fixed factor of the task's loss"},
};
const poise_section poise__task_section = {
    .name = "task", .about = "one thing to predict, in tasks:", POISE__ROWS(task_rows)};

static int read_label(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__read_label(r, v, &((task_keys *)into)->task);
}

/* The kind of task that a loss is for. */
static const char *kind_of(const char *loss)
{
    int k = 0;
    while (poise__loss_sections[k] && strcmp(poise__loss_sections[k]->name, loss) != 0)
        k++;
    return kinds[poise_loss_task((poise_loss_kind)(k + 1))];
}

static int read_loss(poise__reading *r, const poise__yaml *v, void *into)
{
    return poise__read_loss(r, v, &((task_keys *)into)->task.loss);
}

int poise__column_find(const poise__reading *r, const char *name)
{
    for (int c = 0; c < r->ncolumn; c++)
        if (strcmp(r->column[c], name) == 0)
            return c;
    return -1;
}

int poise__task_find(const poise_schema *s, const char *name)
{
    for (int t = 0; t < s->ntask; t++)
        if (strcmp(s->task[t].name, name) == 0)
            return t;
    return -1;
}

int poise__column_check(poise__reading *r, poise_place place, const char *what, const char *name)
{
    char text[80];
    if (r->ncolumn < 0 || poise__column_find(r, name) >= 0)
        return 0;
    snprintf(text, sizeof(text), "%s: the data has no column", what);
    return poise__unknown(r, place, text, name, r->ncolumn, (const char *const *)r->column);
}

int poise__task_unknown(poise__reading *r, poise_place place, const char *what, const char *name)
{
    const poise_schema *s = r->spec->schema;
    const char *known[MOST_TASKS];
    if (s->ntask == 0) /* whatever is wrong with the tasks was said there */
        return -1;
    for (int t = 0; t < s->ntask && t < MOST_TASKS; t++)
        known[t] = s->task[t].name;
    return poise__unknown(r, place, what, name, s->ntask, known);
}

void poise__note_kind(poise_diagnostics *diag, const poise_task *t)
{
    if (t->kind_at.line > 0)
        poise_diagnose_note(diag, t->kind_at, "task '%.80s' is %s because of its loss, %s", t->name,
                            kinds[t->kind], poise_loss_name(t->loss.kind));
}

static int is_kind(const poise__yaml *type)
{
    int k = 0;
    while (type->kind == POISE__SCALAR && kinds[k] && strcmp(kinds[k], type->text) != 0)
        k++;
    return type->kind == POISE__SCALAR && kinds[k];
}

/* type, loss and label must fit each other.  Without a type the loss says it. */
static int settle(poise__reading *r, const poise__yaml *node, task_keys *k)
{
    const poise__yaml *type = poise__yaml_get(node, "type"), *loss = poise__yaml_get(node, "loss");
    poise_task *t = &k->task;
    int usual = t->loss.kind == POISE_LOSS_USUAL;
    k->untyped = type ? !is_kind(type) : loss && usual;
    if (k->untyped)
        return -1;
    if (!usual && type && t->kind != poise_loss_task(t->loss.kind))
        return poise_diagnose(r->diag, loss->place, "loss %s is for a %s task, but type is %s",
                              poise_loss_name(t->loss.kind), kinds[poise_loss_task(t->loss.kind)],
                              kinds[t->kind]);
    if (!usual && !type) {
        t->kind = poise_loss_task(t->loss.kind);
        t->kind_at = loss->place;
    }
    t->loss = poise_task_loss(t);
    if ((t->positive || t->label_tests) && t->kind != POISE_BINARY) {
        poise_diagnose(r->diag, poise__yaml_get(node, "label")->place,
                       "a %s is for binary tasks, but this one is %s",
                       t->positive ? "positive value" : "condition", kinds[t->kind]);
        poise__note_kind(r->diag, t);
        return -1;
    }
    return 0;
}

static int keep(poise__reading *r, const char **text)
{
    poise_error err;
    if (!*text)
        return 0;
    *text = poise__arena_text(r->spec->schema->arena, *text, &err);
    return *text ? 0 : poise_diagnose_error(r->diag, &err);
}

static int read_task(poise__reading *r, const poise__yaml *key, const poise__yaml *v)
{
    task_keys k = {.task = {.name = key->text, .kind = POISE_BINARY}};
    char what[120];
    snprintf(what, sizeof(what), "task '%.80s'", key->text);
    int bad = poise__name_check(r, poise__name_find("task"), key->place, key->text);
    if (v->kind != POISE__MAP) {
        char show[120];
        poise_diagnose(r->diag, v->place, "%s is %s; it must be a mapping such as {label: %s}",
                       what, poise__yaml_show(v, show, sizeof(show)), key->text);
        bad = -1;
    } else {
        bad |= poise__keys_read(r, v, what, &poise__task_section, &k);
        bad |= settle(r, v, &k);
    }
    if (k.task.weight)
        bad |= poise__column_check(r, poise__yaml_get(v, "sample_weight")->place, "sample_weight",
                                   k.task.weight);
    r->untyped[r->spec->schema->ntask] = k.untyped != 0;
    /* Kept even when wrong: other sections name it. */
    poise_task *t = &r->spec->schema->task[r->spec->schema->ntask++];
    *t = k.task;
    t->name = key->text;
    t->place = key->place;
    if (keep(r, &t->name) < 0 || keep(r, &t->label) < 0 || keep(r, &t->positive) < 0 ||
        keep(r, &t->when) < 0 || keep(r, &t->weight) < 0)
        return -1;
    return bad;
}

int poise__read_tasks(poise__reading *r, const poise__yaml *node)
{
    poise_schema *s = r->spec->schema;
    poise_error err;
    char show[120];
    if (!node)
        return 0;
    s->ntask = 0; /* those of a generator do not count any more */
    if (node->kind != POISE__MAP || node->n == 0)
        return poise_diagnose(r->diag, node->place,
                              "tasks is %s; it must be a mapping of name: {label: column}",
                              poise__yaml_show(node, show, sizeof(show)));
    if (node->n > MOST_TASKS)
        return poise_diagnose(r->diag, node->place, "there are %zu tasks; at most %d are possible",
                              node->n, MOST_TASKS);
    s->task = poise__arena_alloc(s->arena, node->n, sizeof(*s->task), &err);
    if (!s->task)
        return poise_diagnose_error(r->diag, &err);
    r->untyped = poise__reading_alloc(r, node->n, 1);
    if (!r->untyped)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < node->n; i++)
        bad |= read_task(r, node->key[i], node->item[i]);
    for (int t = 0; t < s->ntask; t++)
        bad |= poise__check_when(r, poise__yaml_get(node->item[t], "when"), t);
    if (poise__warn_twins(r) < 0)
        return -1;
    return bad ? -1 : 0;
}
