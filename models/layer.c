#include <string.h>
#include "layer.h"
#include "sections.h"

const poise__layer_kind *const poise__layer_kinds[POISE__KINDS] = {
#define X(name) &poise__##name,
    POISE__LAYER_KINDS(X)
#undef X
};

static int read_each(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key layer_rows[] = {
    {.name = "each",
     .kind = POISE_KEY_OWN,
     .read = read_each,
     .form = "task",
     .help = "task: one layer per task, with its own weights"},
    {.name = "copies",
     .kind = POISE_KEY_INT,
     .min = 1,
     .max = 4096,
     POISE__INTO(poise__layer, copies),
     .help = "a stack of this many layers, each with its own weights; the experts of a mixture"},
};
const poise_section poise__layer_section = {
    .name = "layer", .about = "keys that every layer may have", POISE__ROWS(layer_rows)};

static int read_each(poise__reading *r, const poise__yaml *v, void *into)
{
    poise__layer *l = into;
    char show[120];
    if (v->kind == POISE__SCALAR && strcmp(v->text, "task") == 0) {
        l->each = 1;
        return 0;
    }
    return poise_diagnose(r->diag, v->place, "each is %s; it can be task, or be left out",
                          poise__yaml_show(v, show, sizeof(show)));
}

/* NAME, NAME[*] or NAME[TASK] */
static int read_reference(poise__reading *r, const poise__yaml *v, poise__reference *ref)
{
    char show[120];
    const char *open = v->kind == POISE__SCALAR ? strchr(v->text, '[') : NULL;
    size_t n = v->kind == POISE__SCALAR ? strlen(v->text) : 0;
    *ref =
        (poise__reference){.place = v->place, .layer = POISE__UNRESOLVED, .task = POISE__SAME_TASK};
    if (n == 0 || poise__yaml_null(v) || open == v->text ||
        (open && (v->text[n - 1] != ']' || open + 2 >= v->text + n)))
        return poise_diagnose(r->diag, v->place,
                              "%s is no reference; it must be features, a layer, LAYER[*] (all "
                              "tasks'), LAYER[TASK] or a feature",
                              poise__yaml_show(v, show, sizeof(show)));
    ref->name = v->text;
    if (!open)
        return 0;
    poise_error err;
    char *name = poise__arena_text(r->arena, v->text, &err);
    if (!name)
        return poise_diagnose_error(r->diag, &err);
    name[open - v->text] = 0;
    name[n - 1] = 0;
    ref->name = name;
    ref->select = name + (open - v->text) + 1;
    return 0;
}

int poise__references_read(poise__reading *r, const poise__yaml *v, poise__references *refs)
{
    size_t n = v->kind == POISE__LIST ? v->n : 1;
    if (n == 0)
        return poise_diagnose(r->diag, v->place, "the list is empty; name at least one layer");
    refs->at = poise__reading_alloc(r, n, sizeof(*refs->at));
    if (!refs->at)
        return -1;
    int bad = 0;
    for (size_t i = 0; i < n; i++)
        bad |= read_reference(r, v->kind == POISE__LIST ? v->item[i] : v, &refs->at[i]);
    refs->n = (int)n;
    return bad;
}
