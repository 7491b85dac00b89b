#include "../core/search.h"
#include "expression.h"
#include "model_file.h"
#include "network.h"
#include "params.h"
#include "sections.h"

typedef struct model_keys {
    const char *use;
    poise__yaml *given; /* parameters beside use: */
} model_keys;

static int read_parameter(poise__reading *r, const poise__yaml *key, const poise__yaml *v,
                          void *into);

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

/* Layers and output with the parameters' values in place. */
static int evaluate(poise__reading *r, poise_model *m, int partial, poise__yaml **network)
{
    poise__scope *s = poise__reading_alloc(r, 1, sizeof(*s));
    int bad = 0;
    if (!s)
        return -1;
    s->params = m->params;
    s->partial = partial;
    *network = poise__evaluate(r, m->network, s, &bad);
    if (m->written_output)
        m->outputs = poise__evaluate(r, m->written_output, s, &bad);
    for (int e = 0; e < POISE__EXTRAS; e++)
        if (m->written_extras[e])
            m->extras[e] = poise__evaluate(r, m->written_extras[e], s, &bad);
    for (size_t i = 0; *network && i < m->params->n; i++)
        if (!s->used[i] && !m->params->item[i]->wrong)
            poise_warn(r->diag, m->params->key[i]->place, "no layer uses parameter '%.80s'",
                       m->params->key[i]->text);
    return bad;
}

static int finish(poise__reading *r, const poise__model_text *text, const poise__yaml *given,
                  poise_model *m)
{
    int bad = 0;
    poise__yaml *network = NULL;
    m->about = text->about;
    m->paper = text->paper;
    m->when = text->when;
    m->declared = text->params;
    m->network = text->network;
    m->written_output = text->output;
    m->written_extras[POISE__ROW_WEIGHT] = text->row_weight;
    m->written_extras[POISE__PENALTY] = text->penalty;
    m->removed = text->removed;
    m->groups = r->spec->groups;
    m->params = poise__params_read(r, m->declared, given, m->name, m->place, text->partial, &bad);
    if (!m->params || !m->network)
        return -1;
    bad |= evaluate(r, m, text->partial, &network);
    r->model_read = network && poise__network_read(r, network, m) == 0;
    return r->model_read ? bad : -1;
}

static int says_nothing(poise__reading *r, const poise__yaml *node)
{
    static const char *const known[] = {"use", "network", "extends"};
    for (size_t k = 0; k < node->n; k++)
        if (poise__nearest(node->key[k]->text, POISE__COUNT(known), known))
            return poise__unknown(r, node->key[k]->place, "model has no key", node->key[k]->text,
                                  POISE__COUNT(known), known);
    return poise_diagnose(r->diag, node->place, "model says neither use: NAME nor network: {...}");
}

int poise__read_model(poise__reading *r, const poise__yaml *node)
{
    model_keys k = {0};
    poise_error err;
    poise__model_text text;
    poise_model *m = poise__reading_alloc(r, 1, sizeof(*m));
    if (!node || !m)
        return -1;
    r->spec->model = m;
    m->place = node->place;
    m->name = "network";
    k.given = poise__node_map(r->arena, &err);
    if (!k.given)
        return poise_diagnose_error(r->diag, &err);
    const poise__yaml *tree = node, *use = poise__yaml_get(node, "use");
    const char *file = NULL;
    int bad = 0;
    if (poise__version_check(r, node) < 0)
        return -1;
    if (node->kind == POISE__MAP && !use && !poise__yaml_get(node, "network") &&
        !poise__yaml_get(node, "extends"))
        return says_nothing(r, node);
    if (node->kind != POISE__MAP || use) {
        poise_key row = model_rows[0];
        row.name = "model";
        bad = node->kind == POISE__MAP
                  ? poise__keys_read(r, node, "model", &poise__model_section, &k)
                  : poise__key_read(r, &row, node, &k);
        if (!k.use)
            return -1;
        m->name = k.use;
        tree = poise__model_open(r, k.use, NULL, use ? use->place : node->place, &file);
    }
    if (!tree)
        return -1;
    bad |= poise__model_text_read(r, tree, file, &text);
    return finish(r, &text, k.given, m) < 0 || bad ? -1 : 0;
}
