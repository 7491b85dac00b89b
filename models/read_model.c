#include <string.h>
#include "../core/search.h"
#include "network.h"
#include "params.h"
#include "sections.h"

typedef struct model_keys {
    const char *use;
    const char *about, *paper, *when, *output;
    const poise__yaml *params, *network;
    poise__yaml *given; /* parameters beside use: */
} model_keys;

static int read_parameter(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                          void *into);
static int read_params(poise__reading *r, const poise__yaml *v, void *into);
static int read_network(poise__reading *r, const poise__yaml *v, void *into);

static const poise_key model_rows[] = {
    {.name = "use",
     .kind = POISE_KEY_TEXT,
     .required = 1,
     POISE__INTO(model_keys, use),
     .help = "name of a model, or path of its file, relative to the spec's folder"},
};
const poise_section poise__model_section = {
    .name = "model",
    .about = "what network is trained: a name, this mapping, or the keys of a model file",
    POISE__ROWS(model_rows),
    .other = read_parameter,
    .other_help = "every other key is a parameter of the model",
    .other_schema = "any"};

static const poise_key file_rows[] = {
    {.name = "about",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(model_keys, about),
     .help = "what the model is, in a line"},
    {.name = "paper",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(model_keys, paper),
     .help = "where it was published"},
    {.name = "when",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(model_keys, when),
     .help = "when to use it"},
    {.name = "params",
     .kind = POISE_KEY_OWN,
     .read = read_params,
     .form = "mapping of name: default",
     .schema = "map of any",
     .help = "what a run may choose; $name in the network stands for the value"},
    {.name = "network",
     .kind = POISE_KEY_OWN,
     .required = 1,
     .read = read_network,
     .form = "mapping of layer: keys",
     .schema = "map of layer",
     .help = "the layers, in any order"},
    {.name = "output",
     .kind = POISE_KEY_TEXT,
     POISE__INTO(model_keys, output),
     .help = "the layer that is the tasks' output; without it the one called logit"},
};
const poise_section poise__model_file_section = {
    .name = "model file",
    .about = "a network, in its own file or inline under model:",
    POISE__ROWS(file_rows)};

static int read_parameter(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                          void *into)
{
    poise_error err;
    poise__yaml *item = poise__yaml_share(r->arena, v, &err);
    poise__yaml *name = poise__yaml_share(r->arena, key, &err);
    if (poise__yaml_append(r->arena, ((model_keys *)into)->given, name, item, &err) < 0)
        return poise_diagnose_error(r->diag, &err);
    return 0;
}

static int read_params(poise__reading *r, const poise__yaml *v, void *into)
{
    (void)r;
    ((model_keys *)into)->params = v;
    return 0;
}

static int read_network(poise__reading *r, const poise__yaml *v, void *into)
{
    (void)r;
    ((model_keys *)into)->network = v;
    return 0;
}

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

/* The tree of the model file that `use` names. */
static poise__yaml *open_file(poise__reading *r, const char *use, poise_place place)
{
    size_t n = strlen(use);
    if (strchr(use, '/') || (n > 5 && strcmp(use + n - 5, ".yaml") == 0)) {
        const char *path = poise__reading_path(r, use);
        return path ? poise__yaml_read(path, place, r->arena, r->diag) : NULL;
    }
    char path[4096];
    poise_error err;
    int found =
        use[0] ? poise__search_file(&poise__model_search, use, ".yaml", path, sizeof(path), &err)
               : 1;
    if (found < 0)
        poise_diagnose_error(r->diag, &err);
    else if (found > 0)
        no_model(r, place, use);
    else
        return poise__yaml_read(path, place, r->arena, r->diag);
    return NULL;
}

static int finish(poise__reading *r, const model_keys *k, poise_model *m, const poise__yaml *top)
{
    int bad = 0;
    m->about = k->about;
    m->paper = k->paper;
    m->when = k->when;
    m->network = k->network;
    m->output = -1;
    m->output_name = k->output;
    const poise__yaml *output = poise__yaml_get(top, "output");
    m->output_at = output ? output->place : top->place;
    m->params = poise__params_read(r, k->params, k->given, m->name, &bad);
    if (!m->params || !k->network)
        return -1;
    poise__yaml *network = poise__params_apply(r, k->network, m->params, &bad);
    if (!network || poise__network_read(r, network, m) < 0)
        return -1;
    return bad;
}

int poise__read_model(poise__reading *r, const poise__yaml *node)
{
    model_keys k = {0};
    poise_error err;
    poise_model *m = poise__reading_alloc(r, 1, sizeof(*m));
    if (!node || !m)
        return -1;
    r->spec->model = m;
    m->place = node->place;
    m->name = "network";
    k.given = poise__node_map(r->arena, &err);
    if (!k.given)
        return poise_diagnose_error(r->diag, &err);
    const poise__yaml *file = node, *use = poise__yaml_get(node, "use");
    int bad = 0;
    if (node->kind == POISE__MAP && !use && !poise__yaml_get(node, "network"))
        return poise_diagnose(r->diag, node->place,
                              "model says neither use: NAME nor network: {...}");
    if (node->kind != POISE__MAP || use) {
        poise_key row = model_rows[0];
        row.name = "model";
        bad = node->kind == POISE__MAP
                  ? poise__keys_read(r, node, "model", &poise__model_section, &k)
                  : poise__key_read(r, &row, node, &k);
        if (!k.use)
            return -1;
        m->name = k.use;
        file = open_file(r, k.use, use ? use->place : node->place);
    }
    if (!file)
        return -1;
    bad |= poise__keys_read(r, file, "the model", &poise__model_file_section, &k);
    if (file->kind != POISE__MAP)
        return -1;
    return finish(r, &k, m, file) < 0 || bad ? -1 : 0;
}
