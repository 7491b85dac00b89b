#include "model_file.h"
#include <stdio.h>
#include <string.h>
#include "../core/search.h"
#include "expression.h"
#include "network.h"
#include "sections.h"

enum { LONGEST_CHAIN = 16 };

typedef struct file_keys {
    const char *about, *paper, *when, *extends;
    poise_place extends_at;
    const poise__yaml *params, *network, *output, *row_weight, *penalty;
    int64_t version;
} file_keys;

static int read_extends(poise__reading *r, const poise__yaml *v, void *into);
static int read_params(poise__reading *r, const poise__yaml *v, void *into);
static int read_network(poise__reading *r, const poise__yaml *v, void *into);
static int read_output(poise__reading *r, const poise__yaml *v, void *into);
static int read_row_weight(poise__reading *r, const poise__yaml *v, void *into);
static int read_penalty(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key rows[] = {
    {.name = "version",
     .kind = POISE_KEY_OWN,
     .read = poise__version_read,
     .form = "1",
     .schema = "integer 1 1",
     .help = "of the language that the file is written in"},
    {.name = "about",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(file_keys, about),
     .help = "what the model is, in a line"},
    {.name = "paper",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(file_keys, paper),
     .help = "where it was published"},
    {.name = "when",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(file_keys, when),
     .help = "when to use it"},
    {.name = "extends",
     .kind = POISE_KEY_OWN,
     .read = read_extends,
     .form = "name, or path",
     .schema = "text",
     .help =
         "the model whose parameters and layers are taken over; a path is relative to this file"},
    {.name = "params",
     .kind = POISE_KEY_OWN,
     .read = read_params,
     .form = "mapping of name: default, or keys (parameter)",
     .schema = "map by parameter of (<parameter> | text | list of any) | empty",
     .beside = "extends",
     .beside_schema =
         "map by parameter of (some of <parameter> | text | list of any | null) | empty",
     .help = "what a run may choose; $name in the network stands for the value"},
    {.name = "network",
     .kind = POISE_KEY_OWN,
     .read = read_network,
     .form = "mapping of layer: keys",
     .schema = "map by layer of layer",
     .beside = "extends",
     .beside_schema = "map by layer of (layer | changed layer | null)",
     .help = "the layers, in any order; needed where nothing is extended"},
    {.name = "output",
     .kind = POISE_KEY_OWN,
     .read = read_output,
     .form = "layer, or mapping of task: layer",
     .schema = "text | map of text",
     .help = "the layer that is the tasks' output, or one for each task; without it the one called "
             "logit"},
    {.name = "row_weight",
     .kind = POISE_KEY_OWN,
     .read = read_row_weight,
     .form = "layer, or mapping of task: layer",
     .schema = "text | map of text",
     .help = "what each row of a task's loss is multiplied by; the layer does not learn from it"},
    {.name = "penalty",
     .kind = POISE_KEY_OWN,
     .read = read_penalty,
     .form = "layer, or mapping of task: layer",
     .schema = "text | map of text",
     .help =
         "what is added to a task's loss: the mean of the layer over the rows that count for it"},
};
const poise_section poise__model_file_section = {
    .name = "model file",
    .about = "a network, in its own file or inline under model:",
    POISE__ROWS(rows),
    .some_of = "network extends"};

static int read_extends(poise__reading *r, const poise__yaml *v, void *into)
{
    static const poise_key row = {
        .name = "extends", .kind = POISE_KEY_TEXT, POISE__INTO(file_keys, extends)};
    ((file_keys *)into)->extends_at = v->place;
    return poise__key_read(r, &row, v, into);
}

static int read_mapping(poise__reading *r, const char *name, const char *of, const poise__yaml *v)
{
    char show[120];
    return v->kind == POISE__MAP
               ? 0
               : poise_diagnose(r->diag, v->place, "%s is %s; it must be a mapping of %s", name,
                                poise__yaml_show(v, show, sizeof(show)), of);
}

static int read_params(poise__reading *r, const poise__yaml *v, void *into)
{
    if (read_mapping(r, "params", "names with values", v) < 0)
        return -1;
    if (v->n > POISE__MOST_PARAMS)
        return poise_diagnose(r->diag, v->place,
                              "there are %zu parameters; at most %d are possible", v->n,
                              POISE__MOST_PARAMS);
    ((file_keys *)into)->params = v;
    return 0;
}

static int read_network(poise__reading *r, const poise__yaml *v, void *into)
{
    if (v->kind == POISE__MAP && v->n == 0)
        return poise_diagnose(r->diag, v->place,
                              "network is empty; it must be a mapping of "
                              "layer: {...}");
    if (read_mapping(r, "network", "layer: {...}", v) < 0)
        return -1;
    ((file_keys *)into)->network = v;
    return 0;
}

/* A layer, or a mapping of task: layer. */
static int read_layers(poise__reading *r, const char *name, const poise__yaml *v,
                       const poise__yaml **into)
{
    char show[120];
    int empty = v->kind == POISE__SCALAR ? poise__yaml_null(v) : v->n == 0;
    *into = v;
    return v->kind == POISE__LIST || empty
               ? poise_diagnose(r->diag, v->place,
                                "%s is %s; it must be a layer, or a mapping of task: layer", name,
                                poise__yaml_show(v, show, sizeof(show)))
               : 0;
}

static int read_output(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_layers(r, "output", v, &((file_keys *)into)->output);
}

static int read_row_weight(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_layers(r, "row_weight", v, &((file_keys *)into)->row_weight);
}

static int read_penalty(poise__reading *r, const poise__yaml *v, void *into)
{
    return read_layers(r, "penalty", v, &((file_keys *)into)->penalty);
}

/* ---- files ---- */

static int no_model(poise__reading *r, poise_place place, const char *name)
{
    poise_error err;
    char **names = poise_model_names(&err);
    int n = 0;
    if (!names)
        return poise_diagnose_error(r->diag, &err);
    while (names[n])
        n++;
    poise__unknown(r, place, "there is no model", name, n, (const char *const *)names);
    poise_names_free(names);
    return -1;
}

/* A path against the folder of the file that names it. */
static const char *relative(poise__reading *r, const char *path, const char *from)
{
    poise_error err;
    const char *slash = from ? strrchr(from, '/') : NULL;
    while (path[0] == '.' && path[1] == '/') /* so that a circle comes back to the same path */
        path += 2;
    if (!from || path[0] == '/')
        return poise__reading_path(r, path);
    const char *full =
        slash ? poise__arena_printf(r->arena, &err, "%.*s/%s", (int)(slash - from), from, path)
              : poise__arena_text(r->arena, path, &err);
    if (!full)
        poise_diagnose_error(r->diag, &err);
    return full;
}

const poise__yaml *poise__model_open(poise__reading *r, const char *use, const char *from,
                                     poise_place place, const char **file)
{
    size_t n = strlen(use);
    poise_error err;
    if (strchr(use, '/') || (n > 5 && strcmp(use + n - 5, ".yaml") == 0)) {
        *file = relative(r, use, from);
        return *file ? poise__yaml_read(*file, place, r->arena, r->diag) : NULL;
    }
    char path[4096];
    int found =
        use[0] ? poise__search_file(&poise__model_search, use, ".yaml", path, sizeof(path), &err)
               : 1;
    if (found < 0)
        poise_diagnose_error(r->diag, &err);
    else if (found > 0)
        no_model(r, place, use);
    if (found != 0)
        return NULL;
    *file = poise__arena_text(r->arena, path, &err);
    if (!*file) {
        poise_diagnose_error(r->diag, &err);
        return NULL;
    }
    return poise__yaml_read(path, place, r->arena, r->diag);
}

/* ---- the chain ---- */

typedef struct link {
    file_keys keys;
    const char *file;
} link;

static int circle(poise__reading *r, const link *chain, int n, const char *file)
{
    char text[600] = "";
    size_t used = 0;
    for (int k = 0; k < n && used < sizeof(text); k++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s -> ",
                                 chain[k].file ? chain[k].file : r->spec->path);
    return poise_diagnose(r->diag, chain[n - 1].keys.extends_at,
                          "models extend each other in a circle: %s%s", text, file);
}

/* Opens what the last link extends; 1 where there is one, -1 after a diagnosis. */
static int open_next(poise__reading *r, link *chain, int n, const poise__yaml **node)
{
    const file_keys *k = &chain[n - 1].keys;
    const char *file;
    if (!k->extends)
        return 0;
    if (n == LONGEST_CHAIN)
        return poise_diagnose(r->diag, k->extends_at, "more than %d files extend each other",
                              LONGEST_CHAIN);
    *node = poise__model_open(r, k->extends, chain[n - 1].file, k->extends_at, &file);
    if (!*node)
        return -1;
    for (int j = 0; j < n; j++)
        if (chain[j].file && strcmp(chain[j].file, file) == 0)
            return circle(r, chain, n, file);
    chain[n] = (link){.file = file};
    return 1;
}

static int merge(poise__reading *r, poise__model_text *t, const file_keys *k)
{
    t->about = k->about ? k->about : t->about;
    t->paper = k->paper ? k->paper : t->paper;
    t->when = k->when ? k->when : t->when;
    t->output = k->output ? k->output : t->output;
    t->row_weight = k->row_weight ? k->row_weight : t->row_weight;
    t->penalty = k->penalty ? k->penalty : t->penalty;
    if (!k->extends) {
        t->params = k->params;
        t->network = k->network;
        return 0;
    }
    int bad = poise__extend_params(r, t, k->params);
    return poise__extend_network(r, t, k->network) < 0 ? -1 : bad;
}

static int is_misspelt(const poise__yaml *node, const char *key)
{
    const poise_section *const sections[] = {&poise__model_file_section};
    return poise__misspelt(node, 1, sections, key);
}

int poise__model_text_read(poise__reading *r, const poise__yaml *node, const char *file,
                           poise__model_text *text)
{
    link *chain = poise__reading_alloc(r, LONGEST_CHAIN, sizeof(*chain));
    const poise__yaml *first = node;
    int n = 0, bad = 0, more = 1;
    *text = (poise__model_text){0};
    if (!chain)
        return -1;
    for (chain[0].file = file; more > 0;) {
        n++;
        if (poise__version_check(r, node) < 0)
            return -1;
        bad |=
            poise__keys_read(r, node, "the model", &poise__model_file_section, &chain[n - 1].keys);
        if (node->kind != POISE__MAP)
            return -1;
        const file_keys *keys = &chain[n - 1].keys;
        int extends = keys->extends || poise__yaml_get(node, "extends");
        int unread = !extends && is_misspelt(node, "extends");
        text->partial |=
            (!keys->params && poise__yaml_get(node, "params")) || is_misspelt(node, "params");
        more = unread || (extends && !keys->extends) ? -1 : open_next(r, chain, n, &node);
    }
    text->file = poise__reading_alloc(r, (size_t)n, sizeof(*text->file));
    if (!text->file)
        return -1;
    text->chain = n;
    for (int k = n - 1; k >= 0; k--) {
        text->file[k] = chain[k].file;
        if (more == 0) /* without what it extends, nothing of it can be told right from wrong */
            bad |= merge(r, text, &chain[k].keys);
    }
    text->partial |= more != 0;
    if (!more && !text->network && !bad)
        bad = poise_diagnose(r->diag, first->place, "the model has no layers");
    return bad || more ? -1 : 0;
}
