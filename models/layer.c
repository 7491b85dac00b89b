#include <string.h>
#include "layer.h"
#include "names.h"
#include "sections.h"

const poise__layer_kind *const poise__layer_kinds[POISE__KINDS] = {
#define X(name) &poise__##name##_kind,
    POISE__LAYER_KINDS(X)
#undef X
};

static int read_each(poise__reading *r, const poise__yaml *v, void *into);
static int read_task(poise__reading *r, const poise__yaml *v, void *into);
static int read_override(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key layer_rows[] = {
    {.name = "each",
     .kind = POISE_KEY_OWN,
     .read = read_each,
     .form = "task, or list of names",
     .schema = "'task' | set of like each",
     .help = "task: one layer per task, with its own weights; or one per name (of tasks, or any)"},
    {.name = "task",
     .kind = POISE_KEY_OWN,
     .read = read_task,
     .form = "task",
     .schema = "text",
     .without = "each",
     .help = "the one task that the layer is for; it reads that task's layers"},
    {.name = "copies",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 4096,
     POISE__INTO(poise__layer, copies),
     .help = "a stack of this many layers, each with its own weights; the experts of a mixture"},
    {.name = "override",
     .kind = POISE_KEY_OWN,
     .read = read_override,
     .form = "mapping of name: keys",
     .schema = "map of part of layer",
     .needs = "each",
     .help = "other keys for some of each, as {buy: {mlp: [128, 64]}}; a key without a value takes "
             "it away"},
};
const poise_section poise__layer_section = {
    .name = "layer", .about = "keys that every layer may have", POISE__ROWS(layer_rows)};

static int all_tasks(poise__reading *r, poise__layer *l)
{
    const poise_schema *s = r->spec->schema;
    const char **name = poise__reading_alloc(r, (size_t)s->ntask, sizeof(*name));
    if (!name)
        return -1;
    for (int t = 0; t < s->ntask; t++)
        name[t] = s->task[t].name;
    l->each = l->of_tasks = 1;
    l->names = (poise__texts){s->ntask, name};
    return 0;
}

/* A name becomes part of the names of parameters. */
static int check_name(poise__reading *r, const poise__yaml *v, const char **name, int before)
{
    const poise__name_rule *rule = poise__name_find("each");
    char show[120];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place, "%s cannot be %s: %s",
                              poise__yaml_show(v, show, sizeof(show)), rule->what, rule->form);
    if (poise__name_check(r, rule, v->place, v->text) < 0)
        return -1;
    for (int k = 0; k < before; k++)
        if (name[k] && strcmp(name[k], v->text) == 0)
            return poise_diagnose(r->diag, v->place, "each names '%.80s' twice", v->text);
    return 0;
}

enum { MOST_NAMES = 256 }; /* as tasks */

static int read_each(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__layer *l = into;
    char show[120];
    if (v->kind == POISE__SCALAR && strcmp(v->text, "task") == 0)
        return all_tasks(r, l);
    if (v->kind == POISE__LIST && v->n > MOST_NAMES)
        return poise_diagnose(r->diag, v->place, "each has %zu names; at most %d are possible",
                              v->n, MOST_NAMES);
    if (v->kind != POISE__LIST || v->n == 0)
        return poise_diagnose(r->diag, v->place,
                              "each is %s; it can be task, a list of names, or be left out",
                              poise__yaml_show(v, show, sizeof(show)));
    const char **name = poise__reading_alloc(r, v->n, sizeof(*name));
    if (!name)
        return -1;
    l->each = l->of_tasks = 1;
    l->names = (poise__texts){0, name};
    int bad = 0;
    for (size_t i = 0; i < v->n; i++) {
        if (check_name(r, v->item[i], name, l->names.n) < 0) {
            bad = -1;
            continue;
        }
        name[l->names.n++] = v->item[i]->text;
        l->of_tasks &= poise__task_find(r->spec->schema, v->item[i]->text) >= 0;
    }
    return bad;
}

static int read_task(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__layer *l = into;
    char show[120];
    if (v->kind != POISE__SCALAR || poise__yaml_null(v))
        return poise_diagnose(r->diag, v->place, "task is %s; it must be the name of a task",
                              poise__yaml_show(v, show, sizeof(show)));
    if (poise__task_find(r->spec->schema, v->text) < 0)
        return poise__task_unknown(r, v->place, "there is no task", v->text);
    l->task = v->text;
    return 0;
}

const char *const poise__override_kept[] = {"each", "task", "override"};
const int poise__override_nkept = POISE__COUNT(poise__override_kept);

static int is_kept(const char *key)
{
    int k = 0;
    while (k < poise__override_nkept && strcmp(poise__override_kept[k], key) != 0)
        k++;
    return k < poise__override_nkept;
}

static int read_override(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__layer *l = into;
    char show[120];
    if (v->kind != POISE__MAP || v->n == 0)
        return poise_diagnose(r->diag, v->place,
                              "override is %s; it must be a mapping of name: {key: value}",
                              poise__yaml_show(v, show, sizeof(show)));
    if (!l->each && l->unnamed)
        return -1;
    if (!l->each)
        return poise_diagnose(r->diag, v->place,
                              "override needs each beside it: there is one '%.80s' only", l->name);
    int bad = 0;
    for (size_t i = 0; i < v->n; i++) {
        const poise__yaml *key = v->key[i], *keys = v->item[i];
        int k = 0;
        while (k < l->names.n && strcmp(l->names.text[k], key->text) != 0)
            k++;
        if (k == l->names.n && (l->unnamed || key->wrong || l->names.n == 0))
            bad = -1; /* nor is there one to choose from where the tasks are wrong */
        else if (k == l->names.n)
            bad = poise__unknown(r, key->place, "override: each has no", key->text, l->names.n,
                                 l->names.text);
        if (keys->kind != POISE__MAP)
            bad = poise_diagnose(r->diag, keys->place,
                                 "override of '%.80s' is %s; it must be a mapping of keys",
                                 key->text, poise__yaml_show(keys, show, sizeof(show)));
        for (size_t j = 0; keys->kind == POISE__MAP && j < keys->n; j++)
            if (is_kept(keys->key[j]->text))
                bad = poise_diagnose(r->diag, keys->key[j]->place,
                                     "override changes the keys of one layer; it cannot hold '%s'",
                                     keys->key[j]->text);
    }
    l->overrides = v;
    return bad;
}
