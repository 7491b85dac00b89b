/* The kinds blend, cross_stitch and sluice: sums of layers with learnt weights.
 *
 *     blend           y = sum over k of w[k] x_k, w starts at 1 / n
 *     cross_stitch    the same; w starts at `own` for the task's own layer, and the others share the
 *                     rest (Misra et al., CVPR 2016)
 *     sluice          the same for each of S equal parts of the layers, summed over all parts of all
 *                     layers (Ruder et al., AAAI 2019)
 */
#include <stdlib.h>
#include <string.h>
#include "../core/memory.h"
#include "../ops/ops.h"
#include "layer.h"

typedef struct stitch_keys {
    poise__references input;
    double own;
    int64_t parts;
} stitch_keys;

#define INPUT(word, text)                                          \
    {                                                              \
        .name = word, .kind = POISE_KEY_REFERENCES, .required = 1, \
        POISE__INTO(stitch_keys, input), .help = text              \
    }
#define OWN                                                                                       \
    {                                                                                             \
        .name = "own", .kind = POISE_KEY_NUMBER, .initial = "0.9", .min = -10, .max = 10,         \
        POISE__INTO(stitch_keys, own),                                                            \
        .help =                                                                                   \
            "where the weight of the task's own layer starts; the others share what is left to 1" \
    }

static const poise_key blend_rows[] = {
    INPUT("blend", "what is added up with a learnt weight each, equally wide"),
};
static const poise_key cross_stitch_rows[] = {
    INPUT("cross_stitch", "the layers of all tasks, equally wide: \"hidden[*]\""),
    OWN,
};
static const poise_key sluice_rows[] = {
    INPUT("sluice", "the layers of all tasks, equally wide: \"hidden[*]\""),
    {.name = "parts",
     .kind = POISE_KEY_INT,
     .initial = "2",
     .min = 1,
     .max = 64,
     POISE__INTO(stitch_keys, parts),
     .help = "equal parts (subspaces) that each layer is cut into"},
    OWN,
};

typedef struct tally {
    const poise__shaper *c;
    const poise__instance *reader;
    const poise__source *like; /* how many of the first `until` are the same */
    int at, until, again;
} tally;

static int is_like(void *user, const poise__source *s)
{
    tally *t = user;
    if (t->at++ >= t->until)
        return 1;
    t->again += s->instance == t->like->instance && s->layer == t->like->layer &&
                s->feature == t->like->feature;
    return 0;
}

static int is_again(void *user, const poise__source *s)
{
    tally *t = user;
    const stitch_keys *k = t->reader->own;
    tally before = {.like = s, .until = t->at++};
    poise__sources(t->c->model, t->reader, &k->input, is_like, &before);
    if (before.again == 1)
        poise_warn(t->c->diag, s->place, "'%.80s' reads '%.80s' more than once",
                   t->reader->layer->name, s->name);
    return 0;
}

/* What is read twice has two weights that do the work of one. */
static void warn_again(const poise__shaper *c, const poise__instance *i,
                       const poise__references *refs)
{
    tally t = {.c = c, .reader = i};
    poise__sources(c->model, i, refs, is_again, &t);
}

/* Of one layer there is nothing to take a share of: the [*] was forgotten. */
static void warn_alone(const poise__shaper *c, const poise__instance *i,
                       const poise__references *refs)
{
    if (poise__sources_count(c->model, i, refs) == 1)
        poise_warn(c->diag, refs->at[0].place,
                   "'%.80s' has nothing to stitch: it reads one layer alone; of all tasks it is "
                   "\"%.80s[*]\"",
                   i->layer->name, refs->at[0].name);
}

typedef struct search {
    const poise__instance *reader;
    int at, found;
} search;

static int is_own(void *user, const poise__source *s)
{
    search *x = user;
    if (s->instance && s->instance->of && x->reader->of &&
        strcmp(s->instance->of, x->reader->of) == 0)
        x->found = x->at;
    x->at++;
    return x->found >= 0;
}

/* Which source is the reader's own task's; -1: none. */
static int own_source(const poise_model *m, const poise__instance *i)
{
    search x = {.reader = i, .found = -1};
    poise__sources(m, i, &((const stitch_keys *)i->own)->input, is_own, &x);
    return x.found;
}

static int shape(const poise__shaper *c, const poise__instance *i, poise__shape *out)
{
    const stitch_keys *k = i->own;
    const int64_t parts = k->parts ? k->parts : 1;
    if (poise__equal_shape(c, i, i->layer->kind->section.name, &k->input, 0, out) < 0)
        return -1;
    const poise__yaml *own = poise__yaml_get(i->keys, "own");
    if (own && own_source(c->model, i) < 0)
        return poise_diagnose(
            c->diag, own->place,
            "'own' does nothing: '%s' has no layer of its own among those that it "
            "reads; give it each: task",
            i->layer->name);
    if (k->parts && (out->stack || out->width % parts != 0))
        return poise_diagnose(c->diag, i->layer->place,
                              "sluice '%s': what it reads is %lld wide%s, which cannot be cut into "
                              "%lld equal parts",
                              i->layer->name, (long long)out->width,
                              out->stack ? " and a stack" : "", (long long)parts);
    warn_again(c, i, &k->input);
    if (c->model->ntask > 1 && i->layer->kind != &poise__blend_kind)
        warn_alone(c, i, &k->input);
    out->probability = 0;
    out->parameters = parts * parts * poise__sources_count(c->model, i, &k->input);
    return 0;
}

/* sum over j of w[j] x[j], w a parameter; `own` is the index of the task's own, -1: none. */
static poise_value *weighted(poise__builder *b, const poise__instance *i, const char *path, int n,
                             poise_value *const *x, int own)
{
    poise_init start = {.kind = POISE_INIT_CONSTANT, .value = 1.0 / n};
    if (own >= 0 && n > 1) {
        const double value = ((const stitch_keys *)i->own)->own;
        start = (poise_init){.kind = POISE_INIT_SPIKE, .value = value, .at = own};
    }
    poise_value *w = poise__parameter(b, path, "weight", POISE_DENSE, 1, (int64_t[]){n}, start);
    return w ? poise_blend(b->g, w, n, x, b->err) : NULL;
}

/* Part s of the result: a sum over all parts of all layers. */
static poise_value *sluice_part(poise__builder *b, const poise__instance *i, int n, int parts,
                                poise_value *const *piece, int own, int s)
{
    const char *path = poise_graph_text(b->g, b->err, "%s/%d", i->name, s);
    return weighted(b, i, path, n * parts, piece, own < 0 ? -1 : own * parts + s);
}

static poise_value *sluice(poise__builder *b, const poise__instance *i, int n,
                           poise_value *const *x, int own)
{
    const int parts = (int)((const stitch_keys *)i->own)->parts;
    const int64_t width = x[0]->dim[1] / parts;
    poise_value **piece = poise__calloc((size_t)(n + 1) * (size_t)parts, sizeof(*piece), b->err);
    poise_value *y = NULL;
    int bad = !piece;
    for (int k = 0; k < n * parts && !bad; k++) {
        const int64_t from = k % parts * width;
        piece[k] = poise_slice(b->g, x[k / parts], 1, from, from + width, b->err);
        bad = !piece[k];
    }
    for (int s = 0; s < parts && !bad; s++) {
        piece[n * parts + s] = sluice_part(b, i, n, parts, piece, own, s);
        bad = !piece[n * parts + s];
    }
    if (!bad)
        y = poise_concat(b->g, 1, parts, piece + n * parts, b->err);
    free(piece);
    return y;
}

static poise_value *build(poise__builder *b, const poise__instance *i)
{
    const stitch_keys *k = i->own;
    const int own = i->layer->kind == &poise__blend_kind ? -1 : own_source(b->model, i);
    int n = poise__sources_count(b->model, i, &k->input);
    poise_value **x = poise__calloc((size_t)n, sizeof(poise_value *), b->err), *y = NULL;
    if (x && poise__source_values(b, i, &k->input, n, x) == n)
        y = k->parts ? sluice(b, i, n, x, own) : weighted(b, i, i->name, n, x, own);
    free(x);
    return y;
}

#define KIND(kind_name, text)                                                          \
    const poise__layer_kind poise__##kind_name##_kind = {                              \
        .section = {.name = #kind_name, .about = text, POISE__ROWS(kind_name##_rows)}, \
        .own = sizeof(stitch_keys),                                                    \
        .shape = shape,                                                                \
        .build = build};
KIND(blend, "a sum with a learnt weight for each layer")
KIND(cross_stitch, "a task's layer with a learnt share of the other tasks' layers")
KIND(sluice, "cross_stitch by parts of the layers: which part takes how much of which")
