/* The network in the language of graphviz.  A node is called by its number, i12, or, of what is no
 * layer, by its name in quotes; labels are quoted texts. */
#include <inttypes.h>
#include <string.h>
#include "show_parts.h"

static const char all_tasks[] = "#e4e4e4", no_task[] = "#ffffff";

/* Light and evenly spaced: hue, saturation, value. */
static void put_colour(const poise__drawing *d, int task)
{
    fprintf(d->out, "%.3f 0.30 1.000", (double)task / (double)d->model->ntask);
}

static void put_text(const poise__drawing *d, const char *text)
{
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', d->out);
        fputc((unsigned char)*text < 32 ? ' ' : *text, d->out);
    }
}

/* "style=..., fillcolor=..." by the tasks that need it. */
static void put_fill(const poise__drawing *d, const char *needs)
{
    int n = 0, ntask = d->model->ntask;
    for (int t = 0; t < ntask; t++)
        n += needs[t];
    if (n == 0 || (n == ntask && n > 1)) {
        fprintf(d->out, "style=filled, fillcolor=\"%s\"", n ? all_tasks : no_task);
        return;
    }
    fprintf(d->out, "style=%s, fillcolor=\"", n > 1 ? "striped" : "filled");
    for (int t = 0, put = 0; t < ntask; t++)
        if (needs[t]) {
            if (put++)
                fputc(':', d->out);
            put_colour(d, t);
        }
    fputc('"', d->out);
}

static void put_instance(const poise__drawing *d, const poise__instance *i)
{
    const poise__shape *s = &d->shape[i->id];
    char text[100];
    fprintf(d->out, "  i%d [label=\"", i->id);
    put_text(d, i->name);
    fprintf(d->out, "\\n");
    if (s->stack)
        fprintf(d->out, "%" PRId64 " x ", s->stack);
    fprintf(d->out, "%s\\n%s\", tooltip=\"%" PRId64 " weights\", ", i->layer->kind->section.name,
            poise__drawing_shape(s, text, sizeof(text)), s->parameters);
    put_fill(d, d->needs + (size_t)i->id * (size_t)d->model->ntask);
    fprintf(d->out, "%s];\n", s->stack ? ", peripheries=2" : "");
}

/* ---- edges ---- */

typedef struct edge {
    const poise__drawing *d;
    const poise__instance *to;
    const char *key; /* NULL: its input, which needs no label */
} edge;

static int put_edge(void *user, const poise__source *s)
{
    const edge *e = user;
    if (s->instance)
        fprintf(e->d->out, "  i%d -> i%d", s->instance->id, e->to->id);
    else {
        fprintf(e->d->out, "  \"");
        put_text(e->d, s->name);
        fprintf(e->d->out, "\" -> i%d", e->to->id);
    }
    if (e->key)
        fprintf(e->d->out, " [label=\"%s\", style=dashed]", e->key);
    fprintf(e->d->out, ";\n");
    return 0;
}

/* An input that is no layer: written for every edge, which graphviz takes as one. */
static int put_input(void *user, const poise__source *s)
{
    const poise__drawing *d = ((const edge *)user)->d;
    poise__shape shape;
    char text[100];
    if (s->instance)
        return 0;
    shape = (poise__shape){.width = poise__drawing_width(d, s)};
    fprintf(d->out, "  \"");
    put_text(d, s->name);
    fprintf(d->out, "\" [label=\"");
    put_text(d, s->name);
    fprintf(d->out, "\\n%s\", style=\"rounded,filled\", fillcolor=\"%s\"];\n",
            poise__drawing_shape(&shape, text, sizeof(text)), all_tasks);
    return 0;
}

static void put_edges(const poise__drawing *d, const poise__instance *i)
{
    const poise__layer_kind *kind = i->layer->kind;
    edge e = {.d = d, .to = i};
    const char *name;
    for (int k = 0; (name = poise__references_key(kind, k)) != NULL; k++) {
        e.key = strcmp(name, "input") == 0 || strcmp(name, kind->section.name) == 0 ? NULL : name;
        const poise__references *refs = poise__references_in(kind, (void *)(uintptr_t)i->own, k);
        poise__sources(d->model, i, refs, put_input, &e);
        poise__sources(d->model, i, refs, put_edge, &e);
    }
}

/* ---- tasks ---- */

static void put_task(const poise__drawing *d, int t)
{
    static const char *const kind[] = {POISE_TASK_KINDS};
    const poise_task *task = &d->schema->task[t];
    fprintf(d->out, "  t%d [label=\"", t);
    put_text(d, task->name);
    fprintf(d->out, "\\n%s", kind[task->kind]);
    fprintf(d->out, "\", shape=ellipse, style=filled, fillcolor=\"");
    put_colour(d, t);
    fprintf(d->out, "\"];\n  i%d -> t%d;\n", d->model->output[t]->id, t);
}

char *poise_show_dot(const poise_spec *s, poise_error *err)
{
    poise__drawing d;
    if (poise__drawing_begin(&d, s, err) < 0)
        return NULL;
    fprintf(d.out, "digraph \"");
    put_text(&d, s->name);
    fprintf(d.out, "\" {\n  rankdir=BT;\n  node [shape=box, fontname=\"sans-serif\", fontsize=11, "
                   "margin=\"0.12,0.06\"];\n  edge [fontname=\"sans-serif\", fontsize=9, "
                   "arrowsize=0.7];\n");
    for (int i = 0; i < d.model->ninstance; i++) {
        put_instance(&d, d.model->instance[i]);
        put_edges(&d, d.model->instance[i]);
    }
    for (int t = 0; t < d.model->ntask; t++)
        put_task(&d, t);
    fprintf(d.out, "}\n");
    return poise__drawing_end(&d, err);
}
