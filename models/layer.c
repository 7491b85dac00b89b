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
     .schema = "'task'",
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
    const poise_schema *s = r->spec->schema;
    char show[120];
    if (v->kind != POISE__SCALAR || strcmp(v->text, "task") != 0)
        return poise_diagnose(r->diag, v->place, "each is %s; it can be task, or be left out",
                              poise__yaml_show(v, show, sizeof(show)));
    const char **name = poise__reading_alloc(r, (size_t)s->ntask, sizeof(*name));
    if (!name)
        return -1;
    for (int t = 0; t < s->ntask; t++)
        name[t] = s->task[t].name;
    l->each = 1;
    l->names = (poise__texts){s->ntask, name};
    return 0;
}
