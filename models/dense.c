/* The kind dense: one linear map, maybe with an activation. */
#include <string.h>
#include "activation.h"
#include "layer.h"

static int read_width(poise__reading *r, const poise__yaml *v, void *into);

enum { WIDEST = 65536 };
enum { OF_TASK = 0 }; /* `dense: task`: as wide as the task's output must be */

typedef struct dense_keys {
    int64_t width; /* maybe OF_TASK */
    poise__references input;
    int activation;
} dense_keys;

static const poise_key rows[] = {
    {.name = "dense",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_width,
     POISE__INTO(dense_keys, width),
     .form = "integer, 1 .. 65536, or task",
     .schema = "integer 1 65536 | 'task'",
     .help = "outputs; task: as many as the task needs, 1 or its classes"},
    {.name = "input",
     .kind = POISE_KEY_REFERENCES,
     .required = 1,
     POISE__INTO(dense_keys, input),
     .help = "what it reads; a list is put side by side"},
    {.name = "activation",
     .kind = POISE_KEY_CHOICE,
     .initial = "none",
     .choice = poise__activation_names,
     POISE__INTO(dense_keys, activation),
     .help = "after it (leaky_relu: slope 0.01)"},
};

static int read_width(poise__reading *r, const poise__yaml *v, void *into)
{
    int64_t *width = &((dense_keys *)into)->width;
    *width = OF_TASK;
    if (v->kind == POISE__SCALAR && v->plain && strcmp(v->text, "task") == 0)
        return 0;
    if (poise__yaml_int(v, width) == 0 && *width >= 1 && *width <= WIDEST)
        return 0;
    char show[120], via[80];
    poise_diagnose(r->diag, v->place, "dense is %s%s; it must be an integer, 1 .. %d, or task",
                   poise__yaml_show(v, show, sizeof(show)), poise__via(v, via, sizeof(via)),
                   WIDEST);
    poise__note_use(r, v);
    return -1;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const dense_keys *k = i->own;
    const int64_t copies = i->copies;
    poise__shape in;
    *out = (poise__shape){.stack = copies, .width = k->width};
    if (poise__concat_shape(c, i, "input", &k->input, copies, &in) < 0)
        return -1;
    if (k->width == OF_TASK) {
        if (i->task < 0)
            return poise_diagnose(c->diag, i->kind_at,
                                  "'%s': dense: task needs each: task beside it", i->layer->name);
        out->width = poise__task_width(&c->schema->task[i->task]);
    }
    if (in.width > 0)
        out->parameters = (copies ? copies : 1) * out->width * (in.width + 1);
    return 0;
}

static int output(poise__reading *r, const poise__instance *i)
{
    if (((const dense_keys *)i->own)->activation == POISE__ACT_none)
        return 0;
    return poise_diagnose(r->diag, i->layer->place,
                          "'%s' is the tasks' output: the losses want it without an activation "
                          "(activation: none, or a dense layer)",
                          i->layer->name);
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const dense_keys *k = i->own;
    poise_value *x = poise__concat_value(b, i, &k->input);
    if (!x)
        return NULL;
    x = poise__linear(b, x, i->name, i->copies, x->dim[x->rank - 1], b->shape[i->id].width,
                      k->activation);
    return x ? poise__activate(b->g, x, k->activation, b->err) : NULL;
}

const poise__layer_kind poise__dense_kind = {
    .section = {.name = "dense", .about = "one dense layer: y = x w' + b", POISE__ROWS(rows)},
    .own = sizeof(dense_keys),
    .copies = 1,
    .shape = shape,
    .output = output,
    .build = build};
