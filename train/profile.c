#include "profile.h"

#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"

const char *poise_part_name(poise_part part)
{
    static const char *const names[] = {
#define X(name, text) text,
        POISE_PARTS(X)
#undef X
    };
    return names[part];
}

poise_profile *poise_profile_new(double (*now)(void), poise_error *err)
{
    poise_profile *p = poise__calloc(1, sizeof *p, err);

    if (p && !(p->arena = poise__arena_new(err))) {
        free(p);
        p = NULL;
    }
    if (p)
        p->now = now;
    return p;
}

void poise_profile_free(poise_profile *p)
{
    if (!p)
        return;
    poise__arena_free(p->arena);
    free(p->layer);
    free(p);
}

int poise_profile_layers(const poise_profile *p)
{
    return (int)p->nlayer;
}

const poise_profile_layer *poise_profile_layer_at(const poise_profile *p, int index)
{
    return &p->layer[index];
}

double poise__profile_now(const poise_profile *p)
{
    return p ? p->now() : 0;
}

void poise__profile_add(poise_profile *p, poise_part part, double *from)
{
    if (!p)
        return;
    double to = p->now();
    p->seconds[part] += to - *from;
    *from = to;
}

static int same_place(poise_place a, poise_place b)
{
    return a.line == b.line && a.column == b.column &&
           (a.file == b.file || (a.file && b.file && strcmp(a.file, b.file) == 0));
}

/* The layer that a node belongs to, made where it is new; NULL when memory is out. */
static poise_profile_layer *layer_of(poise_profile *p, const poise_node *n)
{
    for (size_t k = p->nlayer; k-- > 0;) /* most often the last one */
        if (strcmp(p->layer[k].name, n->layer) == 0 && same_place(p->layer[k].place, n->place))
            return &p->layer[k];
    poise_profile_layer *grown =
        poise__grow(p->layer, &p->room, p->nlayer + 1, sizeof *p->layer, NULL);
    if (!grown)
        return NULL;
    p->layer = grown;
    poise_profile_layer layer = {.place = n->place};
    layer.name = poise__arena_text(p->arena, n->layer, NULL);
    layer.place.file = n->place.file ? poise__arena_text(p->arena, n->place.file, NULL) : NULL;
    if (!layer.name || (n->place.file && !layer.place.file))
        return NULL;
    p->layer[p->nlayer] = layer;
    return &p->layer[p->nlayer++];
}

void poise__profile_collect(poise_profile *p, const poise_session *s, uint64_t steps, int probe)
{
    for (int k = 0; k < poise_session_steps(s); k++) {
        const poise_kernel *kernel = poise_session_step(s, k);
        int part = probe ? POISE_PART_SIGNALS : kernel->node->part;
        double seconds = poise_session_seconds(s, k);

        p->seconds[part] += seconds;
        poise_profile_layer *layer = layer_of(p, kernel->node);
        if (layer) {
            layer->seconds[part] += seconds;
            layer->flops += kernel->flops * (double)steps;
        }
    }
}
